# Whatever answers at the address of Redis, and in whatever pieces: an event
# that is not known to be stored goes to the next server, or gets no 200.  Here
# a socket of the test's own stands first, and a Redis behind it.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Redis;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(sleep);


my $redis = Clockodo::Redis->start;

$redis->call(qw(ACL SETUSER user on >S3cr3t ~* +xadd));

my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;

my $listening = IO::Socket::UNIX->new(Local => "$dir/sock", Listen => 16)
    or die "$dir/sock: $!\n";
chmod 0666, "$dir/sock";

my $tcp = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
    or die "cannot listen: $!\n";

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<'END');
    upstream one {
        server unix:$dir/sock;
        keepalive 1;
    }

    upstream greeted {
        server 127.0.0.1:@{[ $tcp->sockport ]} max_fails=0;
        server unix:@{[ $redis->path ]} max_fails=0 backup;
    }

    upstream two {
        server unix:$dir/sock max_fails=0;
        server unix:@{[ $redis->path ]} max_fails=0 backup;
    }
END
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;
    add_header X-Upstream "$upstream_status" always;

    location = /one {
        clockodo_redis_pass one;
    }

    location = /one/known {
        clockodo_redis_pass one;
        clockodo_redis_dedupe 1h;
    }

    location = /one/maxlen {
        clockodo_redis_pass one;
        clockodo_redis_stream other maxlen=5000;
    }

    location = /one/known/maxlen {
        clockodo_redis_pass one;
        clockodo_redis_stream "a{b}c" maxlen=1;
        clockodo_redis_dedupe 1d;
    }

    location = /one/auth {
        clockodo_redis_pass one;
        clockodo_redis_auth S3cr3t;
    }

    location = /one/user {
        clockodo_redis_pass one;
        clockodo_redis_auth user S3cr3t;
        clockodo_redis_dedupe 1h;
    }

    location = /one/short {
        clockodo_redis_pass one;
        clockodo_redis_read_timeout 10ms;
    }

    location /one/big {
        clockodo_redis_pass one;
        clockodo_redis_dedupe 1h;
        clockodo_max_body_size 8m;
        client_max_body_size 8m;

        location = /one/big/send {
            clockodo_redis_pass one;
            clockodo_redis_send_timeout 10ms;
        }
    }

    location = /two {
        clockodo_redis_pass two;
    }

    location = /greeted {
        clockodo_redis_pass greeted;
    }

    location = /greeted/connect {
        clockodo_redis_pass greeted;
        clockodo_redis_connect_timeout 10ms;
        clockodo_redis_next_upstream off;
    }

    location = /two/known {
        clockodo_redis_pass two;
        clockodo_redis_dedupe 1h;
    }

    location = /two/short {
        clockodo_redis_pass two;
        clockodo_redis_read_timeout 1s;
    }

    location = /two/auth {
        clockodo_redis_pass two;
        clockodo_redis_auth user S3cr3t;
        clockodo_redis_read_timeout 1s;
    }

    location = /two/off {
        clockodo_redis_pass two;
        clockodo_redis_next_upstream off;
    }

    location = /two/timeout {
        clockodo_redis_pass two;
        clockodo_redis_next_upstream timeout;
        clockodo_redis_read_timeout 1s;
    }

    location = /two/error {
        clockodo_redis_pass two;
        clockodo_redis_next_upstream error;
        clockodo_redis_read_timeout 1s;
    }
END

my $id = "\$15\r\n1700000000000-0\r\n";
my $null = "\$-1\r\n";
my $ok = "+OK\r\n";

my @fields = event_fields();
my $end = "\r\n$fields[-1]\r\n";   # of an event


# what goes over the wire, to the byte

