package Clockodo::Ledger;

# An application that writes the entity id of each event into a file before it
# answers 200, so that what it has got is known whatever becomes of it:
#
#     my $ledger = Clockodo::Ledger->start;
#
#     $ledger->path           # of its unix socket, for "proxy_pass"
#     $ledger->signal('STOP'); $ledger->signal('CONT');
#     $ledger->kill; $ledger->listen;
#     $ledger->ids            # what it has got, in the order of arrival
#
# It stops when the object goes.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();


sub start {
    my ($class) = @_;

    # one that nginx's workers may enter

    my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;

    my $self = bless { dir => $dir, path => "$dir/app.sock" }, $class;

    $self->listen;

    return $self;
}


sub listen {
    my ($self) = @_;

    my $server = IO::Socket::UNIX->new(Local => $self->{path}, Listen => 1024)
        or die "$self->{path}: $!\n";
    chmod 0666, $self->{path};

    my $parent = $$;

    $self->{pid} = fork // die "fork: $!\n";

    if ($self->{pid} == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        eval { $self->serve($server, $parent) };
        POSIX::_exit(1);
    }
}


sub path { $_[0]{path} }


sub signal {
    my ($self, $signal) = @_;

    CORE::kill $signal, $self->{pid};
}


# At once, and nobody listens any more.

sub kill {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;

    local $?;

    CORE::kill 'KILL', $pid;
    waitpid $pid, 0;
    unlink $self->{path};
}


sub DESTROY {
    $_[0]->kill;
}


sub ids {
    my ($self) = @_;

    open my $fh, '<', "$self->{dir}/ids" or return;
    chomp(my @ids = <$fh>);

    return @ids;
}


sub serve {
    my ($self, $server, $parent) = @_;

    open my $ids, '>>', "$self->{dir}/ids" or die "ids: $!\n";

    my $select = IO::Select->new($server);
    my %in;

    local $SIG{PIPE} = 'IGNORE';

    # it ends with the test as well

    while (getppid == $parent) {
        for my $socket ($select->can_read(1)) {

            if ($socket == $server) {
                my $client = $server->accept or next;
                $select->add($client);
                $in{$client} = '';
                next;
            }

            # the head is enough: it has the id

            if (sysread $socket, $in{$socket}, 65536, length $in{$socket}) {
                next unless $in{$socket} =~ /\r\n\r\n/;

                my ($id) = $in{$socket} =~ /^X-Clockodo-Entity-Id: (\d+)\r$/m;

                syswrite $ids, ($id // 'none') . "\n";
                syswrite $socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                  . "Connection: close\r\n\r\n";
            }

            $select->remove($socket);
            delete $in{$socket};
            close $socket;
        }
    }
}


1;
