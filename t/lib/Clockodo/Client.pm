package Clockodo::Client;

# A client on a bare socket: it decides itself which bytes go into a segment,
# and sees all that comes back.
#
#     my $client = Clockodo::Client->new($nginx->port, $nginx->worker);
#     $client->send($text, ...);          # a segment each
#     my $reply = $client->reply;         # status, header, headers, body
#     $client->closed                     # whether nginx has closed it
#
# over a socket that is connected already:
#
#     my $client = Clockodo::Client->over($socket, $nginx->worker);
#
# or the server of a connection that nginx has made:
#
#     my $server = Clockodo::Client->accept($listening, $nginx->worker);
#     my $text = $server->receive(qr/.../);
#
# Segments need the id of the one worker: the next one goes out when it sleeps
# again, or is dead.

use strict;
use warnings;

use Clockodo ();
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP SO_LINGER SOL_SOCKET TCP_NODELAY);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(post chunked deliver);


my $timeout = 10;

$SIG{PIPE} = 'IGNORE';


# A request; headers are whole lines.  Without "chunked" in them it gets a
# Content-Length.

sub post {
    my ($body, @headers) = @_;

    my $chunked = grep { /^Transfer-Encoding:/i } @headers;

    unshift @headers, 'Host: localhost',
            grep { my ($name) = /^(.*?):/;
                   !grep { /^\Q$name\E:/i } @headers }
                 'Content-Type: application/json',
                 $chunked ? () : 'Content-Length: ' . length $body;

    return join "\r\n", 'POST /hook HTTP/1.1', @headers, '', $body;
}


# Sends an event to that location, over a connection of its own; what is given
# is for event().  Returns the reply.

sub deliver {
    my ($nginx, $uri, @event) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(Clockodo::event(@event)) =~ s{/hook}{$uri}r);

    return $client->reply;
}


# The chunked form of a body, in chunks of $size bytes.

sub chunked {
    my ($body, $size) = @_;

    $size ||= length $body || 1;

    return join '', (map { sprintf "%x\r\n%s\r\n", length, $_ }
                     unpack "(a$size)*", $body), "0\r\n\r\n";
}


sub new {
    my ($class, $port, $worker) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port)
        or die "cannot connect: $!\n";

    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;

    return $class->over($socket, $worker);
}


sub over {
    my ($class, $socket, $worker) = @_;

    $socket->blocking(0);

    return bless { socket => $socket, worker => $worker, in => '' }, $class;
}


sub accept {
    my ($class, $listening, $worker) = @_;

    IO::Select->new($listening)->can_read($timeout)
        or die "nginx does not connect\n";

    my $socket = $listening->accept or die "cannot accept: $!\n";

    return $class->over($socket, $worker);
}


# Returns how many bytes went out before nginx closed the connection.

sub send {
    my ($self, @parts) = @_;

    my $sent = 0;
    my $until = time + $timeout;

    while (defined(my $part = shift @parts)) {
        my $sleeps = @parts ? $self->sleeps : 0;

        while (length $part) {
            my $n = syswrite $self->{socket}, $part;

            if (!defined $n) {
                return $sent unless $!{EAGAIN};

                my $select = IO::Select->new($self->{socket});

                $select->can_write($timeout) or die "nginx does not read\n";
                next;
            }

            $sent += $n;
            substr $part, 0, $n, '';
        }

        while (@parts && $self->sleeps <= $sleeps) {
            return $sent unless -e "/proc/$self->{worker}";
            die "nginx does not wake\n" if time > $until;
        }
    }

    return $sent;
}


# How often the worker has gone to sleep, if it sleeps now.

sub sleeps {
    my ($self) = @_;

    open my $fh, '<', "/proc/$self->{worker}/status" or return 0;
    local $/;

    # nothing comes if it has just died

    my $status = <$fh> // '';
    my ($sleeps) = $status
                   =~ /^State:\s+S.*^voluntary_ctxt_switches:\s+(\d+)/ms;

    return $sleeps || 0;
}


# Waits for more from nginx; false if it has closed the connection.

sub fill {
    my ($self) = @_;

    return 0 if $self->{eof};

    IO::Select->new($self->{socket})->can_read($timeout)
        or die "no reply after $timeout seconds, so far: $self->{in}\n";

    my $n = sysread $self->{socket}, $self->{in}, 65536, length $self->{in};

    $self->{eof} = !$n;

    return $n;
}


# What has come, up to what was asked for.

sub receive {
    my ($self, $end) = @_;

    my $text;

    until (($text) = $self->{in} =~ /\A(.*?$end)/s) {
        $self->fill or die "nginx has closed the connection\n";
    }

    substr $self->{in}, 0, length $text, '';

    return $text;
}


# The next reply, undef if the connection was closed instead.

sub reply {
    my ($self, $head) = @_;

    until ($self->{in} =~ /\r\n\r\n/) {
        $self->fill or return undef;
    }

    $self->{in} =~ s/\A(.*?\r\n)\r\n//s;

    my %reply = (raw => $1);

    ($reply{status}) = $reply{raw} =~ m{\AHTTP/1\.1 (\d+)};

    while ($reply{raw} =~ /^([^:\r\n]+): *(.*?)\r$/mg) {
        push @{$reply{headers}{lc $1}}, $2;
        $reply{header}{lc $1} = $2;
    }

    my $length = $reply{header}{'content-length'};

    if ($head || $reply{status} < 200 || $reply{status} == 204) {
        $length = 0;
    }

    if (defined $length) {
        while (length $self->{in} < $length) {
            $self->fill or last;
        }

        $reply{body} = substr $self->{in}, 0, $length, '';

    } elsif (($reply{header}{'transfer-encoding'} || '') eq 'chunked') {
        until ($self->{in} =~ /(?:\A|\r\n)0\r\n\r\n/) {
            $self->fill or last;
        }

        $reply{body} = '';

        while ($self->{in} =~ s/\A([0-9a-f]+)\r\n//i) {
            my $size = hex $1;

            $reply{body} .= substr $self->{in}, 0, $size, '';
            $self->{in} =~ s/\A\r\n//;
            last if $size == 0;
        }

    } else {
        1 while $self->fill;
        $reply{body} = delete $self->{in};
        $self->{in} = '';
    }

    return \%reply;
}


# Whether there is nothing more and nginx closes the connection.

sub closed {
    my ($self) = @_;

    return length $self->{in} == 0 && !$self->fill;
}


# Whether nothing has come that was not read yet.

sub silent {
    my ($self, $seconds) = @_;

    return $self->{in} eq ''
           && !IO::Select->new($self->{socket})->can_read($seconds || 0);
}


sub close {
    my ($self, $reset) = @_;

    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
        if $reset;

    close delete $self->{socket};
}

1;