{
    my $key = {@fields}->{idempotency_key};
    my @xadd = ('XADD', 'clockodo:events', '*', @fields);

    my @eval = ('EVAL',
        q(if redis.call('EXISTS',KEYS[1])==1 then return false end )
        . q(local id=redis.call('XADD',KEYS[2],unpack(ARGV,2)) )
        . q(redis.call('SET',KEYS[1],1,'EX',ARGV[1]) )
        . q(return id),
        2, "{clockodo:events}:$key", 'clockodo:events',
        3600, '*', @fields);

    my %commands = (
        '/one'       => [[@xadd]],
        '/one/known' => [[@eval]],
        '/one/auth'  => [['AUTH', 'S3cr3t'], [@xadd]],
        '/one/user'  => [['AUTH', 'user', 'S3cr3t'], [@eval]],

        '/one/maxlen' =>
            [['XADD', 'other', 'MAXLEN', '~', 5000, '*', @fields]],

        '/one/known/maxlen' =>
            [[@eval[0 .. 2], "a{b}c:$key", 'a{b}c', 86400,
              'MAXLEN', '~', 1, '*', @fields]],
    );

    for my $to (sort keys %commands) {
        my @commands = @{$commands{$to}};
        my ($reply, $request) = exchange($to, ([$ok]) x $#commands, $id);

        is($request, join('', map { command(@$_) } @commands),
           "$to: request");
        is($reply, '200 accepted/ 200', "$to: reply");
    }
}


# every byte in a segment of its own

for ([ '/one', $id, '200 accepted/ 200' ],
     [ '/one/known', $id, '200 accepted/ 200' ],
     [ '/one/known', $null, '200 duplicate/ 200' ],
     [ '/one/auth', $id, '200 accepted/ 200', $ok ],
     [ '/one/user', $null, '200 duplicate/ 200', $ok ],
     [ '/two/auth', "-OOM no\r\n", '200 accepted/ 502, 200', $ok ],
     [ '/one', "-READONLY no\r\n", '502 accepted/ 502' ],
     [ '/one/auth', "-OOM no\r\n", '502 accepted/ 502', $ok ],
     [ '/one/auth', '', '502 accepted/ 502', "-WRONGPASS no\r\n" ],
     [ '/two', "-READONLY no\r\n", '200 accepted/ 502, 200' ])
{
    my ($to, $text, $want, @auth) = @$_;

    is(ask($to, (map { [split //] } @auth), split //, $text), $want,
       "$to, by bytes: " . show(join '', @auth, $text));
}


# closed after each byte

for ([ '/two', $id ], [ '/two/known', $null ]) {
    my ($to, $text) = @$_;

    for my $len (0 .. length($text) - 1) {
        my $part = substr $text, 0, $len;

        $redis->call('FLUSHALL');
        $nginx->new_log;

        is(ask($to, $part, undef), '200 accepted/ 502, 200',
           "$to, closed after: " . show($part));

        is($redis->call('XLEN', 'clockodo:events'), 1, 'stored by the next');

        like($nginx->new_log, qr/prematurely closed connection/, 'log');
    }
}

is(ask('/one', substr($id, 0, -1), undef), '502 accepted/ 502',
   'closed in the reply, no other server');
like($nginx->new_log, qr/prematurely closed connection/, 'log');


# something else than what was asked for

my @invalid = (
    "HTTP/1.1 400 Bad Request\r\n", "220 smtp.invalid ESMTP\r\n",
    "\x15\x03\x01\x00\x02\x02\x46", "VALUE x 0 1\r\n", "\0", "\r\n", "\n",
    "+PONG\r\n", "+OK\r\n", "+OKAY\r\n", "+OK\n", "+QUEUED\r\n", ":1\r\n",
    ":0\r\n", "*1\r\n\$2\r\nOK\r\n", "*-1\r\n", "_\r\n", "#t\r\n", "%0\r\n",
    "\$-2\r\n", "\$-1\n\r", "\$-10\r\n", "\$-\r\n", "\$\r\n", "\$0\r\n\r\n",
    "\$ 3\r\n", "\$3\n1-0\n", "\$3\r1-0\r", "\$3\r\n1-0\n\r", "\$3\r\n1-00\r\n",
    "\$3\r\n1_0\r\n", "\$3\r\n100\r\n", "\$3\r\n1--\r\n", "\$3\r\n-10\r\n",
    "\$3\r\n10-\r\n", "\$4\r\n1-0\r\n\n", "\$2\r\n1-\r\n", "\$42\r\n",
    "\$003\r\n1-0\r\n", "\$100\r\n", "\$4294967299\r\n", "\$x\r\n", $null,
    "\$" . "9" x 100_000, "+" . "x" x 100_000, "x" x 1_000_000,
);

for my $text (@invalid) {
    $nginx->new_log;

    is(ask('/one', $text), '502 accepted/ 502', 'not: ' . show($text));
    like($nginx->new_log, qr/\[error\].*redis sent an invalid reply to a cl/,
         'log');

    $redis->call('FLUSHALL');

    is(ask('/two', $text), '200 accepted/ 502, 200', 'but the next server');
    is($redis->call('XLEN', 'clockodo:events'), 1, 'stored');
}

# To AUTH as well; and nothing before the event was sent, or instead of it.

for my $text ($id, $null, ":1\r\n", "+PONG\r\n", "$ok$ok", "$ok$id",
              "$ok$null", "$ok+", "$ok-ERR x\r\n")
{
    $nginx->new_log;

    is(ask('/one/auth', [$text]), '502 accepted/ 502',
       'not to AUTH: ' . show($text));
    like($nginx->new_log, qr/redis sent an invalid reply to a cl/, 'log');
}

is(ask('/one/auth', [$ok], $_), '502 accepted/ 502',
   'not after AUTH: ' . show($_)) for $ok, $null;


# Errors: the log has the code, and nothing of the rest.

my %errors = (
    "-READONLY You can't write, S3cr3t\r\n" => 'READONLY',
    "-MOVED 1234 127.0.0.1:1, S3cr3t\r\n"   => 'MOVED',
    "-ERR\r\n"                              => 'ERR',
    "-ERR " . 'S3cr3t' x 100_000            => 'ERR',
    "-OOM S3cr3t\0\x1b[2J\r\n"              => 'OOM',
    "-S3cr3t\r\n"                           => '',
    "-S3cr3t x\r\n"                         => '',
    "-\r\n"                                 => '',
    "- S3cr3t\r\n"                          => '',
    "-readonly S3cr3t\r\n"                  => '',
    "-ERR\0S3cr3t\r\n"                      => '',
    "-" . 'A' x 32 . " S3cr3t\r\n"          => 'A' x 32,
    "-" . 'A' x 33 . " S3cr3t\r\n"          => '',
    "-" . 'A' x 1_000_000                   => '',
);

for my $text (sort keys %errors) {
    for my $auth ('', $ok) {
        $nginx->new_log;

        is(ask($auth ? ('/one/auth', [$ok]) : '/one', $text),
           '502 accepted/ 502', 'error: ' . show("$auth$text"));
        like($nginx->new_log,
             qr/\[error\].*did not store a clockodo event, error "$errors{$text}"/,
             'log');
    }

    $redis->call('FLUSHALL');

    is(ask('/two', $text), '200 accepted/ 502, 200', 'the next server');
    is($redis->call('XLEN', 'clockodo:events'), 1, 'stored');
}

# What is wrong with AUTH: no event goes that way, and the next server gets it.

{
    $redis->call('FLUSHALL');

    my ($reply, $request) = exchange('/one/auth',
                                     ["-WRONGPASS S3cr3t\r\n$id"]);

    is($reply, '502 accepted/ 502', 'AUTH has failed');
    is($request, command('AUTH', 'S3cr3t'), 'nothing else was sent');
    like($nginx->new_log, qr/error "WRONGPASS"/, 'log');

    is(ask('/two/auth', [$_, undef]), '200 accepted/ 502, 200',
       'AUTH: ' . show($_)) for '', substr($ok, 0, 3), $ok, "-ERR x\r\n";
    is(ask('/two/auth', []), '200 accepted/ 504, 200', 'AUTH: time-out');
    is(ask('/two/auth', [$ok], ''), '200 accepted/ 504, 200',
       'time-out after AUTH');
    is($redis->call('XLEN', 'clockodo:events'), 6, 'stored');
}


# No answer at all.

$redis->call('FLUSHALL');

is(ask('/one/short'), '504 accepted/ 504', 'time-out');
is(ask('/two/short'), '200 accepted/ 504, 200', 'and the next server');
is(ask('/two/short', substr($id, 0, 5)), '200 accepted/ 504, 200',
   'time-out in the reply');
is($redis->call('XLEN', 'clockodo:events'), 2, 'stored');

# the other two: one that does not read, and one that does not even accept

{
    my ($client, $server) = big('/one/big/send');

    is($client->reply->{status}, 504, 'time-out while sending');
    $server->close;

    my @waiting = waiting();

    is(deliver($nginx, '/greeted/connect')->{status}, 504,
       'time-out while connecting');

    $tcp->accept for @waiting;
}


# What comes before anything was asked, such as that there are too many clients,
# is no answer, and is not taken for the start of the next server's.  Angie
# reads only after it has sent the event, and cannot tell: docs/redis.md.

my $reads_late = Clockodo::Nginx->maker eq 'Angie';

for my $text ("-ERR max number of clients reached\r\n", "220 smtp.invalid\r\n",
              $id, '$')
{
    $redis->call('FLUSHALL');

    my ($tried, $stored) = $reads_late && $text eq $id ? ('200', 0)
                                                       : ('502, 200', 1);

    is(greeted($text), "200 accepted/ $tried", 'unasked: ' . show($text));
    is($redis->call('XLEN', 'clockodo:events'), $stored, 'stored by the next');
}


# Nor is what comes before all of it was asked, unless it is an error.

for my $text ($id, $null, "-OOM no\r\n") {
    my ($client, $server) = big('/one/big');

    $nginx->new_log;
    $server->send($text);

    my $reply = $client->reply;

    is("$reply->{status} $reply->{header}{'x-judged'}", '502 accepted/',
       'too early: ' . show($text));
    like($nginx->new_log, $text =~ /OOM/ ? qr/error "OOM"/ : qr/invalid reply/,
         'log');
    $server->close;
}


# clockodo_redis_next_upstream

$redis->call('FLUSHALL');

is(ask("/two/$_", "-READONLY no\r\n"), '502 accepted/ 502', "$_: error")
    for qw(off timeout);
is(ask("/two/$_", "hello\r\n"), '502 accepted/ 502', "$_: invalid")
    for qw(off timeout);
is(ask("/two/$_", '', undef), '502 accepted/ 502', "$_: closed")
    for qw(off timeout);
is(ask('/two/error'), '504 accepted/ 504', 'error: time-out');
is($redis->call('XLEN', 'clockodo:events'), 0, 'nothing is stored');

is(ask('/two/error', $_, undef), '200 accepted/ 502, 200',
   'error: ' . show($_)) for "-READONLY no\r\n", "hello\r\n", '';
is(ask('/two/timeout'), '200 accepted/ 504, 200', 'timeout: time-out');
is($redis->call('XLEN', 'clockodo:events'), 4, 'stored');


# Connections are kept while they are in step.

{
    my $server;
    my $text = "\$3\r\n1-0\r\n";

    for my $more ('', '', $null, '', "\r\n", '', 'x' x 1000) {
        my $client = Clockodo::Client->new($nginx->port);

        $client->send(post(event()) =~ s{/hook}{/one}r);

        $server ||= Clockodo::Client->accept($listening, $nginx->worker);
        $server->receive(qr/\Q$end\E/);

        # all at once

        $server->send("$text$more");

        is($client->reply->{status}, 200, 'stored');

        if ($more ne '') {
            ok($server->closed, 'more than a reply: closed');
            undef $server;
        }
    }

    # a message of its own, when nothing was asked

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event()) =~ s{/hook}{/one}r);

    $server ||= Clockodo::Client->accept($listening, $nginx->worker);
    $server->receive(qr/\Q$end\E/);
    $server->send($text);

    is($client->reply->{status}, 200, 'stored');

    $server->send("-ERR time-out\r\n");
    ok($server->closed, 'unasked: closed');
}


# The client need not wait.

{
    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event()) =~ s{/hook}{/one?gone}r);

    my $server = Clockodo::Client->accept($listening, $nginx->worker);

    $client->close(1);
    $server->receive(qr/\Q$end\E/);
    $server->send(split //, $id);
    $server->send("\r\n");
    ok($server->closed, 'the connection has come to its end');

    # the line comes a little later

    my $line = '';

    for (1 .. 500) {
        ($line) = $nginx->read('logs/access.log') =~ m{(/one\?gone .*)\n};
        last if $line;
        sleep 0.02;
    }

    like($line, qr{^/one\?gone HTTP/1.1" 200 },
         'stored although the client has gone');
}


unlike($nginx->log, qr/S3cr3t/, 'no password or reply in the log');
unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]/, 'no alert');

done_testing;


# Sends an event, and answers in these segments; undef closes the connection.
# Returns what the client got.

sub ask {
    my ($got) = exchange(@_);

    return $got;
}


# The same, returns also what went to "Redis".  An array is the answer to AUTH;
# the event comes only after that.

sub exchange {
    my ($to, @parts) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event()) =~ s{/hook}{$to}r);

    my $server = Clockodo::Client->accept($listening, $nginx->worker);
    my $auth = ref $parts[0] ? shift @parts : undef;
    my $request = '';
    my $close;

    if ($auth) {
        $request = $server->receive(qr/S3cr3t\r\n/);
        die "more than AUTH\n" unless $server->silent;
        $close = answer($server, @$auth);
    }

    if (!$auth || @parts) {
        $request .= $server->receive(qr/\Q$end\E/);
        $close = answer($server, @parts);
    }

    my $reply = $client->reply;

    # else "keepalive" would give it to the next one

    $server->close unless $close;

    my $got = "$reply->{status} "
              . join ' ', map { $reply->{header}{$_} // '' }
                          qw(x-judged x-upstream);

    return ($got, $request);
}


