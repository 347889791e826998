# A cluster of three nodes, one of which has a replica: nginx and clockodo-deliver
# know all of them, and go on to the next one when one answers MOVED.  The node
# that has the stream is killed, and its replica takes over by itself: what got its
# 200 is delivered, and each event is delivered.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Deliver;
use Clockodo::Nginx;
use Clockodo::Redis;
use File::Temp qw(tempdir);
use List::Util qw(uniq);
use Test::More;
use Time::HiRes qw(sleep);


my $stream = 'clockodo:events';
my $dir = $ENV{DIR} = tempdir(CLEANUP => 1);

my @nodes = map { Clockodo::Redis->start(
    'cluster-enabled' => 'yes', 'cluster-node-timeout' => 1000,
    appendonly => 'yes') } 0 .. 3;

my @masters = @nodes[0 .. 2];
my $slot = $nodes[0]->call('CLUSTER', 'KEYSLOT', $stream);

for my $i (0 .. 2) {
    $nodes[$i]->call('CLUSTER', 'ADDSLOTS',
                     grep { $_ % 3 == $i } 0 .. 16383);
    $nodes[$i]->call('CLUSTER', 'SET-CONFIG-EPOCH', $i + 1);
}

$nodes[0]->call('CLUSTER', 'MEET', '127.0.0.1', $_->port) for @nodes[1 .. 3];
$_->wait_for(qr/cluster_known_nodes:4/, 'CLUSTER', 'INFO') for @nodes;
$_->wait_for(qr/cluster_state:ok/, 'CLUSTER', 'INFO') for @masters;

my $master = $nodes[$slot % 3];
my $replica = $nodes[3];

my $id = $master->call('CLUSTER', 'MYID');
$replica->wait_for(qr/\Q$id\E/, 'CLUSTER', 'NODES');
$replica->call('CLUSTER', 'REPLICATE', $id);
$replica->wait_for(qr/master_link_status:up/, 'INFO', 'replication');

# the one in charge comes last

my @order = ((grep { $_ != $master } @nodes), $master);

my $servers = join '', map { 'server unix:' . $_->path . " max_fails=0;\n" }
                       @order;

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<'END');
    upstream redis {
        $servers
        keepalive 4;
    }
END
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_redis_dedupe 1h;

    location = /hook {
        clockodo_redis_pass redis;
    }
END

my $worker = Clockodo::Deliver->start(
    (map { ('--redis', 'unix://' . $_->path) } @order),
    'sh', '-c', 'echo $CLOCKODO_ENTITY_ID >> $DIR/got');

my $n = 0;

is(status(), 200, 'stored, by whichever node is asked first') for 1 .. 8;
ok(wait_until(sub { () = slurp("$dir/got") =~ /\n/g, 8 }), 'delivered');

$replica->call('READONLY');
$replica->wait_for(qr/^8$/, 'XLEN', $stream);

# Before there is another one in charge, 502: the sender comes again.

$master->crash;
is(status(), 502, 'the node is lost');
$n--;
ok(wait_until(sub { status() == 200 or --$n < 0 }), 'its replica takes over');
is(status(), 200, 'and goes on') for 1 .. 7;

$replica->wait_for(qr/role:master/, 'INFO', 'replication');

ok(wait_until(sub { (uniq split /\n/, slurp("$dir/got")) == $n }),
   'each is delivered') or diag($worker->log, slurp("$dir/got"));

# it comes back, as the other one's replica

$master->up;
$master->wait_for(qr/master_link_status:up/, 'INFO', 'replication');
is(status(), 200, 'the lost one is a replica now') for 1 .. 8;
ok(wait_until(sub { (uniq split /\n/, slurp("$dir/got")) == $n }),
   'each is delivered');
is($worker->stop, 0, 'stopped');

done_testing;


sub status {
    $n++;

    return deliver($nginx, '/hook', payload => qq({"team":{"id":$n}}))
               ->{status};
}
