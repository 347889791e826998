# A body that is refused half-way, by us or by nginx while we read it, and an
# error page that is proxied over a connection that is kept: what was announced
# there must come, and nothing else.  Otherwise the application takes the next
# requests on that connection for a body, and what is in them for requests.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Wire;
use Test::More;


my $wire = Clockodo::Wire->start('http');
my $app = 'unix:' . $wire->path;

# how the reading ends, with which status, and whether it is a rejection of
# ours, which a location with the module on repeats

my $part = sprintf "%x\r\n%s\r\n", 600, 'x' x 600;

my %limits = (
    ours  => ['clockodo_max_body_size 1k;', 413, $part],
    nginx => ['client_max_body_size 1k;', 413, $part],
    chunk => ['', 400, "x\r\n"],
);

my %to = (named => '@', uri => '/');

my %how = (
    kept      => ['', ''],
    forgotten => ['', '='],
    recursive => ['recursive_error_pages on;', ''],
    both      => ['recursive_error_pages on;', '='],
);

my ($server, @cases) = ('');

for my $page (qw(off on report)) {
    for my $to (sort keys %to) {
        $server .= <<"END";
        location $to{$to}page-$page {
            clockodo_webhook $page;
            proxy_pass http://app;
        }
END
        for my $limit (sort keys %limits) {
            for my $how (sort keys %how) {
                my ($setting, $status) = @{$limits{$limit}};
                my $name = "$limit-$to-$how-$page";

                $server .= <<"END";
        location /$name {
            $setting
            $how{$how}[0]
            error_page $status $how{$how}[1] $to{$to}page-$page;
            proxy_pass http://app;
        }
END
                push @cases, [$name, $limit, $to, $how, $page];
            }
        }
    }
}

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    upstream app { server $app; keepalive 1; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 2s;
END
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;

        add_header X-Reason "[\$clockodo_reason]" always;

        location /hook { proxy_pass http://app; }
$server
END

my $worker = $nginx->worker;

for my $case (@cases) {
    refused(@$case, 0);
    refused(@$case, 1);
}

is($nginx->worker, $worker, 'the worker is alive');
unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]/, 'nothing is wrong');

done_testing();


sub refused {
    my ($name, $limit, $to, $how, $page, $segments) = @_;

    my (undef, $status, $end) = @{$limits{$limit}};
    my $client = Clockodo::Client->new($nginx->port, $worker);
    my $request = post('', 'Transfer-Encoding: chunked')
                  =~ s{ /hook }{ /$name }r;
    my @parts = ($request, $part, $end, "0\r\n\r\n");

    $name .= $segments ? ', in segments' : ', in one';

    $client->send($segments ? @parts : join '', @parts);

    my $reply = eval { $client->reply } // { status => 'none', body => '' };
    my $forgotten = $how{$how}[1];
    my $paged = $page ne 'on';

    # where nginx has forgotten the status, its error page's is the reply's,
    # and what has none is 503

    is($reply->{status},
       $paged && $forgotten ? 200
       : $paged || !$forgotten || $limit eq 'ours' ? $status : 503,
       "$name: status");

    is($reply->{header}{'x-reason'},
       $limit eq 'ours' ? '[body_too_large]' : '[]', "$name: reason");

    # nginx asks for an error page at the location's name by GET

    my $uri = $to eq 'named' ? $request =~ m{ (/\S+) } && $1 : "/page-$page";

    is_deeply([$wire->calls], [$paged ? "$uri - 0" : ()],
              "$name: what the application was told");

    $client->close;

    is((deliver($nginx, '/hook') || { status => 'none' })->{body},
       "/hook team.updated\n", "$name: the next event");
    is_deeply([$wire->calls], ['/hook team.updated ' . length event()],
              "$name: the next event, as the application was told");
}
