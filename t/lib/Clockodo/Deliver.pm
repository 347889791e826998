package Clockodo::Deliver;

# bin/clockodo-deliver, at work or asked once:
#
#     my $worker = Clockodo::Deliver->start('--spool', $dir, '--url', $url);
#     my $worker = Clockodo::Deliver->start_by(['ip', 'netns', ...], ...);
#
#     $worker->log, $worker->wait_for_log(qr/.../)
#     $worker->stop         # by SIGTERM, or another signal: its status
#     $worker->wait         # until it exits: its status
#
#     my ($status, $out, $err) = deliver_once('list', '--spool', $dir);
#
# It stops when the object goes, also if the test dies.

use strict;
use warnings;

use Exporter qw(import);
use File::Temp qw(tempdir);
use POSIX qw(WNOHANG);
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep time);


our @EXPORT = qw(deliver_once slurp wait_until);

my $program = 'bin/clockodo-deliver';
my $dir = tempdir(CLEANUP => 1);
my $started = 0;
my %running;

$SIG{$_} ||= sub { exit 1 } for qw(INT TERM HUP);

END {
    local $?;
    $_ && $_->stop('KILL') for values %running;
}


sub start {
    my ($class, @words) = @_;

    return $class->start_by([], @words);
}


# The wrapper is a command that execs the program.

sub start_by {
    my ($class, $wrapper, @words) = @_;

    my $self = bless { log => "$dir/log." . ++$started, owner => $$ }, $class;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', $self->{log};
        open STDERR, '>&', \*STDOUT;
        exec @$wrapper, $program, @words or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    weaken($running{$pid} = $self);

    return $self;
}


sub pid { $_[0]{pid} }
sub log { slurp($_[0]{log}) }


sub wait_for_log {
    my ($self, $want) = @_;

    return wait_until(sub { $self->log =~ $want }) || do {
        Test::More::diag($self->log);
        0;
    };
}


sub stop {
    my ($self, $signal) = @_;

    return if !$self->{pid} || $self->{owner} != $$;

    local $?;
    kill $signal || 'TERM', $self->{pid};

    return $self->wait;
}


# What took too long is killed: its status then is 9.

sub wait {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;
    my $end = time + 60;

    delete $running{$pid};

    local $?;

    until (waitpid $pid, WNOHANG) {
        kill 'KILL', $pid if time > $end;
        sleep 0.01;
    }

    return $?;
}


sub DESTROY {
    $_[0]->stop('KILL');
}


sub deliver_once {
    my (@words) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        exec $program, @words or POSIX::_exit(127);
    }

    local $?;
    waitpid $pid, 0;

    return ($? >> 8, slurp("$dir/out"), slurp("$dir/err"));
}


sub slurp {
    my ($file) = @_;

    open my $in, '<', $file or return '';
    local $/;

    return scalar(<$in>) // '';
}


# Until a function returns something true, which is returned, or 0 in the end.

sub wait_until {
    my ($done, $seconds) = @_;

    my $end = time + ($seconds || 30);

    while (time < $end) {
        my $got = $done->();
        return $got if $got;
        sleep 0.01;
    }

    return 0;
}

1;
