# Of the valid events an application gets those that it asked for, from the
# companies and of the age that it takes.  Others are answered 200 and go no
# further, or are refused.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use POSIX qw(strftime);
use Test::Nginx::Socket 'no_plan';


# what Clockodo documents

my @crud = qw(created deleted updated);

my %documented = (
    absence                  => ['approved', @crud],
    customer                 => \@crud,
    entry                    => ['started', 'stopped', @crud],
    holidays_carry           => \@crud,
    holidays_quota           => \@crud,
    lump_sum_service         => \@crud,
    nonbusiness_group        => \@crud,
    overtime_carry           => \@crud,
    project                  => ['budget_notification', 'completed', @crud],
    service                  => \@crud,
    subproject               => \@crud,
    team                     => \@crud,
    user                     => \@crud,
    work_time_change_request => \@crud,
);

my @events = map { my $entity = $_;
                   map { "$entity.$_" } @{$documented{$entity}} }
                 sort keys %documented;


# patterns, and what they stand for

my @patterns = (
    [ '*'                          => qr/./ ],
    [ '*.*'                        => qr/./ ],
    [ 'entry.*'                    => qr/^entry\./ ],
    [ '*.deleted'                  => qr/\.deleted$/ ],
    [ 'team.updated'               => qr/^team\.updated$/ ],
    [ 'project.* service.created *.budget_notification absence.approved'
      => qr/^(project\..*|service\.created|absence\.approved)$/ ],
    [ 'team.updated *'             => qr/./ ],
);

my $n = 0;
my $config = 'clockodo_webhook on; clockodo_token My_Sup3r_T0k3n;';
my @table;

for my $pattern (@patterns) {
    my ($text, $like) = @$pattern;
    my $place = '/events/' . ++$n;

    $config .= "location $place { clockodo_events $text; "
               . "proxy_pass http://app; }\n";

    push @table, map { request("$place $text", $_, $_ =~ $like ? 'accepted'
                                                              : 'filtered') }
                     @events;
}

is(scalar @events, 47, 'all documented events');


# events that Clockodo may add one day

for my $policy (qw(reject forward ignore)) {
    my $place = "/$policy";
    my $line = "clockodo_unknown_events $policy; proxy_pass http://app;";

    my $result = { forward => 'accepted', ignore => 'filtered' }->{$policy}
                 || 'rejected unknown_event';

    $config .= "location $place { $line }\n"
               . "location $place-some { $line\n"
               . "clockodo_events *.updated entry.*; }\n";

    push @table,
        ( map { request($place, $_, $result) }
              qw(team.moved teams.updated entry.create a.b 0._ project.deleted_
                 budget.notification), 'e' x 62 . '.a' ),

        # any object will do as their payload

        ( map { request("$place $_", 'team.moved', $result, payload => $_) }
              '{}', '{"a":1}', '{"team":1}', '{"team":{"id":"x"}}' ),

        request($place, 'team.moved', 'rejected envelope', payload => '[]'),

        # patterns choose among them

        request("$place-some", 'tram.updated', $result),
        request("$place-some", 'entry.moved', $result),

        ( map { request("$place-some", $_, $result eq 'accepted' ? 'filtered'
                                                                 : $result) }
              qw(tram.moved tram.update tram.updated_ tram._updated entr.moved
                 entry_.moved _entry.moved) ),

        # documented ones are what they were

        request($place, 'team.updated', 'accepted'),
        request($place, 'team.updated', 'rejected payload', payload => '{}'),
        request("$place-some", 'team.created', 'filtered'),

        # and these are none

        ( map { request($place, $_, 'rejected envelope') }
              '', '.', 'team', 'team.', '.updated', 'team.updated.again',
              'Team.updated', 'team updated', 'team-x.updated', '*', 'team.*',
              'e' x 63 . '.a' ),

        request($place, 'team.moved', 'rejected token', token => '"x"'),
        request($place, 'team.moved', 'rejected envelope', company_id => 0);
}

push @table,

    { request('with id', 'tram.moved', 'accepted')->%*,
      request => "POST /forward\n"
                 . event(event_name => '"tram.moved"',
                         payload => '{"tram":{"id":7}}'),
      response_body_like => qr/^entity=tram\naction=moved\nentity_id=7$/m },

    { request('without id', 'tram.moved', 'accepted')->%*,
      request => "POST /forward\n"
                 . event(event_name => '"tram.moved"',
                         payload => '{"team":{"id":7}}'),
      response_body_like => qr/^entity=tram\naction=moved\nentity_id=$/m };


# companies

