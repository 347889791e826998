# clockodo_spool: every accepted event becomes a file, once, whole, on disk
# before the reply, and nobody but the workers' user can read it.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Http2 qw(:DEFAULT h2 ping replies);
use Clockodo::Nginx qw(contents fine save wait_for);
use Clockodo::Trace;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep utime);

plan skip_all => 'must be root, so that workers can be someone else'
    if $> != 0;

my $user = $ENV{TEST_NGINX_WORKER_USER} ||= 'www-data';
my ($uid, $gid) = (getpwnam $user)[2, 3];

my $key = '633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991';
my $masked = event(token => '"**************"');

my $not_stored = qr/the event was not stored in "clockodo_spool": \w+\(\)/;

my $threads = Clockodo::Nginx->threads;
my $strace = Clockodo::Trace->works;

my $tmpfs = !system 'unshare -m mount -t tmpfs none /mnt 2> /dev/null';

subtest 'names and contents'        => \&names;
subtest 'any body that is accepted' => \&bodies;
subtest 'modes and owner'           => \&access;
subtest 'a repeat'                  => \&duplicates;
subtest 'events without an id'      => \&unknown;
subtest 'what is not accepted'      => \&refused;
subtest 'a subrequest'              => \&subrequest;
subtest 'limit_except'              => \&limited;
subtest 'on disk before the reply'  => \&flushed;
subtest 'eight clients, two workers' => \&clients;
subtest 'a slow disk'               => \&slow;
subtest 'a full queue of threads'   => \&overflow;
subtest 'clients that are gone'     => \&gone_clients;
subtest 'HTTP/2'                    => \&http2;
subtest 'what a call can fail by'   => \&failures;
subtest 'a full disk'               => \&full_disk;
subtest 'folders that are not as they were' => \&folders;
subtest 'what a crash has left'     => \&rubbish;
subtest 'shared by locations'       => \&shared;
subtest 'reload'                    => \&reload;
subtest 'taken from a shell'        => \&shell;

done_testing;


sub names {
    my $nginx = start();

    my $reply = deliver($nginx, '/hook');

    is("$reply->{status} $reply->{body}", '200 ', 'an empty 200');
    is($reply->{header}{'x-judged'}, 'accepted/', 'verdict');

    is_deeply([ files($nginx) ], [ "$key.json" ], 'name');
    is($nginx->read("spool/new/$key.json"), $masked, 'content');
    is_deeply([ files($nginx, 'tmp') ], [], 'nothing in "tmp"');

    # a budget has an id of its own

    $reply = deliver($nginx, '/hook',
                     event_name => '"project.budget_notification"',
                     payload => '{"id":123,"type":"projectBudget",'
                                . '"threshold":80}');
    is($reply->{status}, 200, 'stored');
    is((grep { /^[0-9a-f]{64}\.json$/ } files($nginx)) + 0, 2, 'its name');
}


# Byte by byte what an application would get, but for the token.

sub bodies {
    my $nginx = start(server => <<'END');
        clockodo_token My_Sup3r_T0k3n;
        clockodo_webhook on;
        clockodo_max_body_size 1m;
        client_max_body_size 2m;
        client_body_buffer_size 8k;

        location /hook { clockodo_spool spool; }
        location /file { client_body_in_file_only clean; clockodo_spool spool; }
        location /mask { clockodo_mask_token on; clockodo_spool spool; }
END

    my $id = 0;

    for my $uri ('/hook', '/file', '/mask') {
        for my $more ([], [ more => '"' . 'x' x 300_000 . '"' ],
                      [ more => qq("\xc3\xa9\\n") ]) {
            for my $chunk (0, 1000) {
                $id++;

                my @event = (payload => qq({"team":{"id":$id}}), @$more);
                my $body = event(@event);
                my $client = Clockodo::Client->new($nginx->port);

                $client->send(($chunk
                               ? post(chunked($body, $chunk),
                                      'Transfer-Encoding: chunked')
                               : post($body)) =~ s{/hook}{$uri}r);

                is($client->reply->{status}, 200, "$uri: $id");

                my @new = grep { /"id":$id\}/ } map {
                    $nginx->read("spool/new/$_") } files($nginx);

                ok(@new == 1 && $new[0] eq event(@event,
                                             token => '"**************"'),
                   'content');
            }
        }
    }

    # a token that was written otherwise

    my $reply = deliver($nginx, '/hook', payload => '{"team":{"id":777}}',
                        token => '"My_Sup3r_T0k3\u006e"');

    is($reply->{status}, 200, 'stored');

    my ($content) = grep { /"id":777/ } map { $nginx->read("spool/new/$_") }
                    files($nginx);

    is($content, event(payload => '{"team":{"id":777}}',
                       token => '"' . '*' x 19 . '"'), 'masked');
}


