# What the variables say, wherever nginx lets one ask: of each verdict and
# reason in the access log, where event variables are empty until the envelope
# has passed; in map, headers, error pages, redirects and subrequests; and
# after somebody has asked too early.

use lib 't/lib';

use Clockodo;
use Clockodo::Peer;
use JSON::PP;

# the error log needs no waiting for: nothing is looked for in it

BEGIN { $ENV{TEST_NGINX_SLEEP} //= 0.002 }

use Test::Nginx::Socket;
use Time::HiRes qw(sleep);

$ENV{TEST_NGINX_PEER} = Clockodo::Peer::start('http');

no_long_string();
no_shuffle();

my @names = qw(event entity action entity_id subscription_id company_id
               occurred_at idempotency_key verdict reason body);

our $log = join ',', map { qq("$_":"\$clockodo_$_") } @names;
our $all = join '|', map { "\$clockodo_$_" } @names;

my %team = (
    event => 'team.updated', entity => 'team', action => 'updated',
    entity_id => 9001, subscription_id => 42, company_id => 1337,
    occurred_at => '1986-05-10T17:02:00Z', idempotency_key =>
    '633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991',
);

my $masked = event(token => '"**************"');
my @passed = (body => $masked);


# all eleven, those that are not given are empty

sub values_of {
    my %value = @_;

    return { map { $_ => $value{$_} // '' } @names };
}


sub joined {
    my $value = values_of(@_);

    return join '|', map { $value->{$_} } @names;
}


my %no_id = (%team, entity_id => '', idempotency_key => '');
my $json = 'Content-Type: application/json';
my $secret = '{"secret":"a"}';
my $budget = 'project.budget_notification';

# request line, headers, body; what the access log shows

my @cases = (
    ['POST /hook', $json, event(), %team, verdict => 'accepted', @passed],
    ['POST /filtered', $json, event(), %team, verdict => 'filtered', @passed],
    ['POST /hook', $json, $secret, verdict => 'handshake'],
    ['GET /hook', $json, '', reason => 'method'],
    ['POST /hook', 'A: b', event(), reason => 'content_type'],
    ['POST /hook', "$json\nContent-Encoding: br", event(),
     reason => 'content_encoding'],
    ['POST /hook', "$json\nContent-Length: 0", '', reason => 'empty_body'],
    ['POST /hook', $json, event(x => '"' . 'x' x 20000 . '"'),
     reason => 'body_too_large'],
    ['POST /hook', $json, event() . '}', reason => 'malformed_json'],
    ['POST /hook', $json, '{"secret":""}', reason => 'handshake'],
    ['POST /filtered', $json, $secret, reason => 'handshake'],
    ['POST /hook', $json, event(token => '""'), reason => 'token'],
    ['POST /hook', $json, event(company_id => 0), reason => 'envelope'],
    ['POST /hook', $json, event(payload => '[]'), reason => 'envelope'],
    ['POST /hook', $json,
     event(event_name => '"moon.rose"', payload => '{"moon":{}}'),
     %no_id, event => 'moon.rose', entity => 'moon', action => 'rose',

     # printf '4:1337,2:42,9:moon.rose,0:,20:1986-05-10T17:02:00Z,' | sha256sum
     idempotency_key =>
     'a978cf757ecc35c12de0fabeef7ece29ce822bd77bc3b60ae2c7ce398b1bbefb',
     reason => 'unknown_event'],
    ['POST /hook', $json, event(payload => '{}'), %no_id,
     reason => 'payload'],
    ['POST /hook', $json,
     event(event_name => qq("$budget"), payload => '{"id":0}'), %no_id,
     event => $budget, entity => 'project', action => 'budget_notification',
     reason => 'payload'],
    ['POST /company', $json, event(), %team, reason => 'company'],
    ['POST /aged', $json, event(), %team, reason => 'stale'],

    # asked for before it was known, all eleven

    ['POST /early', $json, event(), %team, verdict => 'accepted', @passed],
    ['POST /early', $json, event(token => '""'), reason => 'token'],
    ['POST /auth', $json, event(), %team, verdict => 'accepted', @passed],

    # where the module is off

    ['POST /off', $json, event(), verdict => ''],
    ['GET /off', $json, '', verdict => ''],
);

our (@requests, @headers);
my %logged;

for (@cases) {
    my ($line, $headers, $body, %value) = @$_;
    my ($path) = $line =~ m{(/.*)};
    my $n = @requests;

    push @requests, "$line?$n\n$body";
    push @headers, $headers;

    $value{verdict} //= 'rejected';
    $logged{"$path?$n $path"} = values_of(%value);
}

# subrequests show what their main request shows: nothing yet, or all

$logged{"/auth?21 /check"} = $logged{"/off?x /off"} = values_of();
$logged{"/mirror /mirrored"} = $logged{"/mirror /mirror"}
    = values_of(%team, verdict => 'accepted', @passed);

our $accepted = joined(%team, verdict => 'accepted', @passed);
our $refused = joined(%team, verdict => 'rejected', reason => 'company');
our $empty = joined();

plan tests => @cases + 15 + keys(%logged);

run_tests();

# a line can be written after the reply has left

my %got;

for (1 .. 100) {
    %got = map { my $line = decode_json($_); (delete $line->{of}, $line) }
           lines();
    last if keys %got == keys %logged;
    sleep 0.05;
}

is_deeply($got{$_}, $logged{$_}, "logged of $_") for sort keys %logged;


sub lines {
    open my $file, '<', server_root() . '/logs/variables.log'
        or die "variables.log: $!\n";

    return grep { /\n\z/ } <$file>;
}

__DATA__

=== TEST 1: each verdict and reason in the access log
--- http_config eval
<<"END"
    log_format variables escape=json '{"of":"\$request_uri \$uri",$::log}';

    map "\$clockodo_verdict \$clockodo_reason" \$mapped {
        "accepted "         fine;
        "rejected company"  refused;
        default             other;
    }

    upstream app {
        server unix:\$TEST_NGINX_PEER;
    }
END
--- config eval
<<"END"
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_secret_file logs/secrets;
    clockodo_unknown_events reject;

    log_subrequest on;

    location = /hook {
        access_log logs/variables.log variables;
        proxy_pass http://app;
    }

    location = /filtered {
        access_log logs/variables.log variables;
        clockodo_events entry.*;
        clockodo_secret_file off;
        proxy_pass http://app;
    }

    location = /company {
        access_log logs/variables.log variables;
        clockodo_company 1;
        proxy_pass http://app;
    }

    location = /aged {
        access_log logs/variables.log variables;
        clockodo_max_age 1m;
        proxy_pass http://app;
    }

    location = /early {
        access_log logs/variables.log variables;
        set \$early "$::all";
        proxy_pass http://app;
    }

    location = /auth {
        access_log logs/variables.log variables;
        auth_request /check;
        auth_request_set \$early "$::all";
        proxy_pass http://app;
    }

    location = /check {
        internal;
        access_log logs/variables.log variables;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_pass http://app;
    }

    location = /mirror {
        access_log logs/variables.log variables;
        mirror /mirrored;
        proxy_pass http://app;
    }

    location = /mirrored {
        internal;
        access_log logs/variables.log variables;
        clockodo_webhook off;
        proxy_pass http://app;
    }

    location = /off {
        access_log logs/variables.log variables;
        clockodo_webhook off;
        proxy_set_header X-Variables "$::all";
        proxy_pass http://app;
    }

    location = /headers {
        set \$early "$::all";
        proxy_set_header X-Variables "$::all";
        proxy_set_header X-Mapped "\$mapped";
        proxy_set_body "-";
        add_header X-Early "[\$early]" always;
        proxy_pass http://app;
    }

    location = /refused {
        clockodo_company 1;
        add_header X-Variables "$::all" always;
        add_header X-Mapped "\$mapped" always;
        proxy_pass http://app;
    }

    location = /error-page {
        clockodo_company 1;
        error_page 403 /page;
        proxy_pass http://app;
    }

    location = /page {
        return 403 "$::all";
    }

    location = /error-named {
        clockodo_company 1;
        error_page 403 = \@page;
        proxy_pass http://app;
    }

    location \@page {
        clockodo_webhook off;
        proxy_method POST;
        proxy_set_header X-Variables "$::all";
        proxy_pass http://app;
    }

    location = /try-files {
        try_files /none \@named;
    }

    location \@named {
        proxy_set_header X-Variables "$::all";
        proxy_pass http://app;
    }
END
--- request eval: [@::requests]
--- more_headers eval: [@::headers]
--- error_code eval
[200, 200, 200, 405, 415, 415, 400, 413, 400, 400, 403, 403, 400, 400, 400,
 400, 400, 403, 400, 200, 403, 200, 200, 200]



=== TEST 2: proxy_set_header and map, after "set" (the same nginx)
--- request eval: "POST /headers\n" . ::event()
--- more_headers
Content-Type: application/json
--- response_headers eval: "X-Early: [$::empty]"
--- response_body_like eval
qr/^X-Variables: \Q$::accepted\E\r\nX-Mapped: fine\r$/m



=== TEST 3: add_header and map on a refusal (the same nginx)
--- request eval: "POST /refused\n" . ::event()
--- more_headers
Content-Type: application/json
--- error_code: 403
--- response_headers eval: "X-Variables: $::refused\nX-Mapped: refused"



=== TEST 4: an error page by return (the same nginx)
--- request eval: "POST /error-page\n" . ::event()
--- more_headers
Content-Type: application/json
--- error_code: 403
--- response_body eval: $::refused



=== TEST 5: an error page by a named location (the same nginx)
--- request eval: "POST /error-named\n" . ::event()
--- more_headers
Content-Type: application/json
--- response_body_like eval: qr/^X-Variables: \Q$::refused\E\r$/m



=== TEST 6: after try_files, in a named location (the same nginx)
--- request eval: "POST /try-files\n" . ::event()
--- more_headers
Content-Type: application/json
--- response_body_like eval: qr/^X-Variables: \Q$::accepted\E\r$/m



=== TEST 7: where the module is off (the same nginx)
--- request eval: "POST /off?x\n" . ::event()
--- more_headers
Content-Type: application/json
--- response_body_like eval: qr/^X-Variables: \Q$::empty\E\r$/m



=== TEST 8: a mirror (the same nginx)
--- request eval: "POST /mirror\n" . ::event()
--- more_headers
Content-Type: application/json
