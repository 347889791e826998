package Clockodo::Wire;

# An upstream server that keeps its connections, answers as soon as it knows
# what it is asked for, and remembers every byte that it was told:
#
#     my $wire = Clockodo::Wire->start('http');      # fastcgi, scgi, uwsgi
#
#     $wire->path         # of its unix socket
#     $wire->calls        # since this was called last: "URI EVENT LENGTH", or
#                         # "URI EVENT LENGTH of N" if N bytes were announced
#                         # and others have come
#
# It believes what it is told: a body that was announced and does not come is
# waited for, and what comes next on that connection is taken for it.  The
# answer is "URI EVENT", as it was understood; to a URI that begins with
# "/slow" it comes later.  It stops when the test does, in whatever way that
# ends.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes qw(sleep time);


my %protocols = (
    http    => [\&http, \&http_answer],
    fastcgi => [\&fastcgi, \&fastcgi_answer],
    scgi    => [\&scgi, \&http_answer],
    uwsgi   => [\&uwsgi, \&http_answer],
);

my @alive;


sub start {
    my ($class, $protocol) = @_;

    # one that nginx's workers may enter

    my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;

    my $self = bless { path => "$dir/wire.sock", file => "$dir/told",
                       told => [], calls => [], at => 0 }, $class;

    @{$self}{qw(take answer)} = @{$protocols{$protocol}};

    my $server = IO::Socket::UNIX->new(Local => $self->{path}, Listen => 64)
        or die "$self->{path}: $!\n";
    chmod 0666, $self->{path};

    pipe my $end, my $alive or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";

    if ($pid) {
        push @alive, $alive;
        return $self;
    }

    close $_ for $alive, @alive;
    eval { $self->serve($server, $end) };
    warn $@ if $@;

    # without the clean-up of the test that it was forked from

    require POSIX;
    POSIX::_exit(0);
}


sub path { $_[0]{path} }


# The other end of the pipe closes when the test is gone.

sub serve {
    my ($self, $server, $end) = @_;

    my $select = IO::Select->new($server, $end);
    my (%told, @answers);
    my $n = 0;

    local $SIG{PIPE} = 'IGNORE';

    while (1) {
        my $due = @answers ? $answers[0][0] - time : undef;

        for my $socket ($select->can_read($due && $due < 0 ? 0 : $due)) {
            return if $socket == $end;

            if ($socket == $server) {
                my $client = $server->accept or next;

                $select->add($client);
                $told{$client} = { n => $n++ };
                next;
            }

            my $told = $told{$socket};

            my $bytes;

            if (!sysread $socket, $bytes, 65536) {
                $select->remove($socket);
                delete $told{$socket};
                close $socket;
                next;
            }

            # what it was told is there before it answers

            append($self->{file}, pack 'N N/a*', $told->{n}, $bytes);

            push @answers, map { [time + ($_->{uri} =~ m{^/slow} ? 0.1 : 0),
                                  $socket, $self->{answer}->($_)] }
                           $self->hear($told, $bytes);
        }

        @answers = sort { $a->[0] <=> $b->[0] } @answers;

        while (@answers && $answers[0][0] <= time) {
            my (undef, $socket, $text) = @{shift @answers};

            syswrite $socket, $text if $socket->opened;
        }
    }
}


# Takes more of what comes on a connection; returns the calls that begin there.

