# Two edges get the same 5,000 events, each several times and in any order,
# while Redis is killed and restarted, and its replica promoted.  The sender
# repeats what gets no 200.  In the end the stream has each event once.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Redis;
use List::Util qw(shuffle);
use Test::More;
use Time::HiRes qw(sleep);


my $events = 5000;
my $times = 3;
my $senders = 8;

my $seed = $ENV{CLOCKODO_SEED} || time;

diag("CLOCKODO_SEED=$seed");
srand $seed;

my @durable = (appendonly => 'yes', appendfsync => 'always',
               user => [qw(edge on >S3cr3t ~clockodo:events
                           ~{clockodo:events}:* +eval +exists +xadd +set)]);

my $one = Clockodo::Redis->start(@durable);
my $two = Clockodo::Redis->start(@durable, replica_of($one));

$two->wait_for(qr/master_link_status:up/, 'INFO', 'replication');

# one as the default user

my @edges = (edge(''), edge('clockodo_redis_auth edge S3cr3t;'));

my ($progress, @pids) = send_all();

my ($accepted, $duplicates, $repeated) = (0, 0, 0);

subtest 'in between' => sub {
    wait_until(0.2);
    ok(1, 'a fifth has been stored');

    # killed, and back

    $one->crash;
    wait_for_failures();
    $one->up;
    $one->wait_for(qr/PONG/, 'PING');

    wait_until(0.4);
    ok(1, 'goes on');

    # the replica takes over, the master becomes a replica

    $two->wait_for(qr/master_link_status:up/, 'INFO', 'replication');
    $one->wait_for(qr/OK/, 'FAILOVER', 'TO', '127.0.0.1', $two->port);
    $two->wait_for(qr/role:master/, 'INFO', 'replication');
    $one->wait_for(qr/role:slave/, 'INFO', 'replication');

    $one->options(@durable, replica_of($two));
    $two->options(@durable);

    wait_until(0.6);
    ok(1, 'goes on with the replica');

    # killed, and back; the other one is not asked to take over

    $two->crash;
    wait_for_failures();
    $two->up;
    $two->wait_for(qr/PONG/, 'PING');

    wait_until(1);
    ok(1, 'has come to its end');
};

waitpid $_, 0 for @pids;

is($accepted + $duplicates, $events * $times, 'every repeat got its 200');
cmp_ok($accepted, '<=', $events, 'accepted once, or its reply was lost');
cmp_ok($duplicates, '>=', $events * ($times - 1), 'the others were known');
cmp_ok($repeated, '>', 0, 'some had to be sent again');

my @entries = $two->entries;

my %seen;
$seen{$_->{entity_id}}++ for @entries;

is(scalar(@entries), $events, 'entries');
is_deeply([grep { ($seen{$_} // 0) != 1 } 1 .. $events], [],
          'each event is there once');

$one->wait_for(qr/^$events$/, 'XLEN', 'clockodo:events');
is($one->call('XLEN', 'clockodo:events'), $events, 'and in the replica');

done_testing;


sub replica_of {
    my ($master) = @_;

    return (replicaof => ['127.0.0.1', $master->port]);
}


sub edge {
    my ($auth) = @_;

    return Clockodo::Nginx->start(
        workers => 2,
        level   => 'crit',
        http    => <<"END", server => <<"END");
    upstream redis {
        server unix:@{[ $one->path ]} max_fails=0;
        server unix:@{[ $two->path ]} max_fails=0;
        keepalive 8;
    }
END
    access_log off;
    keepalive_requests 100000;

    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_redis_dedupe 1h;

    add_header X-Verdict \$clockodo_verdict always;

    $auth

    location /hook {
        clockodo_redis_pass redis;
    }
END
}


# Starts processes that send everything; they write what came of it: an
# accepted event, a duplicate, or a repeat that was needed.  A pipe has room
# for 64 KB, 4,096 of these: no more can they be ahead of us.

sub send_all {
    my @jobs = shuffle map { my $id = $_;
                             map { [$id, $_ % 2] } 1 .. $times } 1 .. $events;

    pipe my $out, my $in or die "pipe: $!\n";

    my @pids;

    for my $sender (0 .. $senders - 1) {
        my $pid = fork // die "fork: $!\n";

        if ($pid) {
            push @pids, $pid;
            next;
        }

        close $out;

        send_some($in, @jobs[grep { $_ % $senders == $sender } 0 .. $#jobs]);
        POSIX::_exit(0);
    }

    return ($out, @pids);
}


sub send_some {
    my ($in, @jobs) = @_;

    my @clients;

    for my $job (@jobs) {
        my ($id, $edge) = @$job;

        my $request = post(event(payload => qq({"team":{"id":$id}})));

        while (1) {
            my $client = $clients[$edge]
                         ||= Clockodo::Client->new($edges[$edge]->port);

            $client->send($request);

            my $reply = $client->reply;

            if ($reply && $reply->{status} == 200) {
                syswrite $in, sprintf '%-16.1s', $reply->{header}{'x-verdict'};
                last;
            }

            delete $clients[$edge] unless $reply;

            syswrite $in, sprintf '%-16s', 'r';
            sleep 0.01;
        }
    }
}


# Reads how far they are, up to this part of all.

sub wait_until {
    my ($part) = @_;

    while ($accepted + $duplicates < $part * $events * $times) {
        progress();
    }
}


sub wait_for_failures {
    my $before = $repeated;

    progress() while $repeated < $before + 2 * $senders;
}


sub progress {
    sysread $progress, my $bytes, 1024 or die "the senders have gone\n";

    $accepted += $bytes =~ tr/a//;
    $duplicates += $bytes =~ tr/d//;
    $repeated += $bytes =~ tr/r//;
}
