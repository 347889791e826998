# The image of examples/container/Containerfile, run as its first lines say: as
# the user that it names, with a root file system that is read-only, secrets
# that are mounted, and the signal that "docker stop" sends.  tools/container
# builds it, and starts this.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx qw(gone wait_for contents);
use Clockodo::Signed;
use Cwd qw(getcwd);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);


my $store = getcwd() . '/build/container';
my @buildah = ('buildah', '--storage-driver', 'vfs', '--root',
               "$store/storage", '--runroot', "$store/run");

my $senders = 8;
my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $test = $$;
my @children;

END {
    if ($$ == ($test // 0)) {
        diag(map { contents("$dir/$_") } qw(log said)) if $?;

        local $?;
        kill 'KILL', @children;
    }
}

my ($config) = decode_json(buildah('inspect', '--type', 'image',
                                   'localhost/clockodo'))->{Docker}{config};

is($config->{User}, 'www-data', 'its user');
is($config->{StopSignal}, 'SIGQUIT', 'its signal');
is_deeply([sort keys %{$config->{Volumes}}],
          ['/var/lib/clockodo', '/var/spool/clockodo'], 'its volumes');

my ($name, $root) = create();

# a new volume has the mode and the owner of the folder in the image

for my $volume (sort keys %{$config->{Volumes}}) {
    my ($mode, $uid) = (stat "$root$volume")[2, 4];
    is(sprintf('%o %d', $mode & 07777, $uid), '700 33', $volume);
}

my %volume = ('/var/lib/clockodo' => folder('secrets'),
              '/var/spool/clockodo' => folder('spool'));
my %secret = ('/run/secrets/clockodo-tokens' => "My_Sup3r_T0k3n\n",
              '/run/secrets/clockodo-sign-key' => "$keys[0]\n");
my @files = files();

my $app = application();

is(health(), 7, 'not healthy before it runs: refused');

isnt(status('--user', 'root', $name, '--', 'touch', '/etc/a'), 0, 'read-only');
like(contents("$dir/said"), qr/Read-only file system/, 'for root as well');

my $pid = start();

wait_for(sub { IO::Socket::INET->new('127.0.0.1:8080') });

my $master = master();

is(health(), 0, 'healthy');
is_deeply(limits($master), { Uid => 33, CapEff => 0 }, 'no rights');

is(answer('{"secret":"a-secret"}'), 200, 'handshake');
like(contents("$dir/secrets/secrets"), qr/ a-secret$/m, 'its secret');

is(answer(event()), 200, 'event');

my $got = got(contents("$dir/request"));

is(signed($got, $keys[0]), '', 'signed');
is($got->{body}, event(token => '"**************"'), 'masked');

token("another\n");
is(answer(event()), 403, 'the token was replaced');
token("My_Sup3r_T0k3n\n");
is(answer(event()), 200, 'and again');

my @refused = grep { /\[error\]/ } split /\n/, contents("$dir/log");

is(scalar @refused, 1, 'a refusal is logged');

stream();

is(health(), 7, 'not healthy any more');
is_deeply([files()], \@files, 'nothing is written but to volumes');
is(join("\n", grep { /\[(?:warn|error|crit|alert|emerg)\]/ }
                   split /\n/, contents("$dir/log")),
   $refused[0], 'nothing else is');

buildah('rm', $name);
kill 'TERM', $app;
finished($app);

done_testing;


# Writes another token into the file that is mounted, and sends the signal that
# reloads.

sub token {
    my ($text) = @_;

    my @old = children($master);

    save('-run-secrets-clockodo-tokens', $text);
    kill 'HUP', $master;
    wait_for(sub { !grep { !gone($_) } @old });
}


# Events come in without a pause when the signal comes; the application takes
# two of three, and the others are spooled.  When it comes, the application is
# at work on as many as there are senders: so none of them is on its way to a
# socket that nginx closes.

sub stream {
    my @senders = map { my $first = 10000 + $_; child(sub { sender($first) }) }
                  1 .. $senders;

    wait_for(sub { acknowledged() > 300 });

    touch('hold');
    wait_for(sub { lines('came') - lines('went') == $senders });

    my $before = acknowledged();
    my ($signal) = $config->{StopSignal} =~ /^SIG(\w+)$/;

    kill $signal, $master;
    wait_for(sub { !IO::Socket::INET->new('127.0.0.1:8080') });
    unlink "$dir/hold";

    finished($_) for @senders;
    finished($pid);

    is($?, 0, 'it ends well');
    is(acknowledged() - $before, $senders, 'what was begun was answered');
    is_deeply([grep { !/ 200$/ } lines('sent')], [], 'all answers: 200');

    my %have = map { $_ => 1 } lines('taken'), spooled();
    my @lost = grep { !$have{$_} } map { /^(\d+) 200$/ } lines('sent');

    is_deeply(\@lost, [], 'none is lost');
    cmp_ok(scalar(lines('taken')), '>', 100, 'events were taken');
    cmp_ok(scalar(spooled()), '>', 100, 'events were spooled');
}


# Sends event after event, by a connection each, until there is no nginx.

sub sender {
    my ($id) = @_;

    for (;; $id += $senders) {
        my $status = answer(event(payload => qq({"team":{"id":$id}})))
            or return;

        append('sent', "$id $status");
    }
}


# The status of the answer to a body; undef if nobody listens.

sub answer {
    my ($body) = @_;

    my $socket = IO::Socket::INET->new('127.0.0.1:8080') or return;

    syswrite $socket, post($body, 'Connection: close') =~ s{/hook}{/clockodo}r;

    my $reply = do { local $/; <$socket> } // '';

    return $reply =~ m{^HTTP/1\.1 (\d+)} ? $1 : 'none';
}


# An application that writes down which event it is at, may be told to hold
# them, and does not take one of three.

sub application {
    my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1:3000',
                                       Listen => 256, ReuseAddr => 1)
        or die "127.0.0.1:3000: $!\n";

    return child(sub {
        local $SIG{CHLD} = 'IGNORE';

        while (1) {
            my $client = $server->accept or next;
            child(sub { take($client) });
            close $client;
        }
    });
}

