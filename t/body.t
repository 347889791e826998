# A body comes to the module as it was sent, however it is cut into segments
# and chunks, and wherever nginx keeps it: in one buffer, in several, or in a
# file.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;


my $hook = <<'END';
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_max_body_size 40k;
            add_header X-Verdict $clockodo_verdict always;
            add_header X-Reason $clockodo_reason always;
            proxy_pass http://app;
END

my %body = (
    'in a buffer'         => '',
    'in a small buffer'   => 'client_body_buffer_size 128;',
    'in a small buffer, wanted in one' =>
        'client_body_buffer_size 128; client_body_in_single_buffer on;',
    'in one buffer'       => 'client_body_in_single_buffer on;',
    'in a file'           => 'client_body_in_file_only on;',
    'in a file, then gone' => 'client_body_in_file_only clean;',
    'in a file, and in a small buffer' =>
        'client_body_in_file_only clean; client_body_buffer_size 128;',
);

my @names = sort keys %body;

my $nginx = Clockodo::Nginx->start(
    http   => app(),
    server => join '', map {
        "location = /$_ { $body{$names[$_]} $hook }\n"
    } 0 .. $#names);

my $worker = $nginx->worker;
my $event = event();
my $large = event(payload => '{"team":{"id":9001,"name":"' . 'x' x 30000
                             . '"}}');
my $bad = event(token => '"' . 'x' x 30000 . '"');


# the reply in a word, after it was checked that the body came through whole

sub outcome {
    my ($reply, $body) = @_;

    return 'no reply' unless $reply;

    if ($reply->{status} == 200) {
        return 'other body' unless $reply->{body} =~ /^body=\Q$body\E$/m;
        return 'no header' unless $reply->{body} =~ /^event=team\.updated$/m;
    }

    return "$reply->{status} $reply->{header}{'x-verdict'}"
           . ($reply->{header}{'x-reason'} ? " $reply->{header}{'x-reason'}"
                                           : '');
}


sub client {
    return Clockodo::Client->new($nginx->port, $worker);
}


sub at {
    my ($i, $request) = @_;

    $request =~ s{ /hook }{ /$i };

    return $request;
}


# Every place that nginx can keep a body in, both ways to send one.

for my $i (0 .. $#names) {
    my %way = (
        'with Content-Length' => sub { post($_[0]) },
        'in one chunk'        => sub {
            post(chunked($_[0]), 'Transfer-Encoding: chunked')
        },
        'in many chunks'      => sub {
            post(chunked($_[0], 7), 'Transfer-Encoding: chunked')
        });

    my $client = client();

    for my $way (sort keys %way) {
        for my $body ($event, $large) {
            my $request = at($i, $way{$way}->($body));
            my $half = int(length($request) / 2);

            for my $parts (1, 2) {
                $client->send(
                    unpack $parts == 1 ? 'a*' : "a${half}a*", $request);

                is(outcome($client->reply, $body), '200 accepted',
                   length($body) . " bytes $way in $parts segments, "
                   . "kept $names[$i]");
            }
        }
    }

    $client->send(at($i, post($bad)));
    is(outcome($client->reply), '403 rejected token',
       "a bad one, kept $names[$i]");
}


# Two segments, cut at every byte, of headers and body.  The connection is
# kept, so that one that was read wrong would also spoil the next.

for my $chunked (0, 1) {
    my $request = at(0, $chunked
                  ? post(chunked($event, 50), 'Transfer-Encoding: chunked',
                         'User-Agent: x')
                  : post($event));

    my $client = client();
    my %seen;

    for my $cut (1 .. length($request) - 1) {
        $client->send(unpack "a${cut}a*", $request);
        push @{$seen{outcome($client->reply, $event)}}, $cut;
    }

    is_deeply([ sort keys %seen ], [ '200 accepted' ],
              'cut at every byte, ' . ($chunked ? 'chunked' : 'plain'))
        or diag explain \%seen;

    $client->send(split //, $request);

    is(outcome($client->reply, $event), '200 accepted',
       'byte by byte, ' . ($chunked ? 'chunked' : 'plain'));

    # and a bad one is found bad wherever it is cut

    my $truncated = at(0, $chunked
                    ? post(chunked(substr($event, 0, -1), 50),
                           'Transfer-Encoding: chunked')
                    : post(substr $event, 0, -1));

    %seen = ();

    for my $back (1 .. 40) {
        $client = client();
        $client->send(unpack 'a' . (length($truncated) - $back) . 'a*',
                             $truncated);
        push @{$seen{outcome($client->reply)}}, $back;
    }

    is_deeply([ sort keys %seen ], [ '400 rejected malformed_json' ],
              'cut at every byte, without the last one, '
              . ($chunked ? 'chunked' : 'plain'))
        or diag explain \%seen;
}


# Chunks are judged by what they carry.

{
    my $client = client();

    my $chunks = chunked($event, 1);
    $chunks =~ s/\r\n/; a=b; c="d"\r\n/;

    my $trailer = chunked($event) =~ s/\r\n\z/Expires: 0\r\n\r\n/r;

    my %how = (
        'chunks of one byte' => chunked($event, 1),
        'extensions'         => $chunks,
        'a trailer'          => $trailer,
        'leading zeros'      => '000' . chunked($event),
    );

    for my $how (sort keys %how) {
        $client->send(at(0, post($how{$how}, 'Transfer-Encoding: chunked')));

        is(outcome($client->reply, $event), '200 accepted', $how);
    }

    # what a trailer says is no header

    $client->send(at(0, post(
        chunked($event) =~ s/\r\n\z/X-Clockodo-Event: x.y\r\n\r\n/r,
        'Transfer-Encoding: chunked')));

    is(outcome($client->reply, $event), '200 accepted',
       'a trailer under our prefix');
}


unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]|exited on signal/,
       'nothing went wrong inside');

done_testing();
