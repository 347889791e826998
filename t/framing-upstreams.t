# After a body that was refused half-way, other protocols than HTTP: these take
# the length from $content_length, which nginx finds elsewhere than what a
# proxied request announces, and keeps once somebody has asked.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Http2;
use Clockodo::Nginx;
use Clockodo::Wire;
use IO::Select;
use IO::Socket::UNIX;
use Test::More;


my %wire = map { $_ => Clockodo::Wire->start($_) } qw(fastcgi scgi uwsgi);

my %pass = (
    (map { $_ => $wire{$_}->path } keys %wire),
    grpc => '$TEST_NGINX_SERVER_ROOT/grpc.sock',
);

my @pages = qw(off on report);

my %limits = (
    ours  => 'clockodo_max_body_size 1k;',
    nginx => 'client_max_body_size 1k;',
    http2 => '',
);

my %cached = (kept => '', cached => 'set $before $content_length;');

my ($server, @cases) = ('');

for my $protocol (sort keys %pass) {
    $server .= "location /hook-$protocol "
               . "{ ${protocol}_pass unix:$pass{$protocol}; }\n";

    for my $page (@pages) {
        $server .= <<"END";
        location \@$protocol-$page {
            clockodo_webhook $page;
            ${protocol}_pass unix:$pass{$protocol};
        }
END
        for my $limit (sort keys %limits) {
            for my $cached (sort keys %cached) {
                my $name = "$limit-$cached-$protocol-$page";

                $server .= <<"END";
        location /$name {
            $limits{$limit}
            $cached{$cached}
            error_page 400 413 \@$protocol-$page;
            proxy_pass http://127.0.0.1:1;
        }
END
                push @cases, [$name, $limit, $protocol, $page];
            }
        }
    }
}

my $params = join '', map {
    my $protocol = $_;

    "${protocol}_read_timeout 2s;\n"
    . join '', map { "${protocol}_param $_;\n" } 'REQUEST_URI $request_uri',
                     'CONTENT_LENGTH $content_length';
} qw(fastcgi scgi uwsgi);

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    $params
    fastcgi_keep_conn on;
    grpc_read_timeout 2s;

    log_format grpc '\$request_uri [\$http_content_length] \$status';

    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/grpc.sock http2;
        access_log logs/grpc.log grpc;

        # it looks whether a length is kept when a body is asked for

        location / { proxy_pass http://unix:\$TEST_NGINX_SERVER_ROOT/app.sock; }
    }

    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/app.sock;
        access_log off;
        location / { return 200 "\$request_uri\\n"; }
    }
END
        listen unix:\$TEST_NGINX_SERVER_ROOT/http2.sock http2;

        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;
$server
END

my $worker = $nginx->worker;

refused(@$_) for @cases;

is($nginx->worker, $worker, 'the worker is alive');
unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]/, 'nothing is wrong');

done_testing();


sub refused {
    my ($name, $limit, $protocol, $page) = @_;

    my $part = sprintf "%x\r\n%s\r\n", 600, 'x' x 600;

    if ($limit eq 'http2') {
        http2($name);

    } else {
        my $client = Clockodo::Client->new($nginx->port, $worker);

        $client->send(post($part x 2 . "0\r\n\r\n",
                           'Transfer-Encoding: chunked')
                      =~ s{ /hook }{ /$name }r);

        is((eval { $client->reply } || {})->{status}, 413, "$name: status");
        $client->close;
    }

    is_deeply([told($protocol)], $page eq 'on' ? [] : ["/$name - 0"],
              "$name: what the application was told");

    is((deliver($nginx, "/hook-$protocol") || {})->{status}, 200,
       "$name: the next event");
    is_deeply([told($protocol)],
              ["/hook-$protocol team.updated " . length event()],
              "$name: the next event, as the application was told");
}


# Announces ten bytes, of which five come.

sub http2 {
    my ($name) = @_;

    my $path = $nginx->root . '/http2.sock';
    my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
    my ($in, $status) = ('');

    syswrite $socket, preface()
                      . headers(1, 0, ':path' => "/$name",
                                'content-length' => 10)
                      . data(1, END_STREAM, 'x' x 5);

    while (!defined $status
           && IO::Select->new($socket)->can_read(10)
           && sysread $socket, $in, 65536, length $in)
    {
        while (my ($type, $flags, $stream, $payload) = take_frame(\$in)) {
            $status = status($payload) if $type == HEADERS;
        }
    }

    is($status, 400, "$name: status");
}


sub told {
    my ($protocol) = @_;

    return $wire{$protocol}->calls if $protocol ne 'grpc';

    # nginx's own view: 400 if the frames are not as long as announced

    my $log = $nginx->read('logs/grpc.log');
    my $new = substr $log, $nginx->{grpc} || 0;

    $nginx->{grpc} = length $log;

    return map { m{^(/hook\S+) \[(\d+)\] 200$} ? "$1 team.updated $2"
                 : m{^(\S+) \[(?:-|0)?\] 200$} ? "$1 - 0" : $_ }
           split /\n/, $new;
}