sub take {
    my ($client) = @_;

    my $request = '';

    until ($request =~ /\r\n\r\n.*\}\z/s) {
        sysread $client, $request, 65536, length $request or return;
    }

    my ($id) = $request =~ /"team":\{"id":(\d+)/;
    my $taken = $id % 3;

    append('came', $id);
    sleep 0.02 while -e "$dir/hold";
    append('taken', $id) if $taken;
    append('went', $id);
    save('request', $request) if $id == 9001;

    syswrite $client, 'HTTP/1.1 ' . ($taken ? '200 OK' : '503 No')
                      . "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}


sub spooled {
    return map { contents($_) =~ /"team":\{"id":(\d+)/ }
           glob "$dir/spool/new/*";
}


sub create {
    my $name = buildah('from', '--add-host', 'application:127.0.0.1',
                       'localhost/clockodo');
    my $root = buildah('mount', $name);

    # buildah mounts either what it is told to or a volume of its own

    buildah('config', (map { ('--volume', "$_-") }
                           sort keys %{$config->{Volumes}}), $name);

    # what others are mounted on: Docker makes these as well

    append("$root$_", '') for qw(/etc/hosts /etc/hostname /etc/resolv.conf);

    return ($name, $root);
}


# Its process; what it writes to standard output and error is in "log".

sub start {
    my @mounts = ('--mount', 'type=tmpfs,destination=/tmp');

    while (my ($path, $folder) = each %volume) {
        push @mounts, '--volume', "$folder:$path";
    }

    while (my ($path, $text) = each %secret) {
        my $file = "$dir/" . $path =~ tr{/}{-}r;

        save($file, $text);
        chmod 0400, $file;
        chown 33, 33, $file;
        push @mounts, '--volume', "$file:$path:ro";
    }

    return child(sub { within('log', @mounts, $name, '--',
                              @{$config->{Cmd}}) });
}


# The status of the image's health check.

sub health {
    my (undef, @test) = @{$config->{Healthcheck}{Test}};

    return status($name, '--', @test);
}


sub status {
    my @run = @_;

    finished(child(sub { within('said', @run) }));

    return $? >> 8;
}


# Runs something in the container; its root file system is read-only, but for
# /run, where buildah has files of its own and which is root's.  With the first
# process ends all.

sub within {
    my ($log, @run) = @_;

    open STDOUT, '>', "$dir/$log" or die "$dir/$log: $!\n";
    open STDERR, '>&', \*STDOUT or die "$!\n";
    open STDIN, '<', '/dev/null' or die "$!\n";

    exec 'unshare', '--mount', '--pid', '--fork', '--kill-child',
         '--mount-proc', 'sh', '-c',
         'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" \
          && mount -t tmpfs -o mode=755 tmpfs "$0/run" && exec "$@"',
         $root, @buildah, 'run', '--isolation', 'chroot', @run;
}


# nginx's master, below the process that was started

sub master {
    my @below = $pid;

    while (defined(my $process = shift @below)) {
        return $process if contents("/proc/$process/comm") eq "nginx\n";
        push @below, children($process);
    }

    die "there is no nginx\n";
}


sub children {
    my ($pid) = @_;

    return map { split ' ', contents($_) } glob "/proc/$pid/task/*/children";
}


sub limits {
    my ($pid) = @_;

    my %limits = contents("/proc/$pid/status") =~ /^(Uid|CapEff):\s+(\w+)/mg;

    return { map { $_ => hex $limits{$_} eq 0 ? 0 : $limits{$_} }
             keys %limits };
}


# All that is in the root file system, and of when it is.

sub files {
    open my $find, '-|', 'find', $root, '-xdev', '-printf', '%P %s %m %C@\n'
        or die "find: $!\n";

    return sort <$find>;
}


sub folder {
    my ($name) = @_;

    mkdir "$dir/$name", 0700 or die "$dir/$name: $!\n";
    chown 33, 33, "$dir/$name";

    return "$dir/$name";
}


sub child {
    my ($code) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid) {
        push @children, $pid;
        return $pid;
    }

    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    $code->();
    POSIX::_exit(0);
}


# Waits for a child; its status is in $? then.

sub finished {
    my ($pid) = @_;

    waitpid $pid, 0;
    @children = grep { $_ != $pid } @children;
}


sub buildah {
    open my $out, '-|', @buildah, @_ or die "buildah: $!\n";
    my $text = do { local $/; <$out> };
    close $out or die "buildah @_: $?\n";

    return $text =~ s/\n\z//r;
}


sub acknowledged { scalar grep { / 200$/ } lines('sent') }


sub lines { return split /\n/, contents("$dir/$_[0]") // '' }


sub append {
    my ($file, $line) = @_;

    $file = "$dir/$file" if $file !~ m{^/};

    open my $fh, '>>', $file or die "$file: $!\n";
    syswrite $fh, "$line\n" if $line ne '';
    close $fh;
}


sub save {
    my ($file, $text) = @_;

    $file = "$dir/$file" if $file !~ m{^/};

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $text;
    close $fh or die "$file: $!\n";
}


sub touch { save($_[0], '') }
