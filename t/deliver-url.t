# clockodo-deliver and a URL: an answer of 2xx means taken, 410 never again,
# anything else, or nothing, that the event comes again; no server can hold it
# up for longer than --timeout.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Deliver;
use Clockodo::Receiver;
use Clockodo::Spool;
use Digest::SHA qw(hmac_sha256_base64);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);


my $dir = tempdir(CLEANUP => 1);

# what the first try of an event gets, and what is said; nothing is said of one
# that is taken

my @answers = (
    [200],
    [204],
    [299],
    ['cut'],
    ['pour'],
    [410, 'status 410, put aside after 1 try'],
    [301, 'status 301, a redirection'],
    [400, 'status 400, again'],
    [404, 'status 404, again'],
    [500, 'status 500, again'],
    ['close', 'closed before the answer was complete, again'],
    ['half', 'closed before the answer was complete, again'],
    ['stall', 'no answer within 1 s, again'],
    ['drip', 'no answer within 1 s, again'],
    ['garbage', 'no HTTP: BadStatusLine, again'],
    [[429, 'Retry-After: 1'], 'status 429, again in (?:1\.\d|2\.0) s'],
    [[429, 'Retry-After: later'], 'status 429, again in 0\.[3-6] s'],
    [[429, 'Retry-After: 999999999'], 'status 429, again in 2\.0 s'],
    [[503, 'Retry-After: Thu, 01 Jan 1970 00:00:00 GMT'],
     'status 503, again in 0\.[3-6] s'],
    [[503, 'Retry-After: Thu, 01 Jan 2170 00:00:00 GMT'],
     'status 503, again in 2\.0 s'],
    [[200, map { "X-A-$_: b" } 1 .. 200], 'no HTTP: HTTPException, again'],
    [[200, 'X-A: ' . 'b' x 70_000], 'no HTTP: LineTooLong, again'],
);

my $receiver = Clockodo::Receiver->start(sub {
    my ($request, $n) = @_;
    my ($i) = $request =~ /^X-Clockodo-Subscription-Id: (\d+)/m;

    return $n == 1 && $i <= @answers ? $answers[$i - 1][0] : 200;
});

subtest 'all kinds of answers'  => \&answers;
subtest 'connections'           => \&connections;
subtest 'a server that is away' => \&away;
subtest 'TLS'                   => \&tls;
subtest 'signed'                => \&signed;
subtest 'bad keys'              => \&keys;

done_testing;


sub start {
    my ($spool, @options) = @_;

    return Clockodo::Deliver->start(
        '--spool', $spool->path, '--url', $receiver->url, '--exit-after', '0',
        '--timeout', '1s', '--retry-min', '500ms', '--retry-max', '2s',
        @options);
}


sub answers {
    my $spool = Clockodo::Spool->new;

    my @names = map { $spool->put(subscription_id => $_) } 1 .. @answers;

    my $worker = start($spool);

    is($worker->wait, 0, 'comes to its end');

    my (%calls, %overlap);

    for ($receiver->calls) {
        $calls{$_->{key}}++;
        $overlap{$_->{key}} += $_->{overlap};
    }

    for my $i (0 .. $#answers) {
        my ($answer, $want) = @{$answers[$i]};
        my ($said) = $worker->log =~ /^$names[$i] [\w.]+: (.*)$/m;
        my $what = ref $answer ? substr "@$answer", 0, 30 : $answer;

        is($calls{$names[$i]}, $want && $answer ne '410' ? 2 : 1,
           "$what: tries");
        like($said, qr/^(?:${\ ($want || 'taken')})/, "$what: said");
    }

    is((grep { $_ } values %overlap), 0, 'none twice at once');
    is_deeply([$spool->names('dead')], [map { "$names[5].$_" } 'json', 'why'],
              'one is dead');
}


# One for each job, used again and again; a server may close it at any time.

