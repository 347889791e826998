# clockodo-deliver and a command: what it gets, what its exit status means, and
# that neither it nor what it has started outlives --timeout.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Deliver;
use Clockodo::Nginx qw(gone);
use Clockodo::Spool;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);


my $dir = $ENV{DIR} = tempdir(CLEANUP => 1);

subtest 'what it gets'          => \&gets;
subtest 'exit status'           => \&status;
subtest 'it forks and hangs'    => \&hangs;
subtest 'it reads nothing'      => \&reads_nothing;
subtest 'it cannot be run'      => \&not_run;
subtest 'SIGTERM'               => \&sigterm;
subtest 'new before failing'    => \&fair;
subtest 'several at once'       => \&several;

done_testing;


sub start {
    my ($spool, $line, @options) = @_;

    return Clockodo::Deliver->start('--spool', $spool->path, @options,
                                    'sh', '-c', $line);
}


sub gets {
    my $spool = Clockodo::Spool->new;
    my $body = event(token => '"**************"', note => '"é \u00e4"',
                     event_name => '"thing.seen"', payload => '{}');

    $spool->write(('a' x 64) . '.' . ('0123456789abcdef.json'), $body);

    local $ENV{REDIS_URL} = 'redis://user:secret@localhost/';

    is(start($spool, 'env | grep ^CLOCKODO_ | sort > $DIR/env;
                      env | grep -c REDIS_URL > $DIR/url; cat > $DIR/body',
             '--exit-after', '0')->wait, 0, 'done');

    my %env = slurp("$dir/env") =~ /^(\w+)=(.*)$/mg;

    is_deeply(\%env, {
        CLOCKODO_EVENT           => 'thing.seen',
        CLOCKODO_ENTITY          => 'thing',
        CLOCKODO_ACTION          => 'seen',
        CLOCKODO_ENTITY_ID       => '',
        CLOCKODO_SUBSCRIPTION_ID => '42',
        CLOCKODO_COMPANY_ID      => '1337',
        CLOCKODO_OCCURRED_AT     => '1986-05-10T17:02:00Z',
        CLOCKODO_IDEMPOTENCY_KEY => 'a' x 64,
        CLOCKODO_ENTRY_ID        => ('a' x 64) . '.0123456789abcdef',
    }, 'the fields');

    is(slurp("$dir/body"), $body, 'the body');
    is(slurp("$dir/url"), "0\n", 'not the password of Redis');
}


sub status {
    my $spool = Clockodo::Spool->new;
    my @names = map { $spool->put(payload => qq({"team":{"id":$_}})) }
                0, 1, 99, 100, 101, 255, 1000;

    my $worker = start($spool, <<'END', '--retry-min', '100ms',
        test $CLOCKODO_ENTITY_ID != 1000 || kill -KILL $$
        test -e $DIR/tried.$CLOCKODO_ENTITY_ID && exit 0
        touch $DIR/tried.$CLOCKODO_ENTITY_ID; exit $CLOCKODO_ENTITY_ID
END
        '--retry-max', '100ms', '--give-up', '5s', '--exit-after', '0');

    is($worker->wait, 0, 'done');

    my %said;
    my $log = $worker->log;
    push @{$said{$1}}, $2 while $log =~ /^(\w+) team\.updated: (.*)/mg;

    is(scalar @{$said{$names[0]}}, 1, '0 is taken');
    like("@{$said{$names[$_->[0]]}}",
         qr/^exit status $_->[1], again in 0\.1 s taken in \S+ s$/,
         "$_->[1] comes again")
        for [1, 1], [2, 99], [4, 101], [5, 255];
    like("@{$said{$names[3]}}", qr/^exit status 100, put aside after 1 try$/,
         '100 never');
    like("@{$said{$names[6]}}", qr/^(?:signal 9, again in 0\.1 s )*signal 9, put aside after \d+ tr/, 'killed, until given up');
    is_deeply([$spool->names('dead')],
              [sort map { ("$_.json", "$_.why") } @names[3, 6]], 'the dead');
}


# Its child ignores SIGTERM and holds on to its input.

