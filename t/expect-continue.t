# "100 Continue" goes to a client that waits for it only if its headers have
# passed all checks: what is refused by its headers costs no body.

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
            clockodo_max_body_size 1k;
            add_header X-Reason $clockodo_reason always;
            proxy_pass http://app;
        }
END

my $event = event();
my $chunked = 'Transfer-Encoding: chunked';

my @cases = (
    [ 'good', post($event, 'Expect: 100-continue'), 200 ],
    [ 'good, chunked', post(chunked($event), $chunked,
                            'Expect: 100-continue'), 200 ],
    [ 'bad token', post(event(token => '"x"'), 'Expect: 100-continue'),
      403, 'token' ],
    [ 'empty, chunked', post(chunked(''), $chunked, 'Expect: 100-continue'),
      400, 'empty_body' ],
    [ 'too large, chunked', post(chunked('x' x 1025), $chunked,
                                 'Expect: 100-continue'),
      413, 'body_too_large' ],
);

for (@cases) {
    my ($name, $request, $status, $reason) = @$_;
    my ($head, $body) = $request =~ /\A(.*?\r\n\r\n)(.*)\z/s;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send($head);
    is($client->reply->{status}, 100, "$name: go on");

    $client->send($body);

    my $reply = $client->reply;

    is($reply->{status}, $status, "$name: status");
    is($reply->{header}{'x-reason'}, $reason, "$name: reason");
}

my @refused = (
    [ 'method', 405, post($event, 'Expect: 100-continue') =~ s/^POST/PUT/r ],
    [ 'content_type', 415, post($event, 'Expect: 100-continue',
                                'Content-Type: text/plain') ],
    [ 'content_encoding', 415, post($event, 'Expect: 100-continue',
                                    'Content-Encoding: gzip') ],
    [ 'body_too_large', 413, post('x' x 1025, 'Expect: 100-continue') ],
    [ 'content_type', 415, post(chunked($event), $chunked,
                                'Expect: 100-continue',
                                'Content-Type: text/plain') ],
);

for (@refused) {
    my ($reason, $status, $request) = @$_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send($request =~ s/\r\n\r\n\K.*//sr);

    my $reply = $client->reply;

    is($reply->{status}, $status, "$reason: refused at once");
    is($reply->{header}{'x-reason'}, $reason, "$reason: reason");
}

done_testing();
