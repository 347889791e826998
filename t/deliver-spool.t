# clockodo-deliver and a spool: an event is handed over as it was stored, what
# failed comes again, also after a restart, and what is none of ours is left
# alone.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Deliver;
use Clockodo::Receiver;
use Clockodo::Spool;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep);


my $receiver = Clockodo::Receiver->start;

subtest 'as it was stored'       => \&stored;
subtest 'events of all shapes'   => \&shapes;
subtest 'the oldest first'       => \&order;
subtest 'again, after a restart' => \&restart;
subtest 'put aside'              => \&dead;
subtest 'foreign files'          => \&foreign;
subtest 'what is no event'       => \&invalid;
subtest 'taken by another'       => \&locked;
subtest 'the clock jumps'        => \&clock;
subtest 'a full disk'            => \&full;
subtest 'no such folder'         => \&missing;
subtest 'the user'               => \&user;

done_testing;


sub run {
    my ($spool, @options) = @_;

    my $worker = Clockodo::Deliver->start(
        '--spool', $spool->path, '--url', $receiver->url, '--exit-after', '0',
        @options);

    is($worker->wait, 0, 'exits when there is nothing left');

    return $worker->log;
}


sub stored {
    my $spool = Clockodo::Spool->new;
    my $name = $spool->put;

    like(run($spool), qr/\A$name team\.updated: taken in \d\.\d{3} s\n\z/,
         'a line of the log');

    my ($call, @more) = $receiver->calls;

    is(@more, 0, 'once');

    my ($head, $body) = split /\r\n\r\n/, $call->{request}, 2;
    my %header = map { s/\r//gr } $head =~ /^([\w-]+): (.*)$/mg;
    my $port = $receiver->port;

    like($head, qr{\APOST /hook\?a=1 HTTP/1\.1\r\n}, 'the request line');
    is($body, event(token => '"**************"'), 'the body');

    my %want = event_headers() =~ /^([\w-]+): (.*)\r$/mg;

    is_deeply(\%header, {
        %want, Host => "127.0.0.1:$port", 'User-Agent' => 'clockodo-deliver',
        'Content-Type' => 'application/json', 'Content-Length' => length $body,
    }, 'the headers');

    is_deeply([$spool->names($_)], [], "$_ is empty") for qw(new retry dead);
}


# Names and numbers come through as they were sent.

sub shapes {
    my $spool = Clockodo::Spool->new;
    my $before = $receiver->calls;

    my %header = (
        $spool->put(event_name => '"project.budget_notification"', payload =>
            '{"id":123,"type":"projectBudget","threshold":8e1}')
            => 'project.budget_notification project budget_notification 123',
        $spool->put(event_name => '"work_time_change_request.created"', payload =>
            '{"work_time_change_request":{"id":9007199254740991,"x":1.50}}')
            => 'work_time_change_request.created work_time_change_request'
               . ' created 9007199254740991',
        $spool->put(event_name => '"t\u0065am.updated"', company_id =>
            9007199254740990, payload => '{"t\u0065am":{"\u0069d":5}}')
            => 'team.updated team updated 5',
        $spool->put(event_name => '"new_thing.seen"', payload => '{"a":[1e99]}')
            => 'new_thing.seen new_thing seen -',
    );

    run($spool, '--jobs', 1);

    my @calls = $receiver->calls;
    my @got = map { $_->{request} } @calls[$before .. $#calls];

    is_deeply([sort map { my $r = $_; join ' ', map {
                  $r =~ /^X-Clockodo-$_: (.*?)\r$/m ? $1 : '-'
              } qw(Event Entity Action Entity-Id) } @got],
              [sort values %header], 'the headers');

    like((grep { /9007199254740990/ } @got)[0],
         qr/^X-Clockodo-Company-Id: 9007199254740990\r$/m, 'a large number');
}


sub order {
    my $spool = Clockodo::Spool->new;
    my $before = $receiver->calls;
    my @names = map { $spool->put(payload => qq({"team":{"id":$_}})) } 1 .. 20;

    my $time = time - 1000;
    utime $time, $time++, $spool->path . "/new/$_.json" for reverse @names;

    run($spool, '--jobs', 1);

    my @calls = $receiver->calls;

    is_deeply([map { $_->{key} } @calls[$before .. $#calls]],
              [reverse @names], 'by the time of the file');
}


sub restart {
    my $spool = Clockodo::Spool->new;
    my $name = $spool->put;

    $receiver->answer(500);

    my @options = ('--spool', $spool->path, '--url', $receiver->url);

    my $worker = Clockodo::Deliver->start(@options, '--retry-min', '1h',
                                          '--retry-max', '10h');

    ok($worker->wait_for_log(qr/status 500, again in (\d+)/), 'failed');
    is($worker->stop, 0, 'stopped');

    my ($rc, $out) = deliver_once('list', '--json', '--spool', $spool->path);
    my ($item) = @{decode_json($out)};

    is("@{$item}{qw(id state event tries error)}",
       "$name waiting team.updated 1 status 500", 'it waits');
    cmp_ok(abs($item->{due} - time - 3600), '<', 1000, 'for about an hour');

    # with the same limits it waits on, and is not tried at once

    my $before = $receiver->calls;

    $receiver->answer(200);
    $worker = Clockodo::Deliver->start(@options, '--retry-max', '10h');
    $spool->put(payload => '{"team":{"id":2}}');

    ok($worker->wait_for_log(qr/taken/), 'a new one is taken');
    is($receiver->calls, $before + 1, 'the other one waits');
    is_deeply([$spool->names('new')], ["$name.json"], 'and stays in new');

    # the running process is told

    is_deeply([deliver_once('retry', '--spool', $spool->path, $name)],
              [0, "1 event\n", ''], 'retry');
    ok($worker->wait_for_log(qr/taken.*taken/s), 'taken');
    is($worker->stop, 0, 'stopped');
    is_deeply([$spool->names($_)], [], "$_ is empty") for qw(new retry);
}


sub dead {
    my $spool = Clockodo::Spool->new;

    # its time is over, but it was not tried yet

    my $name = $spool->put;
    utime 1, time - 4 * 86400, $spool->path . "/new/$name.json";

    $receiver->answer(500);
    like(run($spool), qr/status 500, put aside after 1 try\n/, 'after one try');
    is_deeply([$spool->names('dead')], ["$name.json", "$name.why"], 'aside');
    is_deeply([$spool->names('new')], [], 'not new any more');
    is($spool->file('dead', "$name.json"), event(token => '"**************"'),
       'the body');
    is(decode_json($spool->file('dead', "$name.why"))->{error}, 'status 500',
       'the reason');

    # the same event comes again, and dies again

    $spool->put;
    $receiver->answer(410);
    like(run($spool), qr/status 410, put aside/, '410 means never again');
    is_deeply([$spool->names('dead')], ["$name.json", "$name.why"], 'once');

    is((deliver_once('retry', '--dead', '--spool', $spool->path))[1],
       "1 event\n", 'retry --dead');
    is_deeply([$spool->names('dead')], [], 'it is gone there');

    # it begins anew: what is given up after an hour is so from now on

    $receiver->answer(500);

    my $worker = Clockodo::Deliver->start(
        '--spool', $spool->path, '--url', $receiver->url, '--give-up', '1h');

    ok($worker->wait_for_log(qr/status 500, again/), 'tried, and waits');
    $worker->stop;
}


sub foreign {
    my $spool = Clockodo::Spool->new;
    my $new = $spool->path . '/new';
    my $key = 'a' x 64;

    $receiver->answer(200);

    open my $secret, '>', $spool->path . '/secret' or die "secret: $!\n";
    print $secret event();
    close $secret;

    symlink '../secret', "$new/$key.json" or die "symlink: $!\n";
    mkdir "$new/" . 'b' x 64 . '.json';
    system 'mkfifo', "$new/" . 'c' x 64 . '.json';
    $spool->write("README\n\e[1m", 'x');
    $spool->write(('D' x 64) . '.json', 'x');
    $spool->write(".$key.json", 'x');

    my $name = $spool->put;
    my $before = $receiver->calls;

    my $worker = Clockodo::Deliver->start(
        '--spool', $spool->path, '--url', $receiver->url, '--exit-after', '0');

    ok($worker->wait_for_log(qr/$name team\.updated: taken/), 'ours');
    sleep 0.5;
    is($worker->stop, 0, 'goes on while there is anything, then stops');

    is($receiver->calls, $before + 1, 'nothing else');
    is($spool->names('new'), 5, 'all of it stays there');
    like($worker->log, qr/'README\\n\\x1b\[1m': no file of clockodo's: left/,
         'said, and escaped');
    unlike($worker->log, qr/(left alone).*\n(.*\n)*.*README.*left alone/,
           'once');
    like($worker->log, qr/'$key\.json': /, 'the symbolic link');
}


sub invalid {
    my $spool = Clockodo::Spool->new;
    my $n = 0;

    $spool->write(sprintf('%064x.json', ++$n), $_) for
        '', '{', '[]', '{"event_name":1}', "\xff",
        '[' x 100_000,
        event(occurred_at => '"a\r\nX-Evil: 1"'),
        event(subscription_id => '"x"'), event(company_id => undef);

    my $before = $receiver->calls;

    run($spool);

    is($receiver->calls, $before, 'none is handed over');
    is($spool->names('dead'), 2 * $n, 'all are put aside, with the reason');
}


sub locked {
    my $spool = Clockodo::Spool->new;
    my $name = $spool->put;
    my $calls = $receiver->calls;

    # by a process that does not end

    my $holder = fork // die "fork: $!\n";

    if ($holder == 0) {
        open my $file, '<', $spool->path . "/new/$name.json";
        flock $file, 2;
        open my $ready, '>', $spool->path . '/locked';
        close $ready;
        sleep 1 while 1;
    }

    wait_until(sub { -e $spool->path . '/locked' });

    my @workers = map { Clockodo::Deliver->start(
        '--spool', $spool->path, '--url', $receiver->url,
        '--retry-min', '30m') } 1, 2;

    my $other = $spool->put(payload => '{"team":{"id":2}}');

    ok(wait_until(sub { !grep { /^$other/ } $spool->names('new') }),
       'another one is taken');
    is($receiver->calls, $calls + 1, 'the locked one is not');

    kill 'KILL', $holder;
    waitpid $holder, 0;

    ok(wait_until(sub { !$spool->names('new') }), 'its worker has died');

    # both at once

    $spool->put(payload => qq({"team":{"id":$_}})) for 100 .. 299;
    ok(wait_until(sub { !$spool->names('new') }), 'many');
    is($receiver->calls, $calls + 202, 'each once');

    # what one has tried waits for both

    $receiver->answer(500);
    $spool->put(payload => qq({"team":{"id":$_}})) for 300 .. 399;
    ok(wait_until(sub { $spool->names('retry') == 100 }), 'all have failed');
    sleep 0.5;
    is($_->stop, 0, 'stopped') for @workers;
    is($receiver->calls, $calls + 302, 'each was tried once');
    $receiver->answer(200);
}


sub clock {
    my $spool = Clockodo::Spool->new;
    my $name = $spool->put;

    # first the clock was years ahead, then it is not

    $receiver->answer(500);

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDERR, '>', '/dev/null';
        exec 'faketime', '-f', '+3650d', 'timeout', '-s', 'TERM', 2,
             'bin/clockodo-deliver', '--give-up', '10000d', '--spool',
             $spool->path, '--url', $receiver->url or POSIX::_exit(127);
    }

    waitpid $pid, 0;

    my ($item) = @{decode_json((deliver_once('list', '--json', '--spool',
                                             $spool->path))[1])};

    is($item->{state}, 'waiting', 'tried');
    cmp_ok($item->{due}, '>', time + 3000 * 86400, 'its time is far away');

    $receiver->answer(200);
    run($spool);
    is_deeply([$spool->names('new')], [], 'taken at once');

    # a file from the future

    $name = $spool->put;
    utime 1, time + 1e8, $spool->path . "/new/$name.json";
    run($spool);
    is_deeply([$spool->names('new')], [], 'taken, too');
}


# What cannot be written down is remembered; nothing is lost, and nothing is
# tried without a pause.

sub full {
    plan skip_all => 'needs root' if $> != 0;

    my $spool = Clockodo::Spool->new;
    my $path = $spool->path;

    for my $folder (qw(retry dead)) {
        mkdir "$path/$folder";
        system('mount', '-t', 'tmpfs', '-o', 'size=4k,nr_inodes=3', 'none',
               "$path/$folder") == 0 or die "mount: $?\n";
        symlink 'x', "$path/$folder/.$_" for 1, 2;
    }

    my $calls = $receiver->calls;
    my $name = $spool->put;
    my $worker = eval {
        $receiver->answer(500);

        my $worker = Clockodo::Deliver->start(
            '--spool', $path, '--url', $receiver->url);

        ok($worker->wait_for_log(qr/No space left/), 'a full disk');

        $spool->put(payload => '{"team":{"id":2}}');
        $receiver->answer(410);
        ok($worker->wait_for_log(qr/put aside.*\n.*No space left/),
           'nothing can be put aside');

        $spool->put(payload => '{"team":{"id":3}}');
        $receiver->answer(200);
        ok($worker->wait_for_log(qr/taken/), 'another one is taken');
        is($receiver->calls, $calls + 3, 'without more tries than these');
        is($worker->stop, 0, 'stopped');
        is($spool->names('new'), 2, 'nothing is lost');
        1;
    };

    system 'umount', "$path/$_" for qw(retry dead);
    die $@ if !$worker;

    run($spool);
    is($spool->names('new'), 0, 'taken in the end');
}


sub missing {
    my ($rc, undef, $err) = deliver_once(
        '--spool', '/nonexistent', '--url', $receiver->url);

    is($rc, 1, 'exit status');
    like($err, qr{/nonexistent/new.*is it a spool\?}, 'said');

    # it comes back: nginx has made it anew

    my $spool = Clockodo::Spool->new;
    my $path = $spool->path;
    my $worker = Clockodo::Deliver->start('--spool', $path,
                                          '--url', $receiver->url);

    wait_until(sub { -d "$path/dead" });
    rename "$path/new", "$path/away";
    ok($worker->wait_for_log(qr{No such file.*/new'}), 'gone');
    mkdir "$path/new", 0700;
    $spool->put;
    ok($worker->wait_for_log(qr/taken/), 'and back');
    is($worker->stop, 0, 'stopped');
}


# As root it works as the spool's user: nginx's workers write there.

sub user {
    plan skip_all => 'needs root' if $> != 0;

    my $spool = Clockodo::Spool->new;
    my ($uid, $gid) = (getpwnam 'www-data')[2, 3];
    my $path = $spool->path;

    $spool->put;
    chown $uid, $gid, $path, glob("$path/*"), glob("$path/new/*");
    $receiver->answer(500);

    my $worker = Clockodo::Deliver->start('--spool', $path,
                                          '--url', $receiver->url);

    ok($worker->wait_for_log(qr/status 500/), 'tried');
    ok(wait_until(sub { $spool->names('retry') }), 'written down');

    for (glob("$path/retry/* $path/retry $path/dead")) {
        my @stat = stat;
        is("@stat[4, 5]", "$uid $gid", 'of that user: ' . s{.*/}{}r);
        is($stat[2] & 077, 0, 'for no other');
    }

    like(slurp('/proc/' . $worker->pid . '/status'),
         qr/^Uid:\t$uid\t$uid\t$uid\t$uid$/m, 'not root any more');
    $worker->stop;

    # unreadable for that user

    chown 0, 0, glob("$path/new/*");
    unlink glob("$path/retry/*");
    $receiver->answer(200);

    my $key = $spool->put(payload => '{"team":{"id":2}}');
    chown $uid, $gid, "$path/new/$key.json";

    $worker = Clockodo::Deliver->start('--spool', $path,
                                       '--url', $receiver->url);

    ok($worker->wait_for_log(qr/$key team\.updated: taken/), 'the other one');
    like($worker->log, qr/Permission denied: left alone/, 'said');
    $worker->stop;
}
