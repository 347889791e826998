# What nginx has refused before us is not judged in the location that its
# error_page leads to, in whatever way that does: a limit on requests would be
# none, neither for guesses of a token nor for handshakes.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;
use Time::HiRes qw(sleep);


# what refuses, with which status

my %refusal = (
    limit => ['limit_req zone=one;', 503],
    deny  => ['deny all;', 403],
    auth  => ['auth_basic x; auth_basic_user_file none;', 401],
    size  => ['client_max_body_size 1;', 413],
    return => ['return 418;', 418],
);

my %to = (named => '@later', uri => '/later');

my %how = (
    kept      => ['', ''],
    forgotten => ['', '='],
    changed   => ['', '=200'],
    recursive => ['recursive_error_pages on;', ''],
    both      => ['recursive_error_pages on;', '='],
);

# the module looks more closely where any location has recursive error pages

subtest 'some are recursive' => \&refused, keys %how;
subtest 'none is recursive'  => \&refused, grep { !/recursive|both/ } keys %how;

done_testing();


sub refused {
    my (@how) = @_;

    my ($server, @cases) = ('');

    for my $refusal (sort keys %refusal) {
        for my $to (sort keys %to) {
            for my $how (sort @how) {
                my ($setting, $status) = @{$refusal{$refusal}};
                my $name = "$refusal-$to-$how";

                $server .= <<"END";
        location /$name {
            $setting
            $how{$how}[0]
            error_page $status $how{$how}[1] $to{$to};
            proxy_pass http://app;
        }
END
                # nginx has forgotten what a status was, or has another one

                push @cases, [$name, $how{$how}[1] ? 503 : $status];
            }
        }
    }

    # refused while nginx still reads its headers, before any location

    push @cases, ['header', 400, 'Host: one', 'Host: two'];

    my $nginx = Clockodo::Nginx->start(http => <<'END', server => <<"END");
    limit_req_zone all zone=one:1m rate=1r/m;

    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/app.sock;
        access_log logs/app.log;
        return 200;
    }

    upstream app { server unix:$TEST_NGINX_SERVER_ROOT/app.sock; }
END
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;
        clockodo_secret_file secrets;

        add_header X-Verdict "[\$clockodo_verdict\$clockodo_reason]" always;
        recursive_error_pages off;
        error_page 400 /later;

        location /first { limit_req zone=one; proxy_pass http://app; }
        location \@later { proxy_pass http://app; }
        location /later { proxy_pass http://app; }
$server
END

    my $worker = $nginx->worker;

    # the one request that the limit lets pass

    is(deliver($nginx, '/first')->{status}, 200, 'limit_req lets one pass');
    sleep 0.01 until length $nginx->read('logs/app.log');

    $nginx->new_log;

    for my $case (@cases) {
        my ($name, $status, @headers) = @$case;

        my @before = map { $nginx->read($_) } qw(secrets logs/app.log);

        for my $body (event(), event(token => '"guess"'), '{"secret":"s3cret"}',
                      'xx')
        {
            my $what = "$name: " . substr($body, 0, 10) . length $body;
            my $client = Clockodo::Client->new($nginx->port, $worker);

            $client->send(post($body, @headers) =~ s{/hook}{/$name}r);

            my $reply = $client->reply;

            is($reply->{status}, $status, "$what: status");
            is($reply->{header}{'x-verdict'}, '[]', "$what: verdict");
        }

        unlike($nginx->new_log, qr/clockodo webhook/, "$name: no line of ours");
        is_deeply([map { $nginx->read($_) } qw(secrets logs/app.log)], \@before,
                  "$name: no handshake, nothing upstream");
    }
}
