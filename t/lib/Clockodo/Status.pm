package Clockodo::Status;

# What clockodo_status says, at /status of an nginx:
#
#     my $status = status($nginx);
#     my $status = status($nginx, 3);     # once 3 requests have been counted
#
#     my $reply = request($nginx, get('/metrics'));
#     my $n = sum(values %{$status->{locations}[0]{requests}});

use strict;
use warnings;

use Clockodo::Client;
use Clockodo::Nginx;
use Exporter qw(import);
use JSON::PP qw(decode_json);
use List::Util qw(sum0);

our @EXPORT = qw(get request status sum);

*sum = \&sum0;


sub get {
    my ($uri) = @_;

    return "GET $uri HTTP/1.1\r\nHost: localhost\r\n\r\n";
}


sub request {
    my ($nginx, $request) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send($request);

    return $client->reply;
}


# A request is counted a little after its reply.

sub status {
    my ($nginx, $n) = @_;

    return wait_for(sub {
        my $status = decode_json(request($nginx, get('/status'))->{body});

        return $status if !defined $n;

        my $count = sum(map { values %{$_->{requests}} }
                            @{$status->{locations}});

        die "$count requests, not $n\n" if $count > $n;

        return $count == $n ? $status : undef;
    });
}

1;
