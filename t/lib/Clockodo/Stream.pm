package Clockodo::Stream;

# An edge that puts events into a stream of a Redis of its own, and workers of
# clockodo-deliver that take them:
#
#     my $stream = Clockodo::Stream->start;
#
#     $stream->put($id, note => '""')     # an event of the team $id, as event()
#     my $worker = $stream->worker('exit 1', '--group', 'other');
#     $stream->nothing_pending($worker)   # whether all is acknowledged
#     $stream->redis, $stream->nginx, $stream->key
#
# clockodo-deliver finds this Redis by REDIS_URL.

use strict;
use warnings;

use Clockodo::Client;
use Clockodo::Deliver;
use Clockodo::Nginx;
use Clockodo::Redis;


sub start {
    my ($class) = @_;

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

    return bless { redis => $redis, nginx => $nginx }, $class;
}


sub redis { $_[0]{redis} }
sub nginx { $_[0]{nginx} }
sub key   { 'clockodo:events' }


sub put {
    my ($self, $id, @more) = @_;

    deliver($self->nginx, '/hook', payload => qq({"team":{"id":$id}}), @more)
        ->{status} == 200 or die "not stored\n";
}


# A worker whose command is a line for the shell.

sub worker {
    my ($self, $line, @options) = @_;

    return Clockodo::Deliver->start(
        '--retry-min', '200ms', '--retry-max', '400ms', '--timeout', '5s',
        @options, 'sh', '-c', $line);
}


# All that is in the stream has been read and acknowledged.

sub nothing_pending {
    my ($self, $worker) = @_;

    my ($redis, $key) = ($self->redis, $self->key);

    return 1 if wait_until(sub {
        my %group = eval { @{$redis->call('XINFO', 'GROUPS', $key)->[0]} };
        my %stream = eval { @{$redis->call('XINFO', 'STREAM', $key)} };

        return %group && $group{pending} == 0
               && $group{'last-delivered-id'} eq $stream{'last-generated-id'};
    });

    Test::More::diag($worker->log);

    return 0;
}

1;
