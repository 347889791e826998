# A handshake tells the operator the secret that Clockodo waits for; ten
# webhooks send ten of them to one URL.  Each must be in the file when it is
# answered, and nowhere else: not upstream, not in a log.

use strict;
use warnings;

BEGIN {
    $ENV{TEST_NGINX_WORKER_USER} ||= 'www-data' if $> == 0;
    $ENV{TEST_NGINX_FORCE_RESTART_ON_TEST} = 0;
}

use Test::Nginx::Socket;

# the master opens the file, and workers that are not root write to it

master_on();
log_level('debug');
no_long_string();
no_shuffle();

my $uuid = '8ee3d438-fbfc-411c-a38a-25893becd505';
my $all = join '', 'A' .. 'Z', 'a' .. 'z', 0 .. 9, '._~-';
my $time = qr/2\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ/;
my $logs = server_root() . '/logs';

# nothing listens on port 1: a handshake must never get there

our $http = <<'END';
    log_format all escape=none
        '$status $clockodo_verdict/$clockodo_reason [$clockodo_event'
        '$clockodo_entity$clockodo_action$clockodo_entity_id'
        '$clockodo_subscription_id$clockodo_company_id'
        '$clockodo_occurred_at$clockodo_idempotency_key$clockodo_body]';
END

our $config = <<'END';
    clockodo_token My_Sup3r_T0k3n;
    clockodo_secret_file logs/secrets;
    clockodo_webhook on;

    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;

    add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;
    access_log logs/all.log all;

    location /hook {
        proxy_pass http://127.0.0.1:1;
    }

    location /action {
        post_action /hook;
        proxy_pass http://127.0.0.1:1;
    }

    location /off {
        clockodo_secret_file off;
        proxy_pass http://127.0.0.1:1;
    }
END

# cases are: body, status, reason, the secret that gets recorded

sub secret { return qq({"secret":"$_[0]"}) }

our %good = table('/hook',
    map({ [ $_->[0], 200, '', $_->[1] ] }
        [ secret($uuid), $uuid ],
        [ secret('a'), 'a' ],
        [ secret('x' x 128), 'x' x 128 ],
        [ secret($all), $all ],
        [ secret('-'), '-' ],
        [ secret('again'), 'again' ],
        [ secret('again'), 'again' ],
        [ secret('\u0038ee\u002D\u007e'), '8ee-~' ],
        [ qq(\t{ "secret"\n:\r "blanks" } \n), 'blanks' ],
        [ '{"\u0073ecre\u0074":"name"}', 'name' ],
        [ '{"secret":"more","more":1,"More":[]}', 'more' ],
        [ '{"company_id":1337,"payload":{"token":1},"secret":"last"}',
          'last' ]));

our %ten = table('/hook', map { [ secret("ten-$_"), 200, '', "ten-$_" ] }
                          1 .. 10);

