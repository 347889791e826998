# A server of a cluster that has not the stream is as it should be: that it says
# MOVED is no failure that "max_fails" counts, nor an error for the log, and its
# connection is kept.  Else each event would make a connection and a line of the
# log, and when the stream moves, no server would be left to ask for ten seconds.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Redis;
use Test::More;


my @nodes = map { Clockodo::Redis->start('cluster-enabled' => 'yes') } 1, 2;
my $slot = $nodes[0]->call('CLUSTER', 'KEYSLOT', 'clockodo:events');

$nodes[0]->call('CLUSTER', 'ADDSLOTS', 0 .. 16383);
$nodes[0]->call('CLUSTER', 'MEET', '127.0.0.1', $nodes[1]->port);
$_->wait_for(qr/cluster_state:ok/, 'CLUSTER', 'INFO') for @nodes;

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<'END');
    upstream redis {
        server unix:@{[ $nodes[0]->path ]};
        server unix:@{[ $nodes[1]->path ]};
        keepalive 4;
    }
END
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_redis_dedupe 1h;

    add_header X-Asked "$upstream_status" always;

    location = /hook {
        clockodo_redis_pass redis;
    }
END

my $n = 0;

my $before = connections($nodes[1]);
my @asked = send_events(20);

is((grep { !/^(?:404, )?200$/ } @asked), 0, 'all are stored') or diag("@asked");
cmp_ok((grep { /404/ } @asked), '>', 5, 'the other one was asked as well');
is(connections($nodes[1]) - $before, 1, 'by one connection');
unlike($nginx->new_log, qr/\[(?:warn|error|crit)\]/, 'no error');

$before = connections($nodes[1]);
$nodes[0]->call('FLUSHALL');

for my $node (@nodes) {
    my $id = $nodes[1]->call('CLUSTER', 'MYID');

    $node->call('CLUSTER', 'SETSLOT', $slot, 'NODE', $id);
}

@asked = send_events(20);

is((grep { !/^(?:404, )?200$/ } @asked), 0, 'it has moved: all are stored')
    or diag("@asked");
is($nodes[1]->call('XLEN', 'clockodo:events'), 20, 'there');
is(connections($nodes[1]), $before, 'no further connection');
unlike($nginx->new_log, qr/\[(?:warn|error|crit)\]/, 'no error');

# the last one that is left, and it is promoted later

my $master = Clockodo::Redis->start;
my $replica = Clockodo::Redis->start(replicaof => ['127.0.0.1',
                                                   $master->port]);

$replica->wait_for(qr/master_link_status:up/, 'INFO', 'replication');
$master->crash;

$nginx->reload(http => <<"END");
    upstream redis {
        server unix:@{[ $master->path ]};
        server unix:@{[ $replica->path ]};
        keepalive 4;
    }
END

is((send_events(1))[0], '502, 502', 'a master is away: 502');
like($nginx->new_log, qr/\[error\].*did not store .* error "READONLY"/,
     'logged');

$replica->call(qw(REPLICAOF NO ONE));

is((send_events(1))[0], 200, 'its replica is promoted: it is asked at once');

# one server alone: no other one to ask

$nginx->reload(http => <<"END");
    upstream redis {
        server unix:@{[ $nodes[0]->path ]};
    }
END

is(deliver($nginx, '/hook', payload => qq({"team":{"id":@{[ ++$n ]}}}))
       ->{status}, 502, 'nobody else: 502');
like($nginx->new_log, qr/\[error\].*did not store .* error "MOVED"/, 'logged');

done_testing;


# What became of each.

sub send_events {
    my ($events) = @_;

    return map {
        $n++;
        deliver($nginx, '/hook', payload => qq({"team":{"id":$n}}))
            ->{header}{'x-asked'};
    } 1 .. $events;
}


sub connections {
    my ($redis) = @_;

    return $redis->call('INFO', 'stats')
               =~ /^total_connections_received:(\d+)/m ? $1 : die;
}