sub hangs {
    my $spool = Clockodo::Spool->new;
    my $name = $spool->put;

    my $worker = start($spool, <<'END', '--timeout', '3s', '--jobs', 1);
        test $CLOCKODO_ENTITY_ID = 9001 || exit 0
        sh -c 'trap "" TERM; echo $$ > $DIR/child; while :; do sleep 0.1; done' &
        trap "" TERM
        echo $$ > $DIR/parent
        wait; while :; do sleep 0.1; done
END

    ok($worker->wait_for_log(qr/$name .*no end within 3 s, again/), 'ended');

    for my $name (qw(parent child)) {
        my ($pid) = slurp("$dir/$name") =~ /^(\d+)$/ or die "no $name\n";

        ok(wait_until(sub { gone($pid) }, 5), "no $name is left")
            or kill 'KILL', $pid;
    }

    $spool->put(payload => '{"team":{"id":2}}');
    ok($worker->wait_for_log(qr/taken/), 'another one');
    is($worker->stop, 0, 'stopped');
}


sub reads_nothing {
    my $spool = Clockodo::Spool->new;

    $spool->put(note => '"' . 'x' x 500_000 . '"');
    is(start($spool, 'exit 0', '--exit-after', '0')->wait, 0, 'taken');

    # it has a child that lives on, and holds on to it

    $spool->put(note => '"' . 'x' x 500_000 . '"');

    my $worker = start($spool, 'sleep 100 < /dev/stdin & echo $! > $DIR/child',
                       '--timeout', '1s');

    ok($worker->wait_for_log(qr/taken|no end within 1 s/), 'an end');
    $worker->stop;
    kill 'KILL', slurp("$dir/child");
}


sub not_run {
    my $spool = Clockodo::Spool->new;

    $spool->put;

    my ($rc, undef, $err) = deliver_once('--spool', $spool->path,
                                         "$dir/no-such-command");

    is($rc, 2, 'exit status');
    like($err, qr/there is no command/, 'said');

    # it goes while events come

    open my $out, '>', "$dir/command" or die "command: $!\n";
    print $out "#!/nonexistent\n";
    close $out;
    chmod 0755, "$dir/command";

    my $worker = Clockodo::Deliver->start('--spool', $spool->path, '--',
                                          "$dir/command");

    ok($worker->wait_for_log(qr/No such file or directory, again/), 'again');
    is($worker->stop, 0, 'stopped');
}


sub sigterm {
    my $spool = Clockodo::Spool->new;

    $spool->put(payload => qq({"team":{"id":$_}})) for 1 .. 3;

    my $worker = start($spool, <<'END', '--jobs', 1);
        echo $CLOCKODO_ENTITY_ID >> $DIR/begun
        until test -e $DIR/go; do sleep 0.02; done
        echo $CLOCKODO_ENTITY_ID >> $DIR/done
END

    ok(wait_until(sub { slurp("$dir/begun") }), 'it has begun');

    kill 'TERM', $worker->pid;
    sleep 0.2;
    open my $go, '>', "$dir/go";

    is($worker->wait, 0, 'stopped');
    is(slurp("$dir/done"), slurp("$dir/begun"), 'what was at hand has ended');
    is($spool->names('new'), 2, 'and is gone, the others are not');
}


# Those whose command fails after half a second, and that are due at once.

sub fair {
    my $spool = Clockodo::Spool->new;
    my $fails = 'test $CLOCKODO_COMPANY_ID = 1 || exit 0; sleep 0.5; exit 1';

    $spool->put(company_id => 1, payload => qq({"team":{"id":$_}}))
        for 1 .. 10;

    my $worker = start($spool, $fails, '--jobs', 1, '--retry-min', '1ms',
                       '--retry-max', '1ms', '--give-up', '1h');

    ok(wait_until(sub { $spool->names('retry') == 10 }), 'all have failed');

    for my $round (1 .. 3) {
        my $before = () = $worker->log =~ /again in/g;

        $spool->put(payload => qq({"team":{"id":$round$_}})) for 1 .. 20;
        ok(wait_until(sub { $spool->names('new') == 10 }), 'new ones are taken');

        my $tries = () = $worker->log =~ /again in/g;

        # one that was at hand, two that are due between 20, one after these,
        # and what there was while they were being written

        cmp_ok($tries - $before, '<=', 6, 'without waiting for the others');
    }

    is($worker->stop, 0, 'stopped');
}


sub several {
    my $spool = Clockodo::Spool->new;

    $spool->put(payload => qq({"team":{"id":$_}})) for 1 .. 4;

    # each waits for all others

    my $worker = start($spool, <<'END', '--jobs', 4, '--timeout', '20s');
        touch $DIR/at-once.$CLOCKODO_ENTITY_ID
        until test $(ls $DIR | grep -c at-once) = 4; do sleep 0.02; done
END

    ok(wait_until(sub { !$spool->names('new') }), 'as many as --jobs');
    is($worker->stop, 0, 'stopped');
}
