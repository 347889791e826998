# What strangers can do to take a worker's time, by the instructions that nginx
# spends on it with the module and without: none of it is made worse by the
# module than an ordinary event is.  Counted by callgrind.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;


my $open = 10_000;
my $dir = tempdir(CLEANUP => 1);

# this process and nginx have the other end each

system('prlimit', '--pid', $$, '--nofile=20000:20000') == 0
    or die "cannot have 20000 files open\n";

my $module = 'clockodo_webhook on; clockodo_token My_Sup3r_T0k3n;';
my $large = event(more => '"' . 'x' x 1_000_000 . '"');

# each returns the statuses it was answered with

my @cases = (
    [ 'ordinary events', sub {
        my ($nginx) = @_;
        my $client = Clockodo::Client->new($nginx->port);

        return map { $client->send(post(event())); $client->reply->{status} }
               1 .. 100;
    }, 200, 200 ],

    [ 'slow bodies, a byte at a time', sub {
        my ($nginx) = @_;
        my ($head, $body) = post(event()) =~ /\A(.*?\r\n\r\n)(.*)\z/s;

        return map {
            my $client = Clockodo::Client->new($nginx->port, $nginx->pid);
            $client->send($head, split //, $body);
            $client->reply->{status};
        } 1 .. 5;
    }, 200, 200 ],

    [ 'chunked bodies of 1 MB', sub {
        my ($nginx) = @_;

        return map {
            my $client = Clockodo::Client->new($nginx->port);
            $client->send(post(chunked($large, 4096),
                               'Transfer-Encoding: chunked'));
            $client->reply->{status};
        } 1 .. 5;
    }, 413, 200 ],

    [ "$open connections that send half a body, then an event", sub {
        my ($nginx) = @_;
        my $half = substr post(event()), 0, -50;

        my @clients = map {
            my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                               PeerPort => $nginx->port)
                or die "connection $_: $!\n";
            syswrite $socket, $half;
            $socket;
        } 1 .. $open;

        my $client = Clockodo::Client->new($nginx->port);

        $client->send(post(event()));

        return $client->reply->{status};
    }, 200, 200 ],
);

my (%ratio, $ordinary);

for (@cases) {
    my ($name, $act, $status, $plain_status) = @$_;

    my $with = instructions($act, $module, $status, $name);
    my $without = instructions($act, '', $plain_status, "$name, plain nginx");
    my $ratio = $with / $without;

    $ordinary //= $ratio;

    note(sprintf '%s: %d, plain nginx: %d', $name, $with, $without);
    cmp_ok($ratio, '<=', $ordinary, "cost: $name");
}

done_testing;


# What nginx spends on it, beyond starting and stopping.

sub instructions {
    my ($act, $setting, $status, $name) = @_;

    my $idle = run(sub { 0 }, $setting);
    my $busy = run(sub {
        my ($nginx) = @_;
        my %seen = map { $_ => 1 } $act->($nginx);

        is_deeply([ keys %seen ], [ $status ], $name);
    }, $setting);

    return $busy - $idle;
}


sub run {
    my ($act, $setting) = @_;

    my $nginx = Clockodo::Nginx->start(
        main => "master_process off; worker_rlimit_nofile 20000;",
        connections => 12_000, level => 'emerg',
        http => <<'END',
    upstream app {
        server unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;
    }
    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;
        access_log off;
        location / { return 200; }
    }
END
        server => <<"END",
        access_log off;
        client_max_body_size 2m;
        location /hook { $setting proxy_pass http://app; }
END
        wrapper => [ qw(valgrind -q --tool=callgrind),
                     "--callgrind-out-file=$dir/%p" ]);

    # it is ready when it answers: a signal before that would be lost

    my $client = Clockodo::Client->new($nginx->port);

    $client->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    $client->reply;
    $client->close;

    $act->($nginx);

    my $out = "$dir/" . $nginx->pid;

    $nginx->stop;

    open my $fh, '<', $out or die "$out: $!\n";

    while (<$fh>) {
        return $1 if /^(?:summary|totals): (\d+)/;
    }

    die "$out: no total\n";
}