sub access {
    my $nginx = start();
    my $root = $nginx->root;

    is(mode("$root/$_"), "0700 $uid", $_)
        for 'spool', 'spool/tmp', 'spool/new';

    deliver($nginx, '/hook');

    is(mode("$root/spool/new/$key.json"), "0600 $uid", 'file');

    my @stat = stat "$root/spool/new/$key.json";

    is($stat[3], 1, 'has one name');
}


sub duplicates {
    my $nginx = start();

    is(judged(deliver($nginx, '/hook')), '200 accepted/', 'first');

    my @stat = stat $nginx->root . "/spool/new/$key.json";

    is(judged(deliver($nginx, '/hook')), '200 duplicate/', 'again') for 1, 2;

    # another spelling of the same event

    is(judged(deliver($nginx, '/hook', payload => '{"team": {"id":9001}}')),
       '200 duplicate/', 'again');

    is_deeply([ files($nginx) ], [ "$key.json" ], 'one file');
    is_deeply([ (stat $nginx->root . "/spool/new/$key.json")[1, 7, 9] ],
              [ @stat[1, 7, 9] ], 'the first one');
    is_deeply([ files($nginx, 'tmp') ], [], 'nothing in "tmp"');

    # once it was taken, it is news

    unlink $nginx->root . "/spool/new/$key.json";

    is(judged(deliver($nginx, '/hook')), '200 accepted/', 'taken');
    is_deeply([ files($nginx) ], [ "$key.json" ], 'stored again');

    is(spooled($nginx), '2 3 0', 'counters');
}


# Two of them may look the same and yet differ.

