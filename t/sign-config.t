# Keys are inherited as nginx's users expect, a list as a whole, and "off" ends
# one.  They are nowhere to be seen where they need not be: not in a message,
# not in what "nginx -T" prints of a key in a file, and not in the memory of a
# worker, which keeps what comes of them.

use strict;
use warnings;
no warnings 'portable';   # addresses of 64 bits

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Peer;
use Clockodo::Signed;
use File::Temp;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $peer = Clockodo::Peer::start('http');

# what is around a key in memory is not used again soon

my $comment = ('#' x 79 . "\n") x 200;

my $file = File::Temp->new;   # mode 0600
my $name = $file->filename;

store($keys[3]);

my $proxy = "proxy_pass http://unix:$peer;";

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    clockodo_token My_Sup3r_T0k3n;
    clockodo_webhook on;

    clockodo_sign_key $keys[0];
    clockodo_sign_key $keys[1];
END
    location /http {
        $proxy
    }

    location /list {
        clockodo_sign_key $keys[2];
        $proxy

        location /list/inherited {
            $proxy
        }

        location /list/off {
            clockodo_sign_key off;
            $proxy

            location /list/off/inherited {
                $proxy
            }

            location /list/off/again {
                clockodo_sign_key $keys[0];
                $proxy
            }
        }
    }

    location /file {
        clockodo_sign_key_file $name;
        $proxy
    }

    location /both {
        clockodo_sign_key_file $name;
        clockodo_sign_key $keys[1];
        $proxy
    }

    location /if {
        clockodo_sign_key $keys[2];
        if (\$args) {
            set \$unused 1;
            $proxy
        }
        proxy_pass http://127.0.0.1:1;
    }
END

for (['/http', 0, 1], ['/list', 2], ['/list/inherited', 2],
     ['/list/off/again', 0], ['/file', 3], ['/both', 3, 1], ['/if?x', 2])
{
    my ($path, @by) = @$_;

    is(signed(got(deliver($nginx, $path)->{body}), @keys[@by]), '',
       "$path: keys @by");
}

for my $path ('/list/off', '/list/off/inherited') {
    is(signed(got(deliver($nginx, $path)->{body})), '0 of webhook-id',
       "$path: none");
}

# a file is read when the configuration is loaded

store($keys[2]);

is(signed(got(deliver($nginx, '/file')->{body}), $keys[3]), '',
   'the file has changed: not yet');

$nginx->reload;

is(signed(got(deliver($nginx, '/file')->{body}), $keys[2]), '',
   'after a reload it is the new one');

# what remains of them

my $conf = $nginx->root . '/nginx.conf';
my $shown = `$ENV{TEST_NGINX_BINARY} -T -c $conf -p @{[$nginx->root]} 2>&1`;

like($shown, qr/clockodo_sign_key_file \Q$name/, 'nginx -T names the file');
unlike($shown, qr/\Q$keys[2]\E\n/, 'and shows nothing of it');

$nginx->stop;

unlike($nginx->log, qr/whsec_/, 'the log is silent about keys');

# of a file alone: nginx itself keeps the text of its configuration

store($keys[3]);

$nginx = Clockodo::Nginx->start(server => <<"END");
    location /hook {
        clockodo_webhook on;
        clockodo_token My_Sup3r_T0k3n;
        clockodo_sign_key_file $name;
        $proxy
    }
END

is(signed(got(deliver($nginx, '/hook')->{body}), $keys[3]), '', 'signed');

my $memory = memory($nginx->worker);

ok(index($memory, 'My_Sup3r_T0k3n') >= 0, 'the memory is that of the worker');
ok(index($memory, $keys[3]) < 0, 'it has no key in base64');
ok(index($memory, decode_base64($keys[3] =~ s/^whsec_//r)) < 0,
   'nor the key itself');

done_testing;


sub store {
    my ($key) = @_;

    $file->seek(0, 0);
    print $file $comment, "$key\n", $comment;
    $file->flush;
    $file->truncate($file->tell);
}


# All that a process can write to.

sub memory {
    my ($pid) = @_;

    my $memory = '';

    open my $maps, '<', "/proc/$pid/maps" or die "maps: $!\n";
    open my $mem, '<:raw', "/proc/$pid/mem" or die "mem: $!\n";

    while (<$maps>) {
        my ($from, $to) = /^([0-9a-f]+)-([0-9a-f]+) rw/ or next;

        ($from, $to) = (hex $from, hex $to);

        next if $to - $from > 1 << 28;

        sysseek $mem, $from, 0 or next;
        sysread $mem, $memory, $to - $from, length $memory;
    }

    return $memory;
}
