# What goes upstream with an event that was checked is plain
# "application/json", whatever parameters came with it: some frameworks read a
# charset out of what is none by RFC 9110.  So do nginx's own variables say,
# even if they were asked before.  Report mode changes nothing.

use lib 't/lib';

use Clockodo;
use Clockodo::Peer;
use Test::Nginx::Socket;

$ENV{'TEST_NGINX_' . uc} = Clockodo::Peer::start($_) for qw(http fastcgi);

no_long_string();
no_shuffle();

plan tests => 2 * 16;


our @types = (
    'application/json',
    'application/json; x="; charset=utf-7; y="',
    "application/json;\tcharset=utf-8; version=1",
    'APPLICATION/JSON',
);

our $config = <<'END';
    clockodo_token My_Sup3r_T0k3n;
    clockodo_webhook on;

    location /proxy {
        proxy_pass http://unix:$TEST_NGINX_HTTP;
    }

    location /early {
        if ($content_type = x) { }
        if ($http_content_type = x) { }
        proxy_set_header X-Type "$content_type|$http_content_type";
        proxy_pass http://unix:$TEST_NGINX_HTTP;
    }

    location /fastcgi {
        if ($content_type = x) { }
        fastcgi_param HTTP_X_TYPE $content_type;
        fastcgi_pass unix:$TEST_NGINX_FASTCGI;
    }

    location /report {
        clockodo_webhook report;
        proxy_pass http://unix:$TEST_NGINX_HTTP;
    }
END


# the lines that speak of the type, without what a protocol makes of the name

sub seen {
    my ($head) = split /\r?\n\r?\n/, $_[0], 2;

    return join '', sort map { /^(?:HTTP_X_|X-|Content-)TYPE(?:: |=)(.*)/i
                               ? "$1\n" : () }
                         split /\r?\n/, $head;
}


sub requests {
    my ($path) = @_;

    return [map { "POST /$path\n" . event() } @types];
}


sub headers {
    return [map { "Content-Type: $_" } @types];
}


run_tests();

__DATA__

=== TEST 1: the header
--- config eval: $::config
--- request eval: ::requests('proxy')
--- more_headers eval: ::headers()
--- response_body_filters eval: \&::seen
--- response_body eval: [("application/json\n") x 4]



=== TEST 2: variables that were asked before
--- config eval: $::config
--- request eval: ::requests('early')
--- more_headers eval: ::headers()
--- response_body_filters eval: \&::seen
--- response_body eval
[("application/json\napplication/json|application/json\n") x 4]



=== TEST 3: what fastcgi sends
--- config eval: $::config
--- request eval: ::requests('fastcgi')
--- more_headers eval: ::headers()
--- response_body_filters eval: \&::seen
--- response_body eval: [("application/json\n") x 4]



=== TEST 4: report mode leaves it as it came
--- config eval: $::config
--- request eval: ::requests('report')
--- more_headers eval: ::headers()
--- response_body_filters eval: \&::seen
--- response_body eval: [map { "$_\n" } @::types]
