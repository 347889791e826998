# Who does not use the module pays nothing for it: while it is off everywhere,
# no phase has one handler more than without it, and request bodies pass no
# filter of ours.  Where it is on in one location, others notice nothing.

use strict;
use warnings;
no warnings 'portable';   # addresses of 64 bits

use lib 't/lib';

use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;


my $nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';

plan skip_all => 'nginx has no debug log' if `$nginx -V 2>&1` !~ /-with-debug/;


# What the application sees of a request that it should see as it was sent.

my $application = <<'END';
    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;

        location / {
            proxy_set_header X-Body $request_body;
            proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/html/app2.sock;
        }
    }

    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/html/app2.sock;

        location / {
            return 200 "$http_x_clockodo_event $content_type $http_x_body";
        }
    }
END

my $hook = <<'END';
    location /hook {
        SETTINGS
        proxy_pass http://unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;
    }
END

my $on = 'clockodo_webhook on; clockodo_token My_Sup3r_T0k3n;';

my %without = run('', '', undef);

my %unused = run('', '', 1);

my %off = run('clockodo_webhook off; clockodo_token My_Sup3r_T0k3n;'
               . 'clockodo_max_body_size 1; clockodo_events *;',
               'clockodo_webhook off;', 1);

my %elsewhere = run('clockodo_max_body_size 1;',
                    "location /other { $on }", 1);

my %used = run($on, '', 1);


ok($without{phases} =~ /phase: \d/, 'phases are seen');

is($unused{phases}, $without{phases}, 'not used: no handler');
is($off{phases}, $without{phases}, 'off: no handler');
isnt($elsewhere{phases}, $without{phases}, 'on elsewhere: a handler');

is($unused{filter}, 'nginx', 'not used: no filter');
is($off{filter}, 'nginx', 'off: no filter');
is($elsewhere{filter}, 'module', 'on elsewhere: a filter');

is($_->[1]{judged}, 0, "$_->[0]: not judged")
    for ['not used', \%unused], ['off', \%off],
        ['on elsewhere', \%elsewhere];

cmp_ok($used{judged}, '>', 0, 'on: judged');

is($_->[1]{seen}, $without{seen}, "$_->[0]: nothing is changed or refused")
    for ['not used', \%unused], ['off', \%off],
        ['on elsewhere', \%elsewhere];

isnt($used{seen}, $without{seen}, 'on: refused');

is($_->[1]{variables}, '<>', "$_->[0]: variables are empty")
    for ['not used', \%unused], ['off', \%off],
        ['on elsewhere', \%elsewhere];

done_testing();


# Starts nginx with settings for a location and more for its server.  Returns
# the phases that requests went through, whether one was judged, where bodies
# go first, and what was seen of them.

sub run {
    my ($settings, $server, $module) = @_;

    local $ENV{TEST_NGINX_LOAD_MODULES} =
        $module ? $ENV{TEST_NGINX_LOAD_MODULES} : '';

    my $format = $module ? '<$clockodo_verdict$clockodo_reason'
                           . '$clockodo_event$clockodo_body>' : '';

    my $nginx = Clockodo::Nginx->start(
        http   => "log_format values escape=none '$format';\n$application",
        server => ($hook =~ s/SETTINGS/$settings/r) . $server
                  . 'access_log logs/values.log values;',
        level  => 'debug');

    my $garbage = 'x' x 3000;
    my @evil = ('X-Clockodo-Event: evil', 'Content-Type: text/plain');

    my @requests = (
        post($garbage, @evil),
        post(chunked($garbage, 100), @evil, 'Transfer-Encoding: chunked'),
        post('', @evil),
        post('{"secret":"s"}', @evil),
        "GET /hook HTTP/1.1\r\nHost: localhost\r\n$evil[0]\r\n\r\n",
    );

    my @seen;

    for my $request (@requests) {
        my $client = Clockodo::Client->new($nginx->port);

        $client->send($request);

        my $reply = $client->reply;
        push @seen, "$reply->{status} $reply->{body}";
        $client->close;
    }

    my $filter = filter($nginx->worker);
    my $log = $nginx->log;

    $nginx->stop;

    return (
        phases    => join("\n", $log =~ /(\w+ phase: \d+)/g),
        judged    => scalar(() = $log =~ /clockodo handler/g),
        seen      => join("\n", @seen),
        filter    => $filter,
        variables => join(' ', keys %{{ map { $_ => 1 }
                              split "\n", $nginx->read('logs/values.log') }}),
    );
}


# Whose function nginx calls first with a part of a request body: that is in
# its memory, in a variable that it exports.

sub filter {
    my ($pid) = @_;

    my %symbol = map { /^([0-9a-f]+) \w (\w+)$/ ? ($2 => hex $1) : () }
                 `nm -D $nginx`;

    my $exe = readlink "/proc/$pid/exe";

    open my $maps, '<', "/proc/$pid/maps" or die "maps: $!\n";

    my ($base) = map { /^(\w+)-\S+ \S+ 0+ \S+ \S+\s+\Q$exe\E$/ ? hex $1 : () }
                 <$maps>;

    my ($top, $own) = map {
        my $address = $symbol{"ngx_http_$_"} // die "nm: no $_\n";
        $address < $base ? $address + $base : $address
    } qw(top_request_body_filter request_body_save_filter);

    open my $memory, '<:raw', "/proc/$pid/mem" or die "mem: $!\n";
    sysseek $memory, $top, 0 or die "mem: $!\n";
    sysread $memory, my $bytes, length pack 'L!', 0;

    return unpack('L!', $bytes) == $own ? 'nginx' : 'module';
}
