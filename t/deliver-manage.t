# clockodo-deliver for people and for programs: list, status, retry, drop, the
# metrics, its help, and what it says of wrong arguments.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Deliver;
use Clockodo::Receiver;
use Clockodo::Redis;
use Clockodo::Spool;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Test::More;


# the entity's id is the status

my $receiver = Clockodo::Receiver->start(sub {
    $_[0] =~ /^X-Clockodo-Entity-Id: (\d+)/m; $1;
});

my $dir = tempdir(CLEANUP => 1);
my $redis = Clockodo::Redis->start;
my $number = 0;

for my $kind (qw(spool redis)) {
    subtest "$kind: list, status, retry, drop" => sub { manage($kind) };
}

subtest 'metrics'   => \&metrics;
subtest 'arguments' => \&arguments;
subtest 'help'      => \&help;

done_testing;


# Each kind of source: what puts an event there and returns its id, and its
# options.

sub source {
    my ($kind) = @_;

    if ($kind eq 'spool') {
        my $spool = Clockodo::Spool->new;

        return (sub { $spool->put(payload => qq({"team":{"id":$_[0]}})) },
                '--spool', $spool->path);
    }

    my $stream = 'stream.' . ++$number;

    return (
        sub {
            my %fields = (event_fields(), entity_id => $_[0]);
            return $redis->call('XADD', $stream, '*', %fields);
        },
        '--redis', 'unix://' . $redis->path, '--stream', $stream);
}


sub manage {
    my ($kind) = @_;

    my ($put, @source) = source($kind);
    my @run = (@source, '--url', $receiver->url);

    my $dead = $put->(410);
    my $worker = Clockodo::Deliver->start(@run, '--retry-min', '1h',
                                          '--retry-max', '2h');

    ok($worker->wait_for_log(qr/put aside/), 'one dies');
    my $waiting = $put->(500);
    my $second = $put->(501);
    ok($worker->wait_for_log(qr/again.*again/s), 'two wait');
    is($worker->stop, 0, 'stopped');
    my $new = $put->(200);
    my $other = $put->(201);

    my ($rc, $out) = deliver_once('list', @source, '--json');
    my %item = map { $_->{id} => $_ } @{decode_json($out)};

    is($rc, 0, 'list: exit status');
    is_deeply({ map { $_ => "@{$item{$_}}{qw(state event tries)}" } keys %item },
              { $dead    => 'dead team.updated 1',
                $waiting => 'waiting team.updated 1',
                $second  => 'waiting team.updated 1',
                $new     => 'new team.updated 0',
                $other   => 'new team.updated 0' }, 'list --json');
    is($item{$waiting}{error}, 'status 500', 'an error');
    cmp_ok(abs($item{$waiting}{due} - time - 3600), '<', 1000, 'the next try');
    cmp_ok(abs($item{$new}{since} - time), '<', 60, 'the age');

    (undef, $out) = deliver_once('list', @source);
    like($out, qr/^$waiting\ waiting\ team\.updated\ \d+s\ old,\ 1\ try,
                  \ next\ in\ (?:\d+h\ )?\d+m.*:\ status\ 500$/mx, 'list');
    like($out, qr/^$new new team\.updated \d+s old$/m, 'a new one');
    like($out, qr/^$dead dead team\.updated \d+s old, 1 try: status 410$/m,
         'a dead one');

    ($rc, $out) = deliver_once('status', @source);
    is($rc, 0, 'status: exit status');
    like($out, qr/\Anew      2\nwaiting  2\ndead     1\noldest   \d+s\n/,
         'status');
    like($out, qr/^last error  status 50[01], \S+, \d+s ago\n\z/m,
         'the last error');

    my $status = decode_json((deliver_once('status', '--json', @source))[1]);
    is("@{$status}{qw(new waiting dead)}", '2 2 1', 'status --json');
    like($status->{last_error}{error}, qr/^status 50[01]$/, 'the last error');
    cmp_ok($status->{oldest_age}, '<', 60, 'the oldest');

    # an unknown one

    my $unknown = $kind eq 'spool' ? 'f' x 64 : '1-1';

    for my $verb (qw(retry drop)) {
        my ($rc, $out, $err) = deliver_once($verb, @source, $unknown,
                                            '../secret', '', "x\e[1m", '*');

        is("$rc $out", "1 0 events\n", "$verb of unknown ones");
        like($err, qr/\A(?:there is no '[ -~]*'; "list" shows .*\n){5}\z/,
             'said');
    }

    # by id, also a new one

    is((deliver_once('drop', @source, $new, $unknown))[1], "1 event\n", 'drop');
    is_deeply([ids(@source)], [sort $dead, $waiting, $second, $other], 'gone');
    is((deliver_once('retry', @source, $other))[1], "1 event\n",
       'retry of a new one');

    is((deliver_once('drop', @source, $second))[1], "1 event\n",
       'drop of one that waits');

    # what waits is tried at once, what is dead begins anew

    is((deliver_once('retry', @source, '--all'))[1], "2 events\n",
       'retry --all');
    $worker = Clockodo::Deliver->start(@run, '--retry-min', '1h',
                                       '--retry-max', '2h');

    ok($worker->wait_for_log(qr/put aside/), 'the dead one died again');
    ok($worker->wait_for_log(qr/status 500, again in \d{4}/), 'one was tried');
    ok($worker->wait_for_log(qr/taken/), 'and the new one');
    is($worker->stop, 0, 'stopped');

    my ($item) = grep { $_->{id} eq $waiting } items(@source);
    is($item->{tries}, 2, 'tries are counted on');

    my $fresh = $put->(202);

    is((deliver_once('drop', @source, '--dead'))[1], "1 event\n", 'drop --dead');
    is_deeply([ids(@source)], [sort $waiting, $fresh], 'the others are there');
    is((deliver_once('drop', @source, '--all'))[1], "1 event\n", 'drop --all');
    is_deeply([ids(@source)], [$fresh], 'what was never tried is there');
}


