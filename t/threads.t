# A disk that takes its time holds up nobody but those who wait for it: writes
# go to threads.  Here the disk is slow at will, and everything that can happen
# to a request, a worker or a file happens in the middle of a write.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Http2 qw(:DEFAULT h2 ping replies);
use Clockodo::Nginx qw(contents fine gone wait_for);
use Clockodo::Trace;
use IO::Socket::INET;
use Test::More;

plan skip_all => 'nginx has no threads' unless Clockodo::Nginx->threads;
plan skip_all => 'strace cannot trace here' unless Clockodo::Trace->works;

$ENV{TEST_NGINX_WORKER_USER} ||= 'www-data' if $> == 0;

my $time = qr/2\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ/;

# longer than any test takes: it ends when the trace is stopped

my $long = 30_000_000;

subtest 'others are answered'             => \&others;
subtest 'one after another'               => \&queue;
subtest 'too many'                        => \&too_many;
subtest 'no thread to be had'             => \&overflow;
subtest 'clients that are gone'           => \&gone_clients;
subtest 'events of the connection'         => \&events;
subtest 'HTTP/2: streams, resets, a close' => \&http2;
subtest 'ended amid a write'               => \&ended;
subtest 'reopened amid a write'           => \&reopened;
subtest 'quit amid a write'               => sub { quit('QUIT') };
subtest 'reload amid a write'             => sub { quit('HUP') };
subtest 'killed amid a write'             => \&killed;
subtest 'poll'                            => sub { in_place('poll') };
subtest 'select'                          => sub { in_place('select') };
subtest 'no master process'               => \&single;
subtest 'nothing to write'                => \&unused;

done_testing;


