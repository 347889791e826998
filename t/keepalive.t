# nginx closes a connection after 400 and 413 and keeps it after 403, 405, 415
# and 200.  On one that is kept the next request is read from where the last
# one's body ends, whether or not that was read, and judged on its own.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;


my $nginx = Clockodo::Nginx->start(http => app(), server => <<'END');

        location / {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_company 1337;
            clockodo_events *.updated;
            clockodo_secret_file logs/secrets;
            add_header X-Verdict $clockodo_verdict always;
            add_header X-Reason $clockodo_reason always;
            proxy_pass http://app;
        }
END

my $chunked = 'Transfer-Encoding: chunked';
my $good = post(event());

# what must not be taken for a request
my $inner = post('{}');

my %kept = (
    'accepted'         => [ $good, '200 accepted' ],
    'accepted chunked' => [ post(chunked(event(), 9), $chunked),
                            '200 accepted' ],
    'filtered'         => [ post(event(event_name => '"team.deleted"')),
                            '200 filtered' ],
    'filtered chunked' => [
        post(chunked(event(event_name => '"team.deleted"')), $chunked),
        '200 filtered' ],
    'handshake'        => [ post('{"secret":"x"}'), '200 handshake' ],
    'token'            => [ post(event(token => '"x"')),
                            '403 rejected token' ],
    'token chunked'    => [ post(chunked(event(token => '"x"')), $chunked),
                            '403 rejected token' ],
    'company'          => [ post(event(company_id => 7)),
                            '403 rejected company' ],
    'method'           => [ $good =~ s/^POST/PUT/r, '405 rejected method' ],
    'method, GET'      => [ "GET /hook HTTP/1.1\r\nHost: x\r\n\r\n",
                            '405 rejected method' ],
    'method, its body a request' => [
        post($inner) =~ s/^POST/PUT/r, '405 rejected method' ],
    'content_type'     => [ post($inner, 'Content-Type: text/plain'),
                            '415 rejected content_type' ],
    'content_type chunked' => [
        post(chunked($inner), 'Content-Type: text/plain', $chunked),
        '415 rejected content_type' ],
    'content_encoding' => [ post(event(), 'Content-Encoding: gzip'),
                            '415 rejected content_encoding' ],
    'content_encoding chunked' => [
        post(chunked($inner, 10), 'Content-Encoding: gzip', $chunked),
        '415 rejected content_encoding' ],
);

my %closed = (
    'empty_body'       => [ post(''), '400 rejected empty_body' ],
    'empty_body chunked' => [ post(chunked(''), $chunked),
                              '400 rejected empty_body' ],
    'malformed_json'   => [ post($inner), '400 rejected malformed_json' ],
    'envelope'         => [ post(event(company_id => 0)),
                            '400 rejected envelope' ],
    'body_too_large'   => [ post('x' x 20000),
                            '413 rejected body_too_large' ],
    'body_too_large chunked' => [ post(chunked('x' x 20000), $chunked),
                                  '413 rejected body_too_large' ],
);


sub outcome {
    my ($reply) = @_;

    return 'closed' unless $reply;

    return join ' ', $reply->{status},
                     map { $reply->{header}{$_} // () } qw(x-verdict x-reason);
}


sub client {
    return Clockodo::Client->new($nginx->port);
}


for my $name (sort keys %kept) {
    my ($request, $outcome) = @{$kept{$name}};

    my $client = client();

    for ($request, $good, $request) {
        $client->send($_);

        my $reply = $client->reply;

        is(outcome($reply), $_ eq $good ? '200 accepted' : $outcome,
           "$name: reply");
        is($reply->{header}{connection}, 'keep-alive', "$name: connection");
    }
}

for my $name (sort keys %closed) {
    my ($request, $outcome) = @{$closed{$name}};

    my $client = client();

    $client->send($request);

    my $reply = $client->reply;

    is(outcome($reply), $outcome, "$name: reply");
    is($reply->{header}{connection}, 'close', "$name: connection");
    ok($client->closed, "$name: closed");
}


# All that are kept, in one segment and in several orders.

{
    my @names = map { my $step = $_;
                      map { (sort keys %kept)[$_ * $step % keys %kept] }
                          0 .. keys(%kept) - 1 } 1, 2, 4, 7;

    my $client = client();

    $client->send(join '', map { $kept{$_}[0] } @names);

    is_deeply([ map { outcome($client->reply) } @names ],
              [ map { $kept{$_}[1] } @names ],
              'pipelined: replies in their order');

    ok($client->silent, 'pipelined: no more replies');
}


# Nothing that comes behind the one that closes is looked at.

for my $name (sort keys %closed) {
    my $client = client();

    $client->send($kept{token}[0] . $closed{$name}[0] . $good);

    is(outcome($client->reply), '403 rejected token', "before $name");
    is(outcome($client->reply), $closed{$name}[1], "pipelined $name");
    is(outcome($client->reply), 'closed', "behind $name");
}

unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]|exited on signal/,
       'nothing went wrong inside');

done_testing();
