# Whatever a start, a reload or a reopening of files asks of the system can
# fail: the n-th call of a kind does, for all n until there is none that did
# not.  nginx then says so and works on as before, or it works as it was told
# to; it never crashes, forgets what is in the zone, or leaves a descriptor.
#
#     make failures T=t/failures/reload.t SCENARIO='a reload' KIND=memory
#
# runs some of it; both are regular expressions.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Failures;
use Clockodo::Nginx qw(contents gone wait_for);
use Clockodo::Taker;
use File::Path qw(remove_tree);
use Test::More;
use Time::HiRes qw(sleep);


my @kinds = qw(memory slab read write open sync link stat control close
               process);

# A start takes memory by the functions that a reload does, with another zone,
# and would take ten times as long.

my @scenarios = (
    { name => 'a start', run => \&test_start, without => 'memory' },
    { name => 'a reload', run => \&reload },
    { name => 'another zone', run => \&reload, zone => 1 },
    { name => 'a new worker', run => \&reload, worker => 1 },
    { name => 'reopening', run => \&reopen },
);

my @of_nginx = (
    { kind => 'memory', stack => qr/\bngx_regex_create_conf\b/,
      problem => qr/ended|ngx_regex\.c:\d+:\d+: runtime error/,
      why => 'ngx_regex_cleanup() of a list that there was no memory for' },
    { kind => 'stat', stack => qr/^ngx_conf_parse ngx_init_cycle\b/,
      problem => qr/^the master has ended$|^ended by|allocat(?:or|ion size)/,
      why => 'ngx_conf_parse() goes on with a size that fstat() has not set' },
    { kind => '.*', stack => qr/\bngx_worker_process_init\b/,
      problem => qr/^no worker$/,
      why => 'a worker that cannot begin is not started again' },
    { kind => 'read', stack => qr/\bngx_read_channel\b/,
      problem => qr/^the worker was not told$|^the old worker stays$/,
      why => 'a worker gives up the channel that the master tells it by' },
    { kind => 'write', stack => qr/\bngx_log_error_core\b/,
      problem => qr/^the worker was not told$/,
      why => 'that is the line that says so' },
    { kind => 'control|process', stack => qr/\bngx_spawn_process\b/,
      problem => qr/^no worker$/,
      why => 'old workers are told to quit though no new one was started' },
);

my $failures = Clockodo::Failures->new(of_nginx => \@of_nginx);
my $taker = Clockodo::Taker->start;
my $number = 1;
my $zone = 1;
my ($nginx, %table);

for my $scenario (@scenarios) {
    my $name = $scenario->{name};

    next if $ENV{SCENARIO} && $name !~ /^(?:$ENV{SCENARIO})$/;

    subtest $name => sub { scenario($scenario) };
}

$failures->print_table(\%table, [map { $_->{name} } @scenarios], \@kinds);

$nginx->stop if $nginx;

is(join(', ', $failures->reports), '', 'no report at its end');

done_testing;


sub scenario {
    my ($scenario) = @_;

    my $sum = 0;

    start() if !$nginx;

    is(join(', ', $scenario->{run}->($scenario, 'none', 1)), '',
       'without a failure');

    for my $kind (@kinds) {
        next if $ENV{KIND} && $kind !~ /^(?:$ENV{KIND})$/
                || $kind eq ($scenario->{without} || '');

        my ($n, @wrong) = $failures->sweep($kind, [0], sub {
            $scenario->{run}->($scenario, $kind, $_[0]);
        });

        $table{$scenario->{name}}{$kind} = $n;
        $sum += $n;

        ok(!@wrong, "$kind: $n") or diag(join "\n", @wrong);
    }

    cmp_ok($sum, '>', 0, "$sum failures");
}


