# A client of a unix socket binds its own to any name, which nginx takes for
# its address.  Whatever stands in it, a line of the secret file has three
# fields and the status can be parsed.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Cwd qw(getcwd);
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use JSON::PP;
use Test::More;

my $time = qr/2\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ/;

my $nginx = Clockodo::Nginx->start(server => <<'END');
    listen unix:$TEST_NGINX_SERVER_ROOT/html/s;

    location / {
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;
        clockodo_secret_file secrets;
        proxy_pass http://127.0.0.1:1;
    }

    location = /json {
        clockodo_status;
    }

    location = /prometheus {
        clockodo_status prometheus;
    }
END

# names are as they were bound, so that relative ones are

my $here = getcwd();
my $dir = tempdir(CLEANUP => 1);

# what is bound, and what is shown of it

my @names = (
    [ 'plain.sock', 'plain.sock' ],
    [ "x\n2026-01-01T00:00:00Z 192.0.2.1 forged",
      'x%0A2026-01-01T00:00:00Z%20192.0.2.1%20forged' ],
    [ "\r\x0b\x0c\t ", '%0D%0B%0C%09%20' ],
    [ 'a","verdict":"accepted","client":"b',
      'a%22,%22verdict%22:%22accepted%22,%22client%22:%22b' ],
    [ 'back\\', 'back%5C' ],
    [ "\x01\x1b[2J\x7f", '%01%1B[2J%7F' ],
    [ "caf\xc3\xa9 \xff\xfe", 'caf%C3%A9%20%FF%FE' ],
    [ '<img src=x onerror=alert(1)>',
      '%3Cimg%20src=x%20onerror=alert(1)%3E' ],
    [ '100%0A', '100%250A' ],
    [ "\n" x 100, '%0A' x 100 ],
);

for my $name (@names) {
    my ($bound, $shown) = @$name;
    my $client = client($bound);

    my $before = $nginx->read('secrets');

    $client->send(post('{"secret":"s3cret"}'));
    is($client->reply->{status}, 200, "$shown: handshake");

    my $after = $nginx->read('secrets');

    like($after, qr/\A\Q$before\E$time unix:\Q$shown\E s3cret\n\z/,
         'one line, three fields');

    $client->send(post(event()));
    is($client->reply->{status}, 502, 'event');

    # as much of it as there is room for, and no half of an escape

    my $known = $shown =~ /^(?:%0A){100}$/
                ? qr/\Aunix:(?:%0A)+\z/ : qr/\Aunix:\Q$shown\E\z/;

    my $reply = status('/json');
    my $json = eval { JSON::PP->new->utf8->decode($reply) };

    ok($json, 'JSON') or diag($@);

    like($_->{client}, $known, $_->{verdict})
        for $json->{deliveries}[0], $json->{other_deliveries}[0];

    like($json->{locations}[0]{last_handshake}{client}, $known,
         'last handshake');

    unlike(status('/prometheus'), qr/[^\n\x20-\x7e]/, 'metrics');
}

done_testing;


sub client {
    my ($bound) = @_;

    chdir $dir or die "$dir: $!\n";

    my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $bound,
                                       Peer => $nginx->root . '/html/s')
        or die "socket: $@\n";

    chdir $here or die "$here: $!\n";

    return Clockodo::Client->over($socket);
}


sub status {
    my ($uri) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send("GET $uri HTTP/1.1\r\nHost: localhost\r\n\r\n");

    return $client->reply->{body};
}
