# 5,000 events go to a server that fails, stalls, closes amid the answer, says
# 410, 429 and 301, while workers are killed at random; and for Redis, while it
# is killed, too, and its replica promoted, and its group is lost.  In the end
# the server has taken each at least once, what it said 410 to is dead, and none
# was given to two workers at once, except after a kill.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Deliver;
use Clockodo::Receiver;
use Clockodo::Redis;
use Clockodo::Spool;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);


our $events = $ENV{CLOCKODO_EVENTS} || 5000;
my $seed = $ENV{CLOCKODO_SEED} || time;
my $jobs = 4;
my $processes = 3;

diag("CLOCKODO_SEED=$seed");
srand $seed;

# what an event gets at its first try, by its id, and at others by chance

my @first = (500, 'close', 'half', 'stall', [429, 'Retry-After: 1'], 301, 503,
             'cut', 'drip');

my ($receiver, @workers);
my $kills = 0;

subtest 'spool' => \&spool;
subtest 'Redis' => \&redis;
subtest 'the group is lost' => \&group_lost;

done_testing;


sub receiver {
    $receiver = Clockodo::Receiver->start(sub {
        my ($request, $n) = @_;
        my ($id) = $request =~ /^X-Clockodo-Entity-Id: (\d+)/m;

        return 410 if $id % 100 == 0;
        return 200 if $id % 3 || $n > 4;
        return $first[$id / 3 % @first] if $n == 1;
        return rand() < 0.3 ? $first[rand @first] : 200;
    });
}


sub worker {
    return Clockodo::Deliver->start(
        @_, '--url', $receiver->url, '--jobs', $jobs, '--timeout', '1s',
        '--retry-min', '200ms', '--retry-max', '2s');
}


# One at random is killed and another one started, until it is over; meanwhile
# something else is done at each turn.

sub disturb {
    my ($over, $turn, @source) = @_;

    @workers = map { worker(@source) } 1 .. $processes;

    my $end = time + 400;
    my $i = 0;

    until ($over->() || time > $end) {
        sleep 0.3 + rand 1;

        my $victim = int rand @workers;
        $workers[$victim]->stop('KILL');
        $workers[$victim] = worker(@source);
        $kills++;
        $turn->($i++);
    }

    ok($over->(), 'it is over');

    # one that has only just been started may not know of SIGTERM yet

    like($_->stop, qr/^(?:0|15)$/, 'stopped') for @workers;
}


# What the server has taken, and what it was asked twice at once.

sub check {
    my ($keys, $dead, $most) = @_;

    my (%taken, $overlaps);

    for my $call ($receiver->calls) {
        $taken{$call->{key}}++ if $call->{answer} =~ /^(?:200|cut)$/;
        $overlaps += $call->{overlap};
    }

    my @missing = grep { !$taken{$keys->{$_}} } grep { $_ % 100 } keys %$keys;

    is(@missing, 0, 'each was taken') or diag("@missing[0 .. 9]");
    is_deeply([sort { $a <=> $b } keys %$dead],
              [grep { $_ % 100 == 0 } 1 .. $events], 'the dead');
    is_deeply([grep { $_ ne 'status 410' } values %$dead], [],
              'with their reason');
    cmp_ok($overlaps, '<=', $most, 'none twice at once, except after a kill');

    my $twice = grep { $_ > 1 } values %taken;
    diag("$kills kills, $overlaps overlaps, $twice taken more than once");
}


