# A worker that is killed while it writes down a delivery: the status stays as
# it should be, and shows what comes after that, all of it.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Http2 qw(:DEFAULT !status);
use Clockodo::Nginx;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use POSIX ();
use Socket qw(SOL_SOCKET SO_RCVLOWAT);
use Test::More;
use Time::HiRes qw(sleep);


my $writing = 'build/faults/writing';   # its first lines say what it is

my $wanted = 2;         # workers that were killed amid it
my $most = 4000;        # kills
my $shown = 128;

# requests that cost nginx next to nothing, so that it is often amid it

my $workers = 8;
my $streams = 2000;
my $batches = 50;
my $port = $ENV{TEST_NGINX_PORT} + 1;

my $nginx = Clockodo::Nginx->start(
    workers => $workers, level => 'emerg', server => <<"END");
        listen 127.0.0.1:$port http2;
        access_log off;
        keepalive_requests 1000000;
        http2_max_concurrent_streams 1000000;
        location = /status { clockodo_status; }
        location / {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            try_files /nothing \@taken;
        }
        location \@taken { return 204; }
END

my @load = map { load() } 1 .. 2 * $workers;

my ($kills, $hits, $wrong) = (0, 0);

while ($hits < $wanted && $kills < $most) {
    wait_for(sub { $nginx->workers == $workers });

    # all of them have something to do by then

    sleep 0.02 + rand 0.02;

    if (!eval { status() }) {
        $wrong = $@;
        last;
    }

    # nobody writes when they are counted

    kill 'STOP', $nginx->pid;

    my @victims = $nginx->workers;

    $kills += kill 'KILL', @victims;
    wait_for(sub { !grep { !gone($_) } @victims });
    $hits = hits();

    kill 'CONT', $nginx->pid;
}

kill 'KILL', @load;
waitpid $_, 0 for @load;

note("$kills kills, $hits of them amid a delivery");
cmp_ok($hits, '>=', $wanted, 'workers were killed amid a delivery');
is($wrong, undef, 'the status was JSON all the time');

# of the same ring as what was being written; each has one of two reasons

my @reasons = map { $_ * 7919 % 11 < 5 ? 'method' : 'content_type' }
              1 .. 2 * $shown;

send_all(@reasons);

my $deliveries = status()->{other_deliveries};

is_deeply([ map { $_->{reason} } @$deliveries ],
          [ reverse @reasons[-$shown .. -1] ], 'all later deliveries are shown');
is_deeply([ grep { $_->{verdict} ne 'rejected'
                   || $_->{status} != ($_->{reason} eq 'method' ? 405 : 415)
                   || $_->{client} ne '127.0.0.1'
                   || $_->{event} ne '' } @$deliveries ], [],
          'as they were');

is(hits(), $hits, 'what was being written stays so');

done_testing;


sub hits {
    my $pid = $nginx->pid;

    chomp(my $n = `$writing $pid`);
    die "$writing failed\n" if $?;

    return $n;
}


# A process that sends requests without a pause, on a connection that it makes
# anew when the worker is killed.  It ends with the test.

sub load {
    my $parent = $$;
    my $pid = fork // die "fork: $!\n";

    return $pid if $pid;

    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    $SIG{PIPE} = 'IGNORE';

    # HEAD http://localhost/, by the static table, and a PING behind

    my $head = "\x02\x04HEAD\x84\x86\x01\x09localhost";

    my @batches = map {
        my $first = 1 + 2 * $streams * $_;

        join '', (map { frame(HEADERS, END_STREAM | END_HEADERS,
                              $first + 2 * $_, $head) } 0 .. $streams - 1),
             frame(PING, 0, 0, 'clockodo')
    } 0 .. $batches - 1;

    my $hello = preface() . frame(SETTINGS, 0, 0, pack 'nN', 4, 2 ** 31 - 1)
                . frame(WINDOW_UPDATE, 0, 0, pack 'N', 2 ** 31 - 65536);

    while (getppid == $parent) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $port) or next;
        my ($got, $next) = ('', 2);

        # if each reply woke us, the worker would mostly be killed there

        setsockopt $socket, SOL_SOCKET, SO_RCVLOWAT, pack 'i', 30 * $streams;

        syswrite $socket, $hello . $batches[0] . $batches[1];

        while ($next < @batches && sysread $socket, $got, 1 << 20) {
            next unless $got =~ /clockodo/;

            syswrite $socket, $batches[$next++];
        }
    }

    POSIX::_exit(0);
}


# By one connection, so that their order is known; the last one is written down
# shortly after its reply.

sub send_all {
    my @reasons = @_;

    # what the load had sent may still be at work

    wait_for(sub { my $n = counted(); sleep 0.3; $n == counted() });

    my $due = counted() + @reasons;
    my $client = Clockodo::Client->new($nginx->port);

    for my $reason (@reasons) {
        $client->send($reason eq 'method'
                      ? "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
                      : post(event(), 'Content-Type: text/plain'));
        $client->reply;
    }

    wait_for(sub { counted() == $due });
}


sub counted {
    my $count = 0;

    $count += $_ for map { values %{$_->{requests}} } @{status()->{locations}};

    return $count;
}


sub status {
    my $client = Clockodo::Client->new($nginx->port);

    $client->send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");

    return decode_json($client->reply->{body});
}
