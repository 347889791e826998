# The worker in examples/consumer: it gets every event to its end, also those
# of a worker that has died, of a command that has failed, and while Redis is
# away.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Redis;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);


my $stream = 'clockodo:events';
my $program = 'examples/consumer/clockodo-consumer';
my $dir = tempdir(CLEANUP => 1);
my %workers;

my $redis = Clockodo::Redis->start(appendonly  => 'yes',
                                   appendfsync => 'always');

my $nginx = Clockodo::Nginx->start(server => <<"END");
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_unknown_events forward;

    location /hook {
        clockodo_redis_pass unix:@{[ $redis->path ]};
    }
END

END {
    local $?;
    stop($_, 'KILL') for keys %workers;
}

subtest 'an event'         => \&one;
subtest 'a command fails'  => \&fails;
subtest 'a worker dies'    => \&dies;
subtest 'several workers'  => \&several;
subtest 'SIGTERM'          => \&sigterm;
subtest 'Redis is away'    => \&away;
subtest 'a replica'        => \&replica;
subtest 'deleted entries'  => \&deleted;
subtest 'arguments'        => \&arguments;
subtest 'the systemd unit' => \&unit;

done_testing;


sub put {
    my ($id, @more) = @_;

    deliver($nginx, '/hook', payload => qq({"team":{"id":$id}}), @more)
        ->{status} == 200 or die "not stored\n";
}


# A worker whose command is a line for the shell.

sub worker {
    my ($line, @options) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        $ENV{REDIS_URL} = 'unix://' . $redis->path;
        $ENV{DIR} = $dir;

        open STDERR, '>>', "$dir/log";
        exec $program, '--idle', 0.2, @options, 'sh', '-c', $line
            or POSIX::_exit(127);
    }

    $workers{$pid} = 1;

    return $pid;
}


# Returns its exit status.

sub stop {
    my ($pid, $signal) = @_;

    delete $workers{$pid};

    kill $signal || 'TERM', $pid;
    waitpid $pid, 0;

    return $?;
}


sub contents {
    my ($name) = @_;

    open my $in, '<', "$dir/$name" or return '';
    local $/;

    return scalar(<$in>) // '';
}


sub wait_for_file {
    my ($name, $want) = @_;

    for (1 .. 500) {
        return 1 if contents($name) =~ $want;
        sleep 0.02;
    }

    diag(contents($name), contents('log'));

    return 0;
}


# All that is in the stream has been read and acknowledged.

sub nothing_pending {
    for (1 .. 500) {
        my %group = eval { @{$redis->call('XINFO', 'GROUPS', $stream)->[0]} };
        my %stream = eval { @{$redis->call('XINFO', 'STREAM', $stream)} };

        return 1 if %group && $group{pending} == 0
                    && $group{'last-delivered-id'}
                       eq $stream{'last-generated-id'};
        sleep 0.02;
    }

    diag(contents('log'));

    return 0;
}


