# A body that ends half-way without an error page: its client is gone or too
# slow, and post_action asks an upstream all the same; or nginx cannot store it.
# What is announced then must come, and nothing else.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Http2;
use Clockodo::Nginx;
use Clockodo::Wire;
use IO::Socket::UNIX;
use Test::More;


my $wire = Clockodo::Wire->start('http');
my $app = 'unix:' . $wire->path;

my @pages = qw(off on report);
my $server = '';

for my $page (@pages) {
    $server .= <<"END";
        location /action-$page {
            clockodo_webhook $page;
            proxy_pass http://app;
        }

        location /given-up-$page {
            client_body_timeout 50ms;
            post_action /action-$page;
            proxy_pass http://app;
        }

        location /stored-$page {
            client_body_buffer_size 64;
            client_body_temp_path lost;
            error_page 500 /action-$page;
            proxy_pass http://app;
        }
END
}

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    upstream app { server $app; keepalive 1; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 2s;
END
        listen unix:\$TEST_NGINX_SERVER_ROOT/http2.sock http2;

        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;
        lingering_timeout 10ms;

        location /hook { proxy_pass http://app; }
$server
END

my $worker = $nginx->worker;
my $chunked = 'Transfer-Encoding: chunked';
my $part = "64\r\n" . 'x' x 100 . "\r\n";

rmdir $nginx->root . '/lost' or die "lost: $!\n";

for my $page (@pages) {
    my $uri = "/given-up-$page";

    for my $request (post('x' x 100, 'Content-Length: 300'),
                     post($part, $chunked))
    {
        my $how = $request =~ /chunked/ ? 'chunked' : 'with a length';
        my @parts = ($request =~ s{ /hook }{ $uri }r, '');

        my $client = Clockodo::Client->new($nginx->port, $worker);

        $client->send(@parts);
        $client->close;
        told("$page, gone, $how", $page);

        $client = Clockodo::Client->new($nginx->port, $worker);
        $client->send(@parts);
        $client->close(1);
        told("$page, reset, $how", $page);

        $client = Clockodo::Client->new($nginx->port, $worker);
        $client->send(@parts);
        told("$page, too slow, $how", $page);
    }

    for my $headers ([], [ 'content-length' => 300 ]) {
        my $how = @$headers ? 'with a length' : 'without one';
        my @parts = (preface(), headers(1, 0, ':path' => $uri, @$headers),
                     data(1, 0, 'x' x 100));

        my $client = http2();

        $client->send(@parts, frame(RST_STREAM, 0, 1, pack 'N', 8));
        told("$page, HTTP/2, reset, $how", $page);

        $client = http2();
        $client->send(@parts, '');
        $client->close;
        told("$page, HTTP/2, gone, $how", $page);

        $client = http2();
        $client->send(@parts);
        told("$page, HTTP/2, too slow, $how", $page);
    }

    for my $whole (0, 1) {
        my $client = Clockodo::Client->new($nginx->port, $worker);

        $client->send(post('', 'Content-Length: 300')
                      =~ s{ /hook }{ /stored-$page }r,
                      'x' x ($whole ? 300 : 200), '');

        is((eval { $client->reply } || {})->{status}, 500,
           "$page, cannot be stored: status");
        told("$page, cannot be stored", $page);
    }
}

is($nginx->worker, $worker, 'the worker is alive');
unlike($nginx->log, qr/\[(?:alert|emerg)\]/, 'nothing is wrong');

done_testing();


sub http2 {
    my $path = $nginx->root . '/http2.sock';
    my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";

    $socket->blocking(0);

    return bless { socket => $socket, worker => $worker, in => '' },
                 'Clockodo::Client';
}


# A location with the module on asks nobody.

sub told {
    my ($name, $page) = @_;

    my @told;

    if ($page ne 'on') {
        wait_for(sub { @told = $wire->calls });
        is_deeply(\@told, ["/action-$page - 0"],
                  "$name: what the application was told");
    }

    is((deliver($nginx, '/hook') || {})->{body}, "/hook team.updated\n",
       "$name: the next event");
    is_deeply([$wire->calls], ['/hook team.updated ' . length event()],
              "$name: the next event, as the application was told");
}
