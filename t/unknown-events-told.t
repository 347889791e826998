# An event that is not documented is forwarded, and the operator learns its
# name: once an hour, whoever sends how many, and only of a sender whose token
# is right.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Clock;
use Clockodo::Nginx;
use Test::More;


my ($set, %arg) = wall_clock(sub {
    return deliver($_[0], '/time')->{body};
});

my $nginx = Clockodo::Nginx->start(
    %arg, http => app(), workers => 2, listen => 'reuseport',
    server => <<'END');
    clockodo_token My_Sup3r_T0k3n;
    location /hook { clockodo_webhook on; proxy_pass http://app; }
    location /reject {
        clockodo_webhook on;
        clockodo_unknown_events reject;
        proxy_pass http://app;
    }
    location /ignore {
        clockodo_webhook on;
        clockodo_unknown_events ignore;
        proxy_pass http://app;
    }
    location /time { return 200 $msec; }
END

is_deeply(told('/hook', 'moon.risen', token => '"wrong"'), [403], 'a stranger');
is_deeply(told('/hook', 'team.updated'), [200], 'a documented one');
is_deeply(told('/reject', 'moon.risen'), [400], 'one that is refused');
is_deeply(told('/ignore', 'moon.risen'), [200], 'one that is ignored');
is_deeply(told('/hook', '<b>.x'), [400], 'a name that is none');

is_deeply(told('/hook', 'moon.risen'), [200, 'notice moon.risen'], 'the first');

# of both workers

is_deeply(told('/hook', 'sun.set'), [200], 'others') for 1 .. 8;

$set->($nginx, '+59m');
is_deeply(told('/hook', 'sun.set'), [200], 'within the hour');

$set->($nginx, '+61m');
is_deeply(told('/hook', 'sun.set'), [200, 'notice sun.set'], 'after it');
is_deeply(told('/hook', 'moon.risen'), [200], 'once');

done_testing;


# The status of an event, and what the log then says of its name.

sub told {
    my ($uri, $name, @event) = @_;

    my $seen = length $nginx->log;
    my $reply = deliver($nginx, $uri, event_name => qq("$name"), @event);

    return [$reply->{status},
            map { s/.*\[(\w+)\].* event "(.*?)" .*/$1 $2/r }
            grep { /not documented/ } split /\n/, substr $nginx->log, $seen];
}
