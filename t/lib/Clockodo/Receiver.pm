package Clockodo::Receiver;

# An application, reached by HTTP, that behaves as a function says:
#
#     my $receiver = Clockodo::Receiver->start(sub {
#         my ($request, $n, $key) = @_;   # the n-th one with that key
#         return 200;
#     });
#
#     my $receiver = Clockodo::Receiver->start;
#     $receiver->answer(500);             # from now on; 200 at first
#
#     $receiver->url, $receiver->port
#     $receiver->calls      # hashes: key, answer, n, overlap, request
#     $receiver->stop; $receiver->listen;
#
# The function returns a status; or an array of it and lines of headers; or
#
#     close      no answer
#     half       the connection breaks off amid the header
#     cut        a 200 whose body breaks off
#     stall      no answer, until the client has gone
#     drip       a header that comes byte by byte and has no end
#     pour       a 200 whose body has no end
#
# "overlap" is 1 if another request with the same key was open meanwhile.  What
# comes is written down before it is answered.  It stops when the test does.

use strict;
use warnings;

use Errno qw(EAGAIN EINTR);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX ();


$SIG{$_} ||= sub { exit 1 } for qw(INT TERM HUP);


sub start {
    my ($class, $behave, %arg) = @_;

    my $self = bless { behave => $behave, owner => $$,
                       dir => tempdir(CLEANUP => 1), %arg }, $class;

    $self->answer(200);
    $self->{behave} ||= sub { $self->answer };

    open my $out, '>', "$self->{dir}/calls" or die "calls: $!\n";
    $self->listen;

    return $self;
}


sub url  { "http://127.0.0.1:$_[0]{port}/hook?a=1" }
sub port { $_[0]{port} }


# The process that answers is another one.

sub answer {
    my ($self, @answer) = @_;

    return readlink "$self->{dir}/answer" if !@answer;

    symlink $answer[0], "$self->{dir}/new" or die "answer: $!\n";
    rename "$self->{dir}/new", "$self->{dir}/answer";
}


sub listen {
    my ($self) = @_;

    my $server;

    for (1 .. 100) {
        $server = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', Listen => 256, ReuseAddr => 1,
            LocalPort => $self->{port} || 0) and last;
        select undef, undef, undef, 0.05;
    }

    $server or die "port $self->{port}: $!\n";
    $self->{port} = $server->sockport;

    pipe my $end, my $alive or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";

    if ($pid) {
        @{$self}{qw(pid alive)} = ($pid, $alive);
        return;
    }

    $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP);
    $SIG{PIPE} = 'IGNORE';
    close $alive;
    $self->serve($server, $end);
    POSIX::_exit(0);
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;

    return if $self->{owner} != $$;

    local $?;
    kill 'KILL', $pid;
    waitpid $pid, 0;
}


sub DESTROY {
    $_[0]->stop;
}


sub calls {
    my ($self) = @_;

    open my $in, '<', "$self->{dir}/calls" or die "calls: $!\n";
    local $/ = "\0\0\n";

    return map {
        chomp;
        my %call;
        @call{qw(key answer n overlap request)} = split /\0/, $_, 5;
        \%call;
    } <$in>;
}


sub serve {
    my ($self, $server, $end) = @_;

    my $select = IO::Select->new($server, $end);
    my (%request, %open, %times, %drip);

    open my $out, '>>', "$self->{dir}/calls" or die "calls: $!\n";
    binmode $out;

    my $forget = sub {
        my ($client) = @_;

        delete $open{$client};
        delete $drip{$client};
        delete $request{$client};
        $select->remove($client);
        close $client;
    };

    while (1) {
        for my $client ($select->can_read(%drip ? 0.02 : 1)) {
            return if $client == $end;

            if ($client == $server) {
                my $new = $server->accept or next;
                $new->blocking(0);
                $select->add($new);
                $request{$new} = '';
                next;
            }

            my $n = sysread $client, $request{$client}, 65536,
                            length $request{$client};

            next if !defined $n && ($! == EAGAIN || $! == EINTR);
            $forget->($client), next if !$n;

            # what comes while there is no answer is none of ours

            next if exists $open{$client};

            my ($head, $body) = split /\r\n\r\n/, $request{$client}, 2;
            my ($length) = $head =~ /^Content-Length: (\d+)/mi;

            next if !defined $body || length $body < $length;

            my ($key) = $head =~ /^X-Clockodo-Idempotency-Key: (\S+)/mi;
            $key //= '';

            my $answer = $self->{behave}->($request{$client}, ++$times{$key},
                                           $key);
            my $overlap = grep { $_ eq $key } values %open;

            syswrite $out, join("\0", $key, ref $answer ? $answer->[0] : $answer,
                                $times{$key}, $overlap, $request{$client})
                           . "\0\0\n";

            $request{$client} = '';
            $open{$client} = $key;

            if ($answer eq 'stall') {
                next;
            }

            if ($answer eq 'drip' || $answer eq 'pour') {
                syswrite $client, "HTTP/1.1 200 OK\r\n"
                    . ($answer eq 'pour' ? "\r\n" : 'X-Drip: ');
                $drip{$client} = $client;
                next;
            }

            if ($answer =~ /^(?:close|half|cut)$/) {
                syswrite $client, "HTTP/1.1 200 OK\r\nContent-Len"
                    if $answer eq 'half';
                syswrite $client, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na"
                    if $answer eq 'cut';
                $forget->($client);
                next;
            }

            my ($status, @headers) = ref $answer ? @$answer : $answer;

            syswrite $client, join("\r\n", "HTTP/1.1 $status Text",
                                   'Content-Length: 2', @headers, '', 'ok');
            delete $open{$client};
        }

        for my $client (values %drip) {
            defined syswrite $client, 'a' or $forget->($client);
        }
    }
}

1;
