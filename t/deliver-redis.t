# clockodo-deliver and a stream: it gets every event to its end, also one
# whose command has failed, and while Redis is away.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Deliver;
use Clockodo::Receiver;
use Clockodo::Redis;
use Clockodo::Stream;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);


my $edge = Clockodo::Stream->start;
my $redis = $edge->redis;
my $stream = $edge->key;
my $dir = $ENV{DIR} = tempdir(CLEANUP => 1);

subtest 'an event'             => \&one;
subtest 'to a URL'             => \&url;
subtest 'a command fails'      => \&fails;
subtest 'several workers'      => \&several;
subtest 'what is left for others' => \&sigterm;
subtest 'Redis is away'        => \&away;
subtest 'a replica'            => \&replica;
subtest 'the next server'      => \&next_server;
subtest '--trim'               => \&trim;
subtest 'foreign entries'      => \&foreign;
subtest 'retry of one at hand' => \&at_hand;
subtest 'two groups'           => \&groups;

done_testing;


sub one {
    $edge->put(9001);   # before there is a group

    my $worker = $edge->worker('env | grep ^CLOCKODO_ | sort > $DIR/env;
                                env | grep -c REDIS_URL > $DIR/url;
                                cat > $DIR/body');

    ok($edge->nothing_pending($worker), 'acknowledged');

    my %env = slurp("$dir/env") =~ /^(\w+)=(.*)$/mg;

    like(delete $env{CLOCKODO_ENTRY_ID}, qr/^\d+-\d+$/, 'the id of the entry');
    is_deeply(\%env, {
        CLOCKODO_EVENT           => 'team.updated',
        CLOCKODO_ENTITY          => 'team',
        CLOCKODO_ACTION          => 'updated',
        CLOCKODO_ENTITY_ID       => '9001',
        CLOCKODO_SUBSCRIPTION_ID => '42',
        CLOCKODO_COMPANY_ID      => '1337',
        CLOCKODO_OCCURRED_AT     => '1986-05-10T17:02:00Z',
        CLOCKODO_IDEMPOTENCY_KEY => '633b8f56106c4032c21ce18598d8e905'
                                    . '4f032c96514af2fc0e9530f5d5cd1991',
    }, 'the fields');

    is(slurp("$dir/body"), event() =~ s/My_Sup3r_T0k3n/'*' x 14/er, 'the body');
    is(slurp("$dir/url"), "0\n", 'the command does not get the password');

    $edge->put(9002, note => '"é \u00e4"');
    ok($edge->nothing_pending($worker), 'another one');
    like(slurp("$dir/body"), qr/"note":"é \\u00e4"/, 'its body');

    is($worker->stop, 0, 'stopped');
}


sub url {
    my $receiver = Clockodo::Receiver->start;

    $edge->put(9001);
    $edge->put(1, event_name => '"new_thing.seen"', payload => '{}');

    open my $keys, '>', "$dir/keys" or die "keys: $!\n";
    print $keys 'whsec_' . 'YWFh' x 8 . "\n";
    close $keys;

    $receiver->answer(500);

    my $worker = Clockodo::Deliver->start(
        '--url', $receiver->url, '--retry-min', '100ms', '--retry-max', '100ms',
        '--sign-key-file', "$dir/keys");

    ok(wait_until(sub { (my @calls = $receiver->calls) > 5 }), 'tries');
    $receiver->answer(200);
    ok($edge->nothing_pending($worker), 'acknowledged');

    my @calls = map { $_->{request} } $receiver->calls;
    my ($known, $unknown) = map { my $id = $_; [grep { /$id/ } @calls] }
                            'Entity-Id: 9001', 'new_thing';

    my $headers = event_headers();
    like($known->[0], qr/\Q$headers\E/, 'the headers');

    unlike($unknown->[0], qr/Entity-Id/, 'no id');

    my %ids = map { /^webhook-id: (\S+)/m; $1 => 1 } @$unknown;

    like(join(' ', keys %ids), qr/^[0-9a-f]{64}-[0-9a-f]{16}$/,
         'an id of its own, the same at each try');
    $worker->stop;
}


sub fails {
    $edge->put(1);
    $edge->put(2);

    # the first times each

    my $worker = $edge->worker('f=$DIR/failed.$CLOCKODO_ENTITY_ID;
                                echo x >> $f; test $(wc -l < $f) -ge 3');

    ok($edge->nothing_pending($worker), 'acknowledged');
    is(slurp("$dir/failed.$_"), "x\nx\nx\n", "event $_: tried three times")
        for 1, 2;
    like($worker->log, qr/team\.updated: exit status 1, again in/, 'said');

    # and given up, by another process

    $edge->put(3);
    $worker->stop;
    $worker = $edge->worker('exit 1');
    ok($worker->wait_for_log(qr/again/), 'failed');
    $worker->stop;
    $worker = $edge->worker('exit 1', '--give-up', '0');
    ok($worker->wait_for_log(qr/put aside after 2 tries|put aside after 3/),
       'tries are counted on');
    $worker->stop;

    my %dead = %{($redis->entries("{$stream}:dead"))[-1]};

    is("@dead{qw(event entity_id group reason)}",
       'team.updated 3 clockodo exit status 1', 'put aside');
    is($dead{body}, event(token => '"**************"',
                          payload => '{"team":{"id":3}}'), 'with its body');
    $redis->call('DEL', "{$stream}:dead");
}


sub several {
    my @workers = map {
        $edge->worker('echo $CLOCKODO_ENTITY_ID >> $DIR/several')
    } 1 .. 3;

    $edge->put($_) for 100 .. 139;

    ok($edge->nothing_pending($workers[0]), 'acknowledged');
    is_deeply([sort split /\n/, slurp("$dir/several")], [100 .. 139],
              'each once');

    $_->stop for @workers;
}


sub sigterm {
    my $worker = $edge->worker('echo $CLOCKODO_ENTITY_ID >> $DIR/begun;
                                until test -e $DIR/go; do sleep 0.02; done',
                               '--jobs', 1);

    $edge->put($_) for 5, 6;
    ok(wait_until(sub { slurp("$dir/begun") =~ /5/ }), 'it has begun');

    kill 'TERM', $worker->pid;
    open my $go, '>', "$dir/go";

    is($worker->wait, 0, 'stopped');
    is(slurp("$dir/begun"), "5\n", 'the next one was left to others');
    is($redis->call('XPENDING', $stream, 'clockodo')->[0], 0,
       'what was at hand is acknowledged');

    $worker = $edge->worker('true');
    ok($edge->nothing_pending($worker), 'who get it');
    $worker->stop;

    # one that comes while it stops, and that it has read: not after a minute

    $worker = $edge->worker('true', '--timeout', '60s');
    $edge->put(61);
    ok($edge->nothing_pending($worker), 'at work');
    sleep 0.6;
    kill 'TERM', $worker->pid;
    $edge->put(62);
    is($worker->wait, 0, 'stopped');

    $worker = $edge->worker('true', '--timeout', '60s');
    ok($edge->nothing_pending($worker), 'others get it at once');
    $worker->stop;
}


sub away {
    my $worker = $edge->worker('echo $CLOCKODO_ENTITY_ID >> $DIR/away;
                                while test -e $DIR/hold; do sleep 0.02; done');

    $edge->put(7);
    ok($edge->nothing_pending($worker), 'acknowledged');

    # it goes while the command is at work

    open my $hold, '>', "$dir/hold";
    $edge->put(71);
    ok(wait_until(sub { slurp("$dir/away") =~ /71/ }), 'at hand');
    $redis->crash;
    ok($worker->wait_for_log(qr/^redis: /m), 'it is away');
    unlink "$dir/hold";
    sleep 0.5;
    $redis->up;
    $redis->wait_for(qr/PONG/, 'PING');

    $edge->put(8);
    ok($edge->nothing_pending($worker), 'it is back');
    is(slurp("$dir/away"), "7\n71\n8\n", 'each once');

    # the stream with all its groups

    $redis->call('DEL', $stream);
    $edge->put(9);

    ok(wait_until(sub { slurp("$dir/away") =~ /^9$/m }),
       'the stream was deleted');
    is(slurp("$dir/away"), "7\n71\n8\n9\n", 'each once');

    # it is there before the stream

    $redis->call('FLUSHALL');
    sleep 1;
    $edge->put(91);
    ok(wait_until(sub { slurp("$dir/away") =~ /^91$/m }), 'all was deleted');

    is($worker->stop, 0, 'stopped');
}


# It asks a replica that is not promoted yet.

sub replica {
    my $worker = $edge->worker('echo $CLOCKODO_ENTITY_ID >> $DIR/replica');

    $edge->put(10);
    ok($edge->nothing_pending($worker), 'acknowledged');

    $redis->call(qw(REPLICAOF 127.0.0.1 1));
    ok($worker->wait_for_log(qr/^redis: .*read only replica/m), 'read-only');
    $redis->call(qw(REPLICAOF NO ONE));

    $edge->put(11);
    ok($edge->nothing_pending($worker), 'it is promoted');
    is(slurp("$dir/replica"), "10\n11\n", 'each once');

    is($worker->stop, 0, 'stopped');
}


# A replica first, then a node of a cluster that is not in charge.

sub next_server {
    my $replica = Clockodo::Redis->start(
        replicaof => ['127.0.0.1', $redis->port]);

    $replica->wait_for(qr/master_link_status:up/, 'INFO', 'replication');

    my @nodes = map { Clockodo::Redis->start('cluster-enabled' => 'yes') } 1, 2;
    my $slot = $nodes[0]->call('CLUSTER', 'KEYSLOT', $stream);

    $nodes[0]->call('CLUSTER', 'ADDSLOTS', grep { $_ != $slot } 0 .. 16383);
    $nodes[1]->call('CLUSTER', 'ADDSLOTS', $slot);
    $nodes[0]->call('CLUSTER', 'MEET', '127.0.0.1', $nodes[1]->port);
    $_->wait_for(qr/cluster_state:ok/, 'CLUSTER', 'INFO') for @nodes;

    my $gone = Clockodo::Redis->start;
    $gone->stop;

    for my $bad ($gone, $replica, $nodes[0]) {
        unlink "$dir/next";
        $edge->put(12);

        my $worker = Clockodo::Deliver->start(
            '--redis', 'unix://' . $bad->path,
            '--redis', 'unix://' . $redis->path,
            'sh', '-c', 'echo $CLOCKODO_ENTITY_ID >> $DIR/next');

        ok($edge->nothing_pending($worker), 'acknowledged');
        is(slurp("$dir/next"), "12\n", 'once');
        is($worker->stop, 0, 'stopped');
    }

    # both in the cluster, all keys in one slot

    local $ENV{REDIS_URL} = join ' ', map { 'unix://' . $_->path } @nodes;
    my %fields = event_fields();

    $nodes[1]->call('XADD', $stream, '*', %fields) for 1, 2;

    my $worker = $edge->worker('f=$DIR/cluster.$CLOCKODO_ENTRY_ID;
                                echo x >> $f; test $(wc -l < $f) -ge 2',
                               '--exit-after', '0', '--trim');

    is($worker->wait, 0, 'MOVED leads to the other one');
    is(() = $worker->log =~ /taken/g, 2, 'with retries');
}


sub trim {
    $redis->call('FLUSHALL');
    $edge->put($_) for 1 .. 10;

    # another group has read five, and has not acknowledged the fourth

    $redis->call('XGROUP', 'CREATE', $stream, 'other', '0');

    my @read = map { $_->[0] } @{$redis->call(
        'XREADGROUP', 'GROUP', 'other', 'x', 'COUNT', 5, 'STREAMS', $stream,
        '>')->[0][1]};

    $redis->call('XACK', $stream, 'other', @read[0, 1, 2, 4]);
    is($edge->worker('true', '--exit-after', '0')->wait, 0,
       'all are acknowledged');
    is($redis->call('XLEN', $stream), 10, 'not trimmed without --trim');

    $edge->worker('true', '--exit-after', '0', '--trim')->wait;
    is($redis->call('XLEN', $stream), 7, 'as far as both have come');
    is($redis->call('XRANGE', $stream, '-', '+', 'COUNT', 1)->[0][0], $read[3],
       'the first that was not acknowledged');

    $redis->call('XACK', $stream, 'other', $read[3]);
    $edge->worker('true', '--exit-after', '0', '--trim')->wait;
    cmp_ok($redis->call('XLEN', $stream), '<=', 6, 'then as far as it has read');
    cmp_ok($redis->call('XLEN', $stream), '>=', 5, 'and no further');

    is(@{$redis->call('XREADGROUP', 'GROUP', 'other', 'x', 'STREAMS', $stream,
                      '>')->[0][1]}, 5, 'the other group gets the rest');

    $redis->call('XGROUP', 'DESTROY', $stream, 'other');
}


sub foreign {
    my %fields = event_fields();

    $redis->call('XADD', $stream, '*', 'some', 'thing');
    $redis->call('XADD', $stream, '*', %fields, event => "a\r\nb: c");
    $redis->call('XADD', $stream, '*', %fields, entity_id => "\xff");
    $redis->call('XADD', $stream, '*', %fields, idempotency_key => 'x');

    my $worker = $edge->worker('echo $CLOCKODO_ENTITY_ID >> $DIR/foreign');

    $edge->put(30);
    ok($edge->nothing_pending($worker), 'acknowledged');
    is(slurp("$dir/foreign"), "30\n", 'ours');
    is($redis->call('XLEN', "{$stream}:dead"), 4, 'the others are put aside');
    like($worker->log, qr/ a\\r\\nb: c: this is no event/, 'escaped in the log');
    is((deliver_once('list'))[0], 0, 'listed');
    is($worker->stop, 0, 'stopped');
    is((deliver_once('drop', '--dead'))[1], "4 events\n", 'dropped');
}


# "retry" is for what waits: what is at hand is not given to another one.

sub at_hand {
    $edge->put(50);

    my $worker = $edge->worker('echo x >> $DIR/hand;
                                test $(wc -l < $DIR/hand) -ge 2 || exit 1;
                                until test -e $DIR/hand.go; do sleep 0.02
                                done', '--timeout', '30s');

    ok(wait_until(sub { slurp("$dir/hand") eq "x\nx\n" }), 'tried again');
    is((deliver_once('retry', '--all'))[1], "1 event\n", 'retry');
    sleep 1.5;
    is(slurp("$dir/hand"), "x\nx\n", 'not beside itself');

    open my $go, '>', "$dir/hand.go";
    ok($edge->nothing_pending($worker), 'acknowledged');
    is($worker->stop, 0, 'stopped');
}


# Each gets everything, and one's failures are none of the other's.

sub groups {
    $redis->call('DEL', $stream, "{$stream}:dead");
    $edge->put(40);

    my $good = $edge->worker('echo $CLOCKODO_ENTITY_ID >> $DIR/good',
                             '--group', 'good');
    my $bad = $edge->worker('exit 100', '--group', 'bad');

    ok($_->wait_for_log(qr/^\d+-\d+ .*(?:taken|aside)/m), 'done')
        for $good, $bad;
    ok(wait_until(sub { slurp("$dir/good") =~ /40/ }), 'one has got it');
    ok(wait_until(sub {
        ((deliver_once('status', '--group', 'bad'))[1]) =~ /dead +[1-9]/ }),
       'the other one has not');
    like((deliver_once('status', '--group', 'good'))[1], qr/dead +0/,
         'what is dead is of a group');
    $_->stop for $good, $bad;

    my ($rc, undef, $err) = deliver_once('status', '--group', 'none');
    is($rc, 1, 'no such group');
    like($err, qr/there is no group none of clockodo:events/, 'said');
}
