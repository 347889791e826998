# Headers that the module sets, and none that a client made up, arrive over
# each of nginx's protocols, from clients of HTTP/1.1 and HTTP/2 alike.

use lib 't/lib';

use Clockodo;
use Clockodo::Peer;
use Test::Nginx::Socket;

my @protocols = qw(http fastcgi scgi uwsgi);

$ENV{'TEST_NGINX_' . uc} = Clockodo::Peer::start($_) for @protocols;

no_long_string();

plan tests => 5 * 3;


our $headers = <<'END';
Content-Type: application/json
X-Other: a
X-Clockodo-Event: spoofed
x_clockodo_event: spoofed
X.Clockodo.Entity: spoofed
X-Clockodo_Reason: spoofed
x-clockodo-anything: spoofed
END

my $key = '633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991';

our $seen = <<"END" . "\n" . event();
X_OTHER=a
X_CLOCKODO_EVENT=team.updated
X_CLOCKODO_ENTITY=team
X_CLOCKODO_ACTION=updated
X_CLOCKODO_ENTITY_ID=9001
X_CLOCKODO_SUBSCRIPTION_ID=42
X_CLOCKODO_COMPANY_ID=1337
X_CLOCKODO_OCCURRED_AT=1986-05-10T17:02:00Z
X_CLOCKODO_IDEMPOTENCY_KEY=$key
END

our $settings = <<'END';
    underscores_in_headers on;
    ignore_invalid_headers off;

    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    location = /proxy {
        proxy_pass http://unix:$TEST_NGINX_HTTP;
    }

    location = /fastcgi {
        fastcgi_pass unix:$TEST_NGINX_FASTCGI;
    }

    location = /scgi {
        scgi_pass unix:$TEST_NGINX_SCGI;
    }

    location = /uwsgi {
        uwsgi_param CONTENT_LENGTH $content_length;
        uwsgi_pass unix:$TEST_NGINX_UWSGI;
    }

    location = /grpc {
        grpc_pass unix:$TEST_NGINX_SERVER_ROOT/html/grpc.sock;
    }
END


# a peer's answer in one form: X-... headers as CGI names them, and the body

sub seen {
    my ($head, $body) = split /\r?\n\r?\n/, $_[0], 2;

    my @lines = map { /^(?:HTTP_)?(X[^:=]+)(?:: |=)(.*)/i
                      ? uc($1 =~ tr/A-Za-z0-9/_/cr) . "=$2\n" : () }
                    split /\r?\n/, $head;

    return join '', @lines, "\n", $body;
}


run_tests();

my $socket = html_dir() . '/h2.sock';

for my $path (qw(proxy fastcgi scgi uwsgi grpc)) {
    my @headers = map { ('-H', $_) } split /\n/, $headers;

    open my $curl, '-|', 'curl', '-s', '--http2-prior-knowledge',
         '--unix-socket', $socket, @headers, '-d', event(),
         "http://localhost/$path" or die "curl: $!\n";

    is(seen(join '', <$curl>), $seen, "HTTP/2 to $path");
}

__DATA__

=== TEST 1: HTTP/1.1
--- http_config eval
<<"END"
    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/html/h2.sock http2;
$::settings
    }

    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/html/grpc.sock http2;

        underscores_in_headers on;
        ignore_invalid_headers off;

        location / {
            proxy_pass http://unix:\$TEST_NGINX_HTTP;
        }
    }
END
--- config eval: $::settings
--- request eval
[map { "POST /$_\n" . ::event() } qw(proxy fastcgi scgi uwsgi grpc)]
--- more_headers eval: $::headers
--- response_body_filters eval: \&::seen
--- response_body eval: [($::seen) x 5]
