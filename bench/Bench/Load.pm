package Bench::Load;

# What wrk measures: all servers on one core, wrk on the other.  The ways take
# turns, so that what disturbs the machine disturbs all of them.  Where each
# call has a connection of its own wrk is the slower one: what a worker can do
# is seen by the time that it was busy.
#
# The application is nginx's own worker, so that nothing but the ways differs.
# HAProxy and webhook can't have it in themselves: beside them, nginx has one
# that is apart, too.

use strict;
use warnings;

use Bench;
use Bench::Others;
use Clockodo::Redis;

my ($rounds, $seconds, $connections) = (11, 1, 16);

# wrk puts another number into each

my $distinct = $event =~ s/9001/000000000000/r;
my $wrong = $distinct =~ s/My_/my_/r;
my $malformed = $distinct =~ s/\}$//r;

# What is measured, in this order.  Unless it says something else: nginx, the
# path that the name is, an event, 2xx, compared to plain.

my @ways = (
    { name => 'plain' },
    { name => 'headers' },
    { name => 'module' },
    { name => 'masked' },
    { name => 'mark' },
    { name => 'signed' },
    { name => 'report' },
    { name => 'spool', server => 'spool' },
    { name => 'redis' },
    { name => 'lua' },
    { name => 'njs' },
    { name => 'plain apart', path => '/plain', server => 'apart',
      base => 'plain apart' },
    { name => 'apart', path => '/module', server => 'apart',
      base => 'plain apart' },
    { name => 'haproxy', path => '/', server => 'haproxy',
      base => 'plain apart' },
    { name => 'webhook', path => '/hook/true', server => 'webhook',
      base => 'plain apart' },
    { name => 'curl', path => '/hook/curl', server => 'webhook',
      base => 'plain apart' },

    { name => 'token', path => '/module', body => $wrong, refused => 1 },

    # nginx closes the connection after a 400
    { name => 'closed', path => '/plain', close => 1, base => 'closed' },
    { name => 'malformed', path => '/module', body => $malformed, refused => 1,
      base => 'closed' },
);

# The least that may come of a comparison.  The module can be no faster than a
# proxy_pass that sends the same headers.

my @least = (
    { name => 'headers', way => 'module', base => 'headers', least => 0.96 },
    { name => 'haproxy', way => 'apart', base => 'haproxy', least => 1.3 },
    { name => 'webhook', way => 'apart', base => 'webhook', least => 10 },
    { name => 'curl', way => 'apart', base => 'curl', least => 10 },
    { name => 'spool', way => 'spool', base => 'curl', least => 5 },
);


sub load {
    my $core = 'worker_cpu_affinity 01;';
    my $redis = Clockodo::Redis->start;
    my $application = Bench->start(main => $core);
    my $socket = $application->application;

    system("taskset -acp 0 @{[ $redis->pid ]} > /dev/null") == 0
        or die "taskset: $?\n";

    my %servers = (
        nginx   => Bench->start(modules => [qw(clockodo lua njs)],
                                more    => ['features'], main => $core,
                                redis   => $redis->path),
        apart   => Bench->start(modules => ['clockodo'], main => $core,
                                application => $socket),
        spool   => Bench->start(modules => ['clockodo'], more => ['spool'],
                                main    => $core),
        haproxy => Bench::Others->haproxy($socket),
        webhook => Bench::Others->webhook($socket),
    );

    for my $server (@servers{qw(nginx apart)}) {
        $server->{worker} = ($server->client->call(post('/pid', '')))[1];
    }

    refuses(\%servers);

    my (%got, $first);

    for my $round (0 .. $rounds) {
        for my $way (@ways) {
            my $turn = turn($way, \%servers, $first += 10_000_000);

            $redis->call('FLUSHALL');
            $servers{spool}->empty('spool/new');

            # the first round warms up

            push @{$got{$way->{name}}}, $turn if $round;
        }
    }

    my %load = map { $_->{name} => row($_, \%got) } @ways;

    print_load(\%load);
    compare(\%load, \%got);

    return \%load;
}


