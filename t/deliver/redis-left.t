# clockodo-deliver and what others have left in a stream: a worker that has
# died, a stream that was trimmed, the program that was there before.  Each takes
# the ten seconds after which a worker is taken for dead.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Deliver;
use Clockodo::Stream;
use File::Temp qw(tempdir);
use Test::More;


my $edge = Clockodo::Stream->start;
my $redis = $edge->redis;
my $stream = $edge->key;
my $dir = $ENV{DIR} = tempdir(CLEANUP => 1);

subtest 'a worker dies'        => \&dies;
subtest 'trimmed'              => \&trimmed;
subtest 'clockodo-consumer'    => \&consumer;

done_testing;


sub dies {
    $edge->put(3);

    my $worker = $edge->worker('echo $$ > $DIR/pid; exec sleep 1000',
                               '--name', 'dead');

    ok(wait_until(sub { slurp("$dir/pid") =~ /\n/ }), 'it has begun');
    $worker->stop('KILL');
    kill 'KILL', slurp("$dir/pid");

    # what it had is free when its time is over, and a margin of 10 seconds

    my $other = $edge->worker('echo $CLOCKODO_ENTITY_ID >> $DIR/claimed',
                              '--timeout', '500ms');

    ok($edge->nothing_pending($other), 'acknowledged by another one');
    is(slurp("$dir/claimed"), "3\n", 'once');

    $other->stop;
}


# What "maxlen" has cut off is still with a worker that has died, or waits.

sub trimmed {
    $redis->call('XGROUP', 'CREATECONSUMER', $stream, 'clockodo', 'gone');

    $edge->put(13);

    my $failing = $edge->worker('exit 1', '--retry-min', '2s',
                                '--retry-max', '2s');
    ok($failing->wait_for_log(qr/again/), 'one has failed');
    $failing->stop;

    $edge->put($_) for 14, 15;
    $redis->call('XREADGROUP', 'GROUP', 'clockodo', 'gone', 'COUNT', 2,
                 'STREAMS', $stream, '>');
    $redis->call('XTRIM', $stream, 'MAXLEN', 1);

    my $worker = $edge->worker('echo $CLOCKODO_ENTITY_ID >> $DIR/trimmed',
                               '--timeout', '100ms');

    ok($edge->nothing_pending($worker), 'acknowledged');
    is(slurp("$dir/trimmed"), "15\n", 'the one that is left');
    like($worker->log, qr/^\d+-\d+: it is no longer in the stream$/m, 'said');
    is($worker->stop, 0, 'stopped');
    is($redis->call('EXISTS', "{$stream}:retry:clockodo",
                    "{$stream}:tries:clockodo"), 0, 'nothing is left of them');
}


# What the old program has left: read, failed, and not acknowledged.

sub consumer {
    $edge->put($_) for 20 .. 24;
    $redis->call('XGROUP', 'CREATECONSUMER', $stream, 'clockodo', 'old');
    $redis->call('XREADGROUP', 'GROUP', 'clockodo', 'old', 'COUNT', 3,
                 'STREAMS', $stream, '>');

    my $worker = $edge->worker('echo $CLOCKODO_ENTITY_ID >> $DIR/old',
                               '--timeout', '100ms');

    ok($edge->nothing_pending($worker), 'acknowledged');
    is_deeply([sort split /\n/, slurp("$dir/old")], [20 .. 24], 'each once');
    is($worker->stop, 0, 'stopped');
}
