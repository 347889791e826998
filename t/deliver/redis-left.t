# clockodo-deliver and what others have left in a stream: a worker that has
# died, a stream that was trimmed, the program that was there before.  Each takes
# the ten seconds after which a worker is taken for dead.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Deliver;
use Clockodo::Nginx;
use Clockodo::Redis;
use File::Temp qw(tempdir);
use Test::More;


my $stream = 'clockodo:events';
my $dir = $ENV{DIR} = tempdir(CLEANUP => 1);

my $redis = Clockodo::Redis->start(appendonly  => 'yes',
                                   appendfsync => 'always');

$ENV{REDIS_URL} = 'unix://' . $redis->path;

my $nginx = Clockodo::Nginx->start(server => <<"END");
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_unknown_events forward;

    location /hook {
        clockodo_redis_pass unix:@{[ $redis->path ]};
    }
END

subtest 'a worker dies'        => \&dies;
subtest 'trimmed'              => \&trimmed;
subtest 'clockodo-consumer'    => \&consumer;

done_testing;


sub put {
    my ($id, @more) = @_;

    deliver($nginx, '/hook', payload => qq({"team":{"id":$id}}), @more)
        ->{status} == 200 or die "not stored\n";
}


# A worker whose command is a line for the shell.

sub worker {
    my ($line, @options) = @_;

    return Clockodo::Deliver->start(
        '--retry-min', '200ms', '--retry-max', '400ms', '--timeout', '5s',
        @options, 'sh', '-c', $line);
}


# All that is in the stream has been read and acknowledged.

sub nothing_pending {
    my ($worker) = @_;

    return 1 if wait_until(sub {
        my %group = eval { @{$redis->call('XINFO', 'GROUPS', $stream)->[0]} };
        my %stream = eval { @{$redis->call('XINFO', 'STREAM', $stream)} };

        return %group && $group{pending} == 0
               && $group{'last-delivered-id'} eq $stream{'last-generated-id'};
    });

    diag($worker->log);

    return 0;
}


sub dies {
    put(3);

    my $worker = worker('echo $$ > $DIR/pid; exec sleep 1000', '--name', 'dead');

    ok(wait_until(sub { slurp("$dir/pid") =~ /\n/ }), 'it has begun');
    $worker->stop('KILL');
    kill 'KILL', slurp("$dir/pid");

    # what it had is free when its time is over, and a margin of 10 seconds

    my $other = worker('echo $CLOCKODO_ENTITY_ID >> $DIR/claimed',
                       '--timeout', '500ms');

    ok(nothing_pending($other), 'acknowledged by another one');
    is(slurp("$dir/claimed"), "3\n", 'once');

    $other->stop;
}


# What "maxlen" has cut off is still with a worker that has died, or waits.

sub trimmed {
    $redis->call('XGROUP', 'CREATECONSUMER', $stream, 'clockodo', 'gone');

    put(13);

    my $failing = worker('exit 1', '--retry-min', '2s', '--retry-max', '2s');
    ok($failing->wait_for_log(qr/again/), 'one has failed');
    $failing->stop;

    put($_) for 14, 15;
    $redis->call('XREADGROUP', 'GROUP', 'clockodo', 'gone', 'COUNT', 2,
                 'STREAMS', $stream, '>');
    $redis->call('XTRIM', $stream, 'MAXLEN', 1);

    my $worker = worker('echo $CLOCKODO_ENTITY_ID >> $DIR/trimmed',
                        '--timeout', '100ms');

    ok(nothing_pending($worker), 'acknowledged');
    is(slurp("$dir/trimmed"), "15\n", 'the one that is left');
    like($worker->log, qr/^\d+-\d+: it is no longer in the stream$/m, 'said');
    is($worker->stop, 0, 'stopped');
    is($redis->call('EXISTS', "{$stream}:retry:clockodo",
                    "{$stream}:tries:clockodo"), 0, 'nothing is left of them');
}


# What the old program has left: read, failed, and not acknowledged.

sub consumer {
    put($_) for 20 .. 24;
    $redis->call('XGROUP', 'CREATECONSUMER', $stream, 'clockodo', 'old');
    $redis->call('XREADGROUP', 'GROUP', 'clockodo', 'old', 'COUNT', 3,
                 'STREAMS', $stream, '>');

    my $worker = worker('echo $CLOCKODO_ENTITY_ID >> $DIR/old',
                        '--timeout', '100ms');

    ok(nothing_pending($worker), 'acknowledged');
    is_deeply([sort split /\n/, slurp("$dir/old")], [20 .. 24], 'each once');
    is($worker->stop, 0, 'stopped');
}
