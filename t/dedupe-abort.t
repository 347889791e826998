# A sender that hangs up before the application has answered, and sends the
# event again: with proxy_ignore_client_abort the delivery goes on, and the
# repeat is held back; without it, nginx ends the delivery, which is warned of
# once.  Over HTTP/1 and HTTP/2.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Application;
use Clockodo::Client;
use Clockodo::Http2;
use Clockodo::Nginx;
use IO::Socket::UNIX;
use Test::More;


my $app = Clockodo::Application->start;

my $locations = <<"END";
    listen unix:\$TEST_NGINX_SERVER_ROOT/html/h2.sock http2;

    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_dedupe drop;

    location /on {
        proxy_ignore_client_abort on;
        proxy_pass http://unix:@{[ $app->path ]};
    }
    location /default { proxy_pass http://unix:@{[ $app->path ]}; }
    location /ping { clockodo_webhook off; return 204; }
    location /grpc { grpc_pass unix:\$TEST_NGINX_SERVER_ROOT/html/grpc.sock; }
END

my $nginx = Clockodo::Nginx->start(server => $locations, http => <<"END");
    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/html/grpc.sock http2;
        location / { return 200; }
    }
END

my $id = 0;

# how a sender hangs up: HTTP/2 can end a stream, too

my %hangs_up = (
    'HTTP/1'           => [\&client1, sub { $_[0]->close }],
    'HTTP/1, reset'    => [\&client1, sub { $_[0]->close(1) }],
    'HTTP/2'           => [\&client2, sub { $_[0]->close }],
    'HTTP/2, a stream' => [\&client2, sub {
        $_[0]->send(frame(RST_STREAM, 0, 1, pack 'N', 8));
    }],
);

subtest 'the warning' => \&warning;

for my $how (sort keys %hangs_up) {
    subtest "$how: the delivery goes on" => sub { goes_on(@{$hangs_up{$how}}) };
    subtest "$how: it ends" => sub { ends(@{$hangs_up{$how}}) };
}

done_testing;


sub goes_on {
    my ($send, $hang_up) = @_;

    my $event = event(company_id => ++$id);
    my $calls = $app->calls;

    $app->answer('stall');

    my $client = $send->('/on', $event);

    wait_for(sub { $app->calls > $calls });
    $hang_up->($client);

    # what it has to say of that, it has said once it answers this

    is(answer('/ping', ''), 204, 'the worker has seen it');

    is(answer('/on', $event), 409, 'while the application is at work');

    $app->answer('200');
    wait_for(sub { answer('/on', $event) != 409 });

    is(answer('/on', $event), 200, 'when it has taken it');
    is($app->calls, $calls + 1, 'once');
}


sub ends {
    my ($send, $hang_up) = @_;

    my $event = event(company_id => ++$id);
    my $calls = $app->calls;
    my $ended = ended();

    $app->answer('stall');

    my $client = $send->('/default', $event);

    wait_for(sub { $app->calls > $calls });
    $hang_up->($client);
    wait_for(sub { ended() > $ended });

    $app->answer('200');
    is(answer('/default', $event), 200, 'its repeat');
    is($app->calls, $calls + 2, 'reaches the application');
    unlike(($app->calls)[-1], qr/duplicate/, 'as if it were the first');
}


sub warning {
    my $said = sub {
        return scalar(() = $nginx->log
                           =~ /\[warn\] .*"proxy_ignore_client_abort on"/g);
    };

    is(answer($_, event(company_id => ++$id)), 200, $_) for '/on', '/grpc';
    is($said->(), 0, 'not where it is on, nor of grpc_pass');

    is(answer('/default', event(company_id => ++$id)), 200, '/default')
        for 1, 2;
    is($said->(), 1, 'once');
}


# How many deliveries have ended with their senders.

sub ended {
    return scalar(() = $nginx->read('logs/access.log') =~ /" 499 /g);
}


sub client1 {
    my ($uri, $body) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post($body) =~ s{/hook}{$uri}r);

    return $client;
}


sub client2 {
    my ($uri, $body) = @_;

    my $socket = IO::Socket::UNIX->new($nginx->root . '/html/h2.sock')
        or die "cannot connect: $!\n";
    my $client = Clockodo::Client->over($socket);

    $client->send(join '', preface(), headers(1, 0, ':path' => $uri),
                  body(1, $body, 1000));

    return $client;
}


# A status, by HTTP/1.

sub answer {
    return client1(@_)->reply->{status};
}