sub start {
    $nginx = Clockodo::Nginx->start(level => 'notice', settings());

    $nginx->write('tokens', "A_Sup3r_T0k3n subscription=42\n# another\nother");
    $nginx->write('keys', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    chmod 0600, map { $nginx->root . "/$_" } qw(tokens keys);

    $nginx->reload(settings($zone));

    wait_for(\&settle);

    # an event that the zone knows

    $taker->request($nginx->port, '/dedupe', event_of(1));
}


# Without a size of the zone: before there are the files.

sub settings {
    my ($size) = @_;

    my $path = $taker->path;
    my $read = $size ? 'clockodo_token_file tokens; '
                       . 'clockodo_sign_key_file keys;' : '';

    $size ||= 1;

    return main => 'thread_pool default threads=2;',
           http => "clockodo_zone ${size}m;", server => <<"END";
    clockodo_token My_Sup3r_T0k3n subscription=42,43;
    clockodo_webhook on;
    clockodo_events team.* *.deleted entry.created;
    clockodo_company 1337 1338;
    $read

    location = /event {
        clockodo_secret_file secrets;
        proxy_pass http://unix:$path;
    }

    location = /dedupe {
        clockodo_dedupe drop;
        proxy_ignore_client_abort on;
        proxy_pass http://unix:$path;
    }

    location = /spool { clockodo_spool spool; }

    location = /redis {
        clockodo_redis_pass 127.0.0.1:1;
        clockodo_redis_auth user r3d1s;
        clockodo_redis_stream events maxlen=1000;
        clockodo_redis_dedupe 1h;
    }

    location = /status { clockodo_webhook off; clockodo_status; }
END
}


# "nginx -t", which does all of a start but for its processes.

sub test_start {
    my ($scenario, $kind, $n) = @_;

    my $root = $nginx->root;
    my @problems;

    # what it makes is made anew

    remove_tree("$root/spool", "$root/secrets");

    $failures->arm($kind, $n);

    # without -g nginx copies nothing from NULL, and UBSan, which has to find
    # out that this is suppressed, takes ten times as long as nginx

    my $t = "-t -p $root/ -c $root/nginx.conf -g 'pcre_jit off;'";
    my $text = `$ENV{TEST_NGINX_BINARY} $t 2>&1`;
    my $rc = $?;

    $failures->disarm;

    if ($rc & 127 || $rc >> 8 > 1) {
        push @problems, "ended by $rc";

    } elsif ($rc && $text !~ /\[(?:emerg|alert|crit)\] ./) {
        push @problems, "says nothing but $text";
    }

    return @problems, $failures->reports;
}


sub reload {
    my ($scenario, $kind, $n) = @_;

    my $other = $scenario->{zone} ? 3 - $zone : $zone;

    $nginx->configure(settings($other));

    my $master = $nginx->pid;
    my ($worker) = children($master);
    my $before = $failures->descriptors($master);
    my $pid = $scenario->{worker} ? -1 : $master;

    $nginx->new_log;
    $failures->arm($kind, $n, pid => $pid);

    my @problems = signalled('HUP');
    my $log = $nginx->new_log;

    # the old one goes when new ones are started, be it in vain

    if (1 < children($master) || $log =~ /start worker processes/) {
        in_time(sub { gone($worker) })
            or push @problems, 'the old worker stays';
    }

    # and the master hears of it

    in_time(sub { settle() && !$failures->more($master, $before) });

    $failures->disarm;

    $log .= $nginx->new_log;

    if (gone($master)) {
        push @problems, 'the master has ended';

    } elsif (!children($master)) {
        push @problems, 'no worker';

    } elsif (!gone($worker) && $log !~ /\[(?:emerg|alert|crit)\] ./) {
        push @problems, "no reload, and the log is: $log";
    }

    push @problems, $failures->reports;

    $zone = $other if gone($worker);

    if (grep { /has ended|no worker|stays/ } @problems) {
        renew();

        return @problems;
    }

    my $more = $failures->more($master, $before);

    push @problems, "descriptors: $more" if $more;
    push @problems, works($scenario);

    renew() if deaf();

    return @problems;
}


# Whether the worker has given up the channel that the master tells it by.

sub deaf {
    return $failures->call eq 'recvmsg';
}


sub renew {
    $nginx->stop;
    start();
}


# Sends a signal and waits until the master has nothing to do.

sub signalled {
    my ($signal) = @_;

    my $master = $nginx->pid;
    my ($before) = sleeps($master);

    kill $signal, $master;

    return in_time(sub {
        my ($times, $sleeps) = sleeps($master);

        gone($master) || $sleeps && $times > $before;
    }) ? () : 'it goes on and on';
}


# As wait_for(), for what may well not come.

sub in_time {
    my ($done) = @_;

    for (1 .. 1000) {
        return 1 if $done->();
        sleep 0.01;
    }

    return 0;
}


sub sleeps {
    my ($pid) = @_;

    my $status = contents("/proc/$pid/status");
    my ($times) = $status =~ /^voluntary_ctxt_switches:\s+(\d+)/m;

    return $times // 0, $status =~ /^State:\s+S/m;
}


# Whether all children are workers that take connections, and one at most.

sub settle {
    my @children = children($nginx->pid);

    return @children == $nginx->workers && @children < 2
           && (sleeps($nginx->pid))[1];
}


# From the moment when they are forked.

sub children {
    my ($pid) = @_;

    return split ' ', contents("/proc/$pid/task/$pid/children");
}


sub works {
    my ($scenario) = @_;

    my @problems;
    my $id = ++$number;
    my $event = request('/event', event_of($id));
    my $secret = request('/event', qq({"secret":"s-$id"}));

    push @problems, "an event gets $event"
        if $event ne '200' || !$taker->taken($id);
    push @problems, "a handshake gets $secret"
        if $secret ne '200' || $nginx->read('secrets') !~ / s-$id\n/;

    if (!$scenario->{zone}) {
        my $known = request('/dedupe', event_of(1));

        push @problems, "a duplicate gets $known"
            if $known ne '200';
    }

    return @problems;
}


# It is answered by whoever has the file open now.

sub reopen {
    my ($scenario, $kind, $n) = @_;

    my $worker = $nginx->worker;
    my @before = map { $failures->descriptors($_) } $nginx->pid, $worker;
    my @problems;

    $nginx->new_log;
    $failures->arm($kind, $n);

    push @problems, signalled('USR1');

    # the worker is told by the master

    in_time(sub { $nginx->new_log =~ /$worker#\d+: reopening logs/ })
        or push @problems, 'the worker was not told';

    in_time(sub { (sleeps($worker))[1] });

    $failures->disarm;

    push @problems, works($scenario), $failures->reports;

    my $more = sub {
        return grep { $_ } $failures->more($nginx->pid, $before[0]),
                           $failures->more($worker, $before[1]);
    };

    in_time(sub { !$more->() });

    push @problems, map { "descriptors: $_" } $more->();

    renew() if grep { /not told/ } @problems or deaf();

    return @problems;
}


sub request {
    my ($uri, $body) = @_;

    return $taker->request($nginx->port, $uri, $body)->{status};
}


sub event_of {
    my ($id) = @_;

    return event(payload => qq({"team":{"id":$id}}));
}