sub hear {
    my ($self, $told, $bytes) = @_;

    my $calls = $told->{calls} //= [];
    my $n = @$calls;

    $told->{in} .= $bytes;

    1 while $self->{take}->($told, \$told->{in});

    return @$calls[$n .. $#$calls];
}


sub calls {
    my ($self) = @_;

    # the last bytes may still be on their way

    for (1 .. 100) {
        $self->listen;

        last unless grep { !$_->{done} } @{$self->{calls}};
        sleep 0.005;
    }

    return (map { said($_) } splice @{$self->{calls}}),
           map { length($_->{in}) . ' bytes of no call' }
           grep { length $_->{in} } @{$self->{told}};
}


sub said {
    my ($call) = @_;

    my $length = length $call->{body};

    return "$call->{uri} $call->{event} $length"
           . ($call->{done} && $length == ($call->{announced} || 0)
              ? '' : ' of ' . ($call->{announced} // '?'));
}


# Reads what has come to the server's file: the number of a connection, a length
# and so many bytes, time and again.

sub listen {
    my ($self) = @_;

    open my $fh, '<:raw', $self->{file} or return;
    seek $fh, $self->{at}, 0;
    read $fh, my $new, -s $fh;
    close $fh;

    while (length $new >= 8) {
        my ($n, $length) = unpack 'NN', $new;

        last if length $new < 8 + $length;

        push @{$self->{calls}},
             $self->hear($self->{told}[$n] //= {}, substr $new, 8, $length);

        substr $new, 0, 8 + $length, '';
        $self->{at} += 8 + $length;
    }
}


sub append {
    my ($file, $bytes) = @_;

    open my $fh, '>>:raw', $file or die "$file: $!\n";
    syswrite $fh, $bytes;
    close $fh;
}


# A step in what comes, false if there is nothing for one.

sub http {
    my ($told, $in) = @_;

    return body($told, $in) if $told->{left};

    if ($told->{chunked}) {
        $$in =~ s/\A(?:\r\n)?([0-9a-f]+)\r\n//i or return 0;

        $told->{left} = hex $1;

        if ($told->{left} == 0) {
            $told->{chunked} = 0;
            $$in =~ s/\A\r\n//;
            end($told);
        }

        return 1;
    }

    $$in =~ s/\A([^\r\n]+)\r\n(.*?\r\n)\r\n//s or return 0;

    my ($line, $head) = ($1, $2);
    my ($uri) = $line =~ /^\S+ (\S+) HTTP/;
    my %value = map { /^(.*?): ?(.*)/ ? (lc $1 => $2) : () }
                split /\r\n/, $head;

    $told->{chunked} = ($value{'transfer-encoding'} || '') eq 'chunked';

    begin($told, $uri // "($line)", $value{'x-clockodo-event'},
          $value{'content-length'});

    return 1;
}


# https://fastcgi-archives.github.io/FastCGI_Specification.html

sub fastcgi {
    my ($told, $in) = @_;

    return 0 if length $$in < 8;

    my (undef, $type, undef, $length, $pad) = unpack 'CCnnCx', $$in;

    return 0 if length $$in < 8 + $length + $pad;

    my $data = substr $$in, 8, $length;

    substr $$in, 0, 8 + $length + $pad, '';

    if ($type == 4) {
        if ($length) {
            $told->{params} .= $data;

        } else {
            my %value;
            my $params = delete $told->{params};

            while (length $params) {
                my ($name, $value) = map { size(\$params) } 1 .. 2;

                $name = substr $params, 0, $name, '';
                $value{$name} = substr $params, 0, $value, '';
            }

            variables($told, %value);
            @{$told->{calls}[-1]}{qw(announced done)}
                = ($value{CONTENT_LENGTH}, 0);
            $told->{left} = 0;
        }

    } elsif ($type == 5) {
        $told->{calls}[-1]{body} .= $data;
        $told->{calls}[-1]{done} = 1 if $length == 0;
    }

    return 1;
}


sub size {
    my ($params) = @_;

    my $n = ord $$params;

    return unpack('N', substr $$params, 0, 4, '') & 0x7fffffff if $n > 127;

    substr $$params, 0, 1, '';

    return $n;
}


# https://python.ca/scgi/protocol.txt

sub scgi {
    my ($told, $in) = @_;

    return body($told, $in) if $told->{left};

    my ($length) = $$in =~ /\A(\d+):/ or return 0;

    return 0 if length $$in < length($length) + 2 + $length;

    substr $$in, 0, length($length) + 1, '';
    variables($told, split /\0/, substr($$in, 0, $length, ''), -1);
    substr $$in, 0, 1, '';

    return 1;
}


# https://uwsgi-docs.readthedocs.io/en/latest/Protocol.html

sub uwsgi {
    my ($told, $in) = @_;

    return body($told, $in) if $told->{left};
    return 0 if length $$in < 4;

    my (undef, $length) = unpack 'CvC', $$in;

    return 0 if length $$in < 4 + $length;

    variables($told, unpack '(v/a)*', substr $$in, 4, $length);
    substr $$in, 0, 4 + $length, '';

    return 1;
}


sub variables {
    my ($told, @pairs) = @_;

    push @pairs, '' if @pairs % 2;

    my %value = @pairs;

    begin($told, $value{REQUEST_URI}, $value{HTTP_X_CLOCKODO_EVENT},
          $value{CONTENT_LENGTH});
}


sub begin {
    my ($told, $uri, $event, $announced) = @_;

    push @{$told->{calls}}, { uri => $uri, event => $event // '-', body => '',
                              announced => $announced };

    $told->{left} = $announced || 0;

    end($told) unless $told->{left} || $told->{chunked};
}


sub body {
    my ($told, $in) = @_;

    return 0 if $$in eq '';

    my $part = substr $$in, 0, $told->{left}, '';

    $told->{calls}[-1]{body} .= $part;
    $told->{left} -= length $part;

    end($told) unless $told->{left} || $told->{chunked};

    return 1;
}


sub end {
    my ($told) = @_;

    my $call = $told->{calls}[-1];

    $call->{announced} //= length $call->{body};
    $call->{done} = 1;
}


sub http_answer {
    my ($call) = @_;

    my $text = "$call->{uri} $call->{event}\n";

    return "HTTP/1.1 200 OK\r\nContent-Length: " . length($text)
           . "\r\n\r\n$text";
}


sub fastcgi_answer {
    my ($call) = @_;

    my $text = "Status: 200 OK\r\n\r\n$call->{uri} $call->{event}\n";

    return pack('CCnnCxa*', 1, 6, 1, length $text, 0, $text)
           . pack('CCnnCx', 1, 6, 1, 0, 0)
           . pack('CCnnCxx8', 1, 3, 1, 8, 0);
}


1;