# Nothing is measured that lets anything through.

sub refuses {
    my ($servers) = @_;

    for my $way (grep { !$_->{refused} && $_->{name} !~ /plain|closed|headers/ }
                 @ways)
    {
        my ($server, $path) = target($way, $servers);
        my $client = Bench::Client->new($server->{port});

        my $status = $client->call(post($path, $event =~ s/My_/my_/r));
        my $expected = $way->{name} eq 'report' ? 204 : 403;

        check($status == $expected, "$way->{name}: $status for a wrong token");
    }
}


sub target {
    my ($way, $servers) = @_;

    return ($servers->{$way->{server} // 'nginx'},
            $way->{path} // "/$way->{name}");
}


# One second of it: requests a second, and in a second of the worker's time;
# the percentiles of latency.

sub turn {
    my ($way, $servers, $first) = @_;

    my ($server, $path) = target($way, $servers);
    my $worker = $server->{worker};

    local $ENV{FIRST} = 100_000_000_000 + $first;
    local $ENV{BODY} = $way->{body} // $distinct;
    local $ENV{CONNECTION} = $way->{close} ? 'close' : '';

    my $before = $worker && busy($worker);

    my $out = `taskset -c 1 wrk -t 1 -c $connections -d $seconds -s bench/post.lua http://127.0.0.1:$server->{port}$path`;

    my $time = $worker && busy($worker) - $before;

    my ($rate) = $out =~ m{^Requests/sec: +([\d.]+)}m;
    my ($refused) = $out =~ /Non-2xx or 3xx responses: (\d+)/;
    my ($all) = $out =~ /(\d+) requests in/;
    my ($half, $most) = $out =~ /^percentiles (\d+) (\d+)/m;

    die "wrk: $out" unless $rate && $most;
    die "$way->{name}: not all were answered alike: $out"
        if ($refused // 0) != ($way->{refused} ? $all : 0);

    return { rate => $rate, half => $half, most => $most,
             $time ? (busy => $all / $time) : () };
}


# The nanoseconds that a process has run for.

sub busy {
    my ($pid) = @_;

    open my $in, '<', "/proc/$pid/schedstat"
        or die "/proc/$pid/schedstat: $!\n";

    return (split ' ', <$in>)[0];
}


sub row {
    my ($way, $got) = @_;

    my $turns = $got->{$way->{name}};
    my $base = $got->{$way->{base} // 'plain'};
    my $figure = sub { my ($of) = @_; median(map { $_->{$of} } @$turns) };

    return {
        rate => $figure->('rate'),
        half => sprintf('%.2f ms', $figure->('half') / 1000),
        most => sprintf('%.2f ms', $figure->('most') / 1000),
        all  => ratios('rate', $turns, $base),
        busy => $turns->[0]{busy} ? ratios('busy', $turns, $base) : '–',
    };
}


# The median, the lowest and the highest of what rounds compare to others.

sub ratios {
    my ($of, $turns, $base) = @_;

    my @ratios = sort { $a <=> $b }
                 map { $turns->[$_]{$of} / $base->[$_]{$of} } 0 .. $#$turns;

    return sprintf '%.2f (%.2f–%.2f)', median(@ratios), @ratios[0, -1];
}


sub print_load {
    my ($load) = @_;

    print "\n# requests a second; half, and 99 %, within; compared to plain; "
          . "the same of a worker's time\n";

    printf "# %-11s %7.0f  %s  %s  %s  %s\n", $_->{name},
           @{$load->{$_->{name}}}{qw(rate half most all busy)} for @ways;

    print "\n";
}


sub compare {
    my ($load, $got) = @_;

    for my $row (@least) {
        my $ratios = ratios('rate', @$got{@$row{qw(way base)}});
        my ($median) = $ratios =~ /^(\S+)/;

        check($median >= $row->{least},
              "$row->{way}, compared to $row->{base}: $ratios, "
              . "$row->{least} at least");

        $load->{against}{$row->{name}} = $ratios;
    }
}

1;
