package Clockodo::Trace;

# strace on a worker that runs: it sees its system calls, of all its threads,
# and can delay them or let them fail.
#
#     plan skip_all => '...' unless Clockodo::Trace->works;
#
#     my $trace = Clockodo::Trace->new($nginx->worker,
#         trace  => 'write,fdatasync',
#         inject => 'fdatasync:error=EIO',
#         path   => '/var/...');      # only what has to do with this file
#
#     $trace->text, $trace->wait_for(qr/.../)
#     $trace->stop                # goes on as if nothing had been
#
# It is stopped when the object goes.

use strict;
use warnings;

use Clockodo::Nginx ();
use File::Temp qw(tempdir);
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep);


sub works {
    return !system 'strace -o /dev/null true 2> /dev/null';
}


sub new {
    my ($class, $pid, %arg) = @_;

    my $file = tempdir(CLEANUP => 1) . '/trace';
    my $strace = fork // die "fork: $!\n";

    if ($strace == 0) {
        open STDERR, '>', "$file.err";

        my @path = map { ('-P', $_) } delete $arg{path} // ();

        exec qw(strace -f -y -s 300 -o), $file, '-p', $pid, @path,
             map { ('-e', "$_=$arg{$_}") } sort keys %arg
            or POSIX::_exit(127);
    }

    my $self = bless { strace => $strace, file => $file, pid => $pid }, $class;

    Clockodo::Nginx::wait_for(sub { !grep { !traced($_) }
                                    glob "/proc/$pid/task/*" });

    return $self;
}


sub traced {
    my ($task) = @_;

    return Clockodo::Nginx::contents("$task/status") =~ /^TracerPid:\s+[1-9]/m;
}


sub text {
    my ($self) = @_;

    return Clockodo::Nginx::contents($self->{file});
}


sub wait_for {
    my ($self, $seen) = @_;

    return Clockodo::Nginx::wait_for(sub { $self->text =~ $seen });
}


sub stop {
    my ($self) = @_;

    my $strace = delete $self->{strace} or return;

    local $?;

    # one that delays a call that will not end cannot let go by itself

    for my $signal ('TERM', 'KILL') {
        kill $signal, $strace;

        for (1 .. 100) {
            return if waitpid($strace, WNOHANG) > 0;
            sleep 0.02;
        }
    }
}


sub DESTROY {
    $_[0]->stop;
}

1;