sub spool {
    my $spool = Clockodo::Spool->new(fast => 1);
    my %keys;

    receiver();
    $kills = 0;

    my $put = sub {
        my ($id) = @_;
        $keys{$id} = $spool->put(payload => qq({"team":{"id":$id}}));
    };

    # some are there, others come meanwhile

    my $next = 1;
    $put->($next++) while $next <= $events / 2;

    disturb(sub { $next > $events && !$spool->names('new') },
            sub { for (1 .. $events / 10) {
                      $put->($next++) if $next <= $events;
                  } },
            '--spool', $spool->path);

    my %id = reverse %keys;
    my %dead = map { $id{s/\.why$//r} =>
                     decode_json($spool->file('dead', $_))->{error} }
               grep { /why$/ } $spool->names('dead');

    check(\%keys, \%dead, $kills * $jobs);
    is($spool->names('retry'), 0, 'nothing else is left');
}


sub redis {
    my @durable = (appendonly => 'yes', appendfsync => 'always');
    my $one = Clockodo::Redis->start(@durable);
    my $two = Clockodo::Redis->start(@durable, replica_of($one));
    my $master = $one;
    my (%keys, @waits);

    receiver();
    $kills = 0;

    my $next = 1;

    my $put = sub {
        my $id = $next++;
        $keys{$id} = add($master, $id);
    };

    $put->() while $next <= $events / 2;
    $two->wait_for(qr/master_link_status:up/, 'INFO', 'replication');

    # at some turns Redis is killed, and back; at one the replica takes over

    my $turn = sub {
        my ($i) = @_;

        if ($i == 2 || $i == 9) {
            $master->crash;
            sleep 1;
            $master->up;
            $master->wait_for(qr/PONG/, 'PING');
        }

        if ($i == 5) {
            $two->wait_for(qr/master_link_status:up/, 'INFO', 'replication');
            $one->wait_for(qr/OK/, 'FAILOVER', 'TO', '127.0.0.1', $two->port);
            $two->wait_for(qr/role:master/, 'INFO', 'replication');
            $one->wait_for(qr/role:slave/, 'INFO', 'replication');
            $two->options(@durable);
            $master = $two;
        }

        for (1 .. $events / 10) {
            $put->() if $next <= $events;
        }
    };

    disturb(sub { $next > $events && $kills > 10 && over($master) }, $turn,
            map { ('--redis', 'unix://' . $_->path) } $one, $two);

    my %dead = map { $_->{entity_id} => $_->{reason} }
               $master->entries('{clockodo:events}:dead');

    # a kill of Redis leaves what is at hand with its worker

    check(\%keys, \%dead, $kills * $jobs);
    is($master->call('EXISTS', map { "{clockodo:events}:$_:clockodo" }
                               qw(retry tries)), 0, 'nothing else is left');
}


# All are given out again: at least once, for those that were at hand.

sub group_lost {
    my $redis = Clockodo::Redis->start;

    local $events = 500;
    my %keys;

    receiver();
    $kills = 0;
    $keys{$_} = add($redis, $_) for 1 .. $events;

    disturb(sub { $kills > 4 && over($redis) },
            sub { $redis->call('XGROUP', 'DESTROY', 'clockodo:events',
                               'clockodo') if $_[0] == 1 },
            '--redis', 'unix://' . $redis->path);

    my %dead = map { $_->{entity_id} => $_->{reason} }
               $redis->entries('{clockodo:events}:dead');

    check(\%keys, \%dead, $events);
}


# Returns its key.

sub add {
    my ($redis, $id) = @_;

    my $body = event(token => '"**************"',
                     payload => qq({"team":{"id":$id}}));
    my $key = Clockodo::Spool::name($body);

    $redis->call('XADD', 'clockodo:events', '*', event_fields(),
                 entity_id => $id, idempotency_key => $key, body => $body);

    return $key;
}


sub over {
    my ($redis) = @_;

    my %group = eval { @{$redis->call('XINFO', 'GROUPS',
                                      'clockodo:events')->[0]} } or return 0;
    my %stream = @{$redis->call('XINFO', 'STREAM', 'clockodo:events')};

    return $group{pending} == 0
           && $group{'last-delivered-id'} eq $stream{'last-generated-id'};
}


sub replica_of {
    my ($master) = @_;

    return (replicaof => ['127.0.0.1', $master->port]);
}
