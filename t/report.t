# "report" tells what would become of a request, and never interferes: each
# one reaches the application, byte for byte, with headers that say the
# verdict and the reason, and no secret is written.

use lib 't/lib';

use Clockodo;
use Clockodo::Peer;
use Test::Nginx::Socket;

$ENV{TEST_NGINX_PEER} = Clockodo::Peer::start('http');

no_long_string();
no_shuffle();

my $json = 'Content-Type: application/json';
my $large = event(x => '"' . 'x' x 20000 . '"');
my $budget = event(event_name => '"project.budget_notification"');
my $secret = '{"secret":"8ee3d438-fbfc-411c-a38a-25893becd505"}';
my $event = event_headers();

# request line, headers, body; verdict, and reason if there is one

my @cases = (
    ['POST /report', $json, event(), 'accepted'],
    ['POST /filtered', $json, event(), 'filtered'],
    ['POST /report', $json, $secret, 'handshake'],
    ['POST /masked', $json, event(), 'accepted'],

    ['GET /report', $json, '', rejected => 'method'],
    ['GET /report', 'Accept: */*', '', rejected => 'method'],
    ['PUT /report', $json, event(), rejected => 'method'],
    ['POST /report', 'Accept: */*', event(), rejected => 'content_type'],
    ['POST /report', 'Content-Type: text/json', event(),
     rejected => 'content_type'],
    ['POST /report', "$json\n$json", event(), rejected => 'content_type'],
    ['POST /report', "$json\nContent-Encoding: gzip", event(),
     rejected => 'content_encoding'],
    ['POST /report', $json, '', rejected => 'empty_body'],
    ['POST /report', $json, $large, rejected => 'body_too_large'],
    ['POST /report', "$json\nTransfer-Encoding: chunked", $large,
     rejected => 'body_too_large'],
    ['POST /report', $json, "\xff{]\0", rejected => 'malformed_json'],
    ['POST /report', $json, '{"secret":"a/b"}', rejected => 'handshake'],
    ['POST /off', $json, $secret, rejected => 'handshake'],
    ['POST /report', $json, event(token => '"x"'), rejected => 'token'],
    ['POST /report', $json, event(payload => undef), rejected => 'envelope'],
    ['POST /report', $json, event(event_name => '"moon.rose"'),
     rejected => 'unknown_event'],
    ['POST /report', $json, $budget, rejected => 'payload'],
    ['POST /company', $json, event(), rejected => 'company'],
    ['POST /aged', $json, event(), rejected => 'stale'],
    ['POST /masked', $json, $budget, rejected => 'payload'],
);

our (@requests, @headers, @seen);

for (@cases) {
    my ($line, $headers, $body, $verdict, $reason) = @$_;

    my ($sent, $length) = ($body, '');

    if ($headers =~ s/\nTransfer-Encoding: chunked//) {
        $sent = sprintf "%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n",
                        5000, substr($body, 0, 5000),
                        length($body) - 5000, substr($body, 5000);
        $length = "Transfer-Encoding: chunked\n";

    } elsif ($line !~ /^GET/) {
        $length = "Content-Length: " . length($body) . "\n";
    }

    push @requests, "$line\n$sent";
    push @headers, "X-Clockodo-Verdict: spoofed\n$headers\n$length"
                   . "x_clockodo_reason: spoofed\nX-Clockodo-Event: spoofed";

    $length = $line =~ /^GET/ ? '' : 'Content-Length: ' . length($body) . "\n";
    $body =~ s/My_Sup3r_T0k3n/**************/
        if $line =~ /masked/;

    $headers = "Host: app\nConnection: close\n$length$headers\n";

    push @seen, "$line HTTP/1.0\r\n" . $headers =~ s/\n/\r\n/gr
                . ($verdict =~ /accepted|filtered/ ? $event : '')
                . "X-Clockodo-Verdict: $verdict\r\n"
                . ($reason ? "X-Clockodo-Reason: $reason\r\n" : '')
                . "\r\n$body";
}

plan tests => 2 * @cases + 2 * 5 + 2 + 2 + 4;

