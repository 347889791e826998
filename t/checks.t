# Every check, in the documented order: the status, the reason, and a line in
# the error log that says what is wrong, and nothing of what the client sent.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use POSIX qw(strftime);
use Test::Nginx::Socket;

no_long_string();


my $config = <<'END';
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;
        clockodo_token Tied subscription=42,43;
        clockodo_max_body_size 2k;

        add_header X-Verdict $clockodo_verdict always;
        add_header X-Reason $clockodo_reason always;

        proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;
END

my $locations = <<"END";
    location = /hook    { clockodo_unknown_events reject; $config }
    location = /forward { clockodo_unknown_events forward; $config }
    location = /ignore  { clockodo_unknown_events ignore; $config }
    location = /events  { clockodo_events team.created entry.*; $config }
    location = /company { clockodo_company 7 1337; $config }
    location = /other   { clockodo_company 7; $config }
    location = /age     { clockodo_max_age 1h; $config }
    location = /secret  { clockodo_secret_file logs/secrets; $config }
    location = /all {
        clockodo_unknown_events reject;
        clockodo_events team.created;
        clockodo_company 7;
        clockodo_max_age 1h;
        $config
    }
END

my %status = (
    method           => 405,
    content_type     => 415,
    content_encoding => 415,
    empty_body       => 400,
    body_too_large   => 413,
    malformed_json   => 400,
    handshake        => 400,
    token            => 403,
    envelope         => 400,
    unknown_event    => 400,
    payload          => 400,
    company          => 403,
    stale            => 400,
);

my $json = 'Content-Type: application/json';
my @blocks;
my %names;


# Each case also shows what must never be logged: it has a token, or a secret.

my $ours = qr/\[\w+\] \S+ \S+ clockodo webhook .*?(?=, client: )/;
my $hidden = qr/My_Sup3r_T0k3n|Tied|S3cr3t|Evil/;

sub add {
    my ($name, $request, $headers, %expect) = @_;

    my ($reason, $line, $verdict) = @expect{qw(reason line verdict)};
    my $warning = 'clockodo webhook rejected';

    # nginx's own; some say what they were doing meanwhile

    my $while = qr/(?: while [a-z ]+)?/;

    push @blocks, {
        name         => 'TEST ' . (@blocks + 1) . ": $name",
        request      => $request,
        more_headers => $headers,
        error_code   => $reason ? $expect{status} || $status{$reason} : 200,

        $reason
        ? (response_headers => "X-Verdict: rejected\nX-Reason: $reason"
                               . ($reason eq 'method' ? "\nAllow: POST" : ''),
           grep_error_log   => $ours,
           grep_error_log_out =>
               qr/\A\[error\] \S+ \S+ \Q$warning ($reason): $line\E$while\n\z/,
           no_error_log     => [ $hidden ])

        : (response_headers => "X-Verdict: $verdict\n!X-Reason",
           no_error_log     => [ $hidden, 'clockodo webhook' ]),
    };
}


# a body that is refused

sub refused {
    my ($reason, $line, $body, %more) = @_;

    add("$reason: $line", 'POST ' . ($more{path} || '/hook') . "\n$body",
        $json, reason => $reason, line => $line, %more);
}


# a body that passes

sub passes {
    my ($name, $path, $verdict, $body) = @_;

    add($name, "POST $path\n$body", $json, verdict => $verdict);
}


sub at {
    return strftime '"%Y-%m-%dT%H:%M:%SZ"', gmtime(time + $_[0]);
}


passes('good', '/hook', 'accepted', event());


# Before the body.

my $event = event();

add("method $_", "$_ /hook\n$event", $json,
    reason => 'method', line => 'the method is not POST')
    for qw(GET PUT PATCH DELETE);

add('no Content-Type', "POST /hook\n$event", '', reason => 'content_type',
    line => 'there is no "Content-Type" header');

add('Content-Type twice', "POST /hook\n$event", "$json\n$json",
    reason => 'content_type',
    line => 'there is more than one "Content-Type" header');

add('another Content-Type', "POST /hook\n$event", 'Content-Type: text/plain',
    reason => 'content_type',
    line => '"Content-Type" is not "application/json" in UTF-8');

my $encoding = '"Content-Encoding" is not "identity"';

add("Content-Encoding: $_", "POST /hook\n$event",
    "$json\n" . join("\n", map { "Content-Encoding: $_" } split /;/),
    reason => 'content_encoding', line => $encoding)
    for 'gzip', 'identity, gzip', 'identity;br', 'br;identity';

add("Content-Encoding: $_", "POST /hook\n$event",
    "$json\nContent-Encoding: $_", verdict => 'accepted')
    for 'identity', 'Identity';


# The body.

refused('empty_body', 'the body is empty', '');