sub connections {
    my $port = free();
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        my $server = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 10,
            ReuseAddr => 1) or POSIX::_exit(1);
        open my $out, '>>', "$dir/connections";
        my $client = $server->accept;
        my ($n, $text, $all) = (0, '', 0);

        while (1) {
            if (!sysread $client, $text, 65536, length $text) {
                $client = $server->accept;
                $n = 0;
                $text = '';
            }
            next if $text !~ /\r\n\r\n.*\}/s;
            $text = '';
            syswrite $out, 'c' . $client->peerport . ' ' . ++$n . "\n";

            # the body is long, or cannot be told from the next answer

            my $more = $n == 3 ? "Connection: close\r\n" : '';
            syswrite $client, "HTTP/1.1 200 OK\r\n${more}Content-Length: 3"
                              . "\r\n\r\nyes";

            # without a word, when the next one may be on its way

            if ($n == 5 || $n == 3) {
                close $client;
                $client = $server->accept;
                $n = 0;
            }
        }
    }

    my $spool = Clockodo::Spool->new;
    $spool->put(subscription_id => $_) for 101 .. 130;

    wait_until(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $port) });

    my $worker = Clockodo::Deliver->start(
        '--spool', $spool->path, '--url', "http://127.0.0.1:$port",
        '--exit-after', '0', '--jobs', 1, '--retry-min', '200ms');

    is($worker->wait, 0, 'comes to its end');
    is(() = $worker->log =~ /taken/g, 30, 'each is taken');

    # the last word of a connection may cross with the next event

    my $tries = () = slurp("$dir/connections") =~ /\n/g;
    cmp_ok($tries, '<=', 36, 'with one try each, as a rule');
    like(slurp("$dir/connections"), qr/c(\d+) 1\nc\1 2\n/,
         'a connection is used again');

    kill 'KILL', $pid;
    waitpid $pid, 0;
}


sub away {
    my $spool = Clockodo::Spool->new;
    my $port = free();

    $spool->put;

    my $worker = Clockodo::Deliver->start(
        '--spool', $spool->path, '--url', "http://localhost:$port/",
        '--retry-min', '200ms', '--retry-max', '200ms', '--exit-after', '0');

    ok($worker->wait_for_log(qr/Connection refused, again in 0\.[12] s/),
       'away');

    my $late = Clockodo::Receiver->start(undef, port => $port);

    is($worker->wait, 0, 'taken when it is there');

    $spool->put;

    $worker = Clockodo::Deliver->start(
        '--spool', $spool->path, '--url', 'http://no-such-host.invalid/');
    ok($worker->wait_for_log(qr/(?:name|address|resolution).*, again in/i),
       'a name that does not exist');
    is($worker->stop, 0, 'stopped');
}


sub tls {
    my $port = free();
    my ($key, $cert) = ("$dir/tls.key", "$dir/tls.pem");

    system "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout $key"
           . " -out $cert -subj /CN=localhost -addext"
           . " subjectAltName=DNS:localhost 2> /dev/null";

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec 'openssl', 's_server', '-accept', $port, '-cert', $cert, '-key',
             $key, '-www' or POSIX::_exit(127);
    }

    my $spool = Clockodo::Spool->new;
    my @options = ('--spool', $spool->path, '--retry-min', '500ms',
                   '--retry-max', '500ms', '--url');

    $spool->put;

    wait_until(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $port) });

    my $worker = Clockodo::Deliver->start(@options, "https://localhost:$port/");

    ok($worker->wait_for_log(qr/TLS: CERTIFICATE_VERIFY_FAILED/),
       'nobody vouches for it');
    $worker->stop;

    {
        local $ENV{SSL_CERT_FILE} = $cert;

        $worker = Clockodo::Deliver->start(@options,
                                           "https://127.0.0.1:$port/");
        ok($worker->wait_for_log(qr/TLS: CERTIFICATE_VERIFY_FAILED/),
           'another name');
        $worker->stop;

        # this server knows GET only, and leaves a POST without an answer

        $worker = Clockodo::Deliver->start(
            @options, "https://localhost:$port/", '--timeout', '1s');
        ok($worker->wait_for_log(qr/no answer within 1 s|no HTTP/),
           'a good certificate');
        $worker->stop;
    }

    kill 'KILL', $pid;
    waitpid $pid, 0;

    # no TLS at all

    $worker = Clockodo::Deliver->start(
        @options, 'https://127.0.0.1:' . $receiver->port, '--timeout', '2s');
    ok($worker->wait_for_log(qr/TLS: |no answer/), 'no TLS');
    $worker->stop;
}


