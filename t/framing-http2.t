# HTTP/2 has ends of its own for a body that is half there: a content-length
# that the frames do not fit, a reset.  Where an error page is proxied then,
# what it announces must come, and nothing else.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Http2;
use Clockodo::Nginx;
use Clockodo::Wire;
use Test::More;


my $wire = Clockodo::Wire->start('http');
my $app = 'unix:' . $wire->path;

# how a body goes wrong: status, length that is announced, frames

my @ends = (
    ['ours', 413, undef, [0, 'x' x 600], [0, 'x' x 600], [END_STREAM, '']],
    ['nginx', 413, undef, [0, 'x' x 600], [0, 'x' x 600], [END_STREAM, '']],
    ['more', 400, 10, [0, 'x' x 5], [0, 'x' x 10], [END_STREAM, '']],
    ['less', 400, 10, [0, 'x' x 5], [END_STREAM, '']],
    ['less, at once', 400, 10, [END_STREAM, 'x' x 5]],
    ['reset', undef, 10, [0, 'x' x 5], []],
    ['reset, without a length', undef, undef, [0, 'x' x 600], []],
);

my %limits = (
    ours  => 'clockodo_max_body_size 1k;',
    nginx => 'client_max_body_size 1k;',
);

my %to = (named => '@', uri => '/');
my %how = (kept => '', forgotten => '=');

my ($server, @cases) = ('');

for my $page (qw(off on report)) {
    for my $to (sort keys %to) {
        $server .= <<"END";
        location $to{$to}page-$page {
            clockodo_webhook $page;
            proxy_set_header X-Clockodo-Event \$http_content_length;
            proxy_pass http://app;
        }
END
        for my $how (sort keys %how) {
            for my $limit ('ours', 'nginx', 'none') {
                $server .= <<"END";
        location /$limit-$to-$how-$page {
            @{[ $limits{$limit} || '' ]}
            set \$before \$http_content_length;
            error_page 400 413 $how{$how} $to{$to}page-$page;
            proxy_pass http://app;
        }
END
            }

            push @cases, map { [$_, $to, $how, $page] } @ends;
        }
    }
}

my $nginx = Clockodo::Nginx->start(
    listen => 'http2', http => <<"END", server => <<"END");
    upstream app { server $app; keepalive 1; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 2s;
END
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;

        location /hook { proxy_pass http://app; }
$server
END

my $worker = $nginx->worker;

refused(@$_, 0), refused(@$_, 1) for @cases;

is($nginx->worker, $worker, 'the worker is alive');
unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]/, 'nothing is wrong');

done_testing();


sub refused {
    my ($end, $to, $how, $page, $segments) = @_;

    my ($which, $status, $length, @data) = @$end;
    my $limit = $limits{$which} ? $which : 'none';
    my $uri = "/$limit-$to-$how-$page";
    my $name = "$which, $to, $how, $page, " . ($segments ? 'in segments'
                                                         : 'in one');

    my $client = Clockodo::Client->new($nginx->port, $worker);
    my @frames = (headers(1, 0, ':path' => $uri, defined $length
                          ? ('content-length' => $length) : ()),
                  map { @$_ ? data(1, @$_)
                            : frame(RST_STREAM, 0, 1, pack 'N', 8) } @data);

    # what is behind a reset shows that nginx has taken it

    push @frames, frame(PING, 0, 0, 'clockodo');

    $client->send($segments ? (preface(), @frames)
                            : join '', preface(), @frames);

    my $got = ended($client, 1, !defined $status);
    my $paged = defined $status && $page ne 'on';

    is($got, !defined $status ? undef
             : $paged && $how{$how} ? 200
             : $paged || !$how{$how} || $limit eq 'ours' ? $status : 503,
       "$name: status");

    # the length that came is kept by nginx since "set" has asked for it

    is_deeply([map { s/ 0 0$/ - 0/r } $wire->calls],
              [!$paged ? () : $to eq 'named' ? "$uri - 0" : "/page-$page - 0"],
              "$name: what the application was told");

    $client->close;
    $client = Clockodo::Client->new($nginx->port, $worker);
    $client->send(preface() . headers(1, 0) . data(1, END_STREAM, event()));

    is(ended($client, 1), 200, "$name: the next event");
    is_deeply([$wire->calls], ['/hook team.updated ' . length event()],
              "$name: the next event, as the application was told");
}


# The status of a stream, when it has ended; undef if a PING is answered first
# and that is what is waited for.

sub ended {
    my ($client, $wanted, $pinged) = @_;

    my $status;

    while (1) {
        my ($type, $flags, $stream, $payload);

        until (($type, $flags, $stream, $payload)
               = take_frame(\$client->{in}))
        {
            $client->fill or return $status;
        }

        return undef if $pinged && $type == PING;

        next if $stream != $wanted;

        $status = status($payload) if $type == HEADERS;

        return $status if $type == RST_STREAM
                          || ($type <= HEADERS && $flags & END_STREAM);
    }
}
