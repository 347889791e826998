# The file with the secrets: nobody but its owner may ever read it, whatever
# stands in it stays whole and is not lost, and strangers cannot fill the disk
# with it.  All this with workers that are not root.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx qw(:DEFAULT contents save);
use Clockodo::Trace;
use Config;
use Fcntl qw(F_RDLCK F_SETLK F_UNLCK F_WRLCK);
use File::Temp qw(tempdir);
use POSIX qw(mkfifo sysconf _SC_PAGESIZE);
use Test::More;
use Time::HiRes qw(sleep);

plan skip_all => 'must be root, so that workers can be someone else'
    if $> != 0;

my $user = $ENV{TEST_NGINX_WORKER_USER} ||= 'www-data';
my $uid = getpwnam $user;

my $time = qr/2\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ/;

my $threads = Clockodo::Nginx->threads;
my $strace = Clockodo::Trace->works;
my $tmpfs = !system 'unshare -m mount -t tmpfs none /mnt 2> /dev/null';

my $make_ext4 = 'truncate -s 16M "$1" && /sbin/mkfs.ext4 -q "$1"'
                . ' && mount -o loop "$1" "$2"';
my $loop = !system 'd=$(mktemp -d) && unshare -m sh -c '
                   . "'$make_ext4' sh \$d/image /mnt 2> /dev/null;"
                   . ' rc=$?; rm -r "$d"; exit $rc';

my $on = <<'END';
    clockodo_token My_Sup3r_T0k3n;
    clockodo_webhook on;

    add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;
    add_header X-Pid $pid always;
END

subtest 'mode from the first moment, umask 022' => sub { mode_of('022') };
subtest 'mode from the first moment, umask 0'   => sub { mode_of('0') };

subtest 'a file that is there already' => \&existing;
subtest 'levels, several files'        => \&levels;
subtest 'rotation and reload'          => \&rotation;
subtest 'exit'                         => \&leaving;
subtest 'reopened while shutting down' => \&shutting_down;
subtest 'eight clients, two workers'   => \&clients;
subtest 'workers take turns'           => \&turns;
subtest 'locked by whoever can read'   => \&locked;
subtest 'a client that does not wait'  => \&gone_client;
subtest 'too many wait'                => \&too_many;
subtest 'flushed before the reply'     => \&flushed;
subtest 'cannot be flushed'            => \&not_flushed;
subtest 'full'                         => \&full;
subtest 'full disk'                    => \&full_disk;
subtest 'read-only disk'               => \&read_only_disk;
subtest 'deleted'                      => \&deleted;
subtest 'not a file'                   => \&fifo;

done_testing;


# A file has the mode that it was created with, if nobody calls chmod().

