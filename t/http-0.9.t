# A request of HTTP/0.9 is a line without a version: it can't be but GET, and
# has neither headers nor, in nginx's memory, a list of them.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;


my $nginx = Clockodo::Nginx->start(http => app(), server => <<'END');
        clockodo_token My_Sup3r_T0k3n;

        location /on {
            clockodo_webhook on;
            proxy_pass http://app;
        }

        location /report {
            clockodo_webhook report;
            proxy_pass http://app;
        }
END

like(get('/on'), qr/${\ own_page()}.*>405 /s, 'on: refused');
like($nginx->new_log, qr/rejected \(method\)/, 'on: log');

like(get('/report'), qr/^verdict=rejected\nreason=method\nbody=\n\z/m,
     'report: forwarded with its headers');

done_testing();


sub get {
    my ($path) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send("GET $path\r\n");

    1 while $client->fill;

    return $client->{in};
}
