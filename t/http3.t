# HTTP/3: a request comes in packets that nginx puts together itself.  A body
# need not have a length, ends with its stream, can have headers behind it and
# can be taken back.  Whatever becomes of a request, its connection goes on.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Http3;
use Clockodo::Nginx;
use Clockodo::Peer;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);


my $missing = Clockodo::Http3->missing;

plan skip_all => $missing if $missing;

my $size = 4096;
my $event = event();

# nginx takes UDP's port of the number that it has for TCP

my $port = Clockodo::Nginx->free_port;
my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $listen = Clockodo::Http3->listen($dir, $port);

# the application answers with all that has reached it

my $app = Clockodo::Peer::start('http');

my $hook = <<"END";
            clockodo_secret_file logs/secrets;
            proxy_pass http://unix:$app;
END

my $nginx = Clockodo::Nginx->start(server => <<"END");
        $listen
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;
        clockodo_max_body_size $size;
        underscores_in_headers on;
        ignore_invalid_headers off;
        add_header X-Reason \$clockodo_reason always;

        location /hook { $hook }
        location /small { client_body_buffer_size 1k; $hook }
        location /file { client_body_in_file_only clean; $hook }
        location /drop { clockodo_dedupe drop; $hook }
        location /report { $hook clockodo_webhook report; }
END

my $worker = $nginx->worker;
my $temp = $nginx->root . '/client_body_temp';
my $client = Clockodo::Http3->new($port);


# Status and reason, and what is wrong with an event that has got through.

