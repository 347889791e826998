# A request that nginx sends on to another location.  What has been accepted
# is judged again by that one's settings, without reading it again; what has
# been refused, by us or by nginx before us, stays refused.

use lib 't/lib';

use Clockodo;
use Clockodo::Peer;

# the error log is read at the end

BEGIN { $ENV{TEST_NGINX_SLEEP} //= 0.002 }

use IO::Socket::INET;
use Test::Nginx::Socket;
use Time::HiRes qw(sleep);

$ENV{TEST_NGINX_PEER} = Clockodo::Peer::start('http');

no_long_string();
no_shuffle();

our $bad = event(token => '"x"');
our $passed = qr{\A[A-Z]+\ /\S+\ HTTP/1.0\r\n
                 (?:(?!X-Clockodo)[^\r]+\r\n)+
                 (?:X-Clockodo-[A-Z][^\r]+\r\n){8}
                 \r\n\Q${\ event()}\E\z}x;
our $page = own_page();

# what a location says of a request that comes from one which accepted it

our @second = (
    ['second', 200, 'accepted/', $passed],
    ['strict', 403, 'rejected/company', $page],
    ['tokens', 403, 'rejected/token', $page],
    ['filter', 200, 'filtered/', qr/\A\z/],
    ['small', 200, 'accepted/', $passed],
    ['off', 200, 'accepted/', $passed],
);

our @redirects = map { my $how = $_; map { [$how, @$_] } @second }
                     qw(try accel page named);

# a rejection, then error pages

our @rejected = (
    ['/to-on', 403, $page],
    ['/to-on-200', 403, $page],
    ['/to-on-named', 403, $page],
    ['/to-off', 403, qr/\Aoff\n\z/],
    ['/to-return', 403, qr/\Areturn\z/],
    ['/recursive', 403, qr/\Aoff\n\z/],
);

# nginx's own refusals, each with an error page where the module is on; those
# with a length and no body would wait for it if they read it

my $length = "Content-Length: 300\n";

our @refused = (
    ['/deny', event(), 403],
    ['/deny', '', 403, $length],
    ['/auth', event(), 401],
    ['/auth', '', 401, $length],
    ['/limit', event(), 429],
    ['/limit', '', 429, $length],
    ['/max', event(), 413],
    ['/chunked', "zz\r\n", 400, "Transfer-Encoding: chunked\n"],
);

plan tests => 3 * @redirects + 3 + 3 * @rejected + 3 + 2 + 4 + 2
              + 3 * @refused + 2 * 3 + 4 + 5;

run_tests();

# a body that stops half way: nginx gives up, and closes the connection

my $slow = IO::Socket::INET->new(PeerAddr => '127.0.0.1:' . server_port());

print $slow "POST /slow HTTP/1.1\r\nHost: localhost\r\n"
            . "Content-Type: application/json\r\nContent-Length: 300\r\n\r\n{";

is(join('', <$slow>), '', 'no answer to half a body');
is_deeply([logged('slow', 1)], ["408 []\n"], 'it was not judged');

is_deeply([logged('seen', 2)],
          ["/seen-mirror team.updated\n", "/seen-action team.updated\n"],
          'accepted events alone come to a mirror and a post_action');

my @log = logged('error', 1);

is_deeply([map { / clockodo webhook rejected \((\w+)\)/ ? $1 : () } @log],
          [(map { $_->[3] =~ m{rejected/(\w+)} ? $1 : () } @redirects),
           ('company') x @rejected, 'method', 'body_too_large',
           'token', 'token', 'token'],
          'each rejection is logged once, and no refusal of nginx');

is_deeply([grep { /\[(?:alert|crit|emerg)\]/ } @log], [], 'nothing is wrong');


# a log's lines, once there are so many: the last come after the reply

sub logged {
    my ($name, $lines) = @_;
    my @lines;

    for (1 .. 100) {
        open my $file, '<', server_root() . "/logs/$name.log" or next;
        @lines = <$file>;
        last if @lines >= $lines;

    } continue {
        sleep 0.05;
    }

    return @lines;
}

__DATA__

=== TEST 1: judged again where it comes to
--- http_config
    limit_req_zone $server_name zone=limit:32k rate=1r/m;
    limit_req_status 429;

    upstream app {
        server unix:$TEST_NGINX_PEER;
    }

    # versions of nginx differ in their defaults
    proxy_http_version 1.0;
    proxy_set_header Host $proxy_host;
    proxy_set_header Connection close;

    log_format seen "$request_uri $http_x_clockodo_event";
    log_format slow escape=json "$status [$clockodo_verdict$clockodo_reason]";

    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/html/other.sock;

        location /accel {
            add_header X-Accel-Redirect /$arg_to;
            return 200;
        }

        location /seen {
            access_log logs/seen.log seen;
            return 200;
        }

        location / {
            return 404;
        }
    }
