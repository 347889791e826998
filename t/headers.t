# What an application gets: the event in eight headers, byte for byte, and the
# body as it was sent.  The values are worked out here, not by the module.

use lib 't/lib';

use Clockodo;
use Clockodo::Peer;
use Digest::SHA qw(sha256_hex);
use Test::Nginx::Socket;

$ENV{TEST_NGINX_PEER} = Clockodo::Peer::start('http');

no_long_string();

plan tests => 2 * 9;


# in the order of the documentation, without those that have no value

sub headers {
    my %value = @_;

    return map { "X-Clockodo-$_: $value{$_}" } grep { defined $value{$_} }
           qw(Event Entity Action Entity-Id Subscription-Id Company-Id
              Occurred-At Idempotency-Key);
}


sub key {
    return sha256_hex(join '', map { length . ":$_," } @_);
}


# all that the peer sees of a request with this body

sub seen {
    my ($body, @headers) = @_;

    return join "\r\n", 'POST /hook?a=b HTTP/1.1', 'Host: app',
                        'Connection: close',
                        'Content-Length: ' . length $body,
                        'Content-Type: application/json', @headers, '', $body;
}


my %team = (
    'Event' => 'team.updated', 'Entity' => 'team', 'Action' => 'updated',
    'Entity-Id' => 9001, 'Subscription-Id' => 42, 'Company-Id' => 1337,
    'Occurred-At' => '1986-05-10T17:02:00Z',

    # printf '4:1337,2:42,12:team.updated,4:9001,20:1986-05-10T17:02:00Z,' |
    #     sha256sum
    'Idempotency-Key' => 
        '633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991',
);

my $budget = 'project.budget_notification';

my %budget = (
    event_name => qq("$budget"),
    payload    => '{"id":123,"type":"projectBudget","threshold":80}',
);

my @budget = ('Event' => $budget, 'Entity' => 'project',
              'Action' => 'budget_notification', 'Entity-Id' => 123);

my $max = '9007199254740991';
my $time = '2024-02-29T23:59:59.123456789+00:00';

our @cases = (

    # the documented event
    [event(), headers(%team)],

    # another spelling of it: the same headers, the body as it is
    [event(event_name => '"te\u0061m\u002eupdated"', token =>
           '"\u004dy_Sup3r_T0k3n"', payload =>
           "{\t\"team\" :\n{ \"name\" : \"\xc3\xa4\", \"id\": 9001}}"),
     headers(%team)],

    # ids and a time of the largest size
    [event(subscription_id => $max, company_id => $max, occurred_at =>
           qq("$time"), payload => qq({"team":{"id":$max}})),
     headers(%team, 'Entity-Id' => $max, 'Subscription-Id' => $max,
             'Company-Id' => $max, 'Occurred-At' => $time, 'Idempotency-Key' =>
             key($max, $max, 'team.updated', $max, $time))],

    # an event that is not documented, with an entity id and without
    [event(event_name => '"moon.rose"', payload => '{"moon":{"id":7}}'),
     headers(%team, 'Event' => 'moon.rose', 'Entity' => 'moon',
             'Action' => 'rose', 'Entity-Id' => 7, 'Idempotency-Key' =>
             key(1337, 42, 'moon.rose', 7, $team{'Occurred-At'}))],

    [event(event_name => '"moon.rose"', payload => '{"moon":{"id":"7"}}'),
     headers(%team, 'Event' => 'moon.rose', 'Entity' => 'moon',
             'Action' => 'rose', 'Entity-Id' => undef, 'Idempotency-Key' =>
             key(1337, 42, 'moon.rose', '', $team{'Occurred-At'}))],

    # a budget notification's key has its type and threshold, which is the
    # same number in whatever way it is written (RFC 8785)
    [event(%budget),
     headers(%team, @budget, 'Idempotency-Key' =>
             key(1337, 42, $budget, 123, $team{'Occurred-At'},
                 'projectBudget', 80))],

    [event(%budget, payload =>
           '{"threshold":8.0e1,"type":"t","id":123,"x":[]}'),
     headers(%team, @budget, 'Idempotency-Key' =>
             key(1337, 42, $budget, 123, $team{'Occurred-At'}, 't', 80))],

    # a key is of netstrings: where one value ends and another begins counts
    [event(company_id => 13, subscription_id => 3742),
     headers(%team, 'Company-Id' => 13, 'Subscription-Id' => 3742,
             'Idempotency-Key' => key(13, 3742, 'team.updated', 9001,
                                      $team{'Occurred-At'}))],

    [event(event_name => '"team.created"'),
     headers(%team, 'Event' => 'team.created', 'Action' => 'created',
             'Idempotency-Key' => key(1337, 42, 'team.created', 9001,
                                      $team{'Occurred-At'}))],
);

run_tests();

__DATA__

=== TEST 1: what reaches the application
--- http_config
    upstream app {
        server unix:$TEST_NGINX_PEER;
    }

    # versions of nginx differ in their defaults
    proxy_set_header Host $proxy_host;
    proxy_set_header Connection close;
--- config
    location /hook {
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;
        clockodo_unknown_events forward;

        proxy_http_version 1.1;
        proxy_pass http://app;
    }
--- request eval
[map { "POST /hook?a=b\n$_->[0]" } @::cases]
--- more_headers
Content-Type: application/json
--- response_body eval
[map { ::seen(@$_) } @::cases]