refused('body_too_large',
        '"Content-Length" is larger than "clockodo_max_body_size"',
        event(x => '"' . 'x' x 2048 . '"'));

add('chunked, too large',
    "POST /hook\n" . chunked(event(x => '"' . 'x' x 2048 . '"')),
    "$json\nTransfer-Encoding: chunked", reason => 'body_too_large',
    line => 'the body is larger than "clockodo_max_body_size"');

my $colon = length '{"token":"My_Sup3r_T0k3n","a"';

refused('malformed_json', "byte $$_[0]: $$_[1]",
        ref $_->[2] ? ${$_->[2]} : qq({"token":"My_Sup3r_T0k3n","a"$$_[2]))
    for [ 0, 'byte order mark', \"\xef\xbb\xbf$event" ],
        [ 0, 'the body is not a JSON object', \'["My_Sup3r_T0k3n"]' ],
        [ length $event, 'text after the object', \"$event\{}" ],
        [ length($event) - 1, 'unexpected end of the body',
          \substr($event, 0, -1) ],
        [ $colon, 'no ":" after a member name', '}' ],
        [ $colon + 2, 'malformed number', ':01}' ],
        [ $colon + 2, 'control character in string', ":\"\n\"}" ],
        [ $colon + 2, 'U+0000 in string', ':"\u0000"}' ],
        [ $colon + 2, 'lone surrogate in string', ':"\ud800"}' ],
        [ $colon + 2, 'invalid UTF-8 in string', ":\"\xc0\x80\"}" ],
        [ $colon + 3, 'duplicate member in object', ':1,"a":1}' ],
        [ $colon + 32, 'nested deeper than 32 levels',
          ':' . '[' x 32 . ']' x 32 . '}' ];


# Handshakes.

refused('handshake', '"clockodo_secret_file" is off', '{"secret":"S3cr3t"}',
        status => 403);

refused('handshake', 'member "secret" is not a string', '{"secret":7}',
        path => $_) for '/hook', '/secret';

refused('handshake',
        'member "secret" is not 1 to 128 characters of [A-Za-z0-9._~-]',
        "{\"secret\":\"$_\"}", path => '/secret')
    for '', 'S3cr3t/', 'S3cr3t' . 'x' x 123;

passes('handshake', '/secret', 'handshake', '{"secret":"S3cr3t"}');
passes('the longest secret', '/secret', 'handshake',
       '{"secret":"S3cr3t' . 'x' x 122 . '"}');

passes('a handshake with more members', '/secret', 'handshake',
       '{"a":1,"secret":"S3cr3t","A":{"token":1}}');

# one with a token or the name of an event is none

refused('token', 'member "token" is missing',
        '{"secret":"S3cr3t","event_name":"Evil"}', path => '/secret');

refused('handshake', 'a member beside "secret" has the name of a documented '
                     . 'one in another case',
        "{\"secret\":\"S3cr3t\",\"$_\":\"Evil\"}", path => '/secret')
    for qw(Secret SECRET \u0053ecret \u017fecret Token to\u212aen Event_name),
        "to\xe2\x84\xaaen";


# Token.

refused('token', 'member "token" is missing', $_)
    for '{}', event(token => undef);

refused('token', 'member "token" is not a string', event(token => $_))
    for 'null', '7', '["My_Sup3r_T0k3n"]', '{"Tied":1}';

refused('token', 'member "token" matches no configured token',
        event(token => qq("$_")))
    for '', 'My_Sup3r_T0k3', 'My_Sup3r_T0k3n ', 'my_Sup3r_T0k3n', 'Evil';

my $tied = 'member "token" matches a token that is not configured '
           . 'for this "subscription_id"';

refused('token', $tied, event(token => '"Tied"', subscription_id => $_))
    for 7, '"42"', 'null', '42.0', '4200000000000000000042', undef;

passes("a tied token, $_", '/hook', 'accepted',
       event(token => '"Tied"', subscription_id => $_)) for 42, 43;

passes('a token in escapes', '/hook', 'accepted',
       event(token => '"\u004dy_Sup3r_T0k3n"'));


# Envelope.

for my $member (qw(subscription_id company_id)) {
    refused('envelope', "member \"$member\" is missing",
            event($member => undef));

    refused('envelope', "member \"$member\" is not a positive integer",
            event($member => $_))
        for qw(0 -1 1.0 1e3 9007199254740992 99999999999999999999 "42" null
               true [42]);

    passes("$member $_", '/hook', 'accepted', event($member => $_))
        for 1, 9007199254740991;
}

refused('envelope', "member \"$_\" is missing", event($_ => undef))
    for qw(occurred_at payload event_name);

refused('envelope', 'member "occurred_at" is not an RFC 3339 time in UTC',
        event(occurred_at => $_))
    for 7, 'null', '""', '"Evil"', map { qq("$_") }
        '1986-05-10', '1986-05-10T17:02:00', '1986-05-10t17:02:00Z',
        '1986-05-10T17:02:00z', '1986-05-10 17:02:00Z',
        '1986-05-10T17:02:00+01:00', '1986-05-10T17:02:00-00:00',
        '1986-05-10T17:02:60Z', '1986-05-10T24:00:00Z',
        '1986-02-29T17:02:00Z', '1986-00-10T17:02:00Z',
        '1986-05-10T17:02:00.Z', '1986-05-10T17:02:00.1234567890Z',
        ' 1986-05-10T17:02:00Z', '1986-05-10T17:02:00Z ';

passes("occurred_at $_", '/hook', 'accepted', event(occurred_at => qq("$_")))
    for '1986-05-10T17:02:00+00:00', '1986-05-10T17:02:00.1Z',
        '1986-05-10T17:02:00.123456789+00:00', '1988-02-29T23:59:59Z';

refused('envelope', 'member "payload" is not an object', event(payload => $_))
    for 'null', '[]', '"Evil"', '9001';

refused('envelope', 'member "event_name" is not "entity.action" of '
                    . '[a-z0-9_], 64 bytes at most', event(event_name => $_))
    for '7', 'null', map { qq("$_") }
        '', 'team', 'team.', '.updated', 'team.up.dated', 'Team.updated',
        'team.updated ', 'team.upd\u00e4ted', 'Evil\nEvil', 'team-x.updated',
        'x' x 32 . '.' . 'x' x 32;

passes('further members', '/hook', 'accepted',
       event(secret => '"S3cr3t"', extra => '{"a":[1]}'));

# an application that matches names without case would take the last one

my $case = 'has the name of a documented one in another case';

for my $name (qw(Subscription_Id subscription_ID \u0053ubscription_id
                 \u017fubscription_id Company_id OCCURRED_AT Payload Event_Name
                 Secret Token to\u212aen),
              "to\xe2\x84\xaaen", "\xc5\xbfecret")
{
    my $event = event();

    refused('envelope', "a member $case", $event =~ s/\{/{"$name":"Evil",/r);
    refused('envelope', "a member $case", $event =~ s/\}$/,"$name":"Evil"}/r);
}

passes('further members that differ in case', '/hook', 'accepted',
       event(more => '1', More => '2', Id => '3', id => '4', Team => '5'));


# Event and payload.

refused('unknown_event', 'member "event_name" is not a documented event',
        event(event_name => qq("$_")))
    for 'team.exploded', 'teams.updated', 'team.update',
        'x' x 32 . '.' . 'x' x 31;

passes('an unknown event that is forwarded', '/forward', 'accepted',
       event(event_name => '"team.exploded"'));
passes('an unknown event with any object', '/forward', 'accepted',
       event(event_name => '"team.exploded"', payload => '{}'));
passes('an unknown event that is ignored', '/ignore', 'filtered',
       event(event_name => '"team.exploded"'));

refused('payload',
        'member "payload" has no object named after the entity',
        event(payload => $_))
    for '{}', '{"user":{"id":9001}}', '{"id":9001}', '{"team":9001}',
        '{"team":[{"id":9001}]}', '{"Team":{"id":9001}}';

refused('payload',
        'the entity\'s "id" in "payload" is not a positive integer',
        event(payload => "{\"team\":$_}"))
    for '{}', '{"id":0}', '{"id":"9001"}', '{"id":1.0}', '{"ID":9001}',
        '{"id":9007199254740992}';

refused('payload', "a member in \"payload\" $case", event(payload => $_))
    for '{"team":{"id":9001,"Id":1}}', '{"team":{"\u0049d":1,"id":9001}}',
        '{"team":{"id":9001},"Team":{"id":1}}', '{"TEAM":1,"team":{"id":9001}}';

refused('payload', "a member in \"payload\" $case",
        event(event_name => '"team.exploded"', payload => $_),
        path => '/forward')
    for '{"Team":{"id":1}}', '{"team":{"id":9001,"ID":1}}';

passes('further members of a payload that differ in case', '/hook', 'accepted',
       event(payload => '{"Id":1,"id":2,"team":{"id":9001,"Team":1,"a":2,'
                        . '"A":{"Id":3}},"User":{"id":4}}'));

my @budget = (id => '123', type => '"projectBudget"', threshold => '80');

sub budget {
    my %payload = (@budget, @_);

    return event(event_name => '"project.budget_notification"',
                 payload => '{' . join(',', map { "\"$_\":$payload{$_}" }
                                grep { defined $payload{$_} }
                                qw(id type threshold)) . '}');
}

passes('a budget notification', '/hook', 'accepted', budget());
passes("threshold $_", '/hook', 'accepted', budget(threshold => $_))
    for '0', '-1', '99.5', '1e2';

refused('payload', "a member in \"payload\" $case",
        budget() =~ s/"threshold"/"$_":1,$&/r)
    for qw(Id Type Threshold thre\u017fhold);

refused('payload', 'member "id" in "payload" is not a positive integer',
        budget(id => $_)) for undef, '0', '"123"';

refused('payload', 'member "type" in "payload" is not 1 to 64 characters '
                   . 'of [A-Za-z0-9_]', budget(type => $_))
    for undef, '7', '""', '"Evil-"', '"' . 'x' x 65 . '"';

refused('payload', 'member "threshold" in "payload" is not a number',
        budget(threshold => $_)) for undef, '"80"', 'null';


# Policy.

my $company = 'member "company_id" is not in "clockodo_company"';

passes('a company', '/company', 'accepted', event());
refused('company', $company, event(), path => '/other');
refused('company', $company, event(company_id => $_), path => '/company')
    for 1338, 13370, 133;

my $old = 'member "occurred_at" is older than "clockodo_max_age"';
my $future = 'member "occurred_at" is more than 5 minutes in the future';

passes("occurred $_ seconds from now", '/age', 'accepted',
       event(occurred_at => at($_))) for -3540, 0, 240;

refused('stale', $old, event(), path => '/age');
refused('stale', $old, event(occurred_at => at(-3660)), path => '/age');
refused('stale', $future, event(occurred_at => at(345)), path => '/age');

passes('filtered', '/events', 'filtered', event());
passes('not filtered', '/events', 'accepted',
       event(event_name => '"team.created"'));


# The first of several decides: each of these mends what the one before was
# refused for.

my @wrong = (
    token       => '"Evil"',
    company_id  => 0,
    event_name  => '"team.exploded"',
    payload     => '{"user":{}}',
);

my $large = '[' . ' ' x 2048 . event(@wrong);

my @order = (
    [ 'method', 'PUT', "Content-Type: text/plain\nContent-Encoding: gzip",
      $large ],
    [ 'content_type', 'POST',
      "Content-Type: text/plain\nContent-Encoding: gzip", $large ],
    [ 'content_encoding', 'POST', "$json\nContent-Encoding: gzip", $large ],
    [ 'body_too_large', 'POST', $json, $large ],
    [ 'malformed_json', 'POST', $json, '[' . event(@wrong) ],
    [ 'token', 'POST', $json, event(@wrong) ],
    [ 'envelope', 'POST', $json, event(@wrong, token => '"Tied"') ],
    [ 'unknown_event', 'POST', $json,
      event(@wrong, token => '"Tied"', company_id => 9) ],
    [ 'payload', 'POST', $json,
      event(payload => '{"user":{}}', company_id => 9) ],
    [ 'company', 'POST', $json, event(company_id => 9) ],
    [ 'stale', 'POST', $json, event(company_id => 7) ],
    [ undef, 'POST', $json, event(company_id => 7, occurred_at => at(0)) ],

    # and these have no body
    [ 'method', 'PUT', 'Content-Type: text/plain', '' ],
    [ 'content_type', 'POST', 'Content-Type: text/plain', '' ],
    [ 'content_encoding', 'POST', "$json\nContent-Encoding: gzip", '' ],
    [ 'empty_body', 'POST', $json, '' ],
);

for (@order) {
    my ($reason, $method, $headers, $body) = @$_;

    add('the first is ' . ($reason || 'none'), "$method /all\n$body",
        $headers, $reason ? (reason => $reason, line => '')
                          : (verdict => 'filtered'));

    # what it says has been tested above
    $blocks[-1]{grep_error_log_out} =
        qr/\A.* clockodo webhook rejected \($reason\): .*\n\z/ if $reason;
}


# once, not the one of nginx as well

$_->{raw_response_headers_like} =
    qr/\A(?:(?!Allow:).)*Allow: POST\r\n(?:(?!Allow:).)*\z/s
    for grep { ($_->{error_code} || 0) == 405 } @blocks;

# an application that logs no body at the debug level

$blocks[0]{log_level} = 'debug';
$blocks[0]{error_log} = [ '[debug]' ];
$blocks[0]{config} = $locations;
$blocks[0]{http_config} = <<'END';
    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;
        return 200;
    }
END


# a request's own lines

add_block_preprocessor(sub { truncate $Test::Nginx::Util::ErrLogFile, 0 });


my $tests = 0;

for (@blocks) {
    $tests += 1 + (() = $_->{response_headers} =~ /^/mg)
              + @{$_->{no_error_log}}
              + grep { exists $$_{raw_response_headers_like} } $_;
    $tests++ for grep { $_ } @$_{qw(grep_error_log error_log)};
}

plan tests => $tests;

run_table(@blocks);
