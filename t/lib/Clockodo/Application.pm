package Clockodo::Application;

# An application behind the edge that does what it is told to:
#
#     my $app = Clockodo::Application->start;
#
#     $app->path              # of its unix socket, for "proxy_pass"
#     $app->answer('500');    # from now on; "200" at first
#     $app->calls             # what has come: "event" or "event duplicate"
#     $app->stop; $app->listen;
#
# Besides a status it can answer "close": the connection is closed without a
# reply; "stall": nothing, until the answer is another one, which it then
# gives.  It stops when the test does, in whatever way that ends.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep);


sub start {
    my ($class) = @_;

    # one that nginx's workers may enter

    my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;

    my $self = bless { dir => $dir, path => "$dir/app.sock" }, $class;

    save("$dir/calls", '');
    $self->answer('200');
    $self->listen;

    return $self;
}


sub listen {
    my ($self) = @_;

    my $server = IO::Socket::UNIX->new(Local => $self->{path}, Listen => 256)
        or die "$self->{path}: $!\n";
    chmod 0666, $self->{path};

    pipe my $end, my $alive or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";

    if ($pid) {
        @{$self}{qw(pid alive)} = ($pid, $alive);
        return;
    }

    setpgrp;
    $SIG{TERM} = 'DEFAULT';
    close $alive;
    $self->serve($server, $end);
    POSIX::_exit(0);
}


sub stop {
    my ($self) = @_;

    kill '-TERM', $self->{pid};
    waitpid delete $self->{pid}, 0;
    unlink $self->{path};
}


sub path { $_[0]{path} }


sub answer {
    my ($self, $answer) = @_;

    save("$self->{dir}/new", $answer);
    rename "$self->{dir}/new", "$self->{dir}/answer";
}


sub calls {
    my ($self) = @_;

    return split /\n/, load("$self->{dir}/calls");
}


# A process for each connection; all end with the test, whose end of the pipe
# closes then.

sub serve {
    my ($self, $server, $end) = @_;

    my $select = IO::Select->new($server, $end);

    local $SIG{PIPE} = 'IGNORE';

    while (!grep { $_ == $end } $select->can_read) {
        my $client = $server->accept or next;
        my $pid = fork // die "fork: $!\n";

        if ($pid == 0) {
            close $server;
            $self->reply($client, $end);
            POSIX::_exit(0);
        }

        1 while waitpid(-1, WNOHANG) > 0;
    }

    1 while wait > 0;
}


sub reply {
    my ($self, $client, $end) = @_;

    my $request = '';

    until ($request =~ /\r\n\r\n/) {
        sysread $client, $request, 65536, length $request or return;
    }

    my ($event) = $request =~ /^X-Clockodo-Event: (.*)\r$/m;
    my ($mark) = $request =~ /^X-Clockodo-Duplicate: (.*)\r$/m;

    open my $fh, '>>', "$self->{dir}/calls" or return;
    syswrite $fh, ($event // '-') . ($mark ? " duplicate $mark" : '') . "\n";
    close $fh;

    my $ended = IO::Select->new($end);
    my $answer;

    while (($answer = load("$self->{dir}/answer")) eq 'stall') {
        return if $ended->can_read(0.01);
    }

    return if $answer eq 'close';

    syswrite $client, "HTTP/1.1 $answer X\r\nConnection: close\r\n"
                      . ($answer eq '204' ? '' : "Content-Length: 0\r\n")
                      . "\r\n";
}


sub save {
    my ($file, $text) = @_;

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $text;
    close $fh or die "$file: $!\n";
}


sub load {
    my ($file) = @_;

    open my $fh, '<', $file or die "$file: $!\n";
    local $/;

    return <$fh> // '';
}


1;
