# What outlives what: all figures of clockodo_status stay through a reload and
# the death of a worker, and begin anew with nginx.  Charts forget in time.
# Handshakes: where they are taken, and how full the file is.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Application;
use Clockodo::Client;
use Clockodo::Clock;
use Clockodo::Nginx;
use Clockodo::Status;
use Test::More;


my $on = 'clockodo_webhook on; clockodo_token My_Sup3r_T0k3n;';

my @series = qw(accepted taken not_taken stored handshake filtered duplicate
                rejected);

subtest 'reload, killed worker, restart' => \&outlives;
subtest 'charts in time'                 => \&charts;
subtest 'handshakes'                     => \&handshakes;

done_testing;


sub outlives {
    my ($nginx, $app) = start(<<"END");
        location /hook {
            $on
            clockodo_secret_file secrets;
            clockodo_events team.*;
            clockodo_dedupe drop;
            proxy_pass http://app;
        }
END

    send_all($nginx, $app);

    my $due = known(status($nginx, 7));
    my $since = delete $due->{since};
    my ($hook) = @{$due->{locations}};

    # nothing here is as at the beginning

    is_deeply([ $hook->{requests}, $hook->{outcomes}, $due->{hours} ],
              [ { accepted => 3, handshake => 1, filtered => 1, duplicate => 1,
                  rejected => 1 },
                { taken => 1, not_taken => 2, stored => 0 },
                { accepted => 3, taken => 1, not_taken => 2, stored => 0,
                  handshake => 1, filtered => 1, duplicate => 1,
                  rejected => 1 } ], 'all kinds have come');
    is_deeply($due->{minutes}, $due->{hours}, 'by minutes as by hours');
    is($hook->{not_taken}{consecutive}, 2, 'two in a row');
    ok($_, 'a time') for $hook->{not_taken}{since}, $hook->{not_taken}{last},
                         $hook->{last_handshake}{time}, $hook->{tokens}{1},
                         $due->{last_accepted}{time};
    is($hook->{last_handshake}{client}, '127.0.0.1', 'client of a handshake');
    cmp_ok($hook->{secret_file}{bytes}, '>', 0, 'size of the file');
    is($hook->{upstream_seconds}{buckets}{'+Inf'}, 3, 'responses');
    is_deeply([ map { scalar @{$due->{$_}} }
                    qw(deliveries other_deliveries) ], [ 5, 2 ], 'rings');

    $nginx->reload;
    same($nginx, $since, $due, 'reload');

    my $victim = $nginx->worker;

    kill 'KILL', $victim;
    wait_for(sub { !-e "/proc/$victim" && $nginx->workers == 1 });
    same($nginx, $since, $due, 'killed worker');

    # and goes on where it was

    $app->answer(500);
    deliver($nginx, '/hook', payload => '{"team":{"id":4}}');
    is(status($nginx, 8)->{locations}[0]{not_taken}{consecutive}, 3,
       'three in a row');

    $nginx->stop;
    $nginx->spawn;

    my $new = status($nginx, 0);
    my ($empty) = @{$new->{locations}};

    cmp_ok($new->{since}, '>=', $since, 'since the restart');

    my $n = 0;

    for my $value (map({ values %{$empty->{$_}} }
                       qw(requests rejected events outcomes tokens not_taken
                          upstream_responses)),
                   values %{$empty->{upstream_seconds}{buckets}},
                   $empty->{last_handshake}, $new->{last_accepted}{time},
                   map { my $chart = $_; map { @{$new->{$chart}{$_}} } @series }
                       qw(minutes hours))
    {
        $n++ if $value;
    }

    is($n, 0, 'restart: all figures begin anew');
    is_deeply([ @{$new}{qw(deliveries other_deliveries)} ], [ [], [] ],
              'restart: no deliveries');
    is($empty->{secret_file}{bytes}, $hook->{secret_file}{bytes},
       'the file is what it was');
}


sub send_all {
    my ($nginx, $app) = @_;

    deliver($nginx, '/hook');
    $app->answer(500);

    request($nginx, $_)
        for post(event()), post('{"secret":"x"}'), post('{'),
            post(event(payload => '{"team":{"id":2}}')),
            post(event(payload => '{"team":{"id":3}}')),
            post(event(event_name => '"user.deleted"',
                       payload => '{"user":{"id":1}}'));
}


# What is not of the moment, with the sums of the charts.

sub known {
    my ($status) = @_;

    for my $chart (@{$status}{qw(minutes hours)}) {
        $chart = { map { $_ => sum(@{$chart->{$_}}) } @series };
    }

    delete $status->{timestamp};

    return $status;
}


sub same {
    my ($nginx, $since, $due, $name) = @_;

    my $status = known(status($nginx));

    is(delete $status->{since}, $since, "$name: since");
    is_deeply($status, $due, "$name: all figures stay");
}


