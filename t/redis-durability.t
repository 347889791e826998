# What is left of the events that got their 200 when Redis is killed, under
# what settings of its own.  The documentation has it in a table; what a power
# cut does cannot be shown here.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Redis;
use Test::More;


my $events = 200;

# settings, what is left, and whether it is saved in the middle

for (['no file', [appendonly => 'no', save => ''], 0],
     ['snapshots', [appendonly => 'no', save => ''], $events / 2, 1],
     ['everysec', [appendonly => 'yes', appendfsync => 'everysec'], $events],
     ['always', [appendonly => 'yes', appendfsync => 'always'], $events])
{
    my ($name, $settings, $left, $save) = @$_;

    my $redis = Clockodo::Redis->start(@$settings);

    my $nginx = Clockodo::Nginx->start(server => <<"END");
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_redis_dedupe 1h;

    location /hook {
        clockodo_redis_pass unix:@{[ $redis->path ]};
    }
END

    my $client = Clockodo::Client->new($nginx->port);

    for my $id (1 .. $events) {
        $client->send(post(event(payload => qq({"team":{"id":$id}}))));
        $client->reply->{status} == 200 or die "no 200\n";

        $redis->call('SAVE') if $save && $id == $events / 2;
    }

    $redis->crash;
    $redis->up;
    $redis->wait_for(qr/PONG/, 'PING');

    is($redis->call('XLEN', 'clockodo:events'), $left, "$name: events");
    is($redis->call('DBSIZE'), $left ? $left + 1 : 0, "$name: and their keys");
}

done_testing;
