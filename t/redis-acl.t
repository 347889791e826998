# What docs/redis.md says of rights and of what to watch: with the lines of its
# file nginx, clockodo-deliver and the exporter do all that they have to, also when
# Redis has restarted; and the alerts are about metrics that there are.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Deliver;
use Clockodo::Nginx;
use Clockodo::Redis;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;


my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;

my $page = slurp('docs/redis.md');
my ($acl) = $page =~ /^```\n(user default off\n.*?)^```/ms or die "no users\n";
my ($rules) = $page =~ /^```yaml\n(.*?)^```/ms or die "no rules\n";

# somebody has to be able to look

write_file("$dir/users.acl", $acl =~ s/>PASSWORD/>S3cr3t/gr
                             =~ s/^user default off$/user default on nopass ~* +\@all/mr);

my $redis = Clockodo::Redis->start(aclfile => "$dir/users.acl",
                                   appendonly => 'yes');

my $nginx = Clockodo::Nginx->start(server => <<"END");
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    location = /hook {
        clockodo_redis_pass unix:@{[ $redis->path ]};
        clockodo_redis_dedupe 1h;
        clockodo_redis_auth edge S3cr3t;
    }
END

my @source = ('--redis', 'unix://worker:S3cr3t@' . $redis->path);

subtest 'the users'      => sub { users(1) };
$redis->crash;
$redis->up;
$redis->wait_for(qr/PONG/, 'PING');
subtest 'after a restart' => sub { users(2) };
subtest 'what is left'   => \&left;
subtest 'no more than that' => \&no_more;
subtest 'what to watch'  => \&watch;

done_testing;


sub put {
    my ($id) = @_;

    return deliver($nginx, '/hook', payload => qq({"team":{"id":$id}}))
               ->{status};
}


sub users {
    my ($n) = @_;

    is(put("$n$_"), 200, 'nginx stores') for 1 .. 3;

    my $worker = Clockodo::Deliver->start(
        @source, '--trim', '--retry-min', '1h', '--retry-max', '1h', 'sh', '-c',
        'case $CLOCKODO_ENTITY_ID in *1) exit 100;; *2) exit 1;; esac');

    ok($worker->wait_for_log(qr/$_/), $_) for 'taken', 'aside', 'again in';
    like((deliver_once('list', @source))[1], qr/dead.*waiting|waiting.*dead/s,
         'list');
    is((deliver_once('status', @source))[0], 0, 'status');
    is((deliver_once('retry', @source, '--all'))[1], "2 events\n", 'retry');
    ok($worker->wait_for_log(qr/aside.*aside/s), 'tried again');
    is((deliver_once('drop', @source, '--all'))[1], "2 events\n", 'drop');
    is($worker->stop, 0, 'stopped');
    unlike($worker->log, qr/NOPERM|permission/i, 'with these rights');
}


# What a worker asks of what a dead one has left takes ten seconds to come up.

sub left {
    my $key = '{clockodo:events}:retry:clockodo';

    is($redis->call(qw(ACL DRYRUN worker), @$_), 'OK', $_->[0])
        for ['ZMSCORE', $key, '1-1'], ['ZADD', $key, 'NX', 0, '1-1'];
}


# Each of them does not get in without its password, nor further.

sub no_more {
    for my $try (['edge', qw(XRANGE clockodo:events - +)],
                 ['edge', qw(XADD other * a b)],
                 ['worker', qw(DEL clockodo:events)],
                 ['worker', qw(XADD other * a b)],
                 ['exporter', qw(XRANGE clockodo:events - +)])
    {
        my ($user, @words) = @$try;

        is($redis->call('AUTH', $user, 'S3cr3t'), 'OK', "as $user");
        like($redis->error(@words), qr/^NOPERM/, "@words[0, 1]");
        delete $redis->{client};
    }
}


sub watch {
    my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
                               ->sockport;
    my ($call) = $page =~ /^(prometheus-redis-exporter .*?[^\\])\n/ms
        or die "no exporter\n";
    my $path = $redis->path;

    $call =~ s{/run/redis/redis\.sock}{$path} or die "no socket\n";
    put(1000);

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        $ENV{REDIS_USER} = 'exporter';
        $ENV{REDIS_PASSWORD} = 'S3cr3t';
        open STDOUT, '>', "$dir/exporter";
        open STDERR, '>&', \*STDOUT;
        exec 'sh', '-c', "exec $call -web.listen-address 127.0.0.1:$port"
            or POSIX::_exit(127);
    }

    my $text = '';

    ok(wait_until(sub {
        $text = `curl -s http://127.0.0.1:$port/metrics`;
        $text =~ /^redis_stream_length/m }), 'metrics') or diag(slurp("$dir/exporter"));

    kill 'TERM', $pid;
    waitpid $pid, 0;

    my %metrics = map { $_ => 1 } $rules =~ /\b(redis_\w+)\{/g;

    is(keys %metrics, 3, 'metrics in the rules');
    like($text, qr/^$_\{[^}]*stream="clockodo:events"/m, $_)
        for sort keys %metrics;

    write_file("$dir/rules.yml", $rules);
    is(system("promtool check rules $dir/rules.yml > /dev/null"), 0,
       'rules that promtool takes');

    # behind by twenty minutes, with 200 that nobody has taken

    write_file("$dir/test.yml", <<"END");
rule_files: [ $dir/rules.yml ]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: redis_stream_last_generated_id{instance="a",db="db0",stream="clockodo:events"}
        values: 1764001200000x40
      - series: redis_stream_group_last_delivered_id{instance="a",db="db0",stream="clockodo:events",group="slow"}
        values: 1764000000000x40
      - series: redis_stream_group_last_delivered_id{instance="a",db="db0",stream="clockodo:events",group="good"}
        values: 1764001190000x40
      - series: redis_stream_group_messages_pending{instance="a",db="db0",stream="clockodo:events",group="slow"}
        values: 200x40
      - series: redis_stream_group_messages_pending{instance="a",db="db0",stream="clockodo:events",group="good"}
        values: 2x40
    promql_expr_test:
      - expr: count by (alertname, group) (ALERTS{alertstate="firing"})
        eval_time: 30m
        exp_samples:
          - labels: '{alertname="ClockodoStreamBehind", group="slow"}'
            value: 1
          - labels: '{alertname="ClockodoStreamUnacknowledged", group="slow"}'
            value: 1
END
    is(system("promtool test rules $dir/test.yml > $dir/out 2>&1"), 0,
       'they fire when they should') or diag(slurp("$dir/out"));
}


sub write_file {
    my ($file, $text) = @_;

    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
}
