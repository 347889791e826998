# A chunked body that is refused half-way, by us or by client_max_body_size,
# while its client goes on sending.  An error page that waits for an upstream
# is open to a fault of nginx then: unless something stops it, it reads on,
# and runs the phases for that body in the midst of its own reply.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use IO::Select;
use IO::Socket::UNIX;
use Test::More;


my $size = 1024;

my %limit = (
    ours  => "clockodo_max_body_size $size;",
    nginx => "client_max_body_size $size;",
);

# where error_page leads to, by the module's setting there: a rejection is final
# where it is on

my @pages = qw(off on report);

my $server = <<'END';
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;

        proxy_ignore_client_abort on;
        add_header X-Reason $clockodo_reason always;
END

for my $page (@pages) {
    my %to = (named => "\@$page", uri => "/page-$page");

    for my $to (sort keys %to) {
        $server .= <<"END";
        location $to{$to} {
            clockodo_webhook $page;
            proxy_pass http://unix:\$TEST_NGINX_SERVER_ROOT/slow.sock;
        }
END

        $server .= <<"END" for sort keys %limit;
        location /$_-$to-$page {
            $limit{$_}
            error_page 413 $to{$to};
            proxy_pass http://127.0.0.1:1;
        }
END
    }
}

my $nginx = Clockodo::Nginx->start(server => $server);
my $path = $nginx->root . '/slow.sock';

my $slow = IO::Socket::UNIX->new(Local => $path, Listen => 16)
    or die "$path: $!\n";

chmod 0666, $path;

my $part = sprintf "%x\r\n%s\r\n", $size / 2 + 1, 'x' x ($size / 2 + 1);
my $end = "0\r\n\r\n";

for my $limit (sort keys %limit) {
    for my $to ('named', 'uri') {
        for my $page (@pages) {
            refused($limit, "$limit-$to-$page", $page ne 'on');
        }
    }
}

unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]|exited on signal/,
       'nothing went wrong inside');

done_testing();


sub refused {
    my ($limit, $name, $waits) = @_;

    my $worker = $nginx->worker;
    my $client = Clockodo::Client->new($nginx->port, $worker);
    my $request = post('', 'Transfer-Encoding: chunked');

    # in segments of their own: the rest when there is an error page already

    $client->send($request =~ s{ /hook }{ /$name }r, $part, $part, '');

    my ($upstream, $got) = contacted($waits ? 10 : 0);

    is(!!$upstream, !!$waits, "$name: upstream of the error page");

    # in report mode it learns why, as of any other rejection

    my ($reason) = ($got // '') =~ /^X-Clockodo-Reason: (\w+)\r$/m;

    is($reason,
       $name =~ /^ours-.*-report$/ ? 'body_too_large' : undef,
       "$name: reason, as the upstream sees it");

    # nginx's own limit is not checked again by a chunk that is empty

    $client->send($limit eq 'ours' ? ($part, $part) : (), $end, '');

    if ($upstream) {
        print $upstream "HTTP/1.0 200 OK\r\n\r\npage";
        close $upstream;
    }

    my $reply = eval { $client->reply };

    is($reply->{status}, 413, "$name: status");
    like($reply->{body}, $waits ? qr/\Apage\z/ : own_page(), "$name: body");
    is($reply->{header}{'x-reason'},
       $limit eq 'ours' ? 'body_too_large' : undef, "$name: reason");
    ok(eval { $client->closed }, "$name: closed behind one reply");

    is(scalar(() = contacted(0)), 0, "$name: upstream is contacted once");
    is($nginx->worker, $worker, "$name: the worker is alive");
}


# The connection that nginx makes, and what it asks for; nothing if it does not.

sub contacted {
    my ($seconds) = @_;

    IO::Select->new($slow)->can_read($seconds) or return;

    my $upstream = $slow->accept;
    my $got = '';

    until ($got =~ /\r\n\r\n/) {
        sysread $upstream, $got, 4096, length $got or last;
    }

    return $upstream, $got;
}
