# HTTP/2: a body need not have a length, comes in DATA frames, and nginx reads
# it in a way of its own.  The frames are made here, to be cut at will.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Http2;
use Clockodo::Nginx;
use Test::More;
use Time::HiRes qw(sleep);


my $size = 4096;

# a value that begins so is not worth a Huffman code
my $raw = '<' x 16;

my $hook = <<"END";
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_max_body_size $size;
            add_header X-Reason "$raw\$clockodo_reason" always;
            proxy_pass http://app;
END

my $nginx = Clockodo::Nginx->start(
    http => app(), listen => 'http2', server => <<"END");
        location /hook { $hook }
        location /small { client_body_buffer_size 1k; $hook }
        location /file { client_body_in_file_only clean; $hook }
END

my $worker = $nginx->worker;
my $temp = $nginx->root . '/client_body_temp';
my $event = event();


sub client {
    my $client = Clockodo::Client->new($nginx->port, $worker);

    $client->send(preface());

    return $client;
}


# What nginx says on these streams: status and, where there is one, reason;
# the body too for the application's reply.

sub replies {
    my ($client, @streams) = @_;

    my (%reply, %body, %end);

    while (grep { !$end{$_} } @streams) {
        my ($type, $flags, $stream, $payload);

        until (($type, $flags, $stream, $payload)
               = take_frame(\$client->{in}))
        {
            $client->fill or return { %reply, closed => 1 };
        }

        if ($type == HEADERS) {
            $reply{$stream} = status($payload);
            $reply{$stream} .= " $1" if $payload =~ /$raw(\w+)/;

        } elsif ($type == DATA) {
            $body{$stream} .= $payload;

            $client->send(frame(WINDOW_UPDATE, 0, $_,
                                pack 'N', length $payload))
                for grep { length $payload } 0, $stream;

        } elsif ($type == SETTINGS && !($flags & ACK)) {
            $client->send(frame(SETTINGS, ACK, 0, ''));

        } elsif ($type == RST_STREAM) {
            # nginx wants no more of a body that it has replied to
            $reply{$stream} //= 'reset';
            $end{$stream} = 1;

        } elsif ($type == GOAWAY) {
            return { %reply, goaway => 1 };
        }

        $end{$stream} = 1 if $type <= HEADERS && $flags & END_STREAM;
    }

    for (grep { ($reply{$_} || '') eq '200' } @streams) {
        $reply{$_} = ($body{$_} || '') =~ /^body=(.*)$/m
                     ? $1 eq $event ? 'accepted' : 'other body' : 200;
    }

    return \%reply;
}


sub reply {
    my ($client, $stream, @parts) = @_;

    $client->send(@parts);

    return replies($client, $stream)->{$stream} // 'nothing';
}


sub event_of {
    my ($length) = @_;

    return substr($event, 0, -1) . ' ' x ($length - length $event) . '}';
}


# One connection for all of them: none of these ends it.

my $client = client();
my $stream = -1;

for my $length (1, 0) {
    for my $empty (0, 1) {
        my $name = ($length ? 'with' : 'without') . ' content-length'
                   . ($empty ? ', an empty DATA at the end' : '');
        my $of = sub {
            $length ? ('content-length' => length $_[0]) : ()
        };

        my $send = sub {
            my ($body, $size, %headers) = @_;

            $stream += 2;

            return reply($client, $stream, join '',
                         headers($stream, 0, $of->($body), %headers),
                         body($stream, $body, $size, $empty));
        };

        for my $path ('/hook', '/small', '/file') {
            is($send->($event, 4096, ':path' => $path), 'accepted',
               "good, $name, $path");
            is($send->($event, 1, ':path' => $path), 'accepted',
               "good in frames of one byte, $name, $path");
        }

        is($send->(event(token => '"x"'), 4096), '403 token',
           "token, $name");
        is($send->(substr($event, 0, -1), 4096), '400 malformed_json',
           "malformed, $name");
        is($send->($event, 4096, ':method' => 'PUT'), '405 method',
           "method, $name");
        is($send->($event, 4096, 'content-type' => 'text/plain'),
           '415 content_type', "content type, $name");
        is($send->($event, 4096, 'content-encoding' => 'gzip'),
           '415 content_encoding', "content encoding, $name");
    }
}

$stream += 2;
is(reply($client, $stream, headers($stream, END_STREAM)), '400 empty_body',
   'no DATA at all');

$stream += 2;
is(reply($client, $stream, headers($stream, 0), data($stream, END_STREAM, '')),
   '400 empty_body', 'an empty DATA');


