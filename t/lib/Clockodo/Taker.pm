package Clockodo::Taker;

# A client and, in the same process, the application that its request is
# forwarded to: what the one is told and what the other has got by then is
# known without waiting.
#
#     my $taker = Clockodo::Taker->start;
#
#     $taker->path                    # of its unix socket, for "proxy_pass"
#     my $reply = $taker->request($nginx->port, $uri, $body,
#                                 method => 'PUT', headers => [ ... ]);
#     $taker->connect_http2($path);   # to a unix socket
#     my $reply = $taker->request_http2($path, $uri, $body);
#     $reply->{status}, $reply->{body}
#     $taker->taken($id)              # the request with that id, if it has come
#
# The status is "none" if the connection is closed before the reply is all
# there, and "hangs" if nothing comes.  An id is that of an event, or N of the
# secret "s-N".

use strict;
use warnings;

use Clockodo::Client qw(post chunked);
use Clockodo::Http2;
use Errno qw(EAGAIN EINTR);
use File::Temp;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);


my $patience = 10;


sub start {
    my ($class) = @_;

    # one that nginx's workers may enter

    my $dir = File::Temp->newdir('clockodo.XXXXXX', TMPDIR => 1);
    chmod 0755, $dir;

    my $path = "$dir/app.sock";
    my $listening = IO::Socket::UNIX->new(Local => $path, Listen => 64)
        or die "$path: $!\n";
    chmod 0666, $path;

    return bless { dir => $dir, path => $path, listening => $listening,
                   taken => {} }, $class;
}


sub path  { $_[0]{path} }
sub taken { $_[0]{taken}{$_[1]} }


sub request {
    my ($self, $port, $uri, $body, %arg) = @_;

    my @headers = ('Connection: close', @{$arg{headers} || []});
    my $chunked = grep { /^Transfer-Encoding:/ } @headers;

    my $text = post($chunked ? chunked($body, 100) : $body, @headers);

    $text =~ s{^POST /hook}{($arg{method} || 'POST') . " $uri"}e;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port)
        or return { status => 'no connection' };

    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    syswrite $socket, $text;

    my $in = $self->exchange($socket);

    return { status => 'hangs' } if !defined $in;

    my ($head, $reply) = split /\r\n\r\n/, $in, 2;

    return { status => 'none' } if !defined $reply;

    my ($status) = $head =~ m{^HTTP/1\.1 (\d+)};
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;

    return { status => 'none' } if length $reply < ($length // 0);

    return { status => $status, body => $reply };
}


# Returns once nginx has said something.

sub connect_http2 {
    my ($self, $path) = @_;

    my $socket = IO::Socket::UNIX->new(Peer => $path) or return;

    syswrite $socket, preface();
    IO::Select->new($socket)->can_read($patience);

    return $self->{http2} = $socket;
}


# One stream, over that connection or another one, which is closed after it.

sub request_http2 {
    my ($self, $path, $uri, $body) = @_;

    my $socket = $self->{http2} || $self->connect_http2($path)
        or return { status => 'no connection' };

    delete $self->{http2};

    syswrite $socket, headers(1, 0, ':path' => $uri)
                      . data(1, END_STREAM, $body);

    # where memory fails, nginx can leave its reply in the queue of frames until
    # there is another one: a client that hears nothing asks for that

    my $in = $self->exchange($socket, sub { stream($_[0])->{ended} },
                             frame(PING, 0, 0, 'whatever'));

    return { status => 'hangs' } if !defined $in;

    my $reply = stream($in);

    return $reply->{whole} ? $reply : { status => 'none' };
}


# What has come of it.

sub stream {
    my ($in) = @_;

    my %reply = (body => '');

    while (my ($type, $flags, $stream, $payload) = take_frame(\$in)) {
        next if $stream != 1;

        $reply{status} = status($payload) if $type == HEADERS;
        $reply{body} .= $payload if $type == DATA;
        $reply{whole} = 1
            if ($type == HEADERS || $type == DATA) && $flags & END_STREAM;
        $reply{ended} = 1 if $reply{whole} || $type == RST_STREAM;
    }

    return \%reply;
}


# All that comes until nginx closes the connection, or that is enough; or undef.
# What is asked is sent when nothing comes for a second.

sub exchange {
    my ($self, $socket, $enough, $ask) = @_;

    my $select = IO::Select->new($socket, $self->{listening});
    my $until = time + $patience;
    my ($in, %in) = '';

    while (time < $until) {
        my @ready = $select->can_read($ask ? 1 : $until - time);

        syswrite $socket, $ask if !@ready && $ask;

        for my $from (@ready) {

            if ($from == $self->{listening}) {
                my $new = $from->accept or next;

                $new->blocking(0);
                $select->add($new);
                $in{$new} = '';
                next;
            }

            my $text = $from == $socket ? \$in : \$in{$from};
            my $n = sysread $from, $$text, 65536, length $$text;

            next if !defined $n && ($! == EAGAIN || $! == EINTR);

            if ($from == $socket) {
                return $in if !$n || $enough && $enough->($in);

            } elsif (!$n || $self->take($$text)) {
                syswrite $from, "HTTP/1.1 200 X\r\nConnection: close\r\n"
                                . "Content-Length: 0\r\n\r\n" if $n;
                $select->remove($from);
                close $from;
            }
        }
    }

    return undef;
}


# Whether there is all of a request, which is then taken.

sub take {
    my ($self, $text) = @_;

    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;

    return 0 if !defined $body || length $body < ($length // 0);

    $self->{taken}{$1} = $text
        if $body =~ /"(?:id":|number":|secret":"s-)(\d+)/;

    return 1;
}

1;
