# nginx refuses a chunked body half-way while we hold the beginning of it, and
# goes on to an error page that is slow.  That location's settings are others,
# and something there, a variable or a filter, looks at what we know of the
# request: what comes in later must not be held again, in a buffer of the first
# location's size, nor be taken for the end of a body that was refused.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use IO::Select;
use IO::Socket::UNIX;
use Test::More;


my %wakes = (
    variable => 'proxy_set_header X-Reason "r=$clockodo_reason";',
    log      => 'access_log logs/x.log x;',
    filter   => '',     # by clockodo_dedupe, which is on somewhere
);

# the limit where the error page is

my %sizes = (default => '', small => 'clockodo_max_body_size 100;',
             large => 'clockodo_max_body_size 64k;');

my @pages = qw(off report);

my $server = '';

for my $wake (sort keys %wakes) {
    for my $size (sort keys %sizes) {
        for my $page (@pages) {
            $server .= <<"END";
        location /$wake-$size-$page {
            clockodo_webhook on;
            clockodo_max_body_size 1k;
            client_max_body_size 2k;
            error_page 400 413 \@$wake-$size-$page;
            proxy_pass http://127.0.0.1:1;
        }

        location \@$wake-$size-$page {
            clockodo_webhook $page;
            $sizes{$size}
            $wakes{$wake}
            proxy_pass http://unix:\$TEST_NGINX_SERVER_ROOT/slow.sock;
        }
END
        }
    }
}

# each of these in a segment of its own, behind the head: first up to what is
# refused, which nginx does as soon as a chunk that is too large begins; then
# what comes under the error page

my $held = "1f4\r\n" . 'x' x 500 . "\r\n";
my $end = "0\r\n\r\n";

my %bodies = (
    'the end'       => [[$held, "c00\r\n", 'x' x 3072 . "\r\n"], [$end]],
    'the rest'      => [[$held, "c00\r\nx"], ['x' x 3071 . "\r\n", $end]],
    'parts'         => [[$held, "c00\r\nx"],
                        ['x' x 511, ('x' x 512) x 5, "\r\n", $end]],
    'more chunks'   => [[$held, "c00\r\nx"],
                        ['x' x 3071 . "\r\n", $held, $end]],
    'less'          => [[$held, "701\r\nx"],
                        ['x' x 499, 'x' x 1293 . "\r\n", $end]],
    'all at once'   => [["$held${held}c00\r\nx"],
                        ['x' x 3071 . "\r\n$end"]],
    'a bad chunk'   => [[$held, "x\r\n"], [$held, $held, $held, $end]],
);

my $nginx = Clockodo::Nginx->start(http => <<'END', server => <<"END");
    log_format x '$clockodo_verdict.$clockodo_reason.$clockodo_body';

    proxy_ignore_client_abort on;
    clockodo_token My_Sup3r_T0k3n;
END
        location = /other {
            clockodo_webhook on;
            clockodo_dedupe mark;
            proxy_pass http://127.0.0.1:1;
        }

        location = /alive {
            return 204;
        }
$server
END

my $path = $nginx->root . '/slow.sock';
my $slow = IO::Socket::UNIX->new(Local => $path, Listen => 16)
    or die "$path: $!\n";

chmod 0666, $path;

for my $wake (sort keys %wakes) {
    for my $size (sort keys %sizes) {
        for my $page (@pages) {
            refused("$wake-$size-$page", $_) for sort keys %bodies;
        }
    }
}

unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]|exited on signal/,
       'nothing went wrong inside');

done_testing();


sub refused {
    my ($location, $body) = @_;

    my $name = "$location, $body";
    my $status = $body =~ /bad/ ? 400 : 413;
    my ($first, $then) = @{$bodies{$body}};
    my $worker = $nginx->worker;
    my $client = Clockodo::Client->new($nginx->port, $worker);
    my @upstream;

    $client->send(post('', 'Transfer-Encoding: chunked')
                  =~ s{ /hook }{ /$location }r, @$first, '');

    # it is asked, and says nothing yet

    push @upstream, contacted(10);

    $client->send(@$then, '');

    push @upstream, contacted(0);

    print $_ "HTTP/1.0 200 OK\r\n\r\npage" and close $_ for @upstream;

    my $reply = eval { $client->reply } || { body => 'none' };

    is($reply->{status}, $status, "$name: status");
    is($reply->{body}, 'page', "$name: body");
    ok(eval { $client->closed }, "$name: closed behind one reply");
    is(@upstream + contacted(0), 1, "$name: upstream is asked once");
    is($nginx->worker, $worker, "$name: the worker is alive");

    $client = Clockodo::Client->new($nginx->port);
    $client->send("GET /alive HTTP/1.1\r\nHost: x\r\n\r\n");

    is((eval { $client->reply } || {})->{status}, 204,
       "$name: the worker goes on");
}


# The connections that nginx has made; a request has been read from each.

sub contacted {
    my ($seconds) = @_;

    my @upstream;

    while (IO::Select->new($slow)->can_read($seconds)) {
        my $upstream = $slow->accept;
        my $got = '';

        until ($got =~ /\r\n\r\n/) {
            sysread $upstream, $got, 4096, length $got or last;
        }

        push @upstream, $upstream;
        $seconds = 0;
    }

    return @upstream;
}
