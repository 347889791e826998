package Clockodo::Nginx;

# An nginx of one's own, for what a block of Test::Nginx cannot express.
#
#     my $nginx = Clockodo::Nginx->start(
#         server  => 'location / { ... }',   # in the one server
#         http    => '...',                  # before it
#         main    => '...',
#         events  => '...',                  # in its block
#         listen  => 'http2',                # more for its "listen"
#         modules => [ ... ],                # before ours
#         workers => 1,
#         connections => 4096,               # at most, of a worker
#         level   => 'info',                 # of error.log
#         daemon  => 'on',                   # whose parent is another process
#         wrapper => [ ... ]);               # a command that execs nginx
#
#     $nginx->port, $nginx->root, $nginx->pid, $nginx->worker, $nginx->workers,
#     $nginx->log, $nginx->new_log, $nginx->read($file), $nginx->stop
#
#     $nginx->reload(server => '...');     # the same settings, or others
#     wait_for(sub { ... });               # until it is true
#     contents($file), save($file, $text)
#     fine($nginx)                         # two checks; stops it
#     Clockodo::Nginx->threads             # whether it has any
#     Clockodo::Nginx->maker               # "nginx", "Angie", ...
#
# $TEST_NGINX_SERVER_ROOT in the configuration is its root, as in Test::Nginx.
# It is stopped when the object goes, also if the test dies.

use strict;
use warnings;

use Exporter qw(import);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep);


our @EXPORT = qw(gone wait_for);
our @EXPORT_OK = qw(contents fine save);


my %running;
my $started = 0;

$SIG{$_} ||= sub { exit 1 } for qw(INT TERM HUP);

END {
    local $?;
    $_ && $_->stop for values %running;
}


sub start {
    my ($class, %arg) = @_;

    my $self = bless { owner => $$, wrapper => $arg{wrapper} || [] }, $class;

    $self->{port} = $self->free_port;

    my $base = $ENV{TEST_NGINX_SERVROOT} || tempdir(CLEANUP => 1);

    $self->{root} = "$base/" . ++$started;

    my $html = "$self->{root}/html";

    remove_tree($self->{root});
    make_path($html, "$self->{root}/logs");
    chmod 0755, $base, $self->{root}, $html;

    $self->configure(%arg);
    $self->spawn;

    return $self;
}


# Writes the configuration: what was not given is as it was before.

sub configure {
    my ($self, %arg) = @_;

    %arg = %{$self->{arg}} = (%{$self->{arg} || {}}, %arg);

    my $user = $ENV{TEST_NGINX_WORKER_USER} || 'www-data';

    my $modules = join '', map { "load_module $_;\n" }
                  @{$arg{modules} || []},
                  split ' ', $ENV{TEST_NGINX_LOAD_MODULES} || '';

    my $conf = $modules . ($> == 0 ? "user $user;\n" : '')
               . 'worker_processes ' . ($arg{workers} || 1) . ";\n"
               . 'error_log logs/error.log ' . ($arg{level} || 'info') . ";\n"
               . 'daemon ' . ($arg{daemon} || 'off') . ";\n"
               . ($arg{main} || '') . <<"END" . ($arg{http} || '') . <<"END";

pid logs/nginx.pid;

events {
    worker_connections @{[ $arg{connections} || 4096 ]};
    @{[ $arg{events} || '' ]}
}

http {
    access_log logs/access.log;
    client_body_temp_path client_body_temp;
    proxy_temp_path proxy_temp;
    fastcgi_temp_path fastcgi_temp;
    uwsgi_temp_path uwsgi_temp;
    scgi_temp_path scgi_temp;

END

    server {
        listen 127.0.0.1:$self->{port} @{[ $arg{listen} || '' ]};

        $arg{server}
    }
}
END

    $conf =~ s/\$TEST_NGINX_SERVER_ROOT/$self->{root}/g;

    $self->write('nginx.conf', $conf);
}


# Waits until the old workers are gone and as many new ones are there as the
# configuration has.

sub reload {
    my ($self, %arg) = @_;

    my @old = $self->workers;

    $self->configure(%arg);
    kill 'HUP', $self->{pid};

    wait_for(sub { $self->workers == ($self->{arg}{workers} || 1)
                   && !grep { -e "/proc/$_" } @old });
}