sub charts {
    my ($set, %arg) = wall_clock(sub { status($_[0])->{timestamp} });
    my ($nginx, $app) = start("location /hook { $on proxy_pass http://app; }",
                             %arg);

    # far from the end of a minute and of an hour

    my $start = 1820 - time % 3600;
    my $at = sub { $set->($nginx, sprintf '%+ds', $start + $_[0]) };
    my ($minute, $hour) = (60, 3600);

    $at->(0);
    deliver($nginx, '/hook');
    status($nginx, 1);

    # in the series, and how many of them in the last place

    my $shown = sub {
        my ($name) = @_;
        my $taken = status($nginx)->{$name}{taken};

        return join ' ', scalar @$taken, sum(@$taken), $taken->[-1];
    };

    is($shown->('minutes'), '60 1 1', 'this minute');
    is($shown->('hours'), '168 1 1', 'this hour');

    $at->(59 * $minute);
    is($shown->('minutes'), '60 1 0', 'not yet an hour ago');

    $at->(60 * $minute);
    is($shown->('minutes'), '60 0 0', 'an hour ago');
    is($shown->('hours'), '168 1 0', 'in an earlier hour');

    # into the slot that it has been in

    $at->(128 * $minute);
    deliver($nginx, '/hook');
    status($nginx, 2);
    is($shown->('minutes'), '60 1 1', 'the minute of a slot is another one');
    is($shown->('hours'), '168 2 1', 'two hours');

    $at->(167 * $hour);
    is($shown->('minutes'), '60 0 0', 'nothing in the last hour');
    is($shown->('hours'), '168 2 0', 'the last seven days');

    $at->(168 * $hour);
    is($shown->('hours'), '168 1 0', 'the first one is forgotten');

    # all slots twice, to the same one

    $at->(344 * $hour);
    is($shown->('hours'), '168 0 0', 'a slot is of its own hour');
    deliver($nginx, '/hook');
    status($nginx, 3);
    is($shown->('hours'), '168 1 1', 'and counts from one again');
}


sub handshakes {
    my ($nginx) = start(<<"END");
        location /hook {
            $on clockodo_secret_file secrets; proxy_pass http://app;
        }
        location /same {
            $on clockodo_secret_file secrets; proxy_pass http://app;
        }
        location /off { $on proxy_pass http://app; }
END

    my $status = status($nginx, 0);
    my %location = map { $_->{location} => $_ } @{$status->{locations}};

    is_deeply([ map { [ @{$location{"localhost/$_"}}{qw(handshakes secret_file
                                                         last_handshake)} ] }
                    qw(hook same off) ],
              [ ([ JSON::PP::true, { bytes => 0, limit => 65536 }, undef ])
                x 2, [ JSON::PP::false, undef, undef ] ], 'at first');

    request($nginx, post('{"secret":"x"}') =~ s{/hook}{/$_}r) for qw(hook off);

    $status = status($nginx, 2);
    %location = map { $_->{location} => $_ } @{$status->{locations}};

    my $last = $location{'localhost/hook'}{last_handshake};
    my $size = length $nginx->read('secrets');

    ok($last->{time} <= $status->{timestamp}
       && $last->{time} >= $status->{timestamp} - 60, 'its time');
    is($last->{client}, '127.0.0.1', 'its client');
    is($location{"localhost/$_"}{secret_file}{bytes}, $size, "$_: bytes")
        for qw(hook same);
    is($location{'localhost/same'}{last_handshake}, undef, 'by location');
    is($location{'localhost/off'}{last_handshake}, undef, 'a refused one');

    my $metrics = request($nginx, get('/metrics'))->{body};

    is_deeply([ $metrics =~ /^clockodo_secret_file_(.*)$/mg ],
              [ map({ "bytes{location=\"localhost/$_\"} $size" } qw(hook same)),
                map { "limit_bytes{location=\"localhost/$_\"} 65536" }
                    qw(hook same) ], 'metrics, where there is a file');

    # full, and rotated

    $nginx->write('secrets', 'x' x 65536);
    request($nginx, post('{"secret":"x"}'));

    $status = status($nginx, 3);
    is_deeply($status->{locations}[0]{secret_file},
              { bytes => 65536, limit => 65536 }, 'full');
    is_deeply($status->{locations}[0]{last_handshake}, $last,
              'one that found no room is not the last');

    rename $nginx->root . '/secrets', $nginx->root . '/old' or die "rename: $!";
    kill 'USR1', $nginx->pid;
    wait_for(sub { status($nginx)->{locations}[0]{secret_file}{bytes} == 0 });
    pass('reopened');
}


sub start {
    my ($locations, %arg) = @_;

    my $app = Clockodo::Application->start;
    my $path = $app->path;

    my $nginx = Clockodo::Nginx->start(%arg, http => <<"END", server => <<"END");
    upstream app { server unix:$path; }
END
        server_name localhost;
        location = /status { clockodo_status; }
        location = /metrics { clockodo_status prometheus; }
        $locations
END

    return ($nginx, $app);
}
