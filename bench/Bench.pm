package Bench;

# What the measurements share: an nginx of their own with the same work done
# in several ways, a client, and the calls that it sends.
#
#     my $nginx = Bench->start(modules => ['clockodo', 'lua', 'njs'], ...);
#     my $client = $nginx->client;        # or of 'upstream'
#     my $status = $client->call($request);
#
#     check($ok, $what);                  # a line of TAP
#     exit failed();

use strict;
use warnings;

use Cwd qw(getcwd);
use Exporter qw(import);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use IO::Socket::UNIX;
use Time::HiRes qw(sleep time);

our @EXPORT = qw($event @headers @signature check failed fresh median post
                 thousands);

my $here = getcwd();
my $binary = $ENV{NGX_BIN} || '/usr/sbin/nginx';
my $started = 0;

our $event = '{"subscription_id":42,"company_id":1337,'
             . '"occurred_at":"1986-05-10T17:02:00Z",'
             . '"payload":{"team":{"id":9001}},"event_name":"team.updated",'
             . '"token":"My_Sup3r_T0k3n"}';

# what an accepted event is forwarded with

our @headers = (
    'X-Clockodo-Event: team.updated',
    'X-Clockodo-Entity: team',
    'X-Clockodo-Action: updated',
    'X-Clockodo-Entity-Id: 9001',
    'X-Clockodo-Subscription-Id: 42',
    'X-Clockodo-Company-Id: 1337',
    'X-Clockodo-Occurred-At: 1986-05-10T17:02:00Z',
    'X-Clockodo-Idempotency-Key: '
    . '633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991',
);

# and if it is signed

our @signature = (
    'webhook-id: '
    . '633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991',
    'webhook-timestamp: 1700000000',
    'webhook-signature: v1,' . 'A' x 43 . '=',
);

my ($modules) = `$binary -V 2>&1` =~ /--modules-path=(\S+)/
    or die "$binary -V shows no --modules-path\n";

my %files = (
    clockodo => "$here/build/ngx_http_clockodo_module.so",
    ndk      => "$modules/ndk_http_module.so",
    lua      => "$modules/ngx_http_lua_module.so",
    njs      => "$modules/ngx_http_js_module.so",
);

my %locations = (
    plain => '',

    clockodo => <<'END',
        location /module {
            clockodo_webhook on;
            clockodo_token   My_Sup3r_T0k3n;
            proxy_pass       http://application;
        }

        location /signed {
            clockodo_webhook  on;
            clockodo_token    My_Sup3r_T0k3n;
            clockodo_sign_key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw;
            proxy_pass        http://application;
        }

        location /sized {
            clockodo_webhook       on;
            clockodo_token         My_Sup3r_T0k3n;
            clockodo_max_body_size 128k;
            proxy_pass             http://application;
        }
END

    features => <<'END',
        location /report {
            clockodo_webhook report;
            clockodo_token   My_Sup3r_T0k3n;
            proxy_pass       http://application;
        }

        location /masked {
            clockodo_webhook    on;
            clockodo_token      My_Sup3r_T0k3n;
            clockodo_mask_token on;
            proxy_pass          http://application;
        }

        location /mark {
            clockodo_webhook on;
            clockodo_token   My_Sup3r_T0k3n;
            clockodo_dedupe  mark ttl=1m;
            proxy_pass       http://application;
        }
END

    # has a pool of threads, which makes all system calls dearer
    spool => <<'END',
        location /spool {
            clockodo_webhook on;
            clockodo_token   My_Sup3r_T0k3n;
            clockodo_spool   ROOT/spool;
        }
END

    redis => <<'END',
        location /redis {
            clockodo_webhook    on;
            clockodo_token      My_Sup3r_T0k3n;
            clockodo_redis_pass redis;
        }
END

    lua => <<'END',
        location /lua {
            access_by_lua_block { require("checks")() }
            proxy_pass http://application;
        }
END

    njs => <<'END',
        location /njs {
            js_content checks.check;
        }

        location @njs {
            proxy_set_header X-Clockodo-Event           $js_event;
            proxy_set_header X-Clockodo-Entity          $js_entity;
            proxy_set_header X-Clockodo-Action          $js_action;
            proxy_set_header X-Clockodo-Entity-Id       $js_entity_id;
            proxy_set_header X-Clockodo-Subscription-Id $js_subscription_id;
            proxy_set_header X-Clockodo-Company-Id      $js_company_id;
            proxy_set_header X-Clockodo-Occurred-At     $js_occurred_at;
            proxy_set_header X-Clockodo-Idempotency-Key $js_key;

            proxy_set_header Connection "";
            proxy_pass http://application;
        }
END
);