run_tests();

is(slurp('secrets'), '', 'report writes no secret');
like(slurp('secrets-on'), qr/ \Q${\ substr $secret, 11, -2}\E\n\z/,
     'where it is on, it is written');

my $log = slurp('error.log');
my @logged = $log =~ /\[error\].* webhook would be rejected \((\w+)\)/g;
my @again = qw(token method body_too_large method token);

is_deeply(\@logged, [(map { $_->[4] // () } @cases), @again],
          'each rejection is logged once');

is_deeply([$log =~ /\[error\].* webhook rejected \((\w+)\)/g],
          [qw(token method body_too_large)],
          'and what becomes one where it is on, once more');


sub slurp {
    my ($name) = @_;

    open my $file, '<', server_root() . "/logs/$name" or die "$name: $!\n";
    local $/;

    return <$file>;
}


sub seen_when_on {
    my $headers = "Host: app\r\nConnection: close\r\nContent-Length: "
                  . length(event()) . "\r\n$json\r\n";

    return "POST /on HTTP/1.0\r\n$headers$event\r\n" . event();
}

__DATA__

=== TEST 1: every reason and verdict
--- http_config
    underscores_in_headers on;

    upstream app {
        server unix:$TEST_NGINX_PEER;
    }

    # versions of nginx differ in their defaults
    proxy_http_version 1.0;
    proxy_set_header Host $proxy_host;
    proxy_set_header Connection close;
--- config
    clockodo_webhook report;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_secret_file logs/secrets;
    clockodo_unknown_events reject;

    location = /report {
        proxy_pass http://app;
    }

    location = /filtered {
        clockodo_events entry.* *.deleted;
        proxy_pass http://app;
    }

    location = /masked {
        clockodo_mask_token on;
        proxy_pass http://app;
    }

    location = /off {
        clockodo_secret_file off;
        proxy_pass http://app;
    }

    location = /company {
        clockodo_company 1 2;
        proxy_pass http://app;
    }

    location = /aged {
        clockodo_max_age 1h;
        proxy_pass http://app;
    }

    location = /redirected {
        try_files /none /on;
    }

    location = /twice {
        try_files /none @twice;
    }

    location @twice {
        error_page 418 = /report;
        return 418;
    }

    location = /on {
        clockodo_webhook on;
        clockodo_secret_file logs/secrets-on;
        proxy_pass http://app;
    }
--- request eval: [@::requests]
--- more_headers eval: [@::headers]
--- response_body eval: [@::seen]



=== TEST 2: redirected to where it is on (the same nginx)
--- request eval
my $large = ::event(x => '"' . 'x' x 20000 . '"');

["POST /redirected\n" . ::event(),
 "POST /redirected\n" . ::event(token => '"x"'),
 "PUT /redirected\n" . ::event(),
 "POST /redirected\n$large",
 "POST /redirected\n" . '{"secret":"8ee3d438-fbfc-411c-a38a-25893becd505"}']
--- more_headers
Content-Type: application/json
X-Clockodo-Verdict: spoofed
--- error_code eval: [200, 403, 405, 413, 200]
--- response_body_like eval
[qr/\A\Q${\ ::seen_when_on()}\E\z/, qr/403/, qr/405/, qr/413/, qr/\A\z/]



=== TEST 3: no header but spoofed ones, over a part's end (the same nginx)
--- raw_request eval
"GET /report HTTP/1.0\r\n" . "X-Clockodo-Event: spoofed\r\n" x 25 . "\r\n"
--- response_body eval
<<'END' =~ s/\n/\r\n/gr
GET /report HTTP/1.0
Host: app
Connection: close
X-Clockodo-Verdict: rejected
X-Clockodo-Reason: method

END



=== TEST 4: judged in several locations (the same nginx)
--- request eval: "POST /twice\n" . ::event(token => '"x"')
--- more_headers
Content-Type: application/json
--- response_body_like eval
qr/^X-Clockodo-Verdict: rejected\r\nX-Clockodo-Reason: token\r\n/m