sub unknown {
    my $nginx = start();

    for my $name ('team.moved', 'gadget.created') {
        is(judged(deliver($nginx, '/hook', event_name => qq("$name"),
                          payload => '{"n":1}')),
           '200 accepted/', $name) for 1 .. 3;
    }

    my @files = files($nginx);

    is(@files, 6, 'a file each');
    is((grep { /^[0-9a-f]{64}\.[0-9a-f]{16}\.json$/ } @files) + 0, 6, 'names');

    my %keys = map { s/\..*//r => 1 } @files;

    is(keys %keys, 2, 'two keys');

    # one with an id has a name by it

    my @event = (event_name => '"gadget.created"',
                 payload => '{"gadget":{"id":1}}');

    is(judged(deliver($nginx, '/hook', @event)), '200 accepted/', 'with an id');
    is(judged(deliver($nginx, '/hook', @event)), '200 duplicate/', 'again');

    is(files($nginx) + 0, 7, 'one file more');
}


sub refused {
    my $nginx = start();

    is(judged(deliver($nginx, '/hook', token => '"x"')), '403 rejected/token',
       'wrong token');
    is(judged(deliver($nginx, '/hook', company_id => '0')),
       '400 rejected/envelope', 'no event');
    is(judged(deliver($nginx, '/filter')), '200 filtered/', 'filtered');

    my $client = Clockodo::Client->new($nginx->port);
    $client->send(post('{"secret":"s"}'));
    is(judged($client->reply), '200 handshake/', 'a handshake');

    is_deeply([ files($nginx), files($nginx, 'tmp') ], [], 'nothing stored');
    is(spooled($nginx), '0 0 0', 'counters');
}


# The order of system calls, of a new event and of a repeat.

sub flushed {
    plan skip_all => 'strace cannot trace here' unless $strace;

    my $nginx = start();
    my $root = $nginx->root;
    my $worker = $nginx->worker;

    my $trace = Clockodo::Trace->new($worker, trace =>
        '/^(open|write|fdatasync|fsync|link|unlink)');

    my @want = (
        [ 'accepted', qw(create write flush link flush-folder reply) ],
        [ 'duplicate', qw(flush-folder reply) ],
    );

    my $seen = 0;

    for my $want (@want) {
        my ($verdict, @order) = @$want;

        is(judged(deliver($nginx, '/hook')), "200 $verdict/", $verdict);
        $trace->wait_for(qr/(?:HTTP\/1\.1 200 .*){$_}/s)
            for 1 + ($verdict eq 'duplicate');

        my $text = substr $trace->text, $seen;
        $seen += length $text;

        my @calls = map {
            /open(?:at)?\(.*"\Q$root\E\/spool\/tmp\/\S+", .*O_CREAT\|O_EXCL.*0600/
                ? 'create'
            : /write\(\d+<\Q$root\E\/spool\/tmp\//       ? 'write'
            : /fdatasync\(\d+<\Q$root\E\/spool\/tmp\//   ? 'flush'
            : /linkat\(.*\Q$root\E\/spool\/tmp\/.*"$key.json"/ ? 'link'
            : /fsync\(\d+<\Q$root\E\/spool\/new>\)/      ? 'flush-folder'
            : /HTTP\/1\.1 200 /                          ? 'reply'
            : ()
        } grep { !/resumed>/ } split /\n/, $text;

        is("@calls", "@order", 'the order of calls') or diag($text);

        my @loop = grep { m{^$worker .*/spool/} }
                   split /\n/, $text;

        is(@loop + 0, 0, 'the event loop has no part in it') if $threads;
    }
}


sub clients {
    my $nginx = start(workers => 2, listen => 'reuseport');
    my (%pid, %answers);

    for my $client (1 .. 8) {
        pipe my $in, my $out or die "pipe: $!\n";
        my $pid = fork // die "fork: $!\n";

        if ($pid == 0) {
            for my $i (1 .. 50) {

                # every other one is sent by all of them

                my $id = $i % 2 ? $i : 1000 * $client + $i;
                my $reply = deliver($nginx, '/hook',
                                    payload => qq({"team":{"id":$id}}));

                print $out judged($reply), "$id $reply->{header}{'x-pid'}\n";
            }

            close $out;
            POSIX::_exit(0);
        }

        $pid{$pid} = $in;
    }

    my (%verdicts, %workers, %ids);

    for my $pid (keys %pid) {
        my $in = $pid{$pid};

        while (<$in>) {
            my ($verdict, $id, $worker) = m{^(.*)/(\d+) (\d+)$};

            $verdicts{$verdict}++;
            $ids{$id}++ if $verdict eq '200 accepted';
            $workers{$worker}++;
        }

        waitpid $pid, 0;
    }

    is_deeply(\%verdicts,
              { '200 accepted' => 25 + 200, '200 duplicate' => 7 * 25 },
              'each is stored once');
    is(keys %workers, 2, 'by both workers');
    is((grep { $_ != 1 } values %ids) + 0, 0, 'by one client each');

    is_deeply([ sort { $a <=> $b } map { $nginx->read("spool/new/$_")
                                         =~ /"id":(\d+)/ } files($nginx) ],
              [ sort { $a <=> $b } keys %ids ], 'all are there');
    is_deeply([ files($nginx, 'tmp') ], [], 'nothing in "tmp"');
}


sub slow {
    plan skip_all => 'nginx has no threads' unless $threads;
    plan skip_all => 'strace cannot trace here' unless $strace;

    my $nginx = start();

    for my $call ('fdatasync', 'fsync') {
        my $slow = Clockodo::Trace->new($nginx->worker,
            trace  => $call,
            inject => "$call:delay_enter=30000000");

        my @clients = map { event_client($nginx, "$call-$_") } 1 .. 10;

        $slow->wait_for(qr/(?:$call\(.*){10}/s);

        is(deliver($nginx, '/served')->{status}, 204, 'others are answered')
            for 1 .. 10;
        ok($_->silent, 'no reply before it is on disk') for @clients;

        $slow->stop;

        is(judged($_->reply), '200 accepted/', 'reply once it is') for @clients;
    }
}


# By a FIN or by a reset: the event is stored all the same.

sub gone_clients {
    plan skip_all => 'nginx has no threads' unless $threads;
    plan skip_all => 'strace cannot trace here' unless $strace;

    my $nginx = start();
    my $slow = Clockodo::Trace->new($nginx->worker,
        trace => 'fdatasync', inject => 'fdatasync:delay_enter=30000000');

    my @clients = map { event_client($nginx, $_) } 1 .. 6;

    $slow->wait_for(qr/(?:fdatasync\(.*){6}/s);
    $clients[$_]->close($_ % 2) for 0 .. 3;
    is(deliver($nginx, '/served')->{status}, 204, 'others are answered');
    $slow->stop;

    is(judged($_->reply), '200 accepted/', 'one that waits') for @clients[4, 5];

    wait_for(sub { files($nginx) == 6 });
    is(files($nginx) + 0, 6, 'all are stored');

    fine($nginx);
}


sub http2 {
    my $nginx = start(listen => 'http2');

    for my $end ('nothing', 'reset', 'close', 'abort') {
        my $slow = $threads && $strace
            && Clockodo::Trace->new($nginx->worker, trace => 'fdatasync',
                   inject => 'fdatasync:delay_enter=30000000');

        my $client = h2($nginx);
        my @streams = map { 2 * $_ + 1 } 0 .. 6;

        for my $stream (@streams) {
            my $body = event(payload => qq({"team":{"id":"$end-$stream"}})
                                        =~ s/"$end-(\d+)"/unique($end, $1)/er);

            $client->send(headers($stream, END_HEADERS)
                          . data($stream, END_STREAM, $body));
        }

        $slow->wait_for(qr/(?:fdatasync\(.*){7}/s) if $slow;
        is(ping($client), 'pong', 'nginx has read them all');

        $client->send(join '', map { frame(RST_STREAM, 0, $_, pack 'N', 8) }
                                   1, 5, 13)
            if $end eq 'reset';

        $client->close($end eq 'abort') if $end eq 'close' || $end eq 'abort';

        is(ping(h2($nginx)), 'pong', 'others are answered') for 1 .. 3;
        $slow->stop if $slow;

        my @wait = $end eq 'nothing' ? @streams
                   : $end eq 'reset' ? (3, 7, 9, 11) : ();

        if (@wait) {
            my %status = map { $_ => 200 } @wait;

            my $replies = replies($client, @wait);

            is_deeply({ map { $_ => $replies->{$_} } @wait }, \%status,
                      'answered');
        }

        wait_for(sub { @streams == grep { stored($nginx, unique($end, $_)) }
                                   @streams });
        pass("$end: all are stored");
    }

    fine($nginx);
}


# The operator's own pool can be a small one.

sub overflow {
    plan skip_all => 'nginx has no threads' unless $threads;
    plan skip_all => 'strace cannot trace here' unless $strace;

    my $nginx = start(main => 'thread_pool default threads=1 max_queue=1;');
    my $slow = Clockodo::Trace->new($nginx->worker,
        trace => 'fdatasync', inject => 'fdatasync:delay_enter=30000000');

    my @clients = event_client($nginx, 1);

    $slow->wait_for(qr/fdatasync\(/);

    push @clients, map { event_client($nginx, $_) } 2, 3;

    is(judged($clients[2]->reply), '503 accepted/', 'no room for a third one');
    like(spooled($nginx), qr/ 1$/, 'counted');

    $slow->stop;

    is(judged($clients[$_]->reply), '200 accepted/', 'stored') for 0, 1;
    is(judged(event_client($nginx, 3)->reply), '200 accepted/', 'its repeat');
}


# Each call fails once: 503, a line that says which, nothing half-written, and
# the next one is stored.

sub failures {
    plan skip_all => 'strace cannot trace here' unless $strace;

    my $nginx = start();
    my $root = $nginx->root;
    my $id = 100;

    for my $case ([ '/^open', "$root/spool/new" ],
                  [ '/stat', "$root/spool/new" ],
                  [ 'fdatasync' ],
                  [ 'linkat' ],
                  [ 'fsync' ]) {
        my ($call, $path) = @$case;

        my $trace = Clockodo::Trace->new($nginx->worker,
            trace  => $call,
            inject => "$call:error=EIO",
            $path ? (path => $path) : ());

        my $client = event_client($nginx, ++$id);
        my $reply = $client->reply;

        is(judged($reply), '503 accepted/', "$call: 503");
        $trace->stop;

        like($nginx->new_log,
             qr{\[error\].*$not_stored "$root/spool/\S+" failed \(5: Input/},
             'log');
        is_deeply([ files($nginx, 'tmp') ], [], 'nothing in "tmp"');

        # only the flush of the folder comes after the file is there

        is(stored($nginx, $id), $call eq 'fsync' ? 1 : 0, 'stored');

        is(judged(event_client($nginx, $id)->reply),
           $call eq 'fsync' ? '200 duplicate/' : '200 accepted/', 'again');
        ok(stored($nginx, $id), 'stored');
    }

    like(spooled($nginx), qr/^\d+ 1 5$/, 'counters');
    unlike($nginx->log, qr/My_Sup3r|\[(?:alert|crit|emerg)\]/, 'log');
}


# The disk is a tmpfs, mounted for this nginx alone.

sub full_disk {
    plan skip_all => 'no tmpfs can be mounted here' unless $tmpfs;

    my $dir = tempdir(CLEANUP => 1);

    chmod 0755, $dir;

    my $nginx = start(spool => "$dir/spool", wrapper => [
        'unshare', '-m', 'sh', '-c',
        'mount -t tmpfs -o mode=755,size=128k none "$1" && shift && exec "$@"',
        'sh', $dir ]);

    my $mnt = '/proc/' . $nginx->pid . "/root$dir";
    my (@stored, $status);

    for my $id (1 .. 200) {
        my $reply = event_client($nginx, $id, 'y' x 3000)->reply;

        $status = judged($reply);
        last unless $status eq '200 accepted/';
        push @stored, $id;
    }

    is($status, '503 accepted/', 'full');
    cmp_ok(@stored, '>', 10, 'some have fitted');

    like($nginx->new_log, qr/\[error\].*$not_stored .*\(28: /,
         'log');

    my @files = map { contents($_) } glob "$mnt/spool/new/*";

    is_deeply([ sort { $a <=> $b } map { /"id":(\d+).*\}\z/s } @files ],
              \@stored, 'what is there is whole, and what was answered');
    is_deeply([ glob "$mnt/spool/tmp/*" ], [], 'nothing in "tmp"');

    # repeats need no room

    is(judged(event_client($nginx, 1, 'y' x 3000)->reply), '200 duplicate/',
       'a repeat');

    unlink map { $_ } (glob "$mnt/spool/new/*")[0 .. 4];

    is(judged(event_client($nginx, 1000, 'y' x 3000)->reply), '200 accepted/',
       'works once there is room');
}


sub folders {
    my $nginx = start();
    my $root = $nginx->root;
    my $id = 500;

    my $try = sub {
        my ($name, $status, $reason) = @_;

        is(judged(event_client($nginx, ++$id)->reply), $status, $name);

        my $log = $nginx->new_log;

        like($log, qr/\[error\].*$not_stored .*$reason/, "$name: log")
            if $reason;
    };

    $try->('as it was', '200 accepted/');

    rename "$root/spool", "$root/away";
    $try->('removed', '503 accepted/', '\(2: ');

    symlink "$root/away", "$root/spool";
    $try->('a symbolic link to the old one', '200 accepted/');
    unlink "$root/spool";

    mkdir "$root/other";
    symlink "$root/other", "$root/spool";
    $try->('a symbolic link to a folder of another', '503 accepted/',
           '\(2: ');
    unlink "$root/spool";

    symlink 'nowhere', "$root/spool";
    $try->('a symbolic link to nowhere', '503 accepted/', '\(2: ');
    unlink "$root/spool";

    rename "$root/away", "$root/spool";

    for my $folder ('new', 'tmp') {
        chown 0, 0, "$root/spool/$folder";
        $try->("$folder is another's", '503 accepted/', '\(13: ');
        chown $uid, $gid, "$root/spool/$folder";

        chmod 0500, "$root/spool/$folder";
        $try->("$folder is read-only", '503 accepted/', '\(13: ');
        chmod 0700, "$root/spool/$folder";

        rename "$root/spool/$folder", "$root/away";
        save("$root/spool/$folder", '');
        $try->("$folder is a file", '503 accepted/', '\(20: ');
        unlink "$root/spool/$folder";
        rename "$root/away", "$root/spool/$folder";
    }

    # a reload that cannot make them, nor look into them, goes on

    if ($strace) {
        my $trace = Clockodo::Trace->new($nginx->pid,
            trace  => '/^(mkdir|open)',
            inject => '/^(mkdir|open):error=EIO',
            path   => "$root/spool/tmp");

        $nginx->reload;
        $trace->wait_for(qr/open.*INJECTED/);
        $trace->stop;

        like($nginx->new_log,
             qr{\[emerg\].*mkdir\(\) "$root/spool/tmp" for "clockodo_spool" f},
             'reload: log');
    }

    # what has the name of an event, and is none

    $try->('as it was', '200 accepted/');

    my ($file) = grep { contents("$root/spool/new/$_") =~ /"id":$id\}/ }
                 files($nginx);

    $id--;
    unlink "$root/spool/new/$file";
    symlink '/etc/passwd', "$root/spool/new/$file";
    $try->('a symbolic link of its name', '503 accepted/', '\(17: ');

    $id--;
    unlink "$root/spool/new/$file";
    mkdir "$root/spool/new/$file";
    $try->('a folder of its name', '503 accepted/', '\(17: ');
    rmdir "$root/spool/new/$file";

    $id--;
    $try->('and none', '200 accepted/');

    is_deeply([ files($nginx, 'tmp') ], [], 'nothing in "tmp"');

    # which a start tells

    chown 0, 0, "$root/spool/new";
    isnt(nginx_t($nginx, \my $said), 0, 'nginx -t');
    like($said, qr{\[emerg\].*/spool/new" for "clockodo_spool" must be a folder},
         'what it says');

    # a folder that is made must be where it seems to be

    chown $uid, $gid, "$root/spool/new";
    rename "$root/spool/new", "$root/away";
    mkdir "$root/target", 0755;
    symlink "$root/target", "$root/spool/new";

    nginx_t($nginx, \$said);
    is(mode("$root/target"), '0755 0', 'no folder of another is given away');
}


sub rubbish {
    my $nginx = start(workers => 2);
    my $root = $nginx->root;

    my %files = (
        '1700000000.12.0.tmp'     => 0,
        '1700000000.12.1.tmp'     => 1,
        '1700000000.12.tmp'       => 0,
        'other'                   => 1,
        '1700000000.12.0.tmp.x'   => 1,
        'x1700000000.12.0.tmp'    => 1,
    );

    for my $name (keys %files) {
        save("$root/spool/tmp/$name", 'half');

        my $day = 24 * 60 * 60;
        my $old = $name eq '1700000000.12.1.tmp' ? $day - 60 : $day + 60;

        utime time - $old, time - $old, "$root/spool/tmp/$name";
    }

    chown $uid, $gid, glob "$root/spool/tmp/*";

    save("$root/spool/new/$key.json", 'old');
    utime 1, 1, "$root/spool/new/$key.json";

    $nginx->reload;

    wait_for(sub { !-e "$root/spool/tmp/1700000000.12.0.tmp" });
    wait_for(sub { !-e "$root/spool/tmp/1700000000.12.tmp" });

    is_deeply([ files($nginx, 'tmp') ],
              [ sort grep { $files{$_} } keys %files ],
              'old files of ours are gone');
    is_deeply([ files($nginx) ], [ "$key.json" ], 'events are not');
}


# A copy of a request is not an event.

sub subrequest {
    my $nginx = start(server => <<'END');
        clockodo_token My_Sup3r_T0k3n;
        clockodo_webhook on;
        add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;

        location /mirrored { mirror /mirror; clockodo_spool spool; }
        location /mirror { internal; clockodo_spool spool; }
END

    is(judged(deliver($nginx, '/mirrored')), '200 accepted/', 'stored');
    is(files($nginx) + 0, 1, 'once');
    wait_for(sub { $nginx->log =~ /"clockodo_spool" is only for events that w/ });
    unlike($nginx->log, qr/$not_stored/, 'it has not tried to');
}


sub limited {
    my $nginx = start(server => <<'END');
        clockodo_token My_Sup3r_T0k3n;
        clockodo_webhook on;
        add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;

        location /all { clockodo_spool spool; limit_except GET { allow all; } }
        location /none { clockodo_spool spool; limit_except GET { deny all; } }
END

    is(judged(deliver($nginx, '/all')), '200 accepted/', 'allowed');
    is(deliver($nginx, '/none', company_id => 7)->{status}, 403, 'denied');
    is(files($nginx) + 0, 1, 'one is stored');
}


sub shared {
    my $nginx = start(server => <<'END');
        clockodo_token My_Sup3r_T0k3n;
        clockodo_webhook on;
        add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;

        location /a { clockodo_spool spool; }
        location /b { clockodo_spool spool/; }
        location /c { clockodo_spool other; }

        location /if {
            clockodo_spool spool;

            if ($args) {
                set $x 1;
            }
        }
END

    is(judged(deliver($nginx, '/a')), '200 accepted/', 'one location');
    is(judged(deliver($nginx, '/b')), '200 duplicate/', 'another');
    is(judged(deliver($nginx, '/if?x')), '200 duplicate/', 'in an "if"');
    is(judged(deliver($nginx, '/c')), '200 accepted/', 'another spool');
}


# Under load: all that was answered is there, and all are answered.

sub reload {
    my $nginx = start(workers => 2);

    pipe my $in, my $out or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        for my $id (1 .. 400) {
            print $out judged(event_client($nginx, $id)->reply), "\n";
        }

        close $out;
        POSIX::_exit(0);
    }

    close $out;

    for (1 .. 3) {
        sleep 0.1;
        $nginx->reload;
    }

    my %answers;

    $answers{$_}++ while defined($_ = <$in>) && chomp;
    waitpid $pid, 0;

    is_deeply(\%answers, { '200 accepted/' => 400 }, 'all are answered');
    is(files($nginx) + 0, 400, 'and there');

    $nginx->stop;
    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'log');
}


# As docs/spool.md has it: what the application takes is gone, the rest stays.

sub shell {
    my $nginx = start();
    my ($code) = contents('docs/spool.md') =~ /^```sh\n(.*?)^```/ms;
    my ($root, $port) = ($nginx->root, $nginx->port);

    is($code =~ s{/var/spool/clockodo/}{$root/spool/}, 1, 'the folder');
    is($code =~ s{127\.0\.0\.1:3000/clockodo}{127.0.0.1:$port/served}, 1,
       'the application');

    my @ids = (30, 10, 20);

    for my $id (@ids) {
        is(judged(event_client($nginx, $id)->reply), '200 accepted/', 'event');
        sleep 0.05;
    }

    is(system('sh', '-c', "{ $code } > /dev/null 2>&1"), 0, 'the loop');
    is_deeply([ files($nginx) ], [], 'all are taken');

    my @taken = contents("$root/logs/access.log") =~ m{/served .* 204 }g;

    is(@taken, 3, 'by the application');

    event_client($nginx, 40)->reply;
    $code =~ s{/served}{/nowhere};
    system 'sh', '-c', "{ $code } > /dev/null 2>&1";
    is(files($nginx) + 0, 1, 'what it does not take stays');
}


sub start {
    my %arg = @_;

    my $spool = delete $arg{spool} || 'spool';

    return Clockodo::Nginx->start(level => 'notice', server => <<"END", %arg);
    clockodo_token My_Sup3r_T0k3n;
    clockodo_webhook on;
    clockodo_unknown_events forward;

    add_header X-Judged "\$clockodo_verdict/\$clockodo_reason" always;
    add_header X-Pid \$pid always;

    location /hook {
        clockodo_secret_file secrets;
        clockodo_spool $spool;
    }

    location /filter {
        clockodo_events entry.*;
        clockodo_spool $spool;
    }

    location /served {
        clockodo_webhook off;
        return 204;
    }

    location = /metrics {
        clockodo_webhook off;
        clockodo_status prometheus;
    }
END
}


sub judged {
    my ($reply) = @_;

    return "$reply->{status} " . ($reply->{header}{'x-judged'} // '');
}


# A client that has sent an event of its own.

sub event_client {
    my ($nginx, $id, $more) = @_;

    $id = unique('slow', $1 eq 'fsync' ? 100 + $2 : $2)
        if $id =~ /^(\w+)-(\d+)$/;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event(payload => qq({"team":{"id":$id}}),
                             $more ? (more => qq("$more")) : ())));

    return $client;
}


# A number for a word and a number.

my %words;

sub unique {
    my ($word, $n) = @_;

    return 10_000 * ($words{$word} //= 1 + keys %words) + $n;
}


sub stored {
    my ($nginx, $id) = @_;

    return scalar grep { $nginx->read("spool/new/$_") =~ /"id":$id\}/ }
                  files($nginx);
}


sub files {
    my ($nginx, $folder) = @_;

    opendir my $dir, $nginx->root . '/spool/' . ($folder || 'new')
        or return;

    my @files = sort grep { !/^\.\.?$/ } readdir $dir;

    return @files;
}


sub mode {
    my ($file) = @_;

    my @stat = stat $file or return 'none';

    return sprintf '%04o %d', $stat[2] & 07777, $stat[4];
}


# Stored, duplicates, failures, as the metrics have them.

sub spooled {
    my ($nginx) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");

    my $text = $client->reply->{body};

    return join ' ', map {
        $text =~ /^clockodo_spool_${_}_total\{location="[^"]*\/hook"\} (\d+)$/m
        ? $1 : '?' } qw(stored duplicates failures);
}


sub nginx_t {
    my ($nginx, $said) = @_;

    my $binary = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
    my $root = $nginx->root;

    $$said = `timeout 10 $binary -p $root/ -c $root/nginx.conf -t 2>&1`;

    return $?;
}
