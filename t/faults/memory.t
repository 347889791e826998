# What workers take does not grow: after 200,000 mixed requests and 50 reloads
# it is within 5 % of what it was after 10,000.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use IO::Socket::INET;
use List::Util qw(sum0);
use Test::More;


my $many = 200_000;
my $few = 10_000;
my $reloads = 50;

# there are fewer events than a zone has room for: it fills up at once

my $events = 2000;

my $nginx = Clockodo::Nginx->start(
    workers => 2, listen => 'reuseport', level => 'error',
    http => <<'END', server => <<'END');
    upstream app {
        server unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;
        keepalive 16;
    }
    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;
        access_log off;
        keepalive_requests 100000;
        location / { return 204; }
    }
END
        access_log off;
        location = /status { clockodo_status; }
        location /hook {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_events team.* user.*;
            clockodo_mask_token on;
            clockodo_dedupe mark;

            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
END

wait_for(sub { $nginx->workers == 2 });

# one batch goes through one connection, which the last one of it closes

my @before = map { post($_) } event(token => 0), '{"secret":"8ee3d438"}',
                              event(event_name => '"entry.started"',
                                    payload => '{"entry":{"id":1}}');
my @after = (post(event(), 'Content-Type: text/plain'),
             post(event(company_id => 0)));
my ($sent, %answers) = (0);

# with the first few reloads, any nginx's heap takes the form that it keeps

$nginx->reload for 1 .. 10;
send_until($few);

my $after_few = memory();

# half of it goes to the same workers, the rest to ever new ones

send_until($many / 2);

my $after_half = memory();

for my $n (1 .. $reloads) {
    $nginx->reload;
    send_until(($many - $few) / 2 + $n * ($many / 2 - $few) / $reloads);
}

# the last ones have then got as many as the first ones

send_until($sent + $few);
send_until($many);

my $after_many = memory();

is(sum0(values %answers), $sent, 'all were answered');
is_deeply([ sort keys %answers ], [ 200, 204, 400, 403, 415 ], 'with these')
    or diag explain \%answers;

within($after_half, $after_few, 'after half of them, by the same workers');
within($after_many, $after_few, "after $sent and $reloads reloads");
unlike($nginx->log, qr/\[(?:alert|emerg)\]/, 'nothing in the log');

done_testing;


sub send_until {
    my ($n) = @_;

    while ($sent < $n) {
        my @batch = (@before,
                     map({ my $id = ($sent + $_) % $events;
                           post(event(payload => qq({"team":{"id":@{[$id + 1]}}}))) }
                         1 .. 40),
                     @after);

        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $nginx->port)
            or die "connect: $!\n";

        print $socket @batch;

        my $replies = do { local $/; <$socket> } // '';

        $answers{$_}++ for $replies =~ m{^HTTP/1\.1 (\d+)}mg;
        $sent += @batch;
    }
}


# Resident, of all workers, in kB.  Pages of files come and go with the system's
# cache, and are not counted.

sub memory {
    return sum0(map { resident($_) } $nginx->workers);
}


sub resident {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/status" or die "$pid: $!\n";
    my $status = do { local $/; <$fh> };

    return sum0($status =~ /^Rss(?:Anon|Shmem):\s+(\d+) kB/mg);
}


sub within {
    my ($now, $then, $name) = @_;

    note("$now kB, $then kB before");
    cmp_ok($now, '<=', $then * 1.05, $name);
}
