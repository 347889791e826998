# A body of which nginx has read a part, in a location where the module is off,
# when the request comes to one where it is on: that part may look like an
# event, and is not what the client has sent.  It is not judged, and what goes
# upstream in report mode does not announce the rest.

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
my $event = event();

my $server = '';

for my $page (qw(on report)) {
    $server .= <<"END";
        location \@$page {
            clockodo_webhook $page;
            recursive_error_pages on;
            proxy_pass http://app;
        }

        # refused half-way, and neither error_page nor the status is seen then

        location /refused-$page {
            client_max_body_size 1k;
            recursive_error_pages on;
            error_page 400 413 = \@$page;
            proxy_pass http://app;
        }

        # sent elsewhere by an upstream that does not wait for the body, and
        # answered while there is more of it

        location /slow-early-$page {
            proxy_request_buffering off;
            proxy_pass http://early/$page;
        }
END
}

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    upstream app { server $app; keepalive 1; }
    upstream early { server unix:\$TEST_NGINX_SERVER_ROOT/early.sock; }

    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 2s;

    clockodo_token My_Sup3r_T0k3n;

    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/early.sock;

        location = /on { add_header X-Accel-Redirect \@on; return 204; }
        location = /report { add_header X-Accel-Redirect \@report; return 204; }
    }
END
        listen unix:\$TEST_NGINX_SERVER_ROOT/http2.sock http2;

        lingering_timeout 10ms;

        add_header X-Verdict "[\$clockodo_verdict\$clockodo_reason]" always;

        location /hook { clockodo_webhook on; proxy_pass http://app; }
$server
END

my $worker = $nginx->worker;

my $chunk = sprintf "%x\r\n%s\r\n", length $event, $event;
my @chunked = ('', 'Transfer-Encoding: chunked');
my @length = ('', 'Content-Length: 1000');

for my $page (qw(on report)) {
    my $name = "refused-$page";

    http1("$name, a chunk too large", $name, post(@chunked), $chunk,
          "1000\r\nx");
    http1("$name, a bad chunk", $name, post(@chunked), $chunk, "x\r\n");
    http2("$name", $name, [], data(1, 0, $event), data(1, 0, 'x' x 2000));
    http2("$name, the end", $name, [], data(1, 0, $event),
          data(1, 0, 'x' x 2000) . data(1, END_STREAM, 'x'));
    http2("$name, a length", $name, [ 'content-length' => 1000 ],
          data(1, 0, $event), data(1, END_STREAM, 'x'));

    $name = "slow-early-$page";

    http1("$name, a length", $name, post(@length), $event);
    http1("$name, at once", $name, post(@length) . $event);
    http1("$name, a chunk", $name, post(@chunked), $chunk);
    http2($name, $name, [ 'content-length' => 1000 ], data(1, 0, $event));
    http2("$name, more", $name, [], data(1, 0, $event),
          data(1, 0, 'x' x 2000), data(1, END_STREAM, 'x'));
}

is($nginx->worker, $worker, 'the worker is alive');
unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]|clockodo webhook/,
       'nothing is wrong, and nothing was judged');


# Lua can take a body away without nginx's knowing.

my @lua = map { "/usr/lib/nginx/modules/$_" } qw(ndk_http_module.so
                                                 ngx_http_lua_module.so);

SKIP: {
    my $nginx_bin = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';

    skip 'no Lua module for this nginx', 1
        if $nginx_bin ne '/usr/sbin/nginx' || grep { !-e } @lua;

    taken();
}

done_testing();


sub http1 {
    my ($name, $location, @parts) = @_;

    my $client = Clockodo::Client->new($nginx->port, $worker);

    $parts[0] =~ s{ /hook }{ /$location };
    $client->send(@parts);

    my $reply = eval { $client->reply } || {};
    my $report = $location =~ /report/;

    is($reply->{status}, $report ? 200 : 503, "$name: status");
    is($reply->{header}{'x-verdict'}, '[]', "$name: verdict");

    # what comes next is the rest of that body

    $client->send("GET /hook HTTP/1.1\r\nHost: localhost\r\n\r\n");

    ok(eval { $client->closed }, "$name: closed behind one reply");
    told($name, $report ? "/$location - 0" : ());
}


sub http2 {
    my ($name, $location, $headers, @parts) = @_;

    $name .= ', HTTP/2';

    my $path = $nginx->root . '/http2.sock';
    my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
    my $client = bless { socket => $socket, worker => $worker, in => '' },
                       'Clockodo::Client';

    $socket->blocking(0);
    $client->send(preface() . headers(1, 0, ':path' => "/$location", @$headers),
                  @parts);

    my $status;

    while (!$status && $client->fill) {
        while (my ($type, $flags, $stream, $payload)
               = take_frame(\$client->{in}))
        {
            $status = status($payload) if $type == HEADERS;
        }
    }

    my $report = $location =~ /report/;

    is($status, $report ? 200 : 503, "$name: status");
    told($name, $report ? "/$location - 0" : ());
}


sub told {
    my ($name, @told) = @_;

    is_deeply([$wire->calls], \@told, "$name: what the application was told");

    is((deliver($nginx, '/hook') || {})->{body}, "/hook team.updated\n",
       "$name: the next event");
    is_deeply([$wire->calls], ['/hook team.updated ' . length $event],
              "$name: the next event, as the application was told");
}


sub taken {
    $nginx = Clockodo::Nginx->start(
        modules => \@lua, http => <<"END", server => <<'END');
    upstream app { server $app; keepalive 1; }

    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 2s;
END
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;

        location /hook { proxy_pass http://app; }

        location /taken {
            error_page 400 @page;
            access_by_lua_block { ngx.req.socket():receive("*a") }
            proxy_pass http://app;
        }

        location @page {
            clockodo_webhook off;
            proxy_pass http://app;
        }
END

    my $client = Clockodo::Client->new($nginx->port, $nginx->worker);

    $client->send(post($event) =~ s{ /hook }{ /taken }r);

    is((eval { $client->reply } || {})->{status}, 400, 'taken by Lua: status');
    told('taken by Lua', '/taken - 0');
}