--- user_files
>>> page.html
off
>>> users
u:{PLAIN}p
--- config
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    lingering_timeout 50ms;

    add_header X-Verdict $clockodo_verdict/$clockodo_reason always;

    location /second {
        proxy_pass http://app;
    }

    location /strict {
        clockodo_company 1;
        proxy_pass http://app;
    }

    location /tokens {
        clockodo_token other;
        proxy_pass http://app;
    }

    location /filter {
        clockodo_events entry.*;
        proxy_pass http://app;
    }

    location /small {
        clockodo_max_body_size 1;
        proxy_pass http://app;
    }

    location /off {
        clockodo_webhook off;
        proxy_pass http://app;
    }

    location /try {
        try_files /none /$arg_to;
    }

    location /accel {
        proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/html/other.sock;
    }

    location /page {
        proxy_intercept_errors on;
        error_page 404 = /$arg_to;
        proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/html/other.sock;
    }

    location /named {
        try_files /none @named;
    }

    location @named {
        rewrite ^ /$arg_to last;
    }

    location /keeps {
        proxy_intercept_errors on;
        error_page 404 /second;
        proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/html/other.sock;
    }

    location /to-on {
        clockodo_company 1;
        error_page 400 403 405 413 415 /second;
        proxy_pass http://app;
    }

    location /to-on-200 {
        clockodo_company 1;
        error_page 400 403 405 413 415 =200 /second;
        proxy_pass http://app;
    }

    location /to-on-named {
        clockodo_company 1;
        error_page 403 = @on;
        proxy_pass http://app;
    }

    location @on {
        proxy_pass http://app;
    }

    location /to-off {
        clockodo_company 1;
        error_page 403 /page.html;
        proxy_pass http://app;
    }

    location /to-return {
        clockodo_company 1;
        error_page 403 /return;
        proxy_pass http://app;
    }

    location /recursive {
        clockodo_company 1;
        recursive_error_pages on;
        error_page 403 /recursive-second;
        proxy_pass http://app;
    }

    location /recursive-second {
        recursive_error_pages on;
        error_page 403 /page.html;
        proxy_pass http://app;
    }

    location = /page.html {
        clockodo_webhook off;
        root html;
    }

    location = /return {
        return 403 "return";
    }

    location /to-on-large {
        clockodo_max_body_size 10;
        error_page 413 /second;
        proxy_pass http://app;
    }

    location /idiom {
        error_page 418 = @on;
        return 418;
    }

    location /deny {
        deny all;
        error_page 403 /second;
        proxy_pass http://app;
    }

    location /auth {
        auth_basic a;
        auth_basic_user_file ../html/users;
        error_page 401 /second;
        proxy_pass http://app;
    }

    location /limit {
        limit_req zone=limit;
        error_page 429 /second;
        proxy_pass http://app;
    }

    location /max {
        client_max_body_size 1;
        error_page 413 /second;
        proxy_pass http://app;
    }

    location /chunked {
        error_page 400 /second;
        proxy_pass http://app;
    }

    location /slow {
        client_body_timeout 50ms;
        error_page 408 /second;
        access_log logs/slow.log slow;
        proxy_pass http://app;
    }

    location /satisfy {
        satisfy any;
        deny all;
        auth_basic a;
        auth_basic_user_file ../html/users;
        proxy_pass http://app;
    }

    location /mirror {
        mirror /mirrored;
        proxy_pass http://app;
    }

    location /mirrored {
        clockodo_token other;
        proxy_pass
            http://unix:$TEST_NGINX_SERVER_ROOT/html/other.sock:/seen-mirror;
    }

    location /post-action {
        post_action /action;
        proxy_pass http://app;
    }

    location /action {
        proxy_pass
            http://unix:$TEST_NGINX_SERVER_ROOT/html/other.sock:/seen-action;
    }