sub spawn {
    my ($self) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        # LeakSanitizer traces the process, which only one can do
        $ENV{ASAN_OPTIONS} .= ',detect_leaks=0'
            if $ENV{ASAN_OPTIONS} && grep { $_ eq 'strace' } @{$self->{wrapper}};

        # what is said before error.log is open goes there as well
        open STDERR, '>>', "$self->{root}/logs/error.log";
        open STDOUT, '>&', \*STDERR;

        exec @{$self->{wrapper}}, $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx',
             '-p', "$self->{root}/", '-c', "$self->{root}/nginx.conf"
            or POSIX::_exit(127);
    }

    if ($self->{arg}{daemon}) {
        waitpid $pid, 0;
        $pid = wait_for(sub { ($self->read('logs/nginx.pid') =~ /^(\d+)$/)[0] });
    }

    $self->{pid} = $pid;
    weaken($running{$pid} = $self);

    # nginx writes its pid once it listens

    for (1 .. 500) {
        return if -s "$self->{root}/logs/nginx.pid";

        if (waitpid($pid, WNOHANG) == $pid) {
            delete $running{$pid};
            delete $self->{pid};
            last;
        }

        sleep 0.02;
    }

    die "nginx did not start:\n", $self->log;
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;

    delete $running{$pid};

    return if $self->{owner} != $$;

    local $?;

    kill 'TERM', $pid;

    for (1 .. 250) {
        return if waitpid($pid, WNOHANG) > 0 || gone($pid);
        sleep 0.02;
    }

    kill 'KILL', $pid;
    waitpid $pid, 0;
}


# Whether a process has ended, be it a child of ours or not.

sub gone {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/stat" or return 1;

    return (<$fh> // '') !~ /^\d+ \(.*\) [^Z]/;
}


sub DESTROY {
    $_[0]->stop;
}


# TEST_NGINX_PORT and the two after it are kept free for this test.

sub free_port {
    my $port = $ENV{TEST_NGINX_PORT};
    my @ports = $port ? ($port .. $port + 2) : ();

    for (@ports, (0) x 10) {
        my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                      LocalPort => $_, ReuseAddr => 1);
        return $s->sockport if $s;
    }

    die "no free port\n";
}


sub port { $_[0]{port} }
sub root { $_[0]{root} }
sub pid  { $_[0]{pid} }


# The worker, if there is one.

sub worker {
    my ($self) = @_;

    for (1 .. 500) {
        open my $fh, '<', "/proc/$self->{pid}/task/$self->{pid}/children"
            or die "no list of workers: $!\n";

        my @workers = split ' ', <$fh> // '';

        return $workers[0] if @workers;

        sleep 0.02;
    }

    die "no worker\n";
}


# The workers that take connections.

sub workers {
    my ($self) = @_;

    open my $fh, '<', "/proc/$self->{pid}/task/$self->{pid}/children"
        or return;

    return grep { cmdline($_) =~ /^\w+: worker process(?! is)/ }
           split ' ', <$fh> // '';
}


sub cmdline {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/cmdline" or return '';

    return <$fh> // '';
}


# Waits until a function returns something true, and returns that.

sub wait_for {
    my ($done) = @_;

    for (1 .. 1000) {
        my $got = $done->();

        return $got if $got;

        sleep 0.01;
    }

    die 'waited in vain, called by ', (caller 1)[3], "\n";
}


# Whether it has threads.

sub threads {
    my $binary = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';

    return `$binary -V 2>&1` =~ / --with-threads\b/;
}


# Who made it, in its own words: "nginx", "Angie", "Tengine", ...

sub maker {
    my $binary = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';

    return (`$binary -v 2>&1` =~ m{version: ([\w-]+)/})[0];
}


# The error log.

sub log {
    my ($self) = @_;

    return $self->read('logs/error.log');
}


# What has come to it since this was called last.

sub new_log {
    my ($self) = @_;

    my $log = $self->log;
    my $new = substr $log, $self->{seen} || 0;

    $self->{seen} = length $log;

    return $new;
}


sub read {
    my ($self, $name) = @_;

    return contents("$self->{root}/$name");
}


# Of any file, '' if there is none.

sub contents {
    my ($name) = @_;

    open my $fh, '<', $name or return '';
    local $/;

    return scalar(<$fh>) // '';
}


sub save {
    my ($file, $text) = @_;

    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
}


# Nothing has gone wrong inside, and nothing is left.

sub fine {
    my ($nginx) = @_;

    my $worker = $nginx->worker;

    kill 'QUIT', $worker;
    Test::More::ok(wait_for(sub { gone($worker) }), 'the worker leaves');

    $nginx->stop;
    Test::More::unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'log');
}


sub write {
    my ($self, $name, $text) = @_;

    open my $fh, '>', "$self->{root}/$name" or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
}

1;
