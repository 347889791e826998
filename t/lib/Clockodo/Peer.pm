package Clockodo::Peer;

# Small upstream servers that answer with what they got, so that a test sees
# what went over the wire:
#
#     my $path = Clockodo::Peer::start('http');
#
# gives the path of a unix socket.  "http" answers with the request's bytes;
# "fastcgi", "scgi" and "uwsgi" with a "NAME=value" line for each header X-...
# and webhook-... in the order in which they came, an empty line and the body.
# They stop when the test does, in whatever way it ends.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;

my %answers = (
    http    => \&http,
    fastcgi => \&fastcgi,
    scgi    => \&scgi,
    uwsgi   => \&uwsgi,
);

my ($dir, @alive);


sub start {
    my ($protocol) = @_;

    # one that nginx's workers may enter

    $dir //= tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;

    my $path = "$dir/$protocol.sock";
    my $server = IO::Socket::UNIX->new(Local => $path, Listen => 16)
        or die "$path: $!\n";
    chmod 0666, $path;

    pipe my $end, my $alive or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";

    if ($pid) {
        push @alive, $alive;
        return $path;
    }

    close $_ for $alive, @alive;
    serve($server, $end, $answers{$protocol});

    # without the clean-up of the test that it was forked from

    require POSIX;
    POSIX::_exit(0);
}


# The other end of the pipe closes when the test is gone.

sub serve {
    my ($server, $end, $answer) = @_;
    my $select = IO::Select->new($server, $end);

    local $SIG{PIPE} = 'IGNORE';

    while (1) {
        my @ready = $select->can_read;

        return if grep { $_ == $end } @ready;

        my $client = $server->accept or next;
        eval { print $client $answer->($client) };
        close $client;
    }
}


sub take {
    my ($client, $len) = @_;
    my $data = '';

    while (length $data < $len) {
        read($client, $data, $len - length $data, length $data)
            or die "end of file\n";
    }

    return $data;
}


sub http {
    my ($client) = @_;
    my $got = '';

    $got .= take($client, 1) until $got =~ /\r\n\r\n\z/;
    $got .= take($client, $1) if $got =~ /^Content-Length: (\d+)\r$/m;

    return "HTTP/1.0 200 OK\r\nContent-Length: " . length($got)
           . "\r\n\r\n$got";
}


sub variables {
    my ($variables, $body) = @_;

    return "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"
           . join('', map { "$_->[0]=$_->[1]\n" }
                      grep { $_->[0] =~ /^HTTP_(?:X|WEBHOOK)_/ } @$variables)
           . "\n$body";
}


# https://fastcgi-archives.github.io/FastCGI_Specification.html

sub fastcgi {
    my ($client) = @_;
    my ($params, $stdin, @variables) = ('', '');

    while (1) {
        my (undef, $type, undef, $len, $pad) = unpack 'CCnnCx',
                                                      take($client, 8);
        my $data = take($client, $len);
        take($client, $pad);

        $params .= $data if $type == 4;
        $stdin .= $data if $type == 5;

        last if $type == 5 && $len == 0;
    }

    my $len = sub {
        my $n = unpack 'C', $params;

        return unpack('N', substr $params, 0, 4, '') & 0x7fffffff if $n > 127;

        substr $params, 0, 1, '';
        return $n;
    };

    while (length $params) {
        my ($name, $value) = ($len->(), $len->());
        push @variables, [substr($params, 0, $name, ''),
                          substr($params, 0, $value, '')];
    }

    my $answer = variables(\@variables, $stdin);

    return join('', map { pack 'CCnnCxa*', 1, 6, 1, length, 0, $_ }
                    unpack '(a32768)*', $answer)
           . pack('CCnnCx', 1, 6, 1, 0, 0)
           . pack('CCnnCxx8', 1, 3, 1, 8, 0);
}


# https://python.ca/scgi/protocol.txt

sub scgi {
    my ($client) = @_;
    my $len = '';

    $len .= take($client, 1) until $len =~ s/:\z//;

    my @pairs = split /\0/, take($client, $len), -1;
    my (%value, @variables);

    take($client, 1);

    while (@pairs > 1) {
        push @variables, [splice @pairs, 0, 2];
        $value{$variables[-1][0]} = $variables[-1][1];
    }

    return variables(\@variables, take($client, $value{CONTENT_LENGTH} || 0));
}


# https://uwsgi-docs.readthedocs.io/en/latest/Protocol.html

sub uwsgi {
    my ($client) = @_;
    my (undef, $len) = unpack 'CvC', take($client, 4);
    my @pairs = unpack '(v/a)*', take($client, $len);
    my (%value, @variables);

    while (@pairs) {
        push @variables, [splice @pairs, 0, 2];
        $value{$variables[-1][0]} = $variables[-1][1];
    }

    return variables(\@variables, take($client, $value{CONTENT_LENGTH} || 0));
}


1;
