# Under load, with an application that refuses every fifth call, senders that
# try again until they get 200, and reloads in the middle of it: each event is
# delivered exactly once.  It is the application that counts.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use IO::Select;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Test::More;


my $events = 2000;
my $posts = 20000;
my $connections = 64;

# the system's nginx is the application, whichever is tested

my $binary = '/usr/sbin/nginx';
my @lua = map { "/usr/lib/nginx/modules/$_.so" }
          qw(ndk_http_module ngx_http_lua_module);

subtest 'two workers'                => sub { load() };
subtest 'reloads in the middle'      => sub { load(reloads => 5) };

done_testing;


sub load {
    my (%arg) = @_;

    my $app = application();
    my $nginx = Clockodo::Nginx->start(
        workers => 2, level => 'error',
        http => 'upstream app { server 127.0.0.1:' . $app->port
                . ' max_fails=0; keepalive 64; }',
        server => <<'END');
            access_log off;
            keepalive_requests 1000000;

            location /hook {
                clockodo_webhook on;
                clockodo_token My_Sup3r_T0k3n;
                clockodo_dedupe drop;

                proxy_pass http://app;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_next_upstream off;
            }
END

    wait_for(sub { $nginx->workers == 2 });

    my $seen = send_all($nginx, %arg);
    my $counts = counts($app);

    is(keys %$counts, $events, 'none is lost');
    is_deeply([ grep { $counts->{$_} != 1 } keys %$counts ], [],
              'each is delivered once');

    is($seen->{200}, $posts, 'senders get 200 in the end');
    cmp_ok($seen->{500}, '>=', $events / 5 - 1, 'the application has refused');
    is_deeply([ grep { !/^(?:200|409|500)$/ } keys %$seen ], [],
              'and nothing but 200, 409 and 500 is seen');

    return;
}


# Counts what it answers 200 to, by the key; every fifth call gets 500.

sub application {
    my $server = <<'END';
            access_log off;
            keepalive_requests 1000000;

            location / {
                content_by_lua_block {
                    local seen = ngx.shared.seen
                    local key = ngx.var.http_x_clockodo_idempotency_key

                    if seen:incr("calls", 1, 0) % 5 == 0 then
                        return ngx.exit(500)
                    end

                    seen:incr(key, 1, 0)
                    ngx.exit(200)
                }
            }

            location /counts {
                content_by_lua_block {
                    local seen = ngx.shared.seen
                    local comma = "{"

                    for _, key in ipairs(seen:get_keys(0)) do
                        if #key == 64 then
                            ngx.print(comma, '"', key, '":', seen:get(key))
                            comma = ","
                        end
                    end

                    ngx.say("}")
                }
            }
END

    local $ENV{TEST_NGINX_BINARY} = $binary;
    local $ENV{TEST_NGINX_LOAD_MODULES} = '';

    return Clockodo::Nginx->start(modules => \@lua, server => $server,
                                  http => 'lua_shared_dict seen 4m;'
                                          . 'lua_package_path "/usr/share/'
                                          . 'lua/5.1/?.lua;;";');
}


sub counts {
    my ($app) = @_;

    my $client = Clockodo::Client->new($app->port);

    $client->send("GET /counts HTTP/1.1\r\nHost: localhost\r\n\r\n");

    return decode_json($client->reply->{body});
}


# Each post goes on until it gets 200.  Returns how often each status came.

sub send_all {
    my ($nginx, %arg) = @_;

    my @bodies = map { post(event(payload => qq({"team":{"id":$_}}))) }
                 1 .. $events;

    # each event comes ten times, near to each other and far from it

    srand 1;

    my @todo = sort { $a->[0] <=> $b->[0] }
               map { my $n = $_ % $events;
                     [ ($_ % 2 ? $n : $posts / 10 * rand), $n ] } 1 .. $posts;

    my $select = IO::Select->new;
    my (%job, %in, %seen);
    my $every = $arg{reloads} ? int($posts / ($arg{reloads} + 1)) : 0;

    my $next = sub {
        my ($socket, $again) = @_;

        my $job = $again // shift @todo;

        if (!$job) {
            $select->remove($socket);
            close $socket;
            return;
        }

        $job{$socket} = $job;
        $in{$socket} = '';
        syswrite $socket, $bodies[$job->[1]];
    };

    my $connect = sub {
        my ($again) = @_;

        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $nginx->port)
            or die "connect: $!\n";

        $select->add($socket);
        $next->($socket, $again);
    };

    $connect->() for 1 .. $connections;

    while ($select->count) {
        my @ready = $select->can_read(20) or die "no reply\n";

        for my $socket (@ready) {

            # a worker that goes closes connections: such a call is repeated

            if (!sysread $socket, $in{$socket}, 65536, length $in{$socket}) {
                $select->remove($socket);
                $connect->($job{$socket});
                close $socket;
                next;
            }

            my ($head, $body) = $in{$socket} =~ /\A(.*?)\r\n\r\n(.*)\z/s
                or next;
            my ($length) = $head =~ /^Content-Length: (\d+)/mi;

            next if defined $length ? length $body < $length
                                    : $body !~ /^0\r\n\r\n\z/m;

            my ($status) = $head =~ m{\AHTTP/1\.1 (\d+)};

            $seen{$status}++;

            my $again = $status == 200 ? undef : $job{$socket};

            if ($status == 200 && $every && $seen{200} % $every == 0) {
                kill 'HUP', $nginx->pid;
            }

            if ($head =~ /^Connection: close/mi) {
                $select->remove($socket);
                close $socket;
                $connect->($again) if $again || @todo;
                next;
            }

            $next->($socket, $again);
        }
    }

    return \%seen;
}
