# A Redis that cannot take an event says so, or is not there: the event goes to
# the next server.  Where none takes it, the client gets 502, and the log tells
# why.  All of these are real servers in that state.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Redis;
use Test::More;


my $good = Clockodo::Redis->start;

# of those that are well, and have another one to do it, nginx says 404

my %well = map { $_ => 1 } qw(READONLY MASTERDOWN CLUSTERDOWN MOVED ASK);

my %servers = (
    READONLY    => \&readonly,
    LOADING     => \&loading,
    OOM         => \&oom,
    MASTERDOWN  => \&masterdown,
    NOREPLICAS  => \&noreplicas,
    CLUSTERDOWN => \&clusterdown,
    MOVED       => \&moved,
    ASK         => \&ask,
    BUSY        => \&busy,
);

for my $code (sort keys %servers) {
    subtest $code => sub {
        my ($redis, @others) = $servers{$code}->();

        failover($redis, qr/did not store a clockodo event, error "$code"/,
                 $well{$code} ? 404 : 502);
    };
}

subtest 'stopped' => sub {
    my $redis = Clockodo::Redis->start;

    $redis->stop;
    failover($redis, qr/connect\(\) to unix:\S+ failed/, 502);
};

subtest 'it comes back' => \&comes_back;
subtest 'a promoted replica' => \&promoted;

done_testing;


# What becomes of an event at a server that does not take it: alone, and with
# one behind it that does.

sub failover {
    my ($bad, $reason, $said) = @_;

    my ($bad_path, $good_path) = ($bad->path, $good->path);

    my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<'END');
    upstream one {
        server unix:$bad_path;
    }

    upstream two {
        server unix:$bad_path max_fails=0;
        server unix:$good_path backup;
        keepalive 2;
    }
END
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    add_header X-Seen "$clockodo_verdict $upstream_status" always;

    location = /one {
        clockodo_redis_pass one;
    }

    location = /one/known {
        clockodo_redis_pass one;
        clockodo_redis_dedupe 1h;
    }

    location = /two {
        clockodo_redis_pass two;
    }

    location = /two/known {
        clockodo_redis_pass two;
        clockodo_redis_dedupe 1h;
    }

    location = /two/off {
        clockodo_redis_pass two;
        clockodo_redis_next_upstream off;
    }
END

    $good->call('FLUSHALL');

    for my $to (qw(/one /one/known /two/off)) {
        $nginx->new_log;

        is(seen($nginx, $to), '502 accepted 502', "$to: not stored");
        like($nginx->new_log, $reason, 'the reason in the log');
    }

    is($good->call('DBSIZE'), 0, 'not stored by another');

    is(seen($nginx, '/two'), "200 accepted $said, 200", 'the next server');
    is(seen($nginx, '/two/known'), "200 accepted $said, 200", 'and by the script');
    is(seen($nginx, '/two/known'), "200 duplicate $said, 200", 'once');
    is($good->call('XLEN', 'clockodo:events'), 2, 'stored');

    # in such a state it may not stop when it is told to

    $bad->crash;
}