our %bad = table('/hook',
    map { [ $_, 400, 'handshake' ] }
    map({ secret($_) }
        '', 'x' x 129, 'x' x 4000, '\"', '\\\\', '\n', '\u0001', '\u007f',
        "\x7f", '\u00e9', "\xc3\xa9", '\ud83d\ude00', "$uuid ", " $uuid",
        'a\nb',
        grep { !/["\\]/ && index($all, $_) < 0 } map { chr } 0x20 .. 0x7e),
    map { qq({"secret":$_}) }
        qw(null true 1 1.5 [] {}), qq(["$uuid"]), qq({"secret":"$uuid"}),
    map({ qq({"secret":"$uuid","$_":"b"}) }
        qw(Secret \u0053ecret \u017fecret Token to\u212aen Event_Name Payload),
        "to\xe2\x84\xaaen"));

our %other = table('/hook',
    map({ [ $_, 403, 'token' ] }
        qq({"secret":"$uuid","token":1}), qq({"\\u0074oken":1,"secret":"$uuid"}),
        qq({"secret":"$uuid","event_name":"team.updated"}),
        qq({"Secret":"$uuid"}), qq({"secret ":"$uuid"}),
        qq({"secre":"$uuid"}), '{}'),
    map({ [ $_, 400, 'malformed_json' ] }
        qq({"secret":"$uuid","secret":"$uuid"}), qq([{"secret":"$uuid"}]),
        qq({"secret":"$uuid"}{}), qq("$uuid")),
    [ qq({"secret":"$uuid","token":"My_Sup3r_T0k3n"}), 400, 'envelope' ]);

our %off = table('/off',
    [ secret($uuid), 403, 'handshake' ],
    [ secret('!'), 400, 'handshake' ],
    [ qq({"secret":"$uuid","more":1}), 403, 'handshake' ],
    [ qq({"secret":"$uuid","token":1}), 403, 'token' ]);

our @piped = map { "POST /hook\n" . secret("piped-$_") } 1 .. 10;
our @piped_lines = map { "127.0.0.1 piped-$_" } 1 .. 10;

my $seen = '';

add_response_body_check(\&check_recorded);

plan tests => 4 * map({ @{$_->{request}} } \(%good, %ten, %bad, %other, %off))
              + 2 * @piped + 1 + 2 * 2 + 2 * 2 + 9;

run_tests();

# after all blocks, which have one configuration: the logs as a whole

my $log = contents("$logs/error.log");

like($log, qr/\[debug\].* clockodo handler/, 'log has debug messages');
unlike($log, qr/\[(?:alert|crit|emerg)\]/, 'log has nothing worse');
like($log, qr/\[error\].* rejected \(handshake\): member "secret" is not 1 to/,
     'log says what is wrong with a secret');
like($log, qr/\[error\].* \(handshake\): "clockodo_secret_file" is off/,
     'log says that handshakes are off');
unlike($log, qr/$uuid|ten-\d|piped-\d|xxxx/, 'log has no secret');
is(scalar(() = $log =~ /\[(?:warn|error)\].*clockodo webhook rejected/g),
   map({ @{$_->{request}} } \(%bad, %other, %off)) + 0,
   'log has a line for each that was rejected');

$log = contents("$logs/all.log");

is($log =~ s/^200 handshake\/ \[\]\n//mg,
   @piped + 4 + map({ @{$_->{request}} } \(%good, %ten)),
   'variables of a handshake are empty');
is($log =~ s/^40[03] rejected\/\w+ \[\]\n//mg,
   map({ @{$_->{request}} } \(%bad, %other, %off)) + 0,
   'variables of a rejected handshake are empty');
is($log, '', 'access log has nothing else');


# What goes into the sections of a block, an item a request.

sub table {
    my ($path, @cases) = @_;

    return (
        request  => [ map { "POST $path\n$_->[0]" } @cases ],
        code     => [ map { $_->[1] } @cases ],
        headers  => [ map { $_->[1] == 200
                            ? "X-Judged: handshake/"
                            : "X-Judged: rejected/$_->[2]" } @cases ],
        body     => [ map { $_->[1] == 200 ? '^$' : "$_->[1] " } @cases ],
        recorded => [ map { $_->[3] && "127.0.0.1 $_->[3]" } @cases ],
    );
}


# Section "recorded": how the one line goes on that this request has added to
# the file; undef where it must not have changed.  "recorded_at_last": the
# lines that all requests of the block have added.

sub check_recorded {
    my ($block, $body, $i) = @_;

    my @lines;

    if (my $recorded = $block->recorded) {
        @lines = ref $recorded ? $recorded->[$i] // () : $recorded;

    } else {
        @lines = @{$block->recorded_at_last};
        return if $i < $#lines;
    }

    my $now = contents("$logs/secrets");
    my $want = join '', map { "$time \Q$_\E\n" } @lines;

    like($now, qr/\A\Q$seen\E$want\z/, $block->name . " - recorded ($i)");

    $seen = $now;
}


sub contents {
    my ($name) = @_;

    open my $fh, '<', $name or return '';
    local $/;

    return scalar(<$fh>) // '';
}

__DATA__

=== TEST 1: secrets are recorded, the reply is empty
--- http_config eval: $::http
--- config eval: $::config
--- more_headers
Content-Type: application/json
--- request eval: $::good{request}
--- error_code eval: $::good{code}
--- response_headers eval: $::good{headers}
--- response_body_like eval: $::good{body}
--- recorded eval: $::good{recorded}



=== TEST 2: ten, each over a connection of its own
--- http_config eval: $::http
--- config eval: $::config
--- more_headers
Content-Type: application/json
--- request eval: $::ten{request}
--- error_code eval: $::ten{code}
--- response_headers eval: $::ten{headers}
--- response_body_like eval: $::ten{body}
--- recorded eval: $::ten{recorded}



=== TEST 3: ten over one connection
--- http_config eval: $::http
--- config eval: $::config
--- more_headers
Content-Type: application/json
--- pipelined_requests eval: \@::piped
--- error_code eval: [ (200) x 10 ]
--- response_headers eval: [ ('Content-Length: 0') x 10 ]
--- recorded_at_last eval: \@::piped_lines



=== TEST 4: not a secret
--- http_config eval: $::http
--- config eval: $::config
--- more_headers
Content-Type: application/json
--- request eval: $::bad{request}
--- error_code eval: $::bad{code}
--- response_headers eval: $::bad{headers}
--- response_body_like eval: $::bad{body}
--- recorded eval: $::bad{recorded}



=== TEST 5: not a handshake
--- http_config eval: $::http
--- config eval: $::config
--- more_headers
Content-Type: application/json
--- request eval: $::other{request}
--- error_code eval: $::other{code}
--- response_headers eval: $::other{headers}
--- response_body_like eval: $::other{body}
--- recorded eval: $::other{recorded}



=== TEST 6: handshakes are off
--- http_config eval: $::http
--- config eval: $::config
--- more_headers
Content-Type: application/json
--- request eval: $::off{request}
--- error_code eval: $::off{code}
--- response_headers eval: $::off{headers}
--- response_body_like eval: $::off{body}
--- recorded eval: $::off{recorded}



=== TEST 7: the address that the realip module gives
--- http_config eval: $::http
--- config eval: $::config
--- more_headers
Content-Type: application/json
X-Real-IP: 203.0.113.7
--- request eval: qq(POST /hook\n{"secret":"v4"})
--- recorded chomp
203.0.113.7 v4



=== TEST 8: an IPv6 address
--- http_config eval: $::http
--- config eval: $::config
--- more_headers
Content-Type: application/json
X-Real-IP: 2001:db8::1
--- request eval: qq(POST /hook\n{"secret":"v6"})
--- recorded chomp
2001:db8::1 v6



=== TEST 9: a post_action comes to the same verdict, and records nothing
--- http_config eval: $::http
--- config eval: $::config
--- more_headers
Content-Type: application/json
--- request eval
[qq(POST /action\n{"secret":"once"}), qq(POST /hook\n{"secret":"next"})]
--- recorded eval: ["127.0.0.1 once", "127.0.0.1 next"]