sub one {
    put(9001);   # before there is a group

    my $pid = worker('env | grep ^CLOCKODO_ | sort > $DIR/env;
                      env | grep -c REDIS_URL > $DIR/url;
                      cat > $DIR/body');

    ok(nothing_pending(), 'acknowledged');

    my %env = contents('env') =~ /^(\w+)=(.*)$/mg;

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

    is(contents('body'), event() =~ s/My_Sup3r_T0k3n/'*' x 14/er, 'the body');
    is(contents('url'), "0\n", 'the command does not get the password');

    put(9002, note => '"é \u00e4"');
    ok(nothing_pending(), 'another one');
    like(contents('body'), qr/"note":"é \\u00e4"/, 'its body');

    is(stop($pid), 0, 'stopped');
}


sub fails {
    put(1);
    put(2);

    # the first time each

    my $pid = worker('f=$DIR/failed.$CLOCKODO_ENTITY_ID;
                      echo x >> $f; test $(wc -l < $f) -ge 3');

    ok(nothing_pending(), 'acknowledged');
    is(contents("failed.$_"), "x\nx\nx\n", "event $_: tried three times")
        for 1, 2;
    like(contents('log'), qr/team.updated: exit status 1, to be tried again/,
         'said');

    stop($pid);
}


sub dies {
    put(3);

    my $pid = worker('echo $$ > $DIR/pid; exec sleep 1000', '--name', 'dead');

    ok(wait_for_file('pid', qr/\n/), 'it has begun');
    stop($pid, 'KILL');
    kill 'KILL', contents('pid');

    my $other = worker('echo $CLOCKODO_ENTITY_ID >> $DIR/claimed');

    ok(nothing_pending(), 'acknowledged by another one');
    is(contents('claimed'), "3\n", 'once');

    stop($other);
}


sub several {
    my @pids = map { worker('echo $CLOCKODO_ENTITY_ID >> $DIR/several',
                            '--name', $_, '--idle', 60) } 1 .. 4;

    put($_) for 100 .. 139;

    ok(nothing_pending(), 'acknowledged');
    is_deeply([sort split /\n/, contents('several')], [100 .. 139],
              'each once');

    stop($_) for @pids;
}


sub sigterm {
    put(5);
    put(6);

    my $pid = worker('echo $CLOCKODO_ENTITY_ID >> $DIR/begun;
                      until test -e $DIR/go; do sleep 0.02; done;
                      echo $CLOCKODO_ENTITY_ID >> $DIR/done', '--idle', 60);

    ok(wait_for_file('begun', qr/5/), 'it has begun');

    kill 'TERM', $pid;
    open my $go, '>', "$dir/go";

    is(stop($pid), 0, 'stopped');
    is(contents('done'), "5\n", 'the event at hand came to its end');
    is($redis->call('XPENDING', 'clockodo:events', 'clockodo')->[0], 0,
       'and was acknowledged');

    $pid = worker('true');
    ok(nothing_pending(), 'the next one was left to others');
    stop($pid);
}


sub away {
    my $pid = worker('echo $CLOCKODO_ENTITY_ID >> $DIR/away');

    put(7);
    ok(nothing_pending(), 'acknowledged');

    $redis->crash;
    ok(wait_for_file('log', qr/^redis: /m), 'it is away');
    $redis->up;
    $redis->wait_for(qr/PONG/, 'PING');

    put(8);
    ok(nothing_pending(), 'it is back');

    # the stream with all its groups

    $redis->call('DEL', 'clockodo:events');
    put(9);

    ok(wait_for_file('away', qr/^9$/m), 'the stream was deleted');
    is(contents('away'), "7\n8\n9\n", 'each once');

    stop($pid);
}


# It asks a replica that is not promoted yet.

sub replica {
    my $pid = worker('echo $CLOCKODO_ENTITY_ID >> $DIR/replica');

    put(10);
    ok(nothing_pending(), 'acknowledged');

    $redis->call(qw(REPLICAOF 127.0.0.1 1));
    ok(wait_for_file('log', qr/^redis: .*read only replica/m), 'it is read-only');
    $redis->call(qw(REPLICAOF NO ONE));

    put(11);
    ok(nothing_pending(), 'it is promoted');
    is(contents('replica'), "10\n11\n", 'each once');

    is(stop($pid), 0, 'stopped');
}


# What "maxlen" has cut off is still with a worker that has died.

sub deleted {
    $redis->call('XGROUP', 'CREATECONSUMER', $stream, 'clockodo', 'gone');

    put($_) for 12, 13;
    $redis->call('XREADGROUP', 'GROUP', 'clockodo', 'gone', 'COUNT', 2,
                 'STREAMS', $stream, '>');
    $redis->call('XTRIM', $stream, 'MAXLEN', 1);

    my $pid = worker('echo $CLOCKODO_ENTITY_ID >> $DIR/trimmed');

    ok(nothing_pending(), 'acknowledged');
    is(contents('trimmed'), "13\n", 'the one that is left');

    is(stop($pid), 0, 'stopped');
}


sub arguments {
    like(`$program 2>&1`, qr/usage:.*COMMAND is needed/s, 'no command');
    is($? >> 8, 2, 'exit status');
    like(`$program --idle 0 true 2>&1`, qr/--idle above 0/, '--idle 0');
}


sub unit {
    my $root = "$dir/root";

    for my $file (qw(/usr/local/bin/clockodo-consumer
                     /usr/local/bin/clockodo-event /etc/clockodo-consumer.env))
    {
        system 'install', '-D', '-m', 755, '/dev/null', "$root$file";
    }

    system 'install', '-D', '-m', 644,
           'examples/consumer/clockodo-consumer@.service',
           "$root/etc/systemd/system/clockodo-consumer\@.service";

    # targets that it names

    for my $target (qw(network-online basic sysinit shutdown multi-user)) {
        open my $out, '>', "$root/etc/systemd/system/$target.target"
            or die "$target: $!\n";
        print $out "[Unit]\nDescription=$target\n";
    }

    is(`systemd-analyze verify --man=no --root=$root \\
        clockodo-consumer\@1.service 2>&1`, '', 'nothing to complain of');
    is($? >> 8, 0, 'exit status');
}
