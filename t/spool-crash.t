# Whatever happens to nginx, each event that has got its 200 is in the spool,
# whole, and nothing else is.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Load;
use Clockodo::Nginx qw(contents gone wait_for);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

$ENV{TEST_NGINX_WORKER_USER} ||= 'www-data' if $> == 0;

my $server = <<'END';
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    location /hook {
        clockodo_spool spool;
    }
END

subtest 'workers are killed'   => \&workers;
subtest 'nginx is killed'      => \&whole;
subtest 'a binary upgrade'     => \&upgrade;

done_testing;


sub workers {
    my $nginx = start();
    my $load = Clockodo::Load->start($nginx->port);

    for (1 .. 8) {
        sleep 0.2;

        my ($worker) = $nginx->workers or next;

        kill 'KILL', $worker;
        wait_for(sub { gone($worker) });
    }

    check($nginx, $load->finish);
}


sub whole {
    my $nginx = start();
    my @senders = map { sender($nginx, $_) } 1 .. 8;

    for (1 .. 3) {
        sleep 0.3;

        my @all = ($nginx->pid, $nginx->workers);

        kill 'KILL', @all;
        waitpid $nginx->pid, 0;
        wait_for(sub { !grep { !gone($_) } @all });

        unlink $nginx->root . '/logs/nginx.pid';
        $nginx->spawn;
    }

    sleep 0.3;

    my @acknowledged = map { acknowledged($_) } @senders;

    check($nginx, { acknowledged => \@acknowledged });
}


# A process that sends one event after another, also to nobody, until it is
# told to stop.

sub sender {
    my ($nginx, $number) = @_;

    pipe my $in, my $out or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        close $in;

        my $end = 0;
        $SIG{TERM} = sub { $end = 1 };

        for (my $id = 100_000 * $number; !$end; $id++) {
            my $reply = eval { deliver($nginx, '/hook',
                                       payload => qq({"team":{"id":$id}})) };

            $reply && $reply->{status} == 200 ? syswrite $out, "$id\n"
                                              : sleep 0.01;
        }

        POSIX::_exit(0);
    }

    close $out;

    return { pid => $pid, in => $in };
}


sub acknowledged {
    my ($sender) = @_;

    kill 'TERM', $sender->{pid};

    my $in = $sender->{in};
    my @ids = <$in>;

    waitpid $sender->{pid}, 0;
    chomp @ids;

    return @ids;
}


# The new master is no child of ours: nginx has to be a daemon.

sub upgrade {
    my $nginx = start(daemon => 'on');
    my $load = Clockodo::Load->start($nginx->port);
    my $old = $nginx->pid;
    my $file = $nginx->root . '/logs/nginx.pid';

    sleep 0.2;
    kill 'USR2', $old;

    my $new = wait_for(sub {
        my ($pid) = contents($file) =~ /^(\d+)$/;
        $pid && $pid != $old && -e "$file.oldbin" ? $pid : 0;
    });

    sleep 0.2;
    kill 'QUIT', $old;
    wait_for(sub { gone($old) });
    sleep 0.2;

    $nginx->{pid} = $new;

    check($nginx, $load->finish);
}


sub start {
    return Clockodo::Nginx->start(workers => 2, server => $server,
                                  listen => 'reuseport', @_);
}


sub check {
    my ($nginx, $result) = @_;

    is_deeply([ grep { !/^(?:200|none|forged 403|forged none)$/ }
                keys %{$result->{answers}} ], [], 'answers');

    my %stored;

    for my $file (glob $nginx->root . '/spool/new/*') {
        my $content = contents($file);
        my ($id) = $content =~ /"id":(\d+)\}/;

        if ($file =~ m{/[0-9a-f]{64}\.json$} && $id
            && $content eq event(payload => qq({"team":{"id":$id}}),
                                 token => '"**************"'))
        {
            $stored{$id}++;
            next;
        }

        fail("$file: $content");
    }

    my @acknowledged = @{$result->{acknowledged}};

    cmp_ok(@acknowledged, '>', 50, 'events');
    is((grep { !$stored{$_} } @acknowledged) + 0, 0, 'none is missing');
    is((grep { $_ > 1 } values %stored) + 0, 0, 'none is there twice');

    $nginx->stop;
    unlike($nginx->log, qr/\[(?:crit|emerg)\]/, 'log');
}