# Each key signs; the id stays the same, the time does not.

sub signed {
    my $spool = Clockodo::Spool->new;
    my @keys = map { $_ x 24 } 'a', 'b';

    open my $out, '>', "$dir/keys" or die "keys: $!\n";
    chmod 0600, "$dir/keys";
    print $out "\xef\xbb\xbf# old, then new\r\n\r\n",
          join "\r\n", map { 'whsec_' . encode_base64($_, '') } @keys;
    close $out;

    my $name = $spool->put(subscription_id => 8,
                           payload => '{"team":{"id":77}}');
    my $unknown = $spool->put(subscription_id => 8, payload => '{}',
                              event_name => '"new_thing.seen"');
    my ($before) = scalar(my @b = $receiver->calls);

    is(start($spool, '--sign-key-file', "$dir/keys", '--retry-min', '1s')
           ->wait, 0, 'comes to its end');

    my @calls = $receiver->calls;
    my %ids;

    for my $request (map { $_->{request} } @calls[$before .. $#calls]) {
        my ($head, $body) = split /\r\n\r\n/, $request, 2;
        my ($id, $time, $signature) = map { $head =~ /^webhook-$_: (.*?)\r?$/m }
                                      qw(id timestamp signature);

        push @{$ids{$id}}, $time;
        cmp_ok(abs($time - time), '<', 60, 'the time');
        is($signature, join(' ', map {
            'v1,' . hmac_sha256_base64("$id.$time.$body", $_) . '='
        } @keys), 'the signature');
    }

    is_deeply([sort keys %ids], [sort $name, $unknown =~ s/\./-/r],
              'the ids, that of an unknown event with the digits of its file');

    my @times = @{$ids{$name}};

    is(@times, 2, 'tried twice');
    isnt($times[0], $times[1], 'at another time');
}


sub keys {
    my $spool = Clockodo::Spool->new;
    my $good = encode_base64('a' x 24, '');

    my %bad = (
        'no key'     => "# nothing\n\n",
        'no prefix'  => "$good\n",
        'blanks'     => "whsec_$good whsec_$good\n",
        'short'      => 'whsec_' . encode_base64('a' x 23, ''),
        'long'       => 'whsec_' . encode_base64('a' x 65, ''),
        'padding'    => 'whsec_' . encode_base64('a' x 25, '') =~ s/=//gr,
        'other bits' => 'whsec_' . encode_base64('a' x 25, '') =~ s/.(?===)/R/r,
        'urlsafe'    => 'whsec_' . '__--' x 8,
        'no text'    => "whsec_\xff",
    );

    for my $what (sort keys %bad) {
        open my $out, '>', "$dir/bad" or die "bad: $!\n";
        print $out $bad{$what};
        close $out;

        my ($rc, $log, $err) = deliver_once(
            '--spool', $spool->path, '--url', $receiver->url,
            '--sign-key-file', "$dir/bad");

        is($rc, 1, "$what: refused");
        like($err, qr{$dir/bad: }, 'the file is named');
        unlike($err, qr/YWFh/, 'the key is not shown');
        like($err, qr/others may read it/, 'others may read it');
    }
}


sub free {
    return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
                           ->sockport;
}
