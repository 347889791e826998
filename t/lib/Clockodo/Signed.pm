package Clockodo::Signed;

# What an application gets that checks signatures by Standard Webhooks, and
# keys to sign with.
#
#     @keys                           # "whsec_..." of 32, 24, 64 and 48 bytes
#     my $got = got($text);           # a request: lists of id, timestamp,
#                                     # signature and all headers; its body
#     signed($got, $keys[0], ...)     # '' if it is signed by each of these, in
#                                     # this order, else what is wrong

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256);
use Exporter qw(import);
use MIME::Base64 qw(decode_base64 encode_base64);


our @EXPORT = qw(@keys got signed);

our @keys = map { 'whsec_' . encode_base64($_, '') }
            pack('C*', 0 .. 31), pack('C*', map { 255 - $_ } 0 .. 23),
            pack('C*', 64 .. 127), pack('C*', 128 .. 175);


# of HTTP, or the "NAME=value" lines of Clockodo::Peer

sub got {
    my ($text) = @_;

    my ($head, $body) = split /\r?\n\r?\n/, $text, 2;
    my %got = (body => $body, headers => []);

    for (split /\r?\n/, $head) {
        my ($name, $value) = /^(?:HTTP_)?([^:= ]+)(?:: |=)(.*)/ or next;

        $name = lc $name =~ tr/A-Za-z0-9/-/cr;

        push @{$got{headers}}, "$name: $value";
        push @{$got{$1}}, $value
            if $name =~ /^webhook-(id|timestamp|signature)$/;
    }

    return \%got;
}


sub signed {
    my ($got, @by) = @_;

    for (qw(id timestamp signature)) {
        my $n = @{$got->{$_} || []};
        return "$n of webhook-$_" if $n != 1;
    }

    my ($id, $timestamp, $signature) = map { $_->[0] }
                                       @{$got}{qw(id timestamp signature)};

    return "id \"$id\"" if $id !~ /^[0-9a-f]{64}(?:-[0-9a-f]{16})?\z/;

    return "timestamp \"$timestamp\""
        if $timestamp !~ /^[1-9]\d*\z/ || abs($timestamp - time) > 60;

    my $expected = join ' ', map {
        'v1,' . encode_base64(hmac_sha256("$id.$timestamp.$got->{body}",
                                          decode_base64(s/^whsec_//r)), '')
    } @by;

    return $signature eq $expected ? '' : "\"$signature\", not \"$expected\"";
}

1;
