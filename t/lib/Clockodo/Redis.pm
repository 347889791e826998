package Clockodo::Redis;

# A redis-server of one's own, or what REDIS_SERVER names (valkey-server):
#
#     my $redis = Clockodo::Redis->start(appendonly => 'yes', ...);
#     my $redis = Clockodo::Redis->start_by(['ip', 'netns', ...], ...);
#
#     $redis->call('XLEN', 'clockodo:events')   # dies of an error reply
#     $redis->error('EVAL', ...)                # the error reply, or undef
#     $redis->entries($stream)                  # a hash of fields for each
#     $redis->path, $redis->port                # where it listens
#     $redis->pid, $redis->log
#     $redis->crash, $redis->up, $redis->stop   # up: with the same data
#     $redis->options(...)                      # for the next up
#
# It is stopped when the object goes, also if the test dies.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG);
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep);


my $program = $ENV{REDIS_SERVER} || 'redis-server';
my %running;

$SIG{$_} ||= sub { exit 1 } for qw(INT TERM HUP);

END {
    local $?;
    $_ && $_->stop for values %running;
}


sub start {
    my ($class, @options) = @_;

    return $class->start_by([], @options);
}


# The wrapper is a command that execs the server.

sub start_by {
    my ($class, $wrapper, @options) = @_;

    my $self = bless { owner => $$, wrapper => $wrapper }, $class;

    # nginx's workers may enter it

    $self->{dir} = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $self->{dir};

    $self->{port} = free_port();
    $self->{options} = \@options;
    $self->up;

    return $self;
}


# Starts it, or starts it again; while it loads its data it answers errors.

sub up {
    my ($self) = @_;

    my @options = (
        port           => $self->{port},
        bind           => '127.0.0.1',
        unixsocket     => $self->path,
        unixsocketperm => 777,
        dir            => $self->{dir},
        logfile        => "$self->{dir}/log",
        save           => '',

        # a replica need not wait for others
        'repl-diskless-sync-delay' => 0,

        @{$self->{options}},
    );

    unlink $self->path;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', "$self->{dir}/out";
        open STDERR, '>&', \*STDOUT;

        # no "--" before what is no name of an option

        my @args;

        while (my ($name, $value) = splice @options, 0, 2) {
            push @args, "--$name", ref $value ? @$value : $value;
        }

        exec @{$self->{wrapper}}, $program, @args or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    weaken($running{$pid} = $self);

    for (1 .. 500) {
        return if -S $self->path && $self->connect;
        last if waitpid($pid, WNOHANG) == $pid;
        sleep 0.02;
    }

    delete $running{$pid};
    delete $self->{pid};

    die "$program did not start:\n", $self->log;
}


# A free port, apart from those of tools/t; the bus of a cluster is 10000 above.

sub free_port {
    while (1) {
        my $port = 30000 + int rand 2700;

        return $port if 2 == grep {
            IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                  LocalPort => $_)
        } $port, $port + 10000;
    }
}


# For the next time that it is started.

sub options {
    my ($self, @options) = @_;

    $self->{options} = \@options;
}


sub path { "$_[0]{dir}/redis.sock" }
sub port { $_[0]{port} }
sub pid  { $_[0]{pid} }
sub dir  { $_[0]{dir} }


sub log {
    my ($self) = @_;

    my $text = '';

    for my $name (qw(out log)) {
        open my $in, '<', "$self->{dir}/$name" or next;
        local $/;
        $text .= <$in> // '';
    }

    return $text;
}


# At once, as a power cut does it.

sub crash {
    my ($self) = @_;

    $self->end('KILL');
}


sub stop {
    my ($self) = @_;

    $self->end('TERM');
}


sub end {
    my ($self, $signal) = @_;

    my $pid = delete $self->{pid} or return;

    delete $running{$pid};
    delete $self->{client};

    return if $self->{owner} != $$;

    local $?;

    kill $signal, $pid;

    for (1 .. 250) {
        return if waitpid($pid, WNOHANG);
        sleep 0.02;
    }

    kill 'KILL', $pid;
    waitpid $pid, 0;
}


sub DESTROY {
    $_[0]->stop;
}


sub connect {
    my ($self) = @_;

    return $self->{client} = IO::Socket::UNIX->new(Peer => $self->path);
}


sub call {
    my ($self, @words) = @_;

    my $reply = $self->ask(@words);

    die "$words[0]: $$reply\n" if ref $reply eq 'SCALAR';

    return $reply;
}


sub error {
    my ($self, @words) = @_;

    my $reply = $self->ask(@words);

    return ref $reply eq 'SCALAR' ? $$reply : undef;
}


sub entries {
    my ($self, $stream) = @_;

    return map { +{ @{$_->[1]} } }
               @{$self->call('XRANGE', $stream || 'clockodo:events',
                             '-', '+')};
}


# Tries until the call has that result, for there is no event to wait for.

sub wait_for {
    my ($self, $want, @words) = @_;

    my $reply = '';

    for (1 .. 500) {
        $reply = eval { $self->call(@words) } // $@;

        return if $reply =~ $want;

        sleep 0.02;
    }

    die "@words: $reply, not $want\n", $self->log;
}


# A list is an array, an error a reference to its text.

sub ask {
    my ($self, @words) = @_;

    my $client = $self->{client} && $self->{client}->connected
                 ? $self->{client} : $self->connect
        or die "cannot connect: $!\n";

    print $client '*' . @words . "\r\n",
                  map { '$' . length($_) . "\r\n$_\r\n" } @words;
    $client->flush;

    my $reply = eval { read_reply($client) };

    if ($@) {
        delete $self->{client};
        die $@;
    }

    return $reply;
}


sub read_reply {
    my ($client) = @_;

    local $/ = "\r\n";

    my $line = <$client> // die "redis has closed the connection\n";

    chomp $line;

    my $type = substr $line, 0, 1, '';

    return \$line if $type eq '-';
    return $line if $type =~ /[+:]/;
    return undef if $line == -1;
    return [map { read_reply($client) } 1 .. $line] if $type eq '*';

    my $text = '';

    read $client, $text, $line;
    <$client>;

    return $text;
}

1;