sub others {
    my $nginx = start();
    my $slow = slow($nginx);

    my $client = handshake($nginx, 'slow');

    $slow->wait_for(qr/fdatasync\(/);

    is(deliver($nginx, '/served', token => '"x"')->{status}, 204,
       'others are answered') for 1 .. 20;
    ok($client->silent, 'no reply before it is on disk');

    $slow->stop;

    is($client->reply->{status}, 200, 'reply once it is');
    is_deeply([ secrets($nginx) ], [ 'slow' ], 'recorded');
}


# Handshakes to one file wait for each other, those to another do not.

sub queue {
    my $nginx = start();
    my $slow = slow($nginx);

    my @clients = map { handshake($nginx, "s-$_") } 1 .. 20;

    $slow->wait_for(qr/fdatasync\(/);

    my $other = handshake($nginx, 'other', '/other');

    $slow->wait_for(qr/other>.*fdatasync|fdatasync.*other>/s);

    is(scalar(() = $slow->text =~ /fdatasync\(/g), 2, 'one task a file');
    is_deeply([ secrets($nginx) ], [ 's-1' ], 'one line');

    $slow->stop;

    is($_->reply->{status}, 200, 'recorded') for @clients, $other;

    is_deeply([ secrets($nginx) ], [ map { "s-$_" } 1 .. 20 ],
              'in the order in which they came');
    is_deeply([ secrets($nginx, 'other') ], [ 'other' ], 'the other file');
}


sub too_many {
    my $nginx = start();
    my $slow = slow($nginx);

    my @clients = map { handshake($nginx, "s-$_") } 1 .. 70;

    is($_->reply->{status}, 503, 'too many') for @clients[64 .. 69];
    ok($clients[$_]->silent, 'waits') for 0, 63;

    $slow->stop;

    is($_->reply->{status}, 200, 'recorded') for @clients[0 .. 63];

    is_deeply([ secrets($nginx) ], [ map { "s-$_" } 1 .. 64 ], 'all of them');
    is(scalar(() = $nginx->log =~ /\[error\].*too many handshakes wait for/g),
       6, 'log');
}


# The operator's own pool can be a small one, and others may use it.

sub overflow {
    my $nginx = start(main => 'thread_pool default threads=1 max_queue=1;');
    my $slow = slow($nginx);

    my @clients = handshake($nginx, 'a');

    $slow->wait_for(qr/fdatasync\(/);

    push @clients, map { handshake($nginx, 'a', "/$_") } qw(other third);

    is($clients[2]->reply->{status}, 503, 'no room in the queue of the pool');

    $slow->stop;

    is($clients[$_]->reply->{status}, 200, 'recorded') for 0, 1;

    my $client = handshake($nginx, 'b', '/third');

    is($client->reply->{status}, 200, 'works again');
    is_deeply([ secrets($nginx, 'third') ], [ 'b' ], 'recorded');
}


# By a FIN or by a reset, while it waits in the queue, and while its line is
# written: it is recorded all the same.

sub gone_clients {
    my $nginx = start();
    my $slow = slow($nginx);

    my @clients = map { handshake($nginx, "s-$_") } 0 .. 4;

    $slow->wait_for(qr/fdatasync\(/);

    $clients[$_]->close($_ % 2) for 0 .. 3;
    is(deliver($nginx, '/served')->{status}, 204, 'others are answered');

    $slow->stop;

    is($clients[4]->reply->{status}, 200, 'the last one is answered');
    is_deeply([ secrets($nginx) ], [ map { "s-$_" } 0 .. 4 ], 'all recorded');

    fine($nginx);

    # and the one that is written

    $nginx = start();

    for my $reset (0, 1) {
        $slow = slow($nginx);
        my $client = handshake($nginx, "gone-$reset");

        $slow->wait_for(qr/fdatasync\(/);
        $client->close($reset);
        is(deliver($nginx, '/served')->{status}, 204, 'others are answered');
        $slow->stop;
    }

    is(handshake($nginx, 'next')->reply->{status}, 200, 'works on');
    is_deeply([ secrets($nginx) ], [ qw(gone-0 gone-1 next) ], 'recorded');

    fine($nginx);
}


# nginx goes on to watch a connection that an upstream was asked for, and tells
# the request that it can write whenever something comes.

sub events {
    my $nginx = start();
    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event()) =~ s{/hook}{/app}r);
    is($client->reply->{status}, 204, 'an event before it');

    my $slow = slow($nginx);

    $client->send(post('{"secret":"once"}'));
    $slow->wait_for(qr/fdatasync\(/);

    $client->send('G');
    is(deliver($nginx, '/served')->{status}, 204, 'nginx has seen it');
    $client->send("ET /served HTTP/1.1\r\nHost: localhost\r\n\r\n");
    is(deliver($nginx, '/served')->{status}, 204, 'nginx has seen it');

    ok($client->silent, 'no reply before it is on disk');

    $slow->stop;

    is($client->reply->{status}, 200, 'reply');
    is($client->reply->{status}, 204, 'and to the next request');
    is_deeply([ secrets($nginx) ], [ 'once' ], 'recorded once');

    fine($nginx);
}


sub http2 {
    my $nginx = start(listen => 'http2');

    for my $end ('nothing', 'reset', 'close', 'abort') {
        my $slow = slow($nginx);
        my $client = h2($nginx);
        my @streams = map { 2 * $_ + 1 } 0 .. 6;

        for my $stream (@streams) {
            my $body = qq({"secret":"$end-$stream"});

            $client->send(headers($stream, END_HEADERS)
                          . data($stream, END_STREAM, $body));
        }

        # the first one is written, the others wait

        $slow->wait_for(qr/fdatasync\(/);
        is(ping($client), 'pong', 'nginx has read them all');

        $client->send(join '', map { frame(RST_STREAM, 0, $_, pack 'N', 8) }
                                   1, 5, 13)
            if $end eq 'reset';

        $client->close($end eq 'abort') if $end eq 'close' || $end eq 'abort';

        # nginx has seen it once it answers others

        is(ping(h2($nginx)), 'pong', 'others are answered') for 1 .. 3;
        $slow->stop;

        if ($end eq 'nothing') {
            my %status = map { $_ => 200 } @streams;

            is_deeply(replies($client, @streams), \%status, 'answered');

        } elsif ($end eq 'reset') {
            my %status = map { $_ => 200 } 3, 7, 9, 11;

            is_deeply(replies($client, sort { $a <=> $b } keys %status),
                      \%status, 'the others are answered');
        }

        my @want = map { "$end-$_" } @streams;

        wait_for(sub { @want == grep { /^$end-/ } secrets($nginx) });
        is_deeply([ grep { /^$end-/ } secrets($nginx) ], \@want,
                  "$end: recorded");
    }

    fine($nginx);
}


# A request that nginx ends, since its stream was reset and its mirror is
# answered, is kept until it is written: what is written is its memory.

sub ended {
    my $listening = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
        or die "cannot listen: $!\n";
    my $port = $listening->sockport;

    my $nginx = start(listen => 'http2', server => <<"END");
    clockodo_token My_Sup3r_T0k3n;
    clockodo_webhook on;

    location /hook {
        mirror /mirror;
        clockodo_spool spool;
    }

    location = /mirror {
        internal;
        clockodo_webhook off;
        proxy_pass http://127.0.0.1:$port;
    }
END

    my $slow = slow($nginx);
    my $client = h2($nginx);

    $client->send(headers(1, END_HEADERS) . data(1, END_STREAM, event()));

    my $mirror = Clockodo::Client->accept($listening, $nginx->worker);

    $mirror->receive(qr/"token":"\w+"\}/);
    $slow->wait_for(qr/fdatasync\(/);

    $client->send(frame(RST_STREAM, 0, 1, pack 'N', 8));
    is(ping($client), 'pong', 'nginx has read the reset');

    $mirror->send("HTTP/1.1 204 X\r\nConnection: close\r\n\r\n");
    ok($mirror->closed, 'the mirror was heard');
    is(ping(h2($nginx)), 'pong', 'others are answered');

    is($nginx->read('logs/access.log'), '', 'it is not over');

    $slow->stop;

    wait_for(sub { $nginx->read('logs/access.log') });
    is(scalar(() = glob $nginx->root . '/spool/new/*.json'), 1, 'stored');

    fine($nginx);
}


# nginx closes the file, and the next connection of a client gets its number.

sub reopened {
    my $nginx = start();
    my $file = $nginx->root . '/secrets';
    my $worker = $nginx->worker;

    chown +(getpwnam $ENV{TEST_NGINX_WORKER_USER})[2], -1, $nginx->root
        if $> == 0;

    # the thread has the number, and the kernel not yet the file

    my $slow = Clockodo::Trace->new($worker,
        trace  => 'write',
        inject => 'write:delay_enter=2000000',
        path   => $file);

    my $client = handshake($nginx, 'whose');

    $slow->wait_for(qr/write\(\d+<\Q$file\E>, "/);

    rename $file, "$file.1";
    kill 'USR1', $worker;

    my @strangers = map { Clockodo::Client->new($nginx->port) } 1 .. 5;

    $_->send("GET /served HTTP/1.1\r\nHost: localhost\r\n\r\n") for @strangers;

    is($_->reply->{status}, 204, 'a stranger') for @strangers;
    is($client->reply->{status}, 200, 'recorded');
    ok($_->silent, 'strangers get nothing') for @strangers;

    $slow->stop;

    is_deeply([ secrets($nginx, 'secrets.1') ], [ 'whose' ], 'in the old file');
    is(contents($file), '', 'not in the new one');

    is(handshake($nginx, 'next')->reply->{status}, 200, 'works on');
    is_deeply([ secrets($nginx) ], [ 'next' ], 'in the new file');
}


sub quit {
    my ($signal) = @_;

    my $nginx = start();
    my $worker = $nginx->worker;
    my $slow = slow($nginx);

    my @clients = map { handshake($nginx, "s-$_") } 1 .. 3;

    $slow->wait_for(qr/fdatasync\(/);

    kill $signal, $nginx->pid;
    wait_for(sub { $nginx->log =~ /gracefully shutting down/ });

    if ($signal eq 'HUP') {
        wait_for(sub { $nginx->workers == 1 });

        is(handshake($nginx, 'new')->reply->{status}, 503,
           'the new worker does not wait for the old one');
    }

    $slow->stop;

    is($_->reply->{status}, 200, 'answered') for @clients;
    ok(wait_for(sub { gone($worker) }), 'the worker leaves');

    is_deeply([ secrets($nginx) ], [ map { "s-$_" } 1 .. 3 ], 'recorded');

    fine($nginx) if $signal eq 'HUP';
    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'log');
}


# What a killed worker has locked is free, and what it has written is whole.

sub killed {
    my $nginx = start();

    for my $call ('write', 'fdatasync') {
        my $worker = $nginx->worker;
        my $slow = slow($nginx, $call);

        my @clients = map { handshake($nginx, "$call-$_") } 1 .. 3;

        $slow->wait_for(qr/$call\(\d+<\S+secrets>/);
        kill 'KILL', $worker;
        $slow->stop;

        # those that it had not accepted yet are the next worker's

        ok(!defined $clients[0]->reply, 'no reply');
        $_->reply for @clients[1, 2];

        wait_for(sub { $nginx->workers == 1 && $nginx->worker != $worker });

        is(handshake($nginx, "next-$call")->reply->{status}, 200, 'works on');
    }

    my @secrets = secrets($nginx);

    ok(!(grep { /bad line/ } @secrets), 'whole lines') or diag("@secrets");
    is((grep { /^next-/ } @secrets) + 0, 2, 'what was answered is there');
}


# Methods whose threads cannot tell the event loop that they are done.

sub in_place {
    my ($method) = @_;

    my $nginx = eval { start(events => "use $method;") };

    plan skip_all => "nginx has no $method" unless $nginx;

    my $worker = $nginx->worker;

    is(handshake($nginx, $_)->reply->{status}, 200, 'recorded') for 'a', 'b';
    is_deeply([ secrets($nginx) ], [ 'a', 'b' ], 'both');
    is(scalar(() = glob "/proc/$worker/task/*"), 1, 'no threads');

    fine($nginx);
}


# One that closes the files of an old configuration while it is at work.

sub single {
    my $nginx = start(main => 'master_process off;');

    is(handshake($nginx, $_)->reply->{status}, 200, 'recorded') for 'a', 'b';
    is_deeply([ secrets($nginx) ], [ 'a', 'b' ], 'both');
}


# Who records no secrets has no threads.

sub unused {
    my @nginx = (start(), start(server => <<'END'));
    location /hook {
        clockodo_token My_Sup3r_T0k3n;
        clockodo_webhook on;
        proxy_pass http://127.0.0.1:1;
    }
END

    my @threads = map { scalar(() = glob '/proc/' . $_->worker . '/task/*') }
                  @nginx;

    cmp_ok($threads[0], '>', 1, 'threads');
    is($threads[1], 1, 'no threads');
}


sub start {
    my %arg = @_;

    return Clockodo::Nginx->start(level => 'notice', server => <<'END', %arg);
    clockodo_token My_Sup3r_T0k3n;
    clockodo_webhook on;

    location /hook {
        clockodo_secret_file secrets;
        proxy_pass http://127.0.0.1:1;
    }

    location /other {
        clockodo_secret_file other;
        proxy_pass http://127.0.0.1:1;
    }

    location /third {
        clockodo_secret_file third;
        proxy_pass http://127.0.0.1:1;
    }

    location /app {
        proxy_pass http://127.0.0.1:$server_port/served;
    }

    location /served {
        clockodo_webhook off;
        return 204;
    }
END
}


# Every call takes long from now on.

sub slow {
    my ($nginx, $call) = @_;

    $call ||= 'fdatasync';

    return Clockodo::Trace->new($nginx->worker,
        trace  => $call,
        inject => "$call:delay_enter=$long",
        $call eq 'write' ? (path => $nginx->root . '/secrets') : ());
}


sub handshake {
    my ($nginx, $secret, $path) = @_;

    $path ||= '/hook';

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(qq({"secret":"$secret"})) =~ s{/hook}{$path}r);

    return $client;
}


sub secrets {
    my ($nginx, $file) = @_;

    my @lines = $nginx->read($file || 'secrets') =~ /\G(.*\n|.+)/g;

    return map { /\A$time 127\.0\.0\.1 ([\w.~-]+)\n\z/
                 ? $1 : "bad line: $_" } @lines;
}
