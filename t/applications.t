# The applications of docs/application.md take each event once, by "proxy_pass"
# and by delivery, whether it comes again or they are killed on the way, and
# answer 200.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Deliver;
use Clockodo::Nginx;
use Clockodo::Spool;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use List::Util qw(shuffle);
use Test::More;
use Time::HiRes qw(sleep);


my $folder = 'examples/applications';
my $dir = tempdir(CLEANUP => 1);
my @running;

END {
    local $?;
    kill 'KILL', @running;
}

# how it is started with a place for what it keeps and a port, how it works off
# what is left, and what it has done

my %applications = (
    Python => {
        file  => 'application.py',
        start => sub { '/usr/bin/python3', "$folder/application.py", @_ },
        work  => sub { '/usr/bin/python3', "$folder/application.py",
                       '--work', @_ },
        done  => \&in_database,
    },
    PHP => {
        file  => 'application.php',
        start => sub { 'env', "DATABASE=$_[0]", 'PHP_CLI_SERVER_WORKERS=4',
                       'php', '-q', '-S', "127.0.0.1:$_[1]",
                       "$folder/application.php" },
        work  => sub { 'env', "DATABASE=$_[0]", 'php',
                       "$folder/application.php", 'work' },
        done  => \&in_database,
    },
    Node => {
        file  => 'application.js',
        start => sub { 'node', "$folder/application.js", @_ },
        work  => sub { 'node', "$folder/application.js", '--work', @_ },
        done  => sub {
            map { my $event = decode_json(slurp($_));
                  "$event->{name} $event->{entity_id}" } glob "$_[0]/done/*"
        },
    },
);

is_deeply([sort map { s{.*/}{}r } glob "$folder/*"],
          [sort map { $_->{file} } values %applications], 'all of them');

for my $name (sort keys %applications) {
    subtest $name => sub { application($applications{$name}, "$dir/$name") };
}

done_testing;


sub application {
    my ($app, $place) = @_;

    my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
                               ->sockport;
    my $pid;

    my $start = sub {
        $pid = start($app->{start}->($place, $port));
        wait_until(sub { IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $port) }) or die 'no answer';
    };

    my $kill = sub {
        kill 'KILL', -$pid;
        waitpid $pid, 0;
    };

    $start->();

    my $nginx = Clockodo::Nginx->start(server => <<"END");
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    location = /hook {
        proxy_pass http://127.0.0.1:$port;
    }

    location = /open {
        clockodo_webhook off;
        proxy_pass http://127.0.0.1:$port;
    }
END

    # by proxy_pass, each three times

    for my $id (shuffle((1 .. 20) x 3)) {
        deliver($nginx, '/hook', payload => qq({"team":{"id":$id}}))
            ->{status} == 200 or fail("event $id");
    }

    is(deliver($nginx, '/open')->{status}, 403, 'nothing past the module');

    # by delivery, some of them again, while it is killed

    my $spool = Clockodo::Spool->new;
    $spool->put(payload => qq({"team":{"id":$_}})) for 11 .. 60;
    $spool->put(event_name => '"thing.seen"', payload => '{}');

    my $worker = Clockodo::Deliver->start(
        '--spool', $spool->path, '--url', "http://127.0.0.1:$port/",
        '--retry-min', '100ms', '--retry-max', '300ms', '--exit-after', '0');

    ok($worker->wait_for_log(qr/taken/), 'delivery has begun');
    $kill->();
    sleep 0.2;
    $start->();
    is($worker->wait, 0, 'delivered');

    # what has its 200 outlives the application

    $kill->();
    is(system($app->{work}->($place)), 0, 'what is left is worked off');

    is_deeply([sort $app->{done}->($place)],
              [sort 'thing.seen ', map { "team.updated $_" } 1 .. 60],
              'each once');

    # what can be done twice without a trace says so

    my %said;
    $said{$_}++ for split /\n/, slurp("$dir/log");

    is_deeply([grep { /^team\.updated/ && $said{$_} > 1 } keys %said], [],
              'none is worked on again');
}


sub start {
    my (@words) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        setpgrp;
        open STDOUT, '>>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        exec @words or POSIX::_exit(127);
    }

    push @running, -$pid;

    return $pid;
}


sub in_database {
    my ($place) = @_;

    local $ENV{PLACE} = $place;

    return map { chomp; $_ } `/usr/bin/python3 -c '
import os, sqlite3
for row in sqlite3.connect(os.environ["PLACE"]).execute("SELECT * FROM work"):
    print(*row)'`;
}
