# A header that a client has made up is gone for nginx's variables, too, even if
# something has asked for it before the request was judged: nginx keeps what it
# was told then.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;


my $nginx = Clockodo::Nginx->start(http => <<'END', server => <<'END');
    map $http_webhook_id $id { default early; }

    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/app.sock;
        add_header X-Got "[$http_event][$http_id]" always;
        return 200;
    }
END
        clockodo_token My_Sup3r_T0k3n;

        if ($http_x_clockodo_event = never) { return 418; }
        set $early $id$http_x_clockodo_event_;

        proxy_set_header Event $http_x_clockodo_event;
        proxy_set_header Id $http_webhook_id;

        location /hook {
            clockodo_webhook on;
            proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/app.sock;
        }

        location /signed {
            clockodo_webhook on;
            clockodo_sign_key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw;
            proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/app.sock;
        }

        location /report {
            clockodo_webhook report;
            proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/app.sock;
        }
END

my $key = '633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991';

for ([ 'hook', event(), '[team.updated][spoofed]' ],
     [ 'signed', event(), "[team.updated][$key]" ],
     [ 'report', event(), '[team.updated][spoofed]' ],
     [ 'report', event(token => '"x"'), '[][spoofed]' ])
{
    my ($path, $body, $got) = @$_;
    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post($body, 'X-Clockodo-Event: user.deleted',
                       'Webhook-Id: spoofed') =~ s{/hook}{/$path}r);

    is($client->reply->{header}{'x-got'}, $got, "$path: $got");
}

done_testing();
