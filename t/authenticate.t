# "authenticate" keeps strangers out and loses no event: what has a right token
# and fails a later check reaches the application, with the verdict and the
# reason.  Over HTTP/1 and HTTP/2.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Application;
use Clockodo::Client;
use Clockodo::Config;
use Clockodo::Http2;
use Clockodo::Nginx;
use Clockodo::Peer;
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use Test::More;


my $peer = Clockodo::Peer::start('http');
my $app = Clockodo::Application->start;

my $locations = <<"END";
    listen unix:\$TEST_NGINX_SERVER_ROOT/html/h2.sock http2;

    clockodo_webhook authenticate;
    clockodo_token My_Sup3r_T0k3n subscription=42,43;
    clockodo_max_body_size 4k;

    location /plain { proxy_pass http://unix:$peer; }
    location /masked { clockodo_mask_token on; proxy_pass http://unix:$peer; }
    location /rejects {
        clockodo_unknown_events reject;
        proxy_pass http://unix:$peer;
    }
    location /ignores {
        clockodo_unknown_events ignore;
        proxy_pass http://unix:$peer;
    }
    location /company { clockodo_company 7; proxy_pass http://unix:$peer; }
    location /aged { clockodo_max_age 1d; proxy_pass http://unix:$peer; }
    location /filtered {
        clockodo_events entry.*;
        proxy_pass http://unix:$peer;
    }

    location /mark { clockodo_dedupe mark; proxy_pass http://unix:$peer; }
    location /drop { clockodo_dedupe drop; proxy_pass http://unix:$peer; }
    location /company-drop {
        clockodo_company 7;
        clockodo_dedupe drop;
        proxy_pass http://unix:$peer;
    }
    location /slow {
        clockodo_dedupe drop;
        proxy_ignore_client_abort on;
        proxy_pass http://unix:@{[ $app->path ]};
    }

    location /down { proxy_pass http://unix:/nonexistent; }
    location /down/to-on {
        error_page 502 /on;
        proxy_pass http://unix:/nonexistent;
    }
    location /down/to-on-200 {
        error_page 502 = /on;
        proxy_pass http://unix:/nonexistent;
    }
    location /down/to-on-named {
        error_page 502 = \@on;
        proxy_pass http://unix:/nonexistent;
    }
    location /down/to-recursive {
        recursive_error_pages on;
        error_page 502 = /on;
        proxy_pass http://unix:/nonexistent;
    }
    location /down/to-authenticate {
        error_page 502 = /plain;
        proxy_pass http://unix:/nonexistent;
    }
    location /down/to-off {
        error_page 502 = /off;
        proxy_pass http://unix:/nonexistent;
    }
    location /down/to-report {
        error_page 502 = /report;
        proxy_pass http://unix:/nonexistent;
    }
    location /fails/to-on {
        proxy_intercept_errors on;
        error_page 500 = /on;
        proxy_pass http://unix:@{[ $app->path ]};
    }

    location /tries { try_files /none /on; }
    location /tries/again { try_files /none /plain; }

    location = /on { clockodo_webhook on; proxy_pass http://unix:$peer; }
    location \@on { clockodo_webhook on; proxy_pass http://unix:$peer; }
    location = /off { clockodo_webhook off; proxy_pass http://unix:$peer; }
    location = /report {
        clockodo_webhook report;
        proxy_pass http://unix:$peer;
    }
    location = /status { clockodo_webhook off; clockodo_status; }
END

my $nginx = Clockodo::Nginx->start(server => $locations, http => <<"END");
    log_format verdict '\$uri \$clockodo_verdict/\$clockodo_reason';
    access_log logs/verdict.log verdict;

END

my %envelope = (company_id => '"x"');
my %payload = (payload => '{"user":{"id":9001}}');
my %unknown = (event_name => '"moon.risen"', payload => '{"moon":{"id":9001}}');

# what goes upstream of an event: all, what the envelope has, nothing

my @all = event_headers() =~ /^(.*?)\r$/mg;
my @envelope = grep { !/Entity-Id|Key/ } @all;

for my $version (1, 2) {
    subtest "HTTP/$version: forwarded" => sub { forwarded($version) };
    subtest "HTTP/$version: refused"   => sub { refused($version) };
    subtest "HTTP/$version: as on"     => sub { as_on($version) };
    subtest "HTTP/$version: never claimed" => sub { never_claimed($version) };
    subtest "HTTP/$version: the application fails" => sub { fails($version) };
    subtest "HTTP/$version: try_files" => sub { tries($version) };
}

subtest 'counted and logged' => \&counted;
subtest 'nginx -t'           => \&configuration;

done_testing;


sub forwarded {
    my ($version) = @_;

    is_deeply(seen($version, '/plain', event()), \@all,
              'an accepted event has no verdict');

    my @moon = map { s/team\.updated/moon.risen/r =~ s/: team$/: moon/r
                     =~ s/: updated$/: risen/r } grep { !/Key/ } @all;

    my @cases = (
        ['/plain',   'envelope', {%envelope}],
        ['/plain',   'payload', {%payload}, @envelope],
        ['/rejects', 'unknown_event', {%unknown}, @moon],
        ['/rejects', 'unknown_event', {%unknown, payload => '{}'},
                     grep { !/Entity-Id/ } @moon],
        ['/company', 'company', {}, @all],
        ['/aged',    'stale', {}, @all]);

    for (@cases) {
        my ($uri, $reason, $event, @headers) = @$_;

        my $seen = seen($version, $uri, event(%$event));

        # of an unknown event, its key is another one

        my @seen = $reason eq 'unknown_event'
                   ? grep { !/Key: [0-9a-f]{64}$/ } @$seen : @$seen;

        is_deeply(\@seen, [@headers, 'X-Clockodo-Verdict: rejected',
                           "X-Clockodo-Reason: $reason"], $reason);
        is(@seen + ($reason eq 'unknown_event'), @$seen, 'and the key');
    }

    for ([], [%envelope], [%payload]) {
        my $body = event(@$_);
        my (undef, $reply) = call($version, '/plain', $body);

        is(content($reply), $body, 'the body, as it is');
        like($reply, qr{^Content-Type: application/json\r$}mi, 'its type');

        (undef, $reply) = call($version, '/masked', $body);
        is(content($reply), $body =~ s/My_Sup3r_T0k3n/**************/r,
           'masked');
    }
}


sub refused {
    my ($version) = @_;

    my $json = 'Content-Type: application/json';

    my @cases = (
        [405, 'method', event(), method => 'PUT'],
        [415, 'content_type', event(), headers => ['Content-Type: text/json']],
        [415, 'content_encoding', event(),
              headers => [$json, 'Content-Encoding: gzip']],
        [400, 'empty_body', ''],
        [413, 'body_too_large', event(x => '"' . 'x' x 4096 . '"')],
        [400, 'malformed_json', event() . ','],
        [403, 'token', event(token => '"wrong"')],
        [403, 'token', event(token => '"wrong"', %envelope)],
        [403, 'token', event(subscription_id => 44)],
        [403, 'handshake', '{"secret":"a-secret"}'],
        [400, 'handshake', '{"secret":5}']);

    for (@cases) {
        my ($status, $reason, $body, %arg) = @$_;

        my ($got, $reply) = call($version, '/plain', $body, %arg);

        is($got, $status, "$reason is refused");
        like($reply, own_page(), 'by nginx');
        verdict('/plain', "rejected/$reason");
    }
}


sub as_on {
    my ($version) = @_;

    my @cases = (['/filtered', event()], ['/ignores', event(%unknown)]);

    for (@cases) {
        my ($uri, $body) = @$_;

        is_deeply([call($version, $uri, $body)], [200, ''], "$uri, 200");
        verdict($uri, 'filtered/-');
    }

    my @event = (company_id => $version);

    unlike("@{seen($version, '/mark', event(@event))}", qr/Duplicate/, 'first');
    like("@{seen($version, '/mark', event(@event))}",
         qr/X-Clockodo-Duplicate: 1$/, 'then marked');

    like((call($version, '/drop', event(@event)))[1], qr/^POST/, 'first');
    is_deeply([call($version, '/drop', event(@event))], [200, ''],
              'then dropped');
    verdict('/drop', 'duplicate/-');

    # while the application is at work

    $app->answer('stall');

    my $calls = $app->calls;
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        call($version, '/slow', event(@event));
        POSIX::_exit(0);
    }

    wait_for(sub { $app->calls > $calls });
    is((call($version, '/slow', event(@event)))[0], 409, 'in flight');
    verdict('/slow', 'rejected/in_flight');
    $app->answer('200');
    waitpid $pid, 0;
}


sub never_claimed {
    my ($version) = @_;

    my $entries = figures()->{dedupe}{entries};

    # one that would be a repeat, were it claimed

    for my $case (['/drop', %payload, company_id => $version],
                  ['/drop', %payload, company_id => $version],
                  ['/company-drop'], ['/company-drop'])
    {
        my ($uri, @event) = @$case;

        like("@{seen($version, $uri, event(@event))}",
             qr/X-Clockodo-Verdict: rejected/, "$uri forwards it");
    }

    is(figures()->{dedupe}{entries}, $entries, 'no claim');
}


sub fails {
    my ($version) = @_;

    my $rejected = event(%payload);

    is((call($version, '/down', $rejected))[0], 502, 'no page');
    verdict('/down', 'rejected/payload');

    $app->answer('500');

    for my $uri (map { "/down/to-$_" } qw(on on-200 on-named recursive
                                          authenticate))
    {
        my ($status, $reply) = call($version, $uri, $rejected);

        is($status, 503, $uri);
        unlike($reply, qr/^POST/, 'it goes no further');
    }

    is((call($version, '/fails/to-on', $rejected))[0], 503, '/fails/to-on');
    $app->answer('200');

    is((call($version, '/down/to-off', $rejected))[0], 200, 'to off');

    is_deeply(seen($version, '/down/to-report', $rejected),
              ['X-Clockodo-Verdict: rejected', 'X-Clockodo-Reason: payload'],
              'to report');

    # an accepted event is judged there

    is_deeply(seen($version, '/down/to-on-200', event()), \@all,
              'an accepted event');
}


sub tries {
    my ($version) = @_;

    is_deeply(seen($version, '/tries', event()), \@all, 'an accepted event');
    is((call($version, '/tries', event(%payload)))[0], 400,
       'judged anew where it is on');
    verdict('/on', 'rejected/payload');
    is_deeply(seen($version, '/tries/again', event(%payload)),
              [@envelope, 'X-Clockodo-Verdict: rejected',
               'X-Clockodo-Reason: payload'], 'and where it is not');
}


sub counted {
    my $location = sub {
        my ($n) = @_;

        return wait_for(sub {
            my ($found) = grep { $_->{location} =~ m{/company$} }
                          @{figures()->{locations}};
            $found->{requests}{rejected} >= $n ? $found : undef;
        });
    };

    my $before = $location->(1);
    my $log = length $nginx->log;

    call(1, '/company', event());

    my $after = $location->($before->{requests}{rejected} + 1);

    is($after->{requests}{accepted}, 0, 'not as accepted');
    is($after->{rejected}{company}, $before->{rejected}{company} + 1,
       'by its reason');

    my @lines = substr($nginx->log, $log) =~ /^(.*clockodo webhook.*)$/mg;

    is(@lines, 1, 'one line');
    like($lines[0], qr/\[error\] .* rejected \(company\): .*, forwarded,/,
         'that says so');
}


sub configuration {
    my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    mkdir "$dir/conf" or die "mkdir: $!\n";

    my ($rc, $said) = nginx_t($dir, <<'END');
    server {
        location /hook {
            clockodo_webhook authenticate;
            clockodo_token a-token;
            clockodo_redis_pass 127.0.0.1:6379;
        }
    }
END

    isnt($rc, 0, 'Redis is refused');
    like($said, qr/"clockodo_webhook" is not "on" .*"clockodo_redis_pass"/,
         'by name');
}


# The status and the body of a reply.  An application's reply is the request
# that it got.

sub call {
    my ($version, $uri, $body, %arg) = @_;

    my $method = $arg{method} || 'POST';
    my @headers = $arg{headers}
                  ? @{$arg{headers}}
                  : ('Content-Type: application/json; charset=utf-8',
                     'X-Clockodo-Verdict: forged', 'x-clockodo_reason: forged');

    return call2($uri, $body, ':method' => $method,
                 map { my ($name, $value) = split /: /; lc $name => $value }
                 @headers) if $version == 2;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post($body, @headers) =~ s{^POST /hook}{$method $uri}r);

    my $reply = $client->reply;

    return $reply->{status}, $reply->{body};
}


sub call2 {
    my ($uri, $body, %headers) = @_;

    my $socket = IO::Socket::UNIX->new($nginx->root . '/html/h2.sock')
        or die "cannot connect: $!\n";
    my $client = Clockodo::Client->over($socket);
    my ($status, $reply) = ('', '');

    $client->send(join '', preface(),
                  headers(1, 0, ':path' => $uri, %headers),
                  body(1, $body, 1000));

    while (1) {
        my ($type, $flags, $stream, $payload) = take_frame(\$client->{in});

        if (!defined $type) {
            $client->fill or last;
            next;
        }

        $status = status($payload) if $type == HEADERS;
        $reply .= $payload if $type == DATA;

        last if $type <= HEADERS && $flags & END_STREAM;
    }

    return $status, $reply;
}


# The headers of ours in a request that has reached the application.

sub seen {
    my ($status, $reply) = call(@_);

    return ["$status $reply"] if $status != 200;
    return [$reply =~ /^(x[-_]clockodo.*?)\r$/mgi];
}


sub content {
    my ($request) = @_;

    return $request =~ s/\A.*?\r\n\r\n//sr;
}


# What the access log says last: a line comes a little after the reply.

sub verdict {
    my ($uri, $verdict) = @_;

    my $last;

    eval {
        wait_for(sub {
            ($last) = $nginx->read('logs/verdict.log') =~ /^(.*)\n\z/m;
            ($last // '') eq "$uri $verdict";
        });
    };

    is($last, "$uri $verdict", "verdict: $verdict");
}


sub figures {
    my $client = Clockodo::Client->new($nginx->port);

    $client->send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");

    return decode_json($client->reply->{body});
}