sub items { @{decode_json((deliver_once('list', '--json', @_))[1])} }
sub ids   { sort map { $_->{id} } items(@_) }


sub metrics {
    my ($put, @source) = source('spool');
    my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
                               ->sockport;

    $put->($_) for 200, 410, 500;

    my $worker = Clockodo::Deliver->start(
        @source, '--url', $receiver->url, '--metrics', "127.0.0.1:$port");

    ok($worker->wait_for_log(qr/$_/), $_) for 'taken', 'aside', 'again';

    my $text = '';

    ok(wait_until(sub {
        $text = `curl -s http://127.0.0.1:$port/metrics`;
        $text =~ /in_progress 0\.0/ }), 'metrics');

    like($text, qr/^clockodo_deliver_\Q$_\E/m, $_) for
        'tries_total{outcome="taken"} 1', 'tries_total{outcome="failed"} 1',
        'tries_total{outcome="never"} 1', 'events{state="new"} 0',
        'events{state="waiting"} 1', 'events{state="dead"} 1',
        'duration_seconds_count 3', 'duration_seconds_bucket{le="30.0"} 3',
        'source_errors_total 0', 'oldest_age_seconds ',
        'last_taken_timestamp_seconds 1';

    open my $check, '|-', 'promtool check metrics > /dev/null 2>&1'
        or die "promtool: $!\n";
    print $check $text;
    close $check;
    is($?, 0, 'promtool has nothing to say');

    # the alerts of the page are about these

    my ($rules) = slurp('docs/deliver.md') =~ /^```yaml\n(.*?)^```/ms;
    my @metrics = $rules =~ /\b(clockodo_\w+)/g;

    is(@metrics, 2, 'metrics in the rules');
    like($text, qr/^$_\b/m, $_) for @metrics;

    open my $out, '>', "$dir/rules.yml" or die "rules: $!\n";
    print $out $rules;
    close $out;
    is(system("promtool check rules $dir/rules.yml > /dev/null"), 0,
       'rules that promtool takes');

    # the port is taken

    my ($rc, undef, $err) = deliver_once(
        @source, '--url', $receiver->url, '--metrics', "127.0.0.1:$port");

    is($rc, 1, 'a port that is taken');
    like($err, qr/--metrics: .*in use/, 'said');

    is($worker->stop, 0, 'stopped');
}


sub arguments {
    my @spool = qw(--spool /x);

    for ([qr/either --spool or --redis/, 'true'],
         [qr/either --spool or --redis/, @spool, '--redis', 'redis://x', 'true'],
         [qr/either --url or a COMMAND/, @spool],
         [qr/either --url or a COMMAND/, @spool, '--url', 'http://x', 'true'],
         [qr/http:/, @spool, '--url', 'ftp://x'],
         [qr/http:/, @spool, '--url', 'localhost:80'],
         [qr/--url: Port/, @spool, '--url', 'http://x:y'],
         [qr/escaped/, @spool, '--url', "http://x/ä"],
         [qr/escaped/, @spool, '--url', "http://x/a\r\nb"],
         [qr/no password/, @spool, '--url', 'http://u:p@x'],
         [qr/--jobs: no number/, @spool, '--jobs', '0', 'true'],
         [qr/--timeout: it must be more than 0/, @spool, '--timeout', '0', 'true'],
         [qr/--retry-min: no time: '5 x'/, @spool, '--retry-min', '5 x', 'true'],
         [qr/--retry-max must not be less/, @spool, '--retry-max', '1s', 'true'],
         [qr/--metrics: no ADDRESS:PORT/, @spool, '--metrics', '9100', 'true'],
         [qr/--trim goes with --redis/, @spool, '--trim', 'true'],
         [qr/--sign-key-file goes with --url/, @spool, qw(--sign-key-file x true)],
         [qr/unrecognized arguments: --jobs/, 'list', @spool, '--jobs', '1'],
         [qr/one of these is needed/, 'drop', @spool],
         [qr/one of these is needed/, 'retry', @spool, '--all', '--dead'])
    {
        my ($want, @words) = @$_;
        my ($rc, $out, $err) = deliver_once(@words);

        is("$rc$out", '2', "@words: refused");
        like($err, qr/\Ausage: clockodo-deliver .*error: .*$want/s, 'said');
    }

    my ($rc, undef, $err) = deliver_once(
        'status', '--redis', 'unix:///nonexistent');

    is($rc, 1, 'Redis is away');
    like($err, qr/redis: .*nonexistent/, 'said');

    ($rc, undef, $err) = deliver_once('status', '--redis', 'http://x');
    is($rc, 1, 'no URL of Redis');
    like($err, qr/--redis: .*redis:/, 'said');
}


sub help {
    my ($rc, $out, $err) = deliver_once('--help');

    is("$rc$err", '0', 'help');

    my $code = slurp('bin/clockodo-deliver');
    my @options = $code =~ /^ +add\("(--[\w-]+)"/mg;

    cmp_ok(@options, '>', 15, 'options');
    like($out, qr/^  $_\b/m, $_) for @options;
    like($out, qr/CLOCKODO_ENTITY_ID/, 'the environment');
}