my $most = '9007199254740991';   # 2^53-1

$config .= <<"END";
    location /company {
        clockodo_company 1 1337 $most;
        clockodo_unknown_events ignore;
        clockodo_events *.updated;
        proxy_pass http://app;
    }

    location /company-any {
        clockodo_company any;
        proxy_pass http://app;
    }
END

push @table,
    ( map { request("/company $_", 'team.updated', 'accepted',
                    company_id => $_),
            request("/company-any $_", 'team.updated', 'accepted',
                    company_id => $_) } 1, 1337, $most ),

    ( map { request("/company $_", 'team.updated', 'rejected company',
                    company_id => $_),
            request("/company-any $_", 'team.updated', 'accepted',
                    company_id => $_) } 2, 13, 133, 13371, $most - 1 ),

    # whatever is filtered is checked like all else

    ( map { request('/company', $_, 'filtered'),
            request('/company', $_, 'rejected company', company_id => 2) }
          'team.created', 'team.moved' );


# age

$config .= <<'END';
    location /age {
        clockodo_max_age 1h;
        clockodo_company 1337;
        clockodo_events *.updated;
        proxy_pass http://app;
    }

    location /age-10y {
        clockodo_max_age 10y;
        proxy_pass http://app;
    }

    location /age-off {
        clockodo_max_age off;
        proxy_pass http://app;
    }
END

push @table,
    ( map { my $at = utc(60 * $_->[0]);

            request("/age $_->[0]m", 'team.updated', $_->[1], @$at),
            request("/age-off $_->[0]m", 'team.updated', 'accepted', @$at) }

          [0, 'accepted'], [-58, 'accepted'], [-62, 'rejected stale'],
          [-1440, 'rejected stale'], [4, 'accepted'], [6, 'rejected stale'],
          [62, 'rejected stale'], [1440, 'rejected stale'] ),

    ( map { my $at = [occurred_at => qq("$_")];

            request("/age $_", 'team.updated', 'rejected stale', @$at),
            request("/age-10y $_", 'team.updated', 'rejected stale', @$at),
            request("/age-off $_", 'team.updated', 'accepted', @$at) }
          '0000-01-01T00:00:00Z', '1969-12-31T23:59:59.999999999Z',
          '1970-01-01T00:00:00Z', '2106-02-07T06:28:16+00:00',
          '9999-12-31T23:59:59Z' ),

    request('/age fraction', 'team.updated', 'accepted',
            utc(-58 * 60, '.999999999Z')->@*),
    request('/age offset', 'team.updated', 'rejected stale',
            utc(-62 * 60, '+00:00')->@*),
    request('/age-10y 1d', 'team.updated', 'accepted', utc(-86400)->@*),

    # the company before the age, and both before patterns

    request('/age', 'team.updated', 'rejected company',
            utc(-86400)->@*, company_id => 2),
    request('/age', 'team.created', 'filtered', utc(0)->@*),
    request('/age', 'team.created', 'rejected stale', utc(-86400)->@*);


$config .= <<'END';
    add_header X-Result $clockodo_verdict always;
    add_header X-Reason $clockodo_reason always;
    proxy_hide_header X-Result;
    proxy_hide_header X-Reason;
END

$table[0]{http_config} = app();
$table[0]{config} = $config;

run_table(@table);


sub request {
    my ($place, $event, $result, @change) = @_;

    my ($path) = split ' ', $place;
    my ($entity) = $event =~ /^([^.]*)/;
    my ($verdict, $reason) = split ' ', $result;

    my $payload = qq({"$entity":{"id":1}});

    $payload = '{"id":123,"type":"projectBudget","threshold":80}'
        if $event eq 'project.budget_notification';

    my %status = (token => 403, company => 403);

    # what is accepted gets to the application, and nothing else does

    my $seen = { accepted => qr/^event=$event$/m, filtered => qr/^$/ };

    return {
        name       => "$place $event: $result",
        request    => "POST $path\n"
                      . event(event_name => qq("$event"),
                              payload => $payload, @change),
        error_code => $reason ? $status{$reason} || 400 : 200,

        response_headers   => "X-Result: $verdict\n"
                              . ($reason ? "X-Reason: $reason" : '!X-Reason'),
        response_body_like => $seen->{$verdict} || qr/^(?!event=)/,
    };
}


sub utc {
    my ($seconds, $end) = @_;

    my $time = strftime('%Y-%m-%dT%H:%M:%S', gmtime(time + $seconds));

    return [occurred_at => '"' . $time . ($end || 'Z') . '"'];
}
