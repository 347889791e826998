# What nginx refuses itself, or the client breaks off, is not ours: there is no
# verdict, no reason, no line of ours in the error log, and nothing goes
# upstream.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;
use Time::HiRes qw(sleep);


my $hook = <<'END';
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            add_header X-Verdict "[$clockodo_verdict]" always;
            add_header X-Reason "[$clockodo_reason]" always;
            proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/app.sock;
END

my $nginx = Clockodo::Nginx->start(http => <<'END', server => <<"END");

    log_format edge '$status [$clockodo_verdict] [$clockodo_reason]';
    log_format app '$request_method $uri $http_x_clockodo_event';

    limit_req_zone $uri zone=one:1m rate=1r/m;

    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/app.sock;
        access_log logs/app.log app;
        return 200;
    }
END
        access_log logs/edge.log edge;
        server_tokens off;
        location /hook    { $hook }
        location /deny    { deny all; $hook }
        location /auth    { auth_basic x; auth_basic_user_file none; $hook }
        location /limit   { limit_req zone=one; $hook }
        location /size    { client_max_body_size 10; $hook }
        location /timeout { client_body_timeout 50ms; $hook }
END

my $worker = $nginx->worker;
my $event = event();


# the one new line of a log, when it is there

my %seen;

sub line {
    my ($name) = @_;

    for (1 .. 500) {
        my @lines = split /\n/, $nginx->read("logs/$name.log");

        if (@lines > ($seen{$name} || 0)) {
            return @lines == ++$seen{$name} ? $lines[-1]
                                            : 'more than one line';
        }

        sleep 0.01;
    }

    return 'no line';
}


sub client {
    return Clockodo::Client->new($nginx->port, $worker);
}


sub at {
    my ($path, $request) = @_;

    return $request =~ s{ /hook }{ /$path }r;
}


sub quiet {
    my ($name) = @_;

    unlike($nginx->new_log, qr/clockodo webhook/, "$name: no line of ours");
    is(length $nginx->read('logs/app.log'), 0, "$name: nothing upstream");
}


my $chunked = chunked($event);

my @refused = (
    [ 'deny', 403, at('deny', post($event)) ],
    [ 'auth_basic', 401, at('auth', post($event)) ],
    [ 'client_max_body_size', 413, at('size', post($event)) ],
    [ 'client_max_body_size, chunked', 413,
      at('size', post($chunked, 'Transfer-Encoding: chunked')) ],
    [ 'client_body_timeout', 408,
      at('timeout', post(substr($event, 0, 20), 'Content-Length: 100')) ],
    [ 'client_body_timeout, chunked', 408,
      at('timeout', post(substr($chunked, 0, 20),
                         'Transfer-Encoding: chunked')) ],
    [ 'a bad chunk', 400,
      post("x\r\n$event", 'Transfer-Encoding: chunked') ],
    [ 'a bad chunk behind a good one', 400,
      post("2\r\n{}\r\nx", 'Transfer-Encoding: chunked') ],
);

for (@refused) {
    my ($name, $status, $request) = @$_;

    my $client = client();
    my ($head, $body) = $request =~ /\A(.*?\r\n\r\n)(.*)\z/s;

    # the body comes later, when nginx has begun to read it
    $client->send($head, $body);

    # nothing is sent with 408
    if ($status == 408) {
        ok($client->closed, "$name: closed");

    } else {
        my $reply = $client->reply;

        is($reply->{status}, $status, "$name: status");
        is($reply->{header}{'x-verdict'}, '[]', "$name: verdict");
        is($reply->{header}{'x-reason'}, '[]', "$name: reason");
    }

    $client->close;

    like(line('edge'), qr/^$status \[-?\] \[-?\]$/, "$name: variables");
    quiet($name);
}


# The client is gone in the middle of a body.

for my $how ('with Content-Length', 'chunked') {
    for my $reset (0, 1) {
        my $name = ($reset ? 'reset' : 'gone') . ", $how";

        my $request = $how eq 'chunked'
                      ? post($chunked, 'Transfer-Encoding: chunked')
                      : post($event);

        my $client = client();

        $client->send(unpack('a150 a50', $request), '');
        $client->close($reset);

        like(line('edge'), qr/^400 \[-?\] \[-?\]$/, "$name: variables");
        quiet($name);
    }
}

is($nginx->worker, $worker, 'the worker is alive');


# limit_req lets the first one pass

my $client = client();

$client->send(at('limit', post($event)));
is($client->reply->{header}{'x-verdict'}, '[accepted]', 'limit_req: passes');
is(line('edge'), '200 [accepted] [-]', 'limit_req: variables of the first');
is(line('app'), 'POST /limit team.updated', 'limit_req: upstream');

$client->send(at('limit', post($event)));
is($client->reply->{status}, 503, 'limit_req: refused');
like(line('edge'), qr/^503 \[-?\] \[-?\]$/, 'limit_req: variables');
unlike($nginx->new_log, qr/clockodo webhook/, 'limit_req: no line of ours');

done_testing();
