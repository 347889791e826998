package Bench::Verdicts;

# Whether the module, lua and njs come to the same verdicts on good and bad
# calls.

use strict;
use warnings;

use Bench;
use Exporter qw(import);

our @EXPORT = qw(verdicts);


# The table of calls: what it is, the status, and what post() gets.

sub calls {
    my $budget = '{"id":123,"type":"projectBudget","threshold":80}';

    my $with = sub {
        my ($member, $value) = @_;

        $event =~ /"\Q$member\E":(\{.*?\}\}|"[^"]*"|\d+)/ or die $member;

        return $event =~ s/("\Q$member\E":)\Q$1\E/$1$value/r;
    };

    my $without = sub { $event =~ s/"\Q$_[0]\E":(\{.*?\}\}|"[^"]*"|\d+),?//r
                               =~ s/,\}$/}/r };

    return (
        ['an event', 200, $event],
        ['with white space', 200, " $event\n" =~ s/([:,])"/ $1\t"/gr],
        ['with escapes', 200, $with->('token', '"\u004dy_Sup3r_T0k3n"')],
        ['with one more member', 200, $event =~ s/^\{/{"more":[1,null],/r],
        ['a fraction of a second', 200,
         $with->('occurred_at', '"2024-02-29T23:59:59.123456789+00:00"')],
        ['a budget notification', 200,
         $with->('payload', $budget)
         =~ s/team\.updated/project.budget_notification/r],
        ['an event that is not documented', 200,
         $with->('event_name', '"team.unknown"')],
        ['utf-8', 200, $event,
         'Content-Type: application/json; charset=utf-8'],
        ['GET', 405, '', 'GET'],
        ['PUT', 405, $event, 'PUT'],
        ['no type', 415, $event, 'Content-Type: '],
        ['another type', 415, $event, 'Content-Type: text/plain'],
        ['another type that is alike', 415, $event,
         'Content-Type: application/json5'],
        ['another charset', 415, $event,
         'Content-Type: application/json; charset=latin1'],
        ['compressed', 415, $event, 'Content-Encoding: gzip'],
        ['no body', 400, ''],
        ['too large', 413, $event . ' ' x 17000],
        ['not JSON', 400, 'token=My_Sup3r_T0k3n'],
        ['cut off', 400, substr $event, 0, 100],
        ['an array', 400, "[$event]"],
        ['a trailing byte', 400, "$event}"],
        ['an unknown escape', 400, $with->('token', '"\x"')],
        ['no token', 403, $without->('token')],
        ['a wrong token', 403, $with->('token', '"my_Sup3r_T0k3n"')],
        ['a longer token', 403, $with->('token', '"My_Sup3r_T0k3n "')],
        ['a token that is none', 403, $with->('token', 1)],
        (map { ["no $_", 400, $without->($_)] }
             qw(subscription_id company_id occurred_at payload event_name)),
        (map { my $id = $_;
               map { ["$id $_", 400, $with->($id, $_)] }
                   '0', '-1', '1.5', '"42"', 'null', '9007199254740992' }
             qw(subscription_id company_id)),
        (map { ["the time $_", 400, $with->('occurred_at', "\"$_\"")] }
             '1986-05-10', '1986-05-10 17:02:00Z', '1986-05-10T17:02:00',
             '1986-05-10T17:02:00+01:00', '1986-13-10T17:02:00Z',
             '1986-02-29T17:02:00Z', '1986-05-10T24:02:00Z',
             '1986-05-10T17:02:60Z', '1986-05-10T17:02:00.1234567890Z'),
        (map { ["the event $_", 400, $with->('event_name', "\"$_\"")] }
             'team', 'team.', 'Team.updated', 'team.updated.x',
             'a.' . 'b' x 63),
        (map { ["the payload $_", 400, $with->('payload', $_)] }
             '"team"', '{}', '{"team":1}', '{"team":{}}',
             '{"team":{"id":"1"}}', '{"user":{"id":1}}'),
        (map { ["the budget $_", 400,
                $with->('payload', $_)
                =~ s/team\.updated/project.budget_notification/r] }
             '{"id":0,"type":"a","threshold":1}',
             '{"id":1,"type":"","threshold":1}',
             '{"id":1,"type":"a b","threshold":1}',
             '{"id":1,"type":"a","threshold":"1"}'),
    );
}


sub verdicts {
    my $reply = join ' ', map { '$http_' . lc s/:.*//r =~ tr/-/_/r } @headers;

    my $nginx = Bench->start(modules => [qw(clockodo lua njs)],
                             reply   => "200 \"$reply\"");

    for my $call (calls()) {
        my ($what, $expected, $body, @more) = @$call;

        my %got;

        for my $way (qw(module lua njs)) {
            my $request = post("/$way", $body, @more);
            my ($status, $seen) = $nginx->client->call($request);

            $got{$way} = $status == 200 ? "200 $seen" : $status;
        }

        my $same = (grep { $got{$_} eq $got{module} } qw(lua njs)) == 2
                   && $got{module} =~ /^$expected\b/;

        check($same, "$expected: $what"
                     . ($same ? '' : join '', map { "\n#     $_: $got{$_}" }
                                              qw(module lua njs)));
    }
}

1;