sub outcome {
    my ($reply, $body, $headers) = @_;

    return "closed: $reply->{closed}" if exists $reply->{closed};

    my $outcome = join ' ', $reply->{status} // 'nothing',
                            $reply->{headers}{'x-reason'} // ();

    return $outcome if $outcome ne '200' || !defined $body;

    my ($head, $got) = split /\r\n\r\n/, $reply->{body}, 2;
    my $ours = join '', map { "$_\r\n" } grep { /^x.clockodo/i }
                        split /\r\n/, $head;

    return 'other body' if $got ne $body;
    return "other headers: $ours" if $ours ne ($headers // event_headers());

    return 'accepted';
}


# A request, and on the same connection an event.

sub check {
    my ($name, $want, %request) = @_;

    my $reply = $client->request(%request);

    is(outcome($reply, join '', @{$request{data} || []}), $want, $name)
        if defined $want;

    is(outcome($client->request(data => [$event]), $event), 'accepted',
       "$name: the connection goes on");

    return $reply;
}


sub frames {
    my ($body, $size) = @_;

    return [unpack "(a$size)*", $body];
}


sub event_of {
    my ($length) = @_;

    return substr($event, 0, -1) . ' ' x ($length - length $event) . '}';
}


# Bodies in DATA frames of any size, with a length and without.

for my $length (1, 0) {
    my $send = sub {
        my ($name, $want, $body, $frame, @headers) = @_;

        push @headers, 'content-length' => length $body if $length;

        check("$name, " . ($length ? 'with' : 'without') . ' content-length',
              $want, headers => \@headers, data => frames($body, $frame));
    };

    for my $path ('/hook', '/small', '/file') {
        $send->("accepted, frames of $_, $path", 'accepted', $event, $_,
                ':path' => $path) for 4096, 50, 3;

        $send->("$size bytes, $path", 'accepted', event_of($size), 1000,
                ':path' => $path);
    }

    $send->('token', '403 token', event(token => '"x"'), 50);
    $send->('malformed', '400 malformed_json', substr($event, 0, -1), 50);
    $send->('envelope', '400 envelope', event(company_id => 0), 50);
    $send->('method', '405 method', $event, 50, ':method' => 'PUT');
    $send->('content type', '415 content_type', $event, 50,
            'content-type' => 'text/plain');
    $send->('two content types', '415 content_type', $event, 50,
            'content-type' => 'application/json',
            'content-type' => 'application/json');
    $send->('content encoding', '415 content_encoding', $event, 50,
            'content-encoding' => 'gzip');
    $send->('no body', '400 empty_body', '', 50);
}


# Every cut into two frames.

{
    my %seen;

    for my $cut (1 .. length($event) - 1) {
        my $reply = $client->request(data => [unpack "a${cut}a*", $event]);
        push @{$seen{outcome($reply, $event)}}, $cut;
    }

    is_deeply([keys %seen], ['accepted'], 'wherever it is cut')
        or diag explain \%seen;
}


# Too large: known beforehand, or cut off at the size, and never in a file.

sub files {
    my @files = glob "$temp/*";

    return scalar @files
           + (() = $nginx->new_log =~ /is buffered to a temporary file/g);
}

for my $path ('/hook', '/small', '/file') {
    wait_for(sub { !glob "$temp/*" });
    files();

    my @large = (':path' => $path, 'content-length' => $size + 1);

    check("announced, and nothing comes, $path", '413 body_too_large',
          headers => \@large);
    check("announced, and sent, $path", '413 body_too_large',
          headers => \@large, data => frames(event_of($size + 1), 100));

    for my $frame (100, 5000) {
        check("no content-length, frames of $frame, $path",
              '413 body_too_large', headers => [':path' => $path],
              data => frames(event_of($size + 1), $frame));
        check("far too large, frames of $frame, $path", '413 body_too_large',
              headers => [':path' => $path],
              data => frames(event_of(30 * $size), $frame));
    }

    is(files(), 0, "no file, $path");
}


# A length that is not that of the body: no part of it is taken for the whole.

for my $path ('/hook', '/file') {
    for my $wrong (-1, 1) {
        my $reply = check("length $wrong, $path", undef,
                          headers => [':path' => $path, 'content-length' =>
                                      $wrong + length $event],
                          data => frames($event, 50));

        isnt($reply->{status}, 200, "length $wrong, $path: not taken");
    }
}


# The client takes its request back, wherever it is.

$nginx->new_log;

for my $end (qw(reset abort)) {
    for my $path (qw(/hook /small /file /drop)) {
        for my $sent ([], [substr $event, 0, 50], ['x' x 3000], [$event]) {
            check("$end after " . length(join '', @$sent) . ", $path", undef,
                  headers => [':path' => $path], data => $sent, end => $end);
            check("$end, content-length, $path", undef, data => $sent,
                  headers => [':path' => $path, 'content-length' => 4000],
                  end => $end);
        }
    }
}

unlike($nginx->new_log, qr/clockodo webhook/, 'nothing was judged');
is(outcome($client->request(headers => [':path' => '/drop'],
                            data => [$event]), $event),
   'accepted', 'nor claimed');


# The handshake.

{
    my $secret = '8ee3d438-fbfc-411c-a38a-25893becd505';

    is($nginx->read('logs/secrets'), '', 'no secret yet');

    my $reply = check('handshake', undef,
                      data => frames(qq({"secret":"$secret"}), 5));

    is(outcome($reply), '200', 'handshake');
    is($reply->{body}, '', 'it goes no further');
    like($nginx->read('logs/secrets'), qr/^\S+ .*$secret.*\n\z/, 'its secret');
}


# Headers and trailers of ours that a client has made up.

{
    my @spoofed = map { ($_ => 'spoofed') }
                  qw(x-clockodo-event x_clockodo_event x.clockodo.event
                     x-clockodo-anything x-clockodo-verdict);

    check('spoofed headers', 'accepted', headers => \@spoofed,
          data => frames($event, 50));
    check('spoofed trailers', 'accepted', trailers => \@spoofed,
          data => frames($event, 50));
    check('both', 'accepted', headers => \@spoofed, trailers => \@spoofed,
          data => [$event]);

    my $reply = check('spoofed trailers, no content-length, refused',
                      '403 token', trailers => \@spoofed,
                      data => [event(token => '"x"')]);

    $reply = check('report', undef, headers => [':path' => '/report', @spoofed],
                   trailers => \@spoofed, data => [event(token => '"x"')]);
    unlike($reply->{body}, qr/spoofed/, 'report: none of them');
    like($reply->{body}, qr/^X-Clockodo-Reason: token\r$/m, 'report: ours');
}


is($nginx->worker, $worker, 'the worker is alive');
unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]|exited on signal/,
       'nothing went wrong inside');

done_testing();
