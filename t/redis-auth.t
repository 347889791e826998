# The password for Redis, with a user and without.  It goes over each
# connection, also one that is used again by a location with another user, and
# into no log.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Redis;
use Test::More;


my $redis = Clockodo::Redis->start;

# least rights: what the documentation says that it takes

$redis->call(qw(ACL SETUSER edge on >S3cr3t-edge
                ~clockodo:events ~{clockodo:events}:*
                +eval +exists +xadd +set));
$redis->call(qw(ACL SETUSER writer on >S3cr3t-writer ~clockodo:events +xadd));
$redis->call(qw(ACL SETUSER nobody on >S3cr3t-nobody));
$redis->call(qw(CONFIG SET requirepass), 'S3cr3t "default"');

# our own connection stays what it is

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<'END',
    upstream redis {
        server unix:@{[ $redis->path ]};
        keepalive 1;
    }

    clockodo_redis_dedupe 1h;
END
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_redis_auth 'S3cr3t "default"';

    add_header X-Seen "$clockodo_verdict $connection $upstream_status" always;

    location = /default {
        clockodo_redis_pass redis;
    }

    location = /edge {
        clockodo_redis_pass redis;
        clockodo_redis_auth edge S3cr3t-edge;
    }

    location = /writer {
        clockodo_redis_pass redis;
        clockodo_redis_auth writer S3cr3t-writer;
        clockodo_redis_dedupe off;
    }

    location = /writer/known {
        clockodo_redis_pass redis;
        clockodo_redis_auth writer S3cr3t-writer;
    }

    location = /nobody {
        clockodo_redis_pass redis;
        clockodo_redis_auth nobody S3cr3t-nobody;
    }

    location = /wrong {
        clockodo_redis_pass redis;
        clockodo_redis_auth S3cr3t-wrong;
    }

    location = /wrong/user {
        clockodo_redis_pass redis;
        clockodo_redis_auth S3cr3t-user S3cr3t-wrong;
    }
END
    level => 'debug');

my $none = Clockodo::Nginx->start(server => <<"END");
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    location = /none {
        clockodo_redis_pass unix:@{[ $redis->path ]};
    }
END

my %want = (
    '/default'      => 200,
    '/edge'         => 200,
    '/writer'       => 200,
    '/writer/known' => 'NOPERM',
    '/nobody'       => 'NOPERM',
    '/wrong'        => 'WRONGPASS',
    '/wrong/user'   => 'WRONGPASS',
);

# one after another over what is kept of connections

for my $to (sort(keys %want), reverse(sort keys %want), '/default', '/edge') {
    my $want = $want{$to};

    $redis->call('FLUSHALL');

    if ($want eq 200) {
        is(deliver($nginx, $to)->{status}, 200, $to);
        is($redis->call('XLEN', 'clockodo:events'), 1, 'stored');
        next;
    }

    is(deliver($nginx, $to)->{status}, 502, $to);
    like($nginx->new_log, qr/did not store a clockodo event, error "$want"/,
         'the reason in the log');
    is($redis->call('DBSIZE'), 0, 'not stored');
}

# what a connection may do for one location, it may not for another

for my $to ('/wrong', '/wrong/user') {
    $redis->call('FLUSHALL');

    my @other = (payload => '{"team":{"id":2}}');

    is(deliver($nginx, '/default')->{status}, 200, 'it may store there');
    is(deliver($nginx, $to, @other)->{status}, 502, "then $to");
    is($redis->call('XLEN', 'clockodo:events'), 1, 'not stored');
}

# who has not said who it is may not even use that many words

is(deliver($none, '/none')->{status}, 502, 'no password');
like($none->new_log, qr/error "ERR"/, 'the reason in the log');

unlike($_->log . $_->read('logs/access.log'), qr/S3cr3t/, 'none in a log')
    for $nginx, $none;


# none is asked for

{
    my $open = Clockodo::Redis->start;

    my $nginx = Clockodo::Nginx->start(server => <<"END");
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    location = /open {
        clockodo_redis_pass unix:@{[ $open->path ]};
        clockodo_redis_auth S3cr3t;
    }
END

    is(deliver($nginx, '/open')->{status}, 502, 'a password where none is set');
    like($nginx->new_log, qr/error "ERR"/, 'the reason in the log');
}

done_testing;
