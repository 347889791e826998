# After a body that was refused half-way, what speaks before the content does:
# auth_request in the location of the error page sends a request of its own,
# with the length that nginx has in mind; "set" has kept the length since
# before the body came; what was read may be in a file.

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

my @pages = qw(off on report);
my $part = sprintf "%x\r\n%s\r\n", 600, 'x' x 600;

my $server = '';

for my $page (@pages) {
    $server .= <<"END";
        location \@auth-$page {
            clockodo_webhook $page;
            auth_request /auth;
            proxy_pass http://app;
        }

        location \@set-$page {
            clockodo_webhook $page;
            set \$later \$content_length;
            proxy_set_header X-Clockodo-Event
                "\$later.\$content_length\$request_body\$request_body_file";
            proxy_pass http://app;
        }

        location /ours-auth-$page {
            clockodo_max_body_size 1k;
            error_page 413 \@auth-$page;
            proxy_pass http://app;
        }

        location /nginx-auth-$page {
            client_max_body_size 1k;
            error_page 413 \@auth-$page;
            proxy_pass http://app;
        }

        location /file-set-$page {
            clockodo_webhook report;
            client_max_body_size 1k;
            client_body_buffer_size 64;
            error_page 413 \@set-$page;
            proxy_pass http://app;
        }

        location /ours-set-$page {
            clockodo_max_body_size 1k;
            error_page 413 \@set-$page;
            set \$before "\$content_length\$http_content_length";
            proxy_pass http://app;
        }

        location /nginx-set-$page {
            client_max_body_size 1k;
            error_page 413 \@set-$page;
            set \$before "\$content_length\$http_content_length";
            proxy_pass http://app;
        }
END
}

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    upstream app { server $app; keepalive 1; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 2s;
END
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;

        location /hook { proxy_pass http://app; }

        location = /auth {
            proxy_pass http://app;
        }
$server
END

my $worker = $nginx->worker;

for my $limit (qw(ours nginx file)) {
    for my $page (@pages) {
        for my $segments (0, 1) {
            my $how = $segments ? 'in segments' : 'in one';
            my $name = "$limit-auth-$page";
            my @page = $page eq 'on' ? () : ("/$name - 0");

            refused($name, $how, '/auth - 0', @page) if $limit ne 'file';

            $name = "$limit-set-$page";
            @page = $page eq 'on' ? () : ("/$name . 0");

            refused($name, $how, @page);
        }
    }
}

is($nginx->worker, $worker, 'the worker is alive');
unlike($nginx->log, qr/\[(?:alert|emerg|crit)\]/, 'nothing is wrong');

done_testing();


sub refused {
    my ($name, $how, @told) = @_;

    my $client = Clockodo::Client->new($nginx->port, $worker);
    my @parts = (post('', 'Transfer-Encoding: chunked')
                 =~ s{ /hook }{ /$name }r, $part, $part, "0\r\n\r\n");

    $client->send($how eq 'in one' ? join '', @parts : @parts);

    is((eval { $client->reply } || {})->{status}, 413, "$name, $how: status");
    is_deeply([map { s/ 0\.0 / . /r } $wire->calls], \@told,
              "$name, $how: what the application was told");

    $client->close;

    is((deliver($nginx, '/hook') || {})->{body}, "/hook team.updated\n",
       "$name, $how: the next event");
    is_deeply([$wire->calls], ['/hook team.updated ' . length event()],
              "$name, $how: the next event, as the application was told");
}