sub mode_of {
    my ($umask) = @_;

    plan skip_all => 'strace cannot trace here' unless $strace;

    my $trace = tempdir(CLEANUP => 1) . '/trace';
    my $nginx = start(wrapper => [
        'sh', '-c', "umask $umask && exec \"\$@\"", 'sh',
        qw(strace -D -f -y -e), 'trace=openat,/chmod', '-o', $trace ]);
    my $file = $nginx->root . '/secrets';

    is_deeply(access_to($file), [ '0600', 0 ], 'at start');

    is(record($nginx, 'first'), '200 handshake/', 'recorded');

    rename $file, "$file.1";
    reopen($nginx);

    is_deeply(access_to($file), [ '0600', $uid ], 'after a reopen');
    is_deeply(access_to("$file.1"), [ '0600', 0 ], 'the old file');

    rename $file, "$file.2";
    $nginx->reload;

    is_deeply(access_to($file), [ '0600', 0 ], 'after a reload');

    my $calls = calls($nginx, $trace);

    like($calls, qr/openat\(.*\Q$file\E", .*O_CREAT.*, 0600\) = \d/,
         'strace has seen how it was created');
    unlike($calls, qr/chmod.*\Q$file\E/, 'no chmod()');
}


# The operator's own choice is kept.

sub existing {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';

    $nginx->write('secrets', "what the operator wrote\n");
    chmod 0640, $file;

    $nginx->reload;
    is(access_to($file)->[0], '0640', 'mode after a reload');

    reopen($nginx);
    is(access_to($file)->[0], '0640', 'mode after a reopen');

    is(record($nginx, 'one'), '200 handshake/', 'recorded');
    like(contents($file), qr/\Awhat the operator wrote\n.* one\n\z/,
         'appended');
}


# Wherever the directive stands, the file is there once nginx runs.

sub levels {
    my $dir = tempdir(CLEANUP => 1);

    chmod 0755, $dir;

    save("$dir/a.conf", <<"END");
server {
    listen unix:$dir/a.sock;
$on
    location /a/http {
        proxy_pass http://127.0.0.1:1;
    }
}
END

    save("$dir/b.conf", <<"END");
server {
    listen unix:$dir/b.sock;
    clockodo_secret_file server;
$on
    location /b/server {
        proxy_pass http://127.0.0.1:1;
    }

    location /b/shared {
        clockodo_secret_file location;
    }
}
END

    my $nginx = start(http => <<"END", server => <<"END");
    clockodo_secret_file http;
    include $dir/*.conf;
END
    location /a/ {
        proxy_pass http://unix:$dir/a.sock;
    }

    location /b/ {
        proxy_pass http://unix:$dir/b.sock;
    }

    location /own/ {
$on
        clockodo_secret_file location;

        location /own/nested {
        }

        location /own/absolute {
            clockodo_secret_file $dir/absolute;
        }
    }
END

    my %file = map { $_ => $nginx->root . "/$_" } qw(http server location);

    $file{absolute} = "$dir/absolute";

    is_deeply(access_to($file{$_}), [ '0600', 0 ], "$_: created at start")
        for sort keys %file;

    is(record($nginx, $_, "/$_"), '200 handshake/', "$_: recorded")
        for qw(a/http b/server own/one own/nested b/shared own/absolute);

    is_deeply({ map { $_ => [ secrets($file{$_}) ] } keys %file },
              { http     => [ 'a-http' ],
                server   => [ 'b-server' ],
                location => [ 'own-one', 'own-nested', 'b-shared' ],
                absolute => [ 'own-absolute' ] },
              'each in its file');
}


sub rotation {
    my $nginx = start(workers => 2, listen => 'reuseport');
    my $file = $nginx->root . '/secrets';

    isnt($uid, 0, 'the user is not root');
    is_deeply([ map { (stat "/proc/$_")[4] } $nginx->workers ],
              [ $uid, $uid ], 'workers run as that user');

    is_deeply([ by_both($nginx, 'a') ], [ secrets($file) ],
              'recorded by both workers');

    my $before = contents($file);

    $nginx->reload;
    is(contents($file), $before, 'survives a reload');

    my @after = by_both($nginx, 'b');

    is_deeply([ (secrets($file))[-@after .. -1] ], \@after,
              'recorded after a reload');
    like(contents($file), qr/\A\Q$before\E/, 'appended');

    # until it is told nginx writes on in the old file, and makes no new one

    $before = contents($file);
    rename $file, "$file.1";

    is(record($nginx, 'between'), '200 handshake/', 'recorded after a rename');
    like(contents("$file.1"), qr/\A\Q$before\E.* between\n\z/, 'in the old');
    ok(!-e $file, 'no new file');

    $before = contents("$file.1");
    nginx($nginx, '-s', 'reopen');
    wait_for(sub { has_open($nginx, $file) });

    is_deeply([ by_both($nginx, 'c') ], [ secrets($file) ],
              'recorded in the new file by both workers');
    is(contents("$file.1"), $before, 'the old file stays as it is');
}


# What nginx calls before it opens the file again, it also calls when it ends.

sub leaving {
    my $nginx = start(workers => 2);
    my $file = $nginx->root . '/secrets';

    chown $uid, -1, $nginx->root;
    rename $file, "$file.1";

    for my $signal ('TERM', 'QUIT') {
        my ($worker) = $nginx->workers;

        kill $signal, $worker;
        wait_for(sub { !-e "/proc/$worker" && 2 == $nginx->workers });

        ok(none_or_0600($file), "a worker ends, $signal");
        unlink $file;
    }

    # the one that sends the signal reads the configuration as well

    nginx($nginx, '-s', 'quit');
    waitpid $nginx->pid, 0;
    ok(none_or_0600($file), '"nginx -s quit"');
    unlink $file;

    isnt(nginx($nginx, '-s', 'reload'), 0, 'nobody to signal to');
    ok(!-e $file, 'no file by "nginx -s reload"');

    is(nginx($nginx, '-t'), 0, 'nginx -t');
    ok(none_or_0600($file), '"nginx -t"');
}


# An old worker opens the file again even if the configuration has dropped it,
# and the master does not come before it.

sub shutting_down {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';
    my ($worker) = $nginx->workers;

    chown $uid, -1, $nginx->root;

    my $client = Clockodo::Client->new($nginx->port, $worker);
    my $request = post('{"secret":"late"}');

    $client->send(substr($request, 0, -5), '');

    $nginx->write('nginx.conf', $nginx->read('nginx.conf')
                                =~ s/(clockodo_secret_file) secrets/$1 off/r);
    kill 'HUP', $nginx->pid;
    wait_for(sub { join(' ', $nginx->workers) =~ /^(?!$worker$)\d+$/ });

    rename $file, "$file.1";
    kill 'USR1', $nginx->pid;
    wait_for(sub { has_open_in($worker, $file) });

    is_deeply(access_to($file), [ '0600', $uid ], 'mode');

    $client->send(substr $request, -5);
    is($client->reply->{status}, 200, 'the worker ends what it began');
    is_deeply([ secrets($file) ], [ 'late' ], 'recorded');
}


sub clients {
    my $nginx = start(workers => 2, listen => 'reuseport');
    my $file = $nginx->root . '/secrets';
    my (%pipes, %status, %pid);

    for my $client (1 .. 8) {
        pipe my $in, my $out or die "pipe: $!\n";
        my $pid = fork // die "fork: $!\n";

        if ($pid == 0) {
            for my $i (1 .. 40) {
                my $reply = handshake($nginx, "$client-$i-" . '~' x (3 * $i));
                print $out "$reply->{status} $reply->{header}{'x-pid'}\n";
            }

            close $out;
            POSIX::_exit(0);
        }

        $pipes{$pid} = $in;
    }

    for my $client (keys %pipes) {
        my $in = $pipes{$client};

        while (<$in>) {
            my ($status, $pid) = split;
            $status{$status}++;
            $pid{$pid}++;
        }

        waitpid $client, 0;
    }

    is_deeply(\%status, { 200 => 320 }, 'all were answered 200');
    is_deeply([ sort keys %pid ], [ sort $nginx->workers ],
              'both workers have answered');

    is_deeply([ sort +secrets($file) ],
              [ sort map { my $c = $_; map { "$c-$_-" . '~' x (3 * $_) }
                                       1 .. 40 } 1 .. 8 ],
              'each secret is there once, in a line of its own');
}


sub turns {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';

    open my $fh, '+<', $file or die "$file: $!\n";

    # nobody has it for more than a second, unless this machine sleeps

    for my $try (1 .. 5) {
        lock_file($fh, F_WRLCK);

        my $client = waits($nginx, 'waits');

        ok($client->silent, 'no reply while another has the lock');
        is(contents($file), '', 'nothing written');

        lock_file($fh, F_UNLCK);

        my $status = $client->reply->{status};

        next if $status == 503 && $try < 5;

        is($status, 200, 'reply once it is its turn');
        last;
    }

    is_deeply([ secrets($file) ], [ 'waits' ], 'recorded');

    # nor is the lock kept

    ok(lock_file($fh, F_WRLCK), 'unlocked');
}


# A local user who never lets the lock go: handshakes are refused, and all else
# goes on meanwhile.

sub locked {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';

    open my $fh, '<', $file or die "$file: $!\n";
    lock_file($fh, F_RDLCK) or die "lock: $!\n";

    my @clients = map { waits($nginx, "no-$_") } 1 .. 3;

    for my $client (@clients) {
        my $reply = $client->reply;

        is($reply->{status}, 503, 'refused');
        is($reply->{header}{'x-judged'}, 'rejected/handshake', 'why');
    }

    is(contents($file), '', 'nothing written');

    my $log = $nginx->new_log;

    is(scalar(() = $log =~ /\[error\].*"\Q$file\E" is locked by another/g),
       3, 'log');
    like($log, qr/\[error\].*\(handshake\): "clockodo_secret_file" is busy/,
         'and why they were rejected');
    unlike($log, qr/no-\d/, 'log has no secret');

    lock_file($fh, F_UNLCK);

    is(record($nginx, 'yes'), '200 handshake/', 'works again');
    is_deeply([ secrets($file) ], [ 'yes' ], 'recorded');
}


# One that hangs up, by a FIN or by a reset, while its handshake waits: neither
# is nginx hurt nor are others.

sub gone_client {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';

    open my $fh, '<', $file or die "$file: $!\n";
    lock_file($fh, F_RDLCK) or die "lock: $!\n";

    my @clients = map { waits($nginx, "gone-$_") } 0 .. 3;
    my $client = waits($nginx, 'stays');

    $clients[$_]->close($_ % 2) for 0 .. 3;
    deliver($nginx, '/served');

    lock_file($fh, F_UNLCK);

    my $status = $client->reply->{status};

    is(record($nginx, 'next'), '200 handshake/', 'the next one is recorded');

    my %recorded = map { $_ => 1 } secrets($file);

    is($recorded{stays} || 0, $status == 200 ? 1 : 0, 'recorded if answered');
    ok($recorded{next}, 'and the next one');

    $nginx->stop;
    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'log');
}


# The requests that wait for the file are bounded; they wait for each other,
# too.

sub too_many {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';

    open my $fh, '<', $file or die "$file: $!\n";
    lock_file($fh, F_RDLCK) or die "lock: $!\n";

    my @clients = map { Clockodo::Client->new($nginx->port) } 1 .. 70;

    $_->send(post('{"secret":"s"}')) for @clients;

    my @status = map { $_->reply->{status} } @clients;

    is_deeply(\@status, [ (503) x 70 ], 'all are refused');
    like($nginx->new_log, qr/\[error\].*too many handshakes wait for "\Q$file/,
         'log');

    lock_file($fh, F_UNLCK);
    is(record($nginx, 'yes'), '200 handshake/', 'works again');
}


# The order of system calls.

sub flushed {
    plan skip_all => 'strace cannot trace here' unless $strace;

    my $trace = tempdir(CLEANUP => 1) . '/trace';
    my $nginx = start(wrapper => [
        qw(strace -D -f -y -s 80 -e),
        'trace=/^fcntl,write,fdatasync,fsync,writev,sendto,sendfile',
        '-o', $trace ]);

    my $file = qr/\d+<\Q@{[ $nginx->root ]}\E\/secrets>/;
    my $setlk = qr/fcntl(?:64)?\($file, F_SETLK(?:64)?,/;

    is(record($nginx, 'flushed'), '200 handshake/', 'recorded');

    my $calls = calls($nginx, $trace);

    my @order = map {
        /$setlk \{l_type=F_WRLCK.*= 0$/                   ? 'lock'
        : /write\($file, ".* flushed\\n", \d+\) = \d+$/   ? 'write'
        : /fdatasync\($file\) += 0$/                      ? 'flush'
        : /$setlk \{l_type=F_UNLCK.*= 0$/                  ? 'unlock'
        : /HTTP\/1\.1 200 .*= \d+$/                       ? 'reply'
        : ()
    } split /\n/, $calls;

    is("@order", 'lock write flush unlock reply', 'the order of calls')
        or diag($calls);

    # the event loop is the thread that locks and replies

    my ($loop) = $calls =~ /^(\d+) +$setlk/m;
    my @others = grep { $_ != $loop }
                 $calls =~ /^(\d+) +(?:write|fdatasync)\($file[,)]/mg;

    is(@others, $threads ? 2 : 0, 'writes in another thread');
}


# A line that may not be on disk must not stand there: the reply is 500.

sub not_flushed {
    plan skip_all => 'strace cannot trace here' unless $strace;

    my $nginx = start();
    my $file = $nginx->root . '/secrets';

    is(record($nginx, 'one'), '200 handshake/', 'recorded');

    my $trace = Clockodo::Trace->new($nginx->worker,
        trace  => 'fdatasync',
        inject => 'fdatasync:error=EIO');

    is(record($nginx, 'two'), '500 rejected/handshake', 'not flushed');

    $trace->stop;

    is(record($nginx, 'three'), '200 handshake/', 'recorded again');

    is_deeply([ secrets($file) ], [ 'one', 'three' ], 'the line is cut off');
    like($nginx->log, qr/\[error\].*\Q$file\E.*\(5: /, 'log');
}


sub full {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';
    my $rest = 40;
    my $fits = 's' x ($rest - length "2026-11-23T14:36:00Z 127.0.0.1 \n");

    my $before = fill($file, 65536 - $rest);

    # both over one connection, which stays open after 503

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(qq({"secret":"x$fits"})));
    my $reply = $client->reply;

    is($reply->{status}, 503, 'one byte too many');
    is($reply->{header}{connection}, 'keep-alive', 'the connection is kept');
    is(contents($file), $before, 'nothing changed');

    my $log = $nginx->new_log;

    like($log, qr/\[error\].*"\Q$file\E" is full, rotate it/,
         'the log says to rotate it, at a level that is on by default');
    like($log, qr/\[error\].*\(handshake\).*"clockodo_secret_file" .*rotate/,
         'and why the handshake was rejected');

    $client->send(post(qq({"secret":"$fits"})));
    is($client->reply->{status}, 200, 'a shorter one still fits');

    like(contents($file), qr/\A\Q$before\E.* $fits\n\z/, 'recorded');
    is(-s $file, 65536, 'up to the limit');

    $before = contents($file);

    is(record($nginx, 'x'), '503 rejected/handshake', 'full');
    is(contents($file), $before, 'nothing changed');

    rename $file, "$file.1";
    reopen($nginx);

    is(record($nginx, 'again'), '200 handshake/', 'works after a rotation');
    is_deeply([ secrets($file) ], [ 'again' ], 'recorded in the new file');
    is(contents("$file.1"), $before, 'the old file stays as it is');

    # the operator's own

    $before = fill($file, 70000);

    is(record($nginx, 'x'), '503 rejected/handshake', 'beyond the limit');
    is(contents($file), $before, 'nothing is cut off');
}


# The disk is a tmpfs, which has room by the page and is mounted for this
# nginx alone: it is gone when nginx is.

sub full_disk {
    plan skip_all => 'no tmpfs can be mounted here' unless $tmpfs;

    my $dir = tempdir(CLEANUP => 1);
    my $page = sysconf(_SC_PAGESIZE);

    chmod 0755, $dir;

    my $nginx = start(
        server  => "$on clockodo_secret_file $dir/secrets;"
                   . 'location / { proxy_pass http://127.0.0.1:1; }',
        wrapper => [ 'unshare', '-m', 'sh', '-c',
                     'mount -t tmpfs -o mode=755,size=$1 none "$2"'
                     . ' && shift 2 && exec "$@"',
                     'sh', 16 * $page, $dir ]);

    my $mnt = '/proc/' . $nginx->pid . "/root$dir";
    my $file = "$mnt/secrets";
    my $len = length "2026-11-23T14:36:00Z 127.0.0.1 x\n";

    is(access_to($file)->[0], '0600', 'created on the tmpfs');
    ok(!-e "$dir/secrets", 'and only there');

    for my $room (0, 1, 10, $len - 1) {
        my $before = fill($file, $page - $room);

        $nginx->new_log;
        fill_disk("$mnt/filler");

        is(record($nginx, 'x'), '500 rejected/handshake', "room for $room");
        is(contents($file), $before, 'only whole lines');
        like($nginx->new_log, qr/\[error\].*\Q$dir\E\/secrets/, 'log');

        unlink "$mnt/filler";

        is(record($nginx, 'x'), '200 handshake/', 'works once there is room');
        like(contents($file), qr/\A\Q$before\E\S+ 127\.0\.0\.1 x\n\z/,
             'recorded');
    }
}


# A file system that has met an error makes itself read-only, whatever is open:
# this one, in a file of its own, is told that it has.

sub read_only_disk {
    plan skip_all => 'no file system can be mounted here' unless $loop;

    my $dir = tempdir(CLEANUP => 1);
    my $image = tempdir(CLEANUP => 1) . '/image';

    chmod 0755, $dir;

    my $nginx = start(
        server  => "$on clockodo_secret_file $dir/secrets;"
                   . 'location / { proxy_pass http://127.0.0.1:1; }'
                   . 'location /app { proxy_pass http://127.0.0.1:'
                   . '$server_port/served; }'
                   . 'location /served { clockodo_webhook off; return 204; }',
        wrapper => [ 'unshare', '-m', 'sh', '-c',
                     "$make_ext4 && chmod 755 \"\$2\" && shift 2"
                     . ' && exec "$@"', 'sh', $image, $dir ]);

    my $file = '/proc/' . $nginx->pid . "/root$dir/secrets";

    is(record($nginx, 'one'), '200 handshake/', 'recorded');

    my $before = contents($file);

    system('nsenter', '-m', '-r', '-t', $nginx->pid,
           'mount', '-o', 'remount,abort', $dir) == 0 or die "mount: $?\n";

    $nginx->new_log;

    for my $again (1, 2) {
        is(record($nginx, 'two'), '500 rejected/handshake', 'read-only');
        like($nginx->new_log, qr/\[error\].*\Q$dir\E\/secrets/, 'log');
    }

    is(contents($file), $before, 'what was recorded is there');

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event()) =~ s{/hook}{/app}r);
    is($client->reply->{status}, 204, 'events go on');

    # it can't be opened anew, and the old one is not let go

    kill 'USR1', $nginx->pid;
    wait_for(sub { $nginx->new_log =~ /\[emerg\].*\Q$dir\E\/secrets/ });

    is(record($nginx, 'three'), '500 rejected/handshake', 'after a reopen');
    is(contents($file), $before, 'still there');
}


# A secret that goes into a file without a name is lost: no 200 for that.

sub deleted {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';

    is(record($nginx, 'one'), '200 handshake/', 'recorded');

    unlink $file;

    is(record($nginx, 'two'), '500 rejected/handshake', 'deleted');
    like($nginx->new_log, qr/\[error\].*"\Q$file\E" has been deleted, reopen/,
         'log');

    reopen($nginx);
    is(record($nginx, 'three'), '200 handshake/', 'works after a reopen');

    # as editors do it

    save("$file.new", contents($file));
    rename "$file.new", $file;

    is(record($nginx, 'four'), '500 rejected/handshake', 'replaced');
    is_deeply([ secrets($file) ], [ 'three' ], 'nothing got lost');
}


# One that waits for a reader must not stop nginx.

sub fifo {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';

    unlink $file;
    mkfifo $file, 0600 or die "$file: $!\n";

    my $said = '';

    isnt(nginx($nginx, '-t', \$said), 0, 'nginx -t');
    like($said, qr/\[emerg\].*"clockodo_secret_file"/, 'what it says');
}


sub start {
    my %arg = @_;

    my $nginx = Clockodo::Nginx->start(
        server => "$on clockodo_secret_file secrets;"
                  . 'location / { proxy_pass http://127.0.0.1:1; }'
                  . 'location /served { clockodo_webhook off; return 204; }',
        %arg);

    wait_for(sub { $nginx->workers == ($arg{workers} || 1) });

    return $nginx;
}


# Runs nginx on the same configuration, gives its status.

sub nginx {
    my ($nginx, @args) = @_;

    my $said = ref $args[-1] ? pop @args : \my $unused;
    my $binary = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
    my $root = $nginx->root;

    $$said = `timeout 10 $binary -p $root/ -c $root/nginx.conf @args 2>&1`;

    return $?;
}


sub handshake {
    my ($nginx, $secret, $path) = @_;

    my $client = Clockodo::Client->new($nginx->port);
    my $request = post(qq({"secret":"$secret"}));

    $request =~ s{ \S+ }{ $path } if $path;
    $client->send($request);

    return $client->reply || { status => 0, header => {} };
}


# A handshake that nginx has read, since it has read an event after it.

sub waits {
    my ($nginx, $secret) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(qq({"secret":"$secret"})));

    is(deliver($nginx, '/served')->{status}, 204, 'others are answered');

    return $client;
}


# A handshake, as status, verdict and reason.

sub record {
    my ($nginx, $secret, $path) = @_;

    $secret =~ tr{/}{-};

    my $reply = handshake($nginx, $secret, $path);

    return "$reply->{status} " . ($reply->{header}{'x-judged'} // '');
}


# Handshakes until either worker has answered two of them, gives the secrets.

sub by_both {
    my ($nginx, $name) = @_;

    my (@secrets, %pid);

    while (@secrets < 200) {
        push @secrets, "$name-" . @secrets;
        $pid{handshake($nginx, $secrets[-1])->{header}{'x-pid'} || 0}++;

        return @secrets if 2 == grep { $_ >= 2 } values %pid;
    }

    die "one worker gets no connections\n";
}


# The secrets in a file, which has to consist of whole lines.

sub secrets {
    my ($file) = @_;

    my @lines = contents($file) =~ /\G(.*\n|.+)/g;

    return map { /\A$time (?:127\.0\.0\.1|unix:) ([\w.~-]+)\n\z/
                 ? $1 : "bad line: $_" } @lines;
}


# Writes lines of that many bytes in all to a file that is there, gives them.

sub fill {
    my ($file, $size) = @_;

    my $line = "2026-01-01T00:00:00Z 192.0.2.1 ";
    my $text = '';

    while (length $text < $size) {
        my $left = $size - length $text;
        my $len = $left < 200 ? $left : 100;

        $text .= $line . 'f' x ($len - length($line) - 1) . "\n";
    }

    open my $fh, '+<', $file or die "$file: $!\n";
    truncate $fh, 0;
    print $fh $text;
    close $fh or die "$file: $!\n";

    return $text;
}


sub fill_disk {
    my ($file) = @_;

    open my $fh, '>', $file or die "$file: $!\n";

    1 while syswrite $fh, 'f' x 1024;

    die "$file: $!\n" unless $!{ENOSPC};
}


# Stops nginx, gives all that strace has seen of it.

sub calls {
    my ($nginx, $trace) = @_;

    my $master = $nginx->pid;

    $nginx->stop;
    wait_for(sub { contents($trace) =~ /^$master +\+\+\+ /m });

    return contents($trace);
}


sub lock_file {
    my ($fh, $type) = @_;

    # struct flock, of files with large offsets: the whole file

    my $aligned = $Config{alignbytes} > 4 ? 'ssx4qqix4' : 'ssqqi';

    return fcntl $fh, F_SETLK, pack $aligned, $type, 0, 0, 0, 0;
}


# Mode and owner.

sub access_to {
    my ($file) = @_;

    my @stat = stat $file or return [ 'none' ];

    return [ sprintf('%04o', $stat[2] & 07777), $stat[4] ];
}


sub none_or_0600 {
    my ($file) = @_;

    return access_to($file)->[0] =~ /\A(?:none|0600)\z/;
}


# Whether the master and all workers have a file open, and by this name.

sub has_open {
    my ($nginx, $file) = @_;

    return !grep { !has_open_in($_, $file) } $nginx->pid, $nginx->workers;
}


sub has_open_in {
    my ($pid, $file) = @_;

    return grep { (readlink($_) // '') eq $file } glob "/proc/$pid/fd/*";
}


sub reopen {
    my ($nginx) = @_;

    kill 'USR1', $nginx->pid;
    wait_for(sub { has_open($nginx, $nginx->root . '/secrets') });
}
