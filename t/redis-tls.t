# A Redis that speaks TLS only, behind nginx's stream module, as docs/redis.md
# has it: events are stored while it is there and its certificate is good, and
# get 502 otherwise.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Redis;
use File::Temp qw(tempdir);
use Test::More;


# stream is in nginx itself, or a module of Debian's

my $bin = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
my @stream = `$bin -V 2>&1` =~ / --with-stream(?!\S)/
             ? () : '/usr/lib/nginx/modules/ngx_stream_module.so';

plan skip_all => 'no stream module for this nginx'
    if @stream && $bin ne '/usr/sbin/nginx';

my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;

certificate('ca', '-x509');
certificate('other', '-x509');
certificate('redis', "-CA $dir/ca.pem -CAkey $dir/ca.key");

my $port = Clockodo::Redis::free_port();
my $redis = Clockodo::Redis->start(
    port => 0, 'tls-port' => $port, 'tls-cert-file' => "$dir/redis.pem",
    'tls-key-file' => "$dir/redis.key", 'tls-ca-cert-file' => "$dir/ca.pem",
    'tls-auth-clients' => 'no', appendonly => 'yes', appendfsync => 'always');

# the configuration is that of the page

open my $in, '<', 'docs/redis.md' or die "docs/redis.md: $!\n";
my ($stream) = join('', <$in>) =~ /^```nginx\n(stream \{.*?^\}\n)```/ms
    or die "no stream in docs/redis.md\n";

for my $change (['/run/redis-tls.sock', "$dir/tls.sock"],
                ['10.0.0.5:6380', "127.0.0.1:$port"],
                ['/etc/nginx/redis-ca.pem', "$dir/ca.pem"])
{
    my ($from, $to) = @$change;
    $stream =~ s/\Q$from\E/$to/ or die "no $from in it\n";
}

my $nginx;

subtest 'a good certificate' => sub {
    start($stream);
    is(status(), 200, 'stored');
    is($redis->call('XLEN', 'clockodo:events'), 1, 'there');
};

subtest 'killed, and back' => sub {
    $redis->crash;
    is(status(), 502, 'away');
    $redis->up;
    $redis->wait_for(qr/PONG/, 'PING');
    is(status(), 200, 'back');
    is($redis->call('XLEN', 'clockodo:events'), 2, 'nothing is lost');
};

subtest 'a certificate that nobody vouches for' => sub {
    start($stream =~ s/ca\.pem/other.pem/r);
    is(status(), 502, 'not stored');
    like($nginx->log, qr/upstream SSL certificate verify error/, 'said');
};

subtest 'a certificate of another name' => sub {
    start($stream =~ s/redis\.example\.com/redis.example.org/r);
    is(status(), 502, 'not stored');
    like($nginx->log, qr/certificate does not match "redis\.example\.org"/,
         'said');
};

is($redis->call('XLEN', 'clockodo:events'), 2, 'nothing else was stored');

done_testing;


sub certificate {
    my ($name, $how) = @_;

    system("openssl req -newkey rsa:2048 -nodes -days 2 -keyout $dir/$name.key"
           . " -x509 -out $dir/$name.pem -subj /CN=$name"
           . ($how eq '-x509' ? '' : " $how -addext"
              . ' subjectAltName=DNS:redis.example.com -addext'
              . ' basicConstraints=CA:FALSE') . ' 2> /dev/null') == 0
        or die "openssl: $?\n";

    chmod 0644, "$dir/$name.key";
}


sub start {
    my ($stream) = @_;

    undef $nginx;
    unlink "$dir/tls.sock";

    $nginx = Clockodo::Nginx->start(
        modules => \@stream, main => $stream,
        server => <<"END");
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    location = /hook {
        clockodo_redis_pass unix:$dir/tls.sock;
        clockodo_redis_dedupe 1h;
    }
END
}


sub status {
    return deliver($nginx, '/hook',
                   payload => sprintf '{"team":{"id":%d}}', rand 2 ** 31)
               ->{status};
}
