# A body is held against clockodo_max_body_size before it takes memory or disk:
# by its Content-Length, and a chunked one as soon as it gets too long.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;
use Time::HiRes qw(sleep stat);


my $size = 4096;

my %buffer = (
    small  => 'client_body_buffer_size 1k;',
    large  => 'client_body_buffer_size 16k;',
    file   => 'client_body_in_file_only clean;',
    single => 'client_body_buffer_size 1k; client_body_in_single_buffer on;',
);

my $hook = <<"END";
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_max_body_size $size;
            add_header X-Reason \$clockodo_reason always;
            proxy_pass http://app;
END

my $nginx = Clockodo::Nginx->start(
    http   => app(),
    server => join '', "client_max_body_size 8m;\n",
        "location /off { $buffer{small} proxy_pass http://app; }\n",
        "location /report { $hook clockodo_webhook report; }\n"
            =~ s/clockodo_webhook on;//r,
        map { "location /$_ { $buffer{$_} $hook }\n" } sort keys %buffer);

my $worker = $nginx->worker;
my $temp = $nginx->root . '/client_body_temp';


# an event of this length

sub event_of {
    my ($length) = @_;

    my $event = event();

    return substr($event, 0, -1) . ' ' x ($length - length $event) . '}';
}


sub client {
    return Clockodo::Client->new($nginx->port, $worker);
}


sub at {
    my ($path, $request) = @_;

    return $request =~ s{ /hook }{ /$path }r;
}


# Whether a file has been in the folder since this was called last: that also
# shows where it is gone again.

my $changed = 0;

sub spooled {
    my $is = (stat $temp)[9];
    my $was = $changed;

    $changed = $is;

    return $is != $was;
}


sub refused {
    my ($client, $name) = @_;

    my $reply = $client->reply;

    is($reply->{status}, 413, "$name: status");
    is($reply->{header}{'x-reason'}, 'body_too_large', "$name: reason");
    is($reply->{header}{connection}, 'close', "$name: connection");

    return $reply;
}


# A client that is still sending is not met by a reset, which could cost it the
# reply: nginx goes on reading for a while.

sub goes_on {
    my ($client, $part, $name) = @_;

    1 until $client->sleeps;

    is($client->send($part) + $client->send($part), 2 * length $part,
       "$name: it may go on");
}


my %way = (
    'with Content-Length'  => sub { post($_[0]) },
    'in one chunk'         => sub {
        post(chunked($_[0]), 'Transfer-Encoding: chunked')
    },
    'in chunks of 1000'    => sub {
        post(chunked($_[0], 1000), 'Transfer-Encoding: chunked')
    },
    'in chunks of one'     => sub {
        post(chunked($_[0], 1), 'Transfer-Encoding: chunked')
    },
);

spooled();

for my $buffer (sort keys %buffer) {
    for my $way (sort keys %way) {
        my $client = client();

        $client->send(at($buffer, $way{$way}->(event_of($size))));

        my $reply = $client->reply;

        is($reply->{status}, 200, "$size bytes $way, $buffer");
        like($reply->{body}, qr/^body=\Q@{[ event_of($size) ]}\E$/m,
             'and all of them got through');

        # nginx removes its file when the reply is out
        sleep 0.01 while () = glob "$temp/*";
        spooled();

        my $name = $size + 1 . " bytes $way, $buffer";

        $client->send(at($buffer, $way{$way}->(event_of($size + 1))));
        refused($client, $name);

        ok(!spooled(), "$name: no file");
    }
}


# Before the body: its Content-Length is enough.

{
    my $client = client();

    $client->send(at('small', post('', 'Content-Length: ' . ($size + 1))));
    refused($client, 'Content-Length alone');

    like($nginx->new_log, qr/"Content-Length" is larger/, 'its line');
}


# As soon as it is too long: it has no end yet.

for my $buffer (sort keys %buffer) {
    my $client = client();
    my $request = at($buffer, post('', 'Transfer-Encoding: chunked'));
    my $part = sprintf "%x\r\n%s\r\n", $size / 4, 'x' x ($size / 4);

    $nginx->new_log;

    $client->send($request, ($part) x 4, '');
    ok($client->silent, "$buffer: not too long yet");

    $client->send("1\r\nx");
    refused($client, "$buffer: one byte too long");

    goes_on($client, $part, $buffer);

    ok(!spooled(), "$buffer: no file");

    my @lines = grep { /\[error\]/ } split /\n/, $nginx->new_log;

    is(scalar @lines, 1, "$buffer: one line in the log");
    like($lines[0], qr/clockodo webhook rejected \(body_too_large\): /,
         "$buffer: which is ours");
}


# In one large segment too: nginx's buffer is no limit.

{
    my $client = client();

    $client->send(at('large', post(chunked('x' x 100000),
                                   'Transfer-Encoding: chunked')));
    refused($client, 'one large chunk');
    ok(!spooled(), 'one large chunk: no file');
}


# A client that sends all it has before it reads gets its reply.

for my $way ('with Content-Length', 'in one chunk') {
    my $client = client();
    my $request = at('small', $way{$way}->('x' x (1 << 22)));

    is($client->send($request), length $request, "4m $way: all is read");
    refused($client, "4m $way");
    ok(!spooled(), "4m $way: no file");
}


# In report mode it is read as nginx reads it, and goes upstream.

for my $way (sort keys %way) {
    my $client = client();

    $client->send(at('report', $way{$way}->(event_of($size + 1))));

    my $reply = $client->reply;

    is($reply->{status}, 200, "report, $way: status");
    is($reply->{header}{'x-reason'}, 'body_too_large', "report, $way: reason");
    like($reply->{body}, qr/^reason=body_too_large\n.*^body=\{/ms,
         "report, $way: upstream");
}


# That a file is seen.

{
    my $client = client();

    $client->send(at('off', post(chunked('x' x ($size + 1)),
                                 'Transfer-Encoding: chunked')));
    is($client->reply->{status}, 200, 'the module off: status');
    ok(spooled(), 'the module off: there is a file');
}

# One that came with the headers is not being read any more when it is refused.

{
    my $other = Clockodo::Nginx->start(
        http   => app(),
        server => "client_header_buffer_size 16k; location / { $hook }\n");

    my $client = Clockodo::Client->new($other->port, $other->worker);
    my $part = sprintf "%x\r\n%s\r\n", $size + 1, 'x' x ($size + 1);

    $client->send(post($part, 'Transfer-Encoding: chunked'));
    refused($client, 'with the headers');

    goes_on($client, $part, 'with the headers');
}

unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]|exited on signal/,
       'nothing went wrong inside');

done_testing();