# The same, by a server that speaks first: nginx is stopped while it connects,
# which it does when there is room in the queue.

sub greeted {
    my ($text) = @_;

    my $worker = $nginx->worker;
    my @waiting = waiting();

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event()) =~ s{/hook}{/greeted}r);
    wait_for(\&connecting);

    kill 'STOP', $worker;

    my $server = eval {
        $tcp->accept for @waiting;
        Clockodo::Client->accept($tcp, $worker);
    };

    $server->send($text) if $server;
    kill 'CONT', $worker;

    my $reply = $client->reply;

    return "$reply->{status} $reply->{header}{'x-judged'} "
           . $reply->{header}{'x-upstream'};
}


# As many connections as there is room for in the queue.

sub waiting {
    return map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $tcp->sockport) } 1, 2;
}


# Whether a connection to that port has been asked for and not been made.

sub connecting {
    my $port = sprintf '%04X', $tcp->sockport;

    open my $in, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!\n";

    return scalar grep { /^ *\d+: \S+ \w+:$port 02 / } <$in>;
}


# Returns whether the connection was closed at the end.

sub answer {
    my ($server, @parts) = @_;

    my $close = @parts && !defined $parts[-1];

    pop @parts if $close;

    $server->send(grep { length } @parts);
    $server->close if $close;

    return $close;
}


# Sends an event that is more than a connection takes.  Returns its two ends, of
# which "Redis" has read nothing.

sub big {
    my ($to) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event(note => '"' . 'x' x 4_000_000 . '"'))
                  =~ s{/hook}{$to}r);

    return ($client, Clockodo::Client->accept($listening, $nginx->worker));
}


sub command {
    return '*' . @_ . "\r\n" . join '', map { '$' . length . "\r\n$_\r\n" } @_;
}


sub show {
    my ($text) = @_;

    return (substr($text, 0, 30) =~ s/([^ -~])/sprintf '\x%02x', ord $1/ger)
           . (length $text > 30 ? '...' : '');
}