sub seen {
    my ($nginx, $to) = @_;

    my $reply = deliver($nginx, $to);

    return "$reply->{status} " . ($reply->{header}{'x-seen'} // '');
}


sub readonly {
    my $master = Clockodo::Redis->start;
    my $replica = Clockodo::Redis->start(
        replicaof => ['127.0.0.1', $master->port]);

    $replica->wait_for(qr/master_link_status:up/, 'INFO', 'replication');

    return ($replica, $master);
}


# Its data is on disk and takes its time.

sub loading {
    my $redis = Clockodo::Redis->start;

    $redis->call('MSET', map { ("key:$_", 'x' x 100) } 1 .. 5000);
    $redis->call('SAVE');
    $redis->stop;

    $redis->options('loading-process-events-interval-bytes' => 1024,
                    'key-load-delay' => 5000);
    $redis->up;

    return $redis;
}


sub oom {
    return Clockodo::Redis->start(maxmemory => 1);
}


sub masterdown {
    return Clockodo::Redis->start(replicaof => ['127.0.0.1', 1],
                                  'replica-serve-stale-data' => 'no',
                                  'replica-read-only' => 'no');
}


sub noreplicas {
    return Clockodo::Redis->start('min-replicas-to-write' => 1);
}


sub clusterdown {
    return Clockodo::Redis->start('cluster-enabled' => 'yes');
}


# Two nodes, of which the second has the stream's slot.

sub moved {
    my @nodes = map { Clockodo::Redis->start('cluster-enabled' => 'yes') } 1, 2;

    my $slot = $nodes[0]->call('CLUSTER', 'KEYSLOT', 'clockodo:events');

    $nodes[0]->call('CLUSTER', 'ADDSLOTS', grep { $_ != $slot } 0 .. 16383);
    $nodes[1]->call('CLUSTER', 'ADDSLOTS', $slot);
    $nodes[0]->call('CLUSTER', 'MEET', '127.0.0.1', $nodes[1]->port);

    $nodes[0]->wait_for(qr/cluster_state:ok/, 'CLUSTER', 'INFO');

    return @nodes;
}


# The slot is on its way to another node.

sub ask {
    my @nodes = map { Clockodo::Redis->start('cluster-enabled' => 'yes') } 1, 2;

    my $slot = $nodes[0]->call('CLUSTER', 'KEYSLOT', 'clockodo:events');

    $nodes[0]->call('CLUSTER', 'ADDSLOTS', 0 .. 16383);
    $nodes[0]->call('CLUSTER', 'MEET', '127.0.0.1', $nodes[1]->port);
    $nodes[0]->wait_for(qr/cluster_known_nodes:2/, 'CLUSTER', 'INFO');
    $nodes[0]->wait_for(qr/cluster_state:ok/, 'CLUSTER', 'INFO');
    $nodes[0]->wait_for(qr/OK/, 'CLUSTER', 'SETSLOT', $slot, 'MIGRATING',
                        $nodes[1]->call('CLUSTER', 'MYID'));

    return @nodes;
}


# A script that does not end.

sub busy {
    my $redis = Clockodo::Redis->start('lua-time-limit' => 1);

    my $client = $redis->connect;
    my $script = 'while true do end';

    print $client "*3\r\n\$4\r\nEVAL\r\n\$17\r\n$script\r\n\$1\r\n0\r\n";
    $client->flush;

    delete $redis->{client};

    for (1 .. 500) {
        last if ($redis->error('PING') // '') =~ /^BUSY/;
        select undef, undef, undef, 0.02;
    }

    # until it is killed, as nothing has been written

    return ($redis, $client);
}


# One server, that is away for a while.

sub comes_back {
    my $redis = Clockodo::Redis->start(appendonly  => 'yes',
                                       appendfsync => 'always');

    my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<'END');
    upstream redis {
        server unix:@{[ $redis->path ]};
        keepalive 2;
    }
END
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_redis_dedupe 1h;

    add_header X-Seen "$clockodo_verdict $upstream_status" always;

    location = /one {
        clockodo_redis_pass redis;
    }
END

    is(seen($nginx, '/one'), '200 accepted 200', 'there');

    $redis->crash;
    is(seen($nginx, '/one'), '502 accepted 502', 'away');

    $redis->up;
    $redis->wait_for(qr/PONG/, 'PING');

    is(seen($nginx, '/one'), '200 duplicate 200', 'back, with what it had');
    is($redis->call('XLEN', 'clockodo:events'), 1, 'once');
}


# The master has gone, its replica takes over: both stand in the upstream.

sub promoted {
    my $master = Clockodo::Redis->start;
    my $replica = Clockodo::Redis->start(
        replicaof => ['127.0.0.1', $master->port]);

    $replica->wait_for(qr/master_link_status:up/, 'INFO', 'replication');

    my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<'END');
    upstream redis {
        server unix:@{[ $master->path ]} max_fails=0;
        server unix:@{[ $replica->path ]} max_fails=0;
        keepalive 4;
    }
END
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_redis_dedupe 1h;

    add_header X-Seen $clockodo_verdict always;

    location = /one {
        clockodo_redis_pass redis;
    }
END

    # whichever comes first, the master stores it; twice, for they take turns

    is(seen($nginx, '/one'), '200 accepted', 'the master');
    $replica->wait_for(qr/^1$/, 'XLEN', 'clockodo:events');
    is(seen($nginx, '/one'), '200 duplicate', 'a repeat') for 1 .. 4;

    $master->crash;
    $replica->call(qw(REPLICAOF NO ONE));

    is(seen($nginx, '/one'), '200 duplicate', 'the replica knows it')
        for 1 .. 4;
    is($replica->call('XLEN', 'clockodo:events'), 1, 'once');
}