my %settings = (
    # for as many events as may come in a minute
    clockodo => 'clockodo_zone 64m;',

    lua => 'lua_package_path "BENCH/?.lua;ROOT/?.lua;;";',

    njs => 'js_path BENCH; js_path ROOT; js_import checks from checks.js;'
           . join('', map { " js_var \$js_$_;" }
                  qw(event entity action entity_id subscription_id company_id
                     occurred_at key)),
);


# modules: those to load; more: what else there are locations for; off: the
# module is loaded and used nowhere; wrapper: a command that execs nginx;
# single: one process; main, level: more settings; reply: what the application
# says; application: the socket of another one; redis: that of a Redis.

sub start {
    my ($class, %arg) = @_;

    my $root = "$here/build/bench/" . $$ . '-' . ++$started;

    # a unix socket's path has 107 bytes at most

    $root = "/tmp/clockodo-bench-$$-$started" if length $root > 80;

    remove_tree($root);
    make_path("$root/logs");
    chmod 0755, $root;

    my $self = bless { root => $root, port => free_port(), owner => $$ },
                     $class;

    $self->configure(%arg);

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', "$root/logs/out.log";
        open STDERR, '>&', \*STDOUT;

        exec @{$arg{wrapper} || []}, $binary, '-p', $root, '-c',
             "$root/nginx.conf", '-e', "$root/logs/error.log";
        die "exec: $!\n";
    }

    $self->{pid} = $pid;

    until (-e "$root/nginx.pid" && eval { $self->client }) {
        waitpid($pid, 1) == 0
            or die 'nginx has not started: ', $self->read('error.log'),
                   $self->read('out.log');
        sleep 0.05;
    }

    return $self;
}


sub configure {
    my ($self, %arg) = @_;

    my @modules = @{$arg{modules} || []};
    my @more = (@{$arg{more} || []}, $arg{redis} ? 'redis' : ());
    my $load = join '', map { "load_module $files{$_};\n" }
               map { $_ eq 'lua' ? ('ndk', 'lua') : $_ } @modules;

    my $settings = join "\n    ", map { $settings{$_} // () } @modules;
    my $locations = join "\n", map { $locations{$_} } @modules, @more;
    my $application = $arg{application} || $self->application;
    my $redis = $arg{redis}
        ? "upstream redis {\n        server unix:$arg{redis};\n"
          . "        keepalive 64;\n"
          . "        keepalive_requests 100000000;\n    }" : '';
    my $reply = $arg{reply} || '204';

    my $set = join "\n            ",
              map { s/^(\S+): (.*)/proxy_set_header $1 $2;/r } @headers;

    if ($arg{off}) {
        $locations = '';
    }

    my $user = $> == 0 ? "user www-data;\n" : '';

    my $conf = $load . $user . ($arg{main} || '') . "\n"
               . ($arg{single} ? "master_process off;\n"
                               : "worker_processes 1;\n")
               . "error_log logs/error.log @{[ $arg{level} || 'warn' ]};\n"
               . <<"END";
daemon off;
pid nginx.pid;

events {
    worker_connections 256;
}

http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;

    keepalive_requests 100000000;
    client_max_body_size 128k;
    client_body_buffer_size 128k;

    $settings

    upstream application {
        server unix:$application;
        keepalive 64;
        keepalive_requests 100000000;
    }

    $redis

    server {
        listen unix:@{[ $self->application ]};

        location / {
            return $reply;
        }
    }

    server {
        listen 127.0.0.1:$self->{port};

        proxy_http_version 1.1;
        proxy_set_header Connection "";

        location /plain {
            proxy_pass http://application;
        }

        location /headers {
            $set
            proxy_set_header Connection "";
            proxy_pass http://application;
        }

        location /pid {
            return 200 \$pid;
        }

$locations
    }
}
END

    $conf =~ s/BENCH/$here\/bench/g;
    $conf =~ s/ROOT/$self->{root}/g;

    my @events = `bin/clockodo-send-event --list`;
    chomp @events;

    $self->write('nginx.conf', $conf);

    $self->write('events.lua', join '', "return {\n",
                 (map { "    [\"$_\"] = \"" . kind($_) . "\",\n" } @events),
                 "}\n");

    $self->write('events.js', join '', "export default {\n",
                 (map { "    '$_': '" . kind($_) . "',\n" } @events),
                 "};\n");
}


