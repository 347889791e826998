package Clockodo::Http2;

# Frames of HTTP/2, made one by one so that they can be cut, mixed and broken
# at will:
#
#     preface()                           # what a client begins with
#     headers($stream, $flags, ':path' => '/x', ...)    # a POST
#     body($stream, $text, $size, $empty) # DATA frames of that size, a list
#     data($stream, $flags, $text); frame($type, $flags, $stream, $payload)
#
#     my ($type, $flags, $stream, $payload) = take_frame(\$in);
#     status($payload)                    # in a HEADERS frame of nginx's
#
#     use Clockodo::Http2 qw(:DEFAULT h2 ping replies);
#
#     my $client = h2($nginx);            # a Clockodo::Client that has begun
#     ping($client)                       # "pong" or "closed"
#     replies($client, @streams)          # their statuses, a hash
#
# Types and flags are those of RFC 9113, section 6.

use strict;
use warnings;

use Clockodo::Client;
use Exporter qw(import);


use constant { DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4,
               PING => 6, GOAWAY => 7, WINDOW_UPDATE => 8,
               END_STREAM => 1, ACK => 1, END_HEADERS => 4 };

our @EXPORT = qw(DATA HEADERS RST_STREAM SETTINGS PING GOAWAY WINDOW_UPDATE
                 END_STREAM ACK END_HEADERS
                 preface frame headers data body take_frame status);
our @EXPORT_OK = qw(h2 ping replies);


# what nginx takes from the static table of RFC 7541, appendix A

my %indexed = (0x88 => 200, 0x89 => 204, 0x8a => 206, 0x8b => 304,
               0x8c => 400, 0x8d => 404, 0x8e => 500);


sub preface {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(SETTINGS, 0, 0, '');
}


sub frame {
    my ($type, $flags, $stream, $payload) = @_;

    return pack('CnCCN', length($payload) >> 16, length($payload) & 0xffff,
                $type, $flags, $stream) . $payload;
}


# literals without indexing, as RFC 7541, section 6.2.2, has them

sub headers {
    my ($stream, $flags, %change) = @_;

    my %value = (
        ':method'      => 'POST',
        ':path'        => '/hook',
        ':scheme'      => 'http',
        ':authority'   => 'localhost',
        'content-type' => 'application/json',
        %change);

    # those with a colon have to come first

    return frame(HEADERS, END_HEADERS | $flags, $stream,
                 join '', map { pack 'C C/a C/a', 0, $_, $value{$_} }
                          sort keys %value);
}


sub data {
    my ($stream, $flags, $body) = @_;

    return frame(DATA, $flags, $stream, $body);
}


# a body in frames of this size, the last of them or an empty one ends it

sub body {
    my ($stream, $body, $size, $empty) = @_;

    my @parts = unpack "(a$size)*", $body;
    my $last = $empty || !@parts ? '' : pop @parts;

    return (map { data($stream, 0, $_) } @parts),
           data($stream, END_STREAM, $last);
}


# Takes the first frame of what has come, nothing if it is not all there.

sub take_frame {
    my ($in) = @_;

    return if length $$in < 9;

    my ($high, $low, $type, $flags, $stream) = unpack 'CnCCN', $$in;
    my $length = ($high << 16) + $low;

    return if length $$in < 9 + $length;

    substr $$in, 0, 9, '';

    return $type, $flags, $stream, substr $$in, 0, $length, '';
}


sub status {
    my ($payload) = @_;

    # behind a new size of the table

    $payload =~ s/\A[\x20-\x3f]+//;

    my $first = ord $payload;

    # 0x48: a literal, named by ":status" of the static table

    return $first == 0x48 ? substr $payload, 2, 3 : $indexed{$first};
}


sub h2 {
    my ($nginx) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(preface());

    return $client;
}


# Whether a connection is answered.

sub ping {
    my ($client) = @_;

    $client->send(frame(PING, 0, 0, 'whatever'));

    while ($client->fill) {
        while (my ($type, $flags) = take_frame(\$client->{in})) {
            return 'pong' if $type == PING && $flags & ACK;
        }
    }

    return 'closed';
}


sub replies {
    my ($client, @streams) = @_;

    my %reply;

    while (grep { !$reply{$_} } @streams) {
        $client->fill or last;

        while (my ($type, $flags, $stream, $payload)
               = take_frame(\$client->{in}))
        {
            $reply{$stream} = status($payload) if $type == HEADERS;
        }
    }

    return \%reply;
}


1;