--- request eval
[map { "POST /$_->[0]?to=$_->[1]\n" . ::event() } @::redirects]
--- more_headers
Content-Type: application/json
X-Clockodo-Event: spoofed
--- error_code eval: [map { $_->[2] } @::redirects]
--- response_headers eval: [map { "X-Verdict: $_->[3]" } @::redirects]
--- response_body_like eval: [map { $_->[4] } @::redirects]



=== TEST 2: an error page keeps its status (the same nginx)
--- request eval: "POST /keeps\n" . ::event()
--- more_headers
Content-Type: application/json
--- error_code: 404
--- response_headers
X-Verdict: accepted/
--- response_body_like eval: $::passed



=== TEST 3: a rejection is final (the same nginx)
--- request eval: [map { "POST $_->[0]\n" . ::event() } @::rejected]
--- more_headers
Content-Type: application/json
--- error_code eval: [map { $_->[1] } @::rejected]
--- response_headers eval: [('X-Verdict: rejected/company') x @::rejected]
--- response_body_like eval: [map { $_->[2] } @::rejected]



=== TEST 4: a rejected method, too (the same nginx)
--- request
GET /to-on
--- error_code: 405
--- response_headers
Allow: POST
X-Verdict: rejected/method



=== TEST 5: a body that is cut off, too (the same nginx)
--- request eval
sprintf "POST /to-on-large\n%x\r\n%s\r\n0\r\n\r\n", length ::event(), ::event()
--- more_headers
Content-Type: application/json
Transfer-Encoding: chunked
--- error_code: 413
--- response_headers
X-Verdict: rejected/body_too_large



=== TEST 6: error_page with "=" is no way to hand a request on (the same nginx)
--- request eval: [map { "POST /idiom\n$_" } $::bad, ::event()]
--- more_headers
Content-Type: application/json
--- error_code eval: [503, 503]
--- response_body_like eval: [$::page, $::page]



=== TEST 7: the only request that the limit lets pass (the same nginx)
--- request eval: "POST /limit\n" . ::event()
--- more_headers
Content-Type: application/json
--- response_body_like eval: $::passed



=== TEST 8: what nginx refuses before us is not judged (the same nginx)
--- request eval: [map { "POST $_->[0]\n$_->[1]" } @::refused]
--- more_headers eval
[map { "Content-Type: application/json\n" . ($_->[3] // '') } @::refused]
--- error_code eval: [map { $_->[2] } @::refused]
--- response_headers eval: [("X-Verdict: /") x @::refused]
--- response_body_like eval: [($::page) x @::refused]



=== TEST 9: satisfy any does not let a bad event pass (the same nginx)
--- request eval: [map { "POST /satisfy\n$_" } $::bad, ::event(), ::event()]
--- more_headers eval
my $json = "Content-Type: application/json\n";
["${json}Authorization: Basic dTpw", "${json}Authorization: Basic dTpw", $json]
--- error_code eval: [403, 200, 401]
--- response_headers eval
["X-Verdict: rejected/token", "X-Verdict: accepted/", "X-Verdict: /"]



=== TEST 10: a mirror and a post_action (the same nginx)
--- request eval
["POST /mirror\n$::bad", "POST /mirror\n" . ::event(),
 "POST /post-action\n$::bad", "POST /post-action\n" . ::event()]
--- more_headers
Content-Type: application/json
--- error_code eval: [403, 200, 403, 200]