sub kind {
    my ($name) = @_;

    return $name =~ /budget/ ? 'budget' : 'entity';
}


sub client {
    my ($self, $where) = @_;

    return Bench::Client->new($where ? $self->application : $self->{port});
}


sub application {
    my ($self) = @_;

    return "$self->{root}/application.sock";
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;

    # a signal that comes just before nginx sleeps does not wake it

    do {
        kill 'QUIT', $pid;
        sleep 0.05;
    } until waitpid $pid, 1;
}


sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};

    $self->stop;
    remove_tree($self->{root});
}


sub write {
    my ($self, $name, $text) = @_;

    open my $out, '>', "$self->{root}/$name" or die "$name: $!\n";
    print $out $text;
    close $out;
}


sub read {
    my ($self, $name) = @_;

    open my $in, '<', "$self->{root}/logs/$name" or return '';
    local $/;

    return scalar <$in>;
}


# Without the files that are in a folder of nginx's.

sub empty {
    my ($self, $folder) = @_;

    remove_tree("$self->{root}/$folder", { keep_root => 1 });
}


sub free_port {
    return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
           ->sockport;
}


# A request of a usual size; headers replace those of the same name.

sub post {
    my ($path, $body, @more) = @_;

    my $method = 'POST';

    ($method, @more) = @more if @more && $more[0] =~ /^[A-Z]+$/;

    my @usual = ('Host: localhost', 'User-Agent: bench', 'Accept: */*',
                 'Content-Type: application/json',
                 'Content-Length: ' . length $body);

    my %named = map { /^([^:]+):/ ? (lc $1 => 1) : () } @more;

    return join "\r\n", "$method $path HTTP/1.1",
           (grep { /^([^:]+):/ && !$named{lc $1} } @usual),
           (grep { !/: *$/ } @more), '', $body;
}


# The event, of an entity that no other one has had.

my $entity = 1_000_000_000;

sub fresh {
    return $event =~ s/9001/++$entity/er;
}


sub median {
    my @sorted = sort { $a <=> $b } @_;

    return @sorted % 2 ? $sorted[$#sorted / 2]
                       : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}


sub thousands {
    return scalar reverse join ',', unpack '(A3)*', reverse sprintf '%.0f',
                                                                    $_[0];
}


my $failed = 0;

sub check {
    my ($ok, $what) = @_;

    print $ok ? 'ok' : 'not ok', " - $what\n";

    $failed = 1 unless $ok;
}


sub failed {
    return $failed;
}


package Bench::Client;

# Where to: a port of this machine, or a socket's path.

sub new {
    my ($class, $where) = @_;

    my $socket = $where =~ m{/}
        ? IO::Socket::UNIX->new(Peer => $where)
        : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $where);

    die "cannot connect: $!\n" unless $socket;

    return bless { socket => $socket }, $class;
}


# Sends a request, returns the status, and the body in a list.

sub call {
    my ($self, $request) = @_;

    my $socket = $self->{socket};
    my $sent = 0;

    while ($sent < length $request) {
        $sent += syswrite($socket, $request, length($request) - $sent, $sent)
                 // die "write: $!\n";
    }

    my $reply = '';

    until ($reply =~ /\r\n\r\n/) {
        sysread $socket, $reply, 65536, length $reply
            or die "the connection was closed\n";
    }

    my ($status) = $reply =~ m{^HTTP/1\.1 (\d+)};
    my ($length) = $reply =~ /^Content-Length: (\d+)/m;

    $reply =~ s/^.*?\r\n\r\n//s;

    while (length $reply < ($length // 0)) {
        sysread $socket, $reply, 65536, length $reply
            or die "the connection was closed\n";
    }

    return wantarray ? ($status, $reply) : $status;
}

1;