# Every cut: two segments, and two frames.

{
    my %seen;

    for my $cut (1 .. length($event) - 1) {
        $stream += 2;
        push @{$seen{reply($client, $stream, headers($stream, 0),
                           body($stream, $event, $cut))}}, "frames of $cut";
    }

    my $length = length headers(1, 0) . data(1, 0, $event);

    for my $cut (1 .. $length - 1) {
        $stream += 2;

        my $request = headers($stream, 0) . data($stream, END_STREAM, $event);

        push @{$seen{reply($client, $stream,
                           unpack "a${cut}a*", $request)}}, "cut at $cut";
    }

    is_deeply([ keys %seen ], [ 'accepted' ], 'wherever it is cut')
        or diag explain \%seen;
}


# The size.

sub spooled {
    my @files = glob "$temp/*";

    return scalar @files
           + (() = $nginx->new_log =~ /is buffered to a temporary file/g);
}

spooled();

for my $path ('/hook', '/small', '/file') {
    for my $frame (100, 4096) {
        my $name = "without content-length, frames of $frame, $path";

        my $client = client();

        $client->send(headers(1, 0, ':path' => $path),
                      body(1, event_of($size), $frame));

        is(replies($client, 1)->{1}, 'other body', "$size bytes, $name");

        sleep 0.01 while glob "$temp/*";
        spooled();

        is(reply($client, 3, headers(3, 0, ':path' => $path),
                 body(3, event_of($size + 1), $frame)),
           '413 body_too_large', $size + 1 . " bytes, $name");

        is(spooled(), 0, 'no file');

        # it has no end, and others go on

        is(reply($client, 5, headers(5, 0, ':path' => $path),
                 body(5, 'x' x ($size + 1), $frame, 1)),
           '413 body_too_large', "cut off, $name");

        is(reply($client, 7, headers(7, 0), body(7, $event, 100)),
           'accepted', "the next stream, $name");
    }

    my $client = client();

    is(reply($client, 1, headers(1, 0, ':path' => $path,
                                 'content-length' => $size + 1)),
       '413 body_too_large', "content-length, $path");
}


# Many at once, a frame of each in turn: each is judged on its own.

{
    my $client = client();
    my (%want, @frames, @streams);

    for my $i (0 .. 59) {
        my $stream = 2 * $i + 1;
        my $body = $i % 3 == 0 ? $event
                   : $i % 3 == 1 ? event(token => '"x"')
                   : '[' . event();

        $want{$stream} = (qw(accepted 403 400))[$i % 3]
                         . ('', ' token', ' malformed_json')[$i % 3];

        push @streams, $stream;

        my @body = body($stream, $body, 16);

        unshift @body, headers($stream, 0);
        push @{$frames[$_]}, $body[$_] for 0 .. $#body;
    }

    $client->send(map { join '', @$_ } @frames);

    is_deeply(replies($client, @streams), \%want, '60 streams at once');
}


# The client takes a stream back in the middle of its body.

{
    my $client = client();

    $nginx->new_log;
    $client->send(headers(1, 0) . data(1, 0, substr $event, 0, 50),
                  frame(RST_STREAM, 0, 1, pack 'N', 8));

    is(reply($client, 3, headers(3, 0), body(3, $event, 100)), 'accepted',
       'behind one that was taken back');

    unlike($nginx->new_log, qr/clockodo webhook/,
           'nothing is said of that one');
}


# And with a client that others have written.  A reply ahead of the body's end
# is not tried with it: nginx's RST_STREAM behind it can make curl lose it.

sub curl {
    my ($body, @options) = @_;

    $nginx->write('body', $body);

    open my $curl, '-|', 'curl', '-sS', '--http2-prior-knowledge',
         '--max-time', 10, '-o', $nginx->root . '/reply',
         '-w', '%{http_version} %{http_code}',
         '-H', 'Content-Type: application/json', @options,
         '--data-binary', '@' . $nginx->root . '/body',
         'http://127.0.0.1:' . $nginx->port . '/hook' or die "curl: $!\n";

    return scalar <$curl>;
}

is(curl($event), '2 200', 'curl, good');
like($nginx->read('reply'), qr/^body=\Q$event\E$/m, 'its body');
is(curl($event, '-H', 'Content-Length:'), '2 200',
   'curl, without content-length');
is(curl(event(token => '"x"')), '2 403', 'curl, token');

is($nginx->worker, $worker, 'the worker is alive');
unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]|exited on signal/,
       'nothing went wrong inside');

done_testing();
