# A client cannot bring headers of ours along: the application trusts them.
# Every header under the prefix is taken out of the request, in whatever way
# it is spelled and wherever it stands, for "x_clockodo_event" and
# "X.Clockodo.Event" are HTTP_X_CLOCKODO_EVENT behind CGI and its kin.  All
# others arrive in order and as they are.
#
# nginx keeps headers in parts of 20.

use lib 't/lib';

use Clockodo;
use Clockodo::Peer;

# the error log needs no waiting for: nothing is looked for in it

BEGIN { $ENV{TEST_NGINX_SLEEP} //= 0.002 }

use Test::Nginx::Socket;

$ENV{TEST_NGINX_PEER} = Clockodo::Peer::start('http');

no_long_string();

my $ours = event_headers();

# nginx itself refuses other bytes, such as blanks, in a name

my @spoofed = qw(
    X-Clockodo-Event x-clockodo-event X-CLOCKODO-EVENT x_clockodo_event
    X_Clockodo_Event X.Clockodo.Event X-Clockodo_Event X-Clockodo.Event
    x~clockodo~event X!Clockodo*Event X-Clockodo+Event X|Clockodo^Event
    X-Clockodo-Entity X-Clockodo-Action X-Clockodo-Entity-Id
    X-Clockodo-Subscription-Id X-Clockodo-Company-Id X-Clockodo-Occurred-At
    X-Clockodo-Idempotency-Key X-Clockodo-Verdict X-Clockodo-Reason
    X-Clockodo-Duplicate X-CLOCKODO-anything X-Clockodo- X_CLOCKODO_
    x.clockodo. X-Clockodo--Event X-Clockodo-Event-X
);

my @others = (
    'User-Agent: c/1', 'Cookie: a=b', 'X-Clockodo: no dash behind',
    'XX-Clockodo-Event: other', 'X-Clockod-Event: other',
    'X-Clockodo2-Event: other', 'X--Clockodo-Event: other',
    'Clockodo-Event: other', 'HTTP_X_CLOCKODO_EVENT: other',
    'X-Forwarded-For: 192.0.2.1', 'Cookie: c=d', 'x_other.name: other',
);

our (@headers, @seen);


# A request with headers to be taken out, "x", and others, ".".  Those that it
# needs stand in the middle, or elsewhere.

sub add {
    my ($layout, $needed) = @_;
    my ($i, $j) = (0, 0);

    my @sent = map {
        $_ eq 'x' ? $spoofed[$i++ % @spoofed] . ": spoofed $i"
                  : $others[$j++ % @others] . " $j"
    } split //, $layout;

    splice @sent, $needed // @sent / 2, 0, 'Content-Type: application/json',
           'Host: x', 'Connection: close', 'Content-Length: ' . length event();

    push @headers, join "\n", @sent;
    my @rest = grep { !/: spoofed|^(?:Host|Connection|Content-L)/ } @sent;

    push @seen, join "\r\n", 'POST /hook HTTP/1.0', 'Host: app',
                             'Connection: close',
                             'Content-Length: ' . length event(), @rest,
                             $ours . "\r\n" . event();
}


add('');
add('x');
add($_ x @spoofed) for qw(x x. xx. .x);

# one alone, and all but one, at each place over more than two parts

for (0 .. 40) {
    add('.' x $_ . 'x' . '.' x (40 - $_));
    add('x' x $_ . '.' . 'x' x (40 - $_));
}

# whole parts and their edges

for (13 .. 21) {
    add('.' x $_ . 'x' x 20 . '.' x 4);
    add('x' x $_ . '.' x 20 . 'x' x 4);
}

add('x' x 90);

# nothing but the end of the first part stays, or its start

for (1 .. 16) {
    add('x' x $_, $_);
    add('x' x $_, 0);
}

plan tests => 2 * @headers;

run_tests();

__DATA__

=== TEST 1: no spoofed header arrives, and all others do
--- http_config
    underscores_in_headers on;
    ignore_invalid_headers off;

    upstream app {
        server unix:$TEST_NGINX_PEER;
    }

    # versions of nginx differ in their defaults
    proxy_http_version 1.0;
    proxy_set_header Host $proxy_host;
    proxy_set_header Connection close;
--- config
    location /hook {
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;
        proxy_pass http://app;
    }
--- request eval: [map { "POST /hook\n" . ::event() } @::headers]
--- more_headers eval: [@::headers]
--- response_body eval: [@::seen]
