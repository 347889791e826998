# What may happen to nginx and to the application, while events come in without
# a pause: no event that was answered 200 is missing at the application, and
# none is refused but with a status that is documented for it.  What is sent
# again after any other answer arrives in the end.

use strict;
use warnings;

use lib 't/lib';

use Clockodo::Ledger;
use Clockodo::Load;
use Clockodo::Nginx;
use Test::More;
use Time::HiRes qw(sleep);


# with the leases of calls that a dead worker had shorter than the test

my $server = <<'END';
        access_log off;
        location /hook {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_dedupe drop lease=1s;

            proxy_pass http://app;
            proxy_connect_timeout 300ms;
            proxy_send_timeout 300ms;
            proxy_read_timeout 300ms;
            proxy_next_upstream off;
        }
END

# "none": the connection was closed without an answer, as nginx does with idle
# ones when a worker leaves

subtest 'nothing happens'           => \&nothing;
subtest 'workers are killed'        => \&workers_killed;
subtest 'the application is killed' => \&application_killed;
subtest 'it stalls'                 => \&application_stalled;
subtest 'it refuses'                => \&application_refuses;
subtest '50 reloads'                => \&reloads;
subtest 'a new binary'              => \&upgrade;

done_testing;


sub nothing {
    my ($nginx, $ledger) = start();
    my $load = Clockodo::Load->start($nginx->port);

    went_on($ledger, 2000);

    my $answers = check($nginx, $ledger, $load);

    is_deeply([ sort keys %$answers ], [ 200, 409, 'forged 403' ], 'answers');
}


sub workers_killed {
    my ($nginx, $ledger) = start();
    my $load = Clockodo::Load->start($nginx->port);

    for (1 .. 10) {
        went_on($ledger, 200);

        my ($victim) = $nginx->workers;

        kill 'KILL', $victim;
        wait_for(sub { gone($victim) && $nginx->workers == 2 });
    }

    my $answers = check($nginx, $ledger, $load, 'none');

    cmp_ok($answers->{none}, '>=', 10, 'calls were cut off');
}


sub application_killed {
    my ($nginx, $ledger) = start();
    my $load = Clockodo::Load->start($nginx->port);

    for (1 .. 10) {
        went_on($ledger, 200);
        $ledger->kill;
        sleep 0.05;
        $ledger->listen;
    }

    my $answers = check($nginx, $ledger, $load, 502);

    cmp_ok($answers->{502}, '>=', 10, '502 was seen');
}


sub application_stalled {
    my ($nginx, $ledger) = start();
    my $load = Clockodo::Load->start($nginx->port);

    for (1 .. 3) {
        went_on($ledger, 200);
        $ledger->signal('STOP');
        sleep 1;
        $ledger->signal('CONT');
    }

    my $answers = check($nginx, $ledger, $load, 502, 504);

    cmp_ok($answers->{504}, '>=', 3, '504 was seen');
}


# For a while nobody listens.

sub application_refuses {
    my ($nginx, $ledger) = start();

    $ledger->kill;

    my $load = Clockodo::Load->start($nginx->port);

    sleep 1;
    $ledger->listen;
    went_on($ledger, 200);

    my $answers = check($nginx, $ledger, $load, 502);

    cmp_ok($answers->{502}, '>=', 100, '502 was seen');
}


sub reloads {
    my ($nginx, $ledger) = start();
    my $load = Clockodo::Load->start($nginx->port);

    for (1 .. 50) {
        went_on($ledger, 20);
        $nginx->reload;
    }

    check($nginx, $ledger, $load, 'none');
}


sub upgrade {
    my ($nginx, $ledger) = start(daemon => 'on');
    my $load = Clockodo::Load->start($nginx->port);

    for (1 .. 3) {
        my $old = $nginx->pid;
        my @workers = $nginx->workers;

        went_on($ledger, 200);
        kill 'USR2', $old;

        # both serve

        $nginx->{pid} = wait_for(sub {
            my ($pid) = $nginx->read('logs/nginx.pid') =~ /^(\d+)$/;
            $pid && $pid != $old && $pid;
        });
        wait_for(sub { $nginx->workers == 2 });
        went_on($ledger, 200);

        # the new one alone, then without the old master as well

        kill 'WINCH', $old;
        wait_for(sub { !grep { !gone($_) } @workers });
        went_on($ledger, 200);

        kill 'QUIT', $old;
        wait_for(sub { gone($old) });
        went_on($ledger, 200);
    }

    check($nginx, $ledger, $load, 'none');
}


sub start {
    my (%arg) = @_;

    my $ledger = Clockodo::Ledger->start;
    my $nginx = Clockodo::Nginx->start(
        workers => 2, listen => 'reuseport', level => 'error',
        http => 'upstream app { server unix:' . $ledger->path
                . ' max_fails=0; }',
        server => $server, %arg);

    wait_for(sub { $nginx->workers == 2 });

    return ($nginx, $ledger);
}


# The load ends, and is compared with what the application has got.

sub check {
    my ($nginx, $ledger, $load, @others) = @_;

    my $result = $load->finish;
    my $answers = $result->{answers};

    my %got = map { $_ => 1 } $ledger->ids;
    my @acknowledged = @{$result->{acknowledged}};
    my %known = map { $_ => 1 } 200, 409, 'forged 403', @others,
                map { "forged $_" } grep { $_ eq 'none' } @others;

    cmp_ok(@acknowledged, '>=', 300, 'there was a load');
    note(join ', ', map { "$_: $answers->{$_}" } sort keys %$answers);

    is_deeply([ grep { !$got{$_} } @acknowledged ], [],
              'what was answered 200 has arrived');
    is_deeply([ grep { !$known{$_} } keys %$answers ], [],
              'no other status');
    is_deeply([ grep { $_ eq 'none' || $_ % 10 == 0 } keys %got ], [],
              'nothing forged has arrived');
    unlike($nginx->log, qr/\[(?:alert|emerg)\](?!.*exited on signal 9)/,
           'nothing in the log');

    return $answers;
}


# Until the application has got some more.

sub went_on {
    my ($ledger, $n) = @_;

    my $before = $ledger->ids;

    wait_for(sub { $ledger->ids >= $before + $n });
}
