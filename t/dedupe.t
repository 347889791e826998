# An event that Clockodo sends again reaches the application once, or is marked
# as a repeat; and one that the application has not taken is never held back.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Application;
use Clockodo::Client;
use Clockodo::Clock;
use Clockodo::Nginx;
use Clockodo::Status qw(status);
use Config;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(sleep);


my $on = 'clockodo_webhook on; clockodo_token My_Sup3r_T0k3n;'
         . 'add_header X-Verdict $clockodo_verdict/$clockodo_reason always;'
         . 'add_header X-Pid $pid always;';

subtest 'mark'                       => \&mark;
subtest 'mark, while it is in flight' => \&mark_in_flight;
subtest 'drop'                       => \&drop;
subtest 'not delivered'              => \&not_delivered;
subtest 'in flight'                  => \&in_flight;
subtest 'the client goes away'       => \&client_gone;
subtest 'the worker is killed'       => \&worker_killed;
subtest 'reload'                     => \&reload;
subtest 'what is the same event'     => \&same;
subtest 'ttl'                        => \&ttl;
subtest 'monotonic time'             => \&monotonic;
subtest 'other verdicts'             => \&untouched;
subtest 'internal redirects'         => \&redirects;
subtest 'before the reply is over'   => \&early;
subtest 'report'                     => \&report;
subtest 'full'                       => \&full;
subtest 'forgotten early'            => \&evicted;
subtest 'a short lease'              => \&short_lease;
subtest 'no upstream'                => \&no_upstream;
subtest 'an upstream is not asked'   => \&not_asked;
subtest 'levels'                     => \&levels;
subtest 'memory'                     => \&memory;

done_testing;


sub mark {
    my ($nginx, $app) = start('clockodo_dedupe mark;', workers => 2,
                              listen => 'reuseport');

    is(answers($nginx, event()), '200 accepted/', 'the first');

    # the same event as other software would write it

    my %spellings = (
        'the same'  => event(),
        'blanks'    => event() =~ s/(?<!\d)([,:{}])/ $1\r\n\t/gr,
        'order'     => '{"event_name":"team.updated","token":"My_Sup3r_T0k3n",'
                       . '"payload":{"x":[],"team":{"id":9001}},'
                       . '"occurred_at":"1986-05-10T17:02:00Z",'
                       . '"company_id":1337,"subscription_id":42}',
        'escapes'   => event(event_name => '"t\u0065am.updated"',
                             token => '"\u004dy_Sup3r_T0k3n"')
                       =~ s/"company_id"/"c\\u006fmpany_id"/r,
        'more'      => event(more => '{"team":1}'),
    );

    for my $name (sort keys %spellings) {
        is(answers($nginx, $spellings{$name}), '200 accepted/', $name);
    }

    is(answers($nginx, event(), 'X-Clockodo-Duplicate: 0',
               'x_clockodo_duplicate: 2'), '200 accepted/', 'forged');

    is_deeply([ $app->calls ],
              [ 'team.updated',
                ('team.updated duplicate 1') x (1 + keys %spellings) ],
              'the first one bare, the others marked');

    is(answers($nginx, event(company_id => 1), 'X-Clockodo-Duplicate: 1'),
       '200 accepted/', 'another one, forged');
    is(($app->calls)[-1], 'team.updated', 'it is not marked');

    my %pids;

    for (1 .. 500) {
        $pids{request($nginx, event())->{header}{'x-pid'}} = 1;
        last if keys %pids == 2;
    }

    is(keys %pids, 2, 'both workers have got it');
    is_deeply([ grep { $_ ne 'team.updated duplicate 1' } $app->calls ],
              [ ('team.updated') x 2 ], 'and have marked it');
}


sub mark_in_flight {
    my ($nginx, $app) = start('clockodo_dedupe mark;');

    $app->answer('stall');

    my @clients;

    for my $n (1, 2) {
        push @clients, send_to($nginx, event());
        wait_for(sub { $app->calls == $n });
    }

    $app->answer('200');

    is($_->reply->{status}, 200, 'answered') for @clients;

    # each call is noted by a process of its own: in any order

    is_deeply([ sort $app->calls ],
              [ 'team.updated', 'team.updated duplicate 1' ], 'marked');

    # the marked one claims nothing

    ($nginx, $app) = start('clockodo_dedupe mark;');

    $app->answer('stall');

    my $first = send_to($nginx, event());

    wait_for(sub { $app->calls == 1 });
    $app->answer('200');
    is(answers($nginx, event()), '200 accepted/', 'marked, and delivered');
    is($first->reply->{status}, 200, 'so is the first');

    is(entries($nginx), 1, 'one entry');
}


sub drop {
    for my $status (200, 201, 202, 204, 299) {
        my ($nginx, $app) = start('clockodo_dedupe drop;');

        $app->answer($status);

        is(answers($nginx, event()), "$status accepted/", "$status: the first");

        my $reply = request($nginx, event(more => 1));

        is("$reply->{status} $reply->{header}{'x-verdict'}", '200 duplicate/',
           "$status: a repeat");
        is($reply->{body}, '', "$status: its reply is empty");
        is($app->calls, 1, "$status: it goes no further");
    }
}


sub not_delivered {
    my ($nginx, $app) = start('clockodo_dedupe drop;',
                              more => 'proxy_read_timeout 300ms;');

    my $n = 0;

    for my $case ((map { [ $_, $_ ] } 301, 302, 400, 401, 404, 409, 429, 500,
                                      502, 503, 504),
                  [ 'close', 502 ], [ 'stall', 504 ])
    {
        my ($answer, $status) = @$case;

        $app->answer($answer);

        for my $try (1, 2) {
            is(answers($nginx, event()), "$status accepted/",
               "$answer: try $try");
            is($app->calls, ++$n, "$answer: reaches the application");
        }
    }

    $app->answer('200');
    $app->stop;
    is(answers($nginx, event()), '502 accepted/', 'nobody there');

    $app->listen;
    is(answers($nginx, event()), '200 accepted/', 'there again');
    is($app->calls, ++$n, 'reaches the application');

    is(answers($nginx, event()), '200 duplicate/', 'delivered at last');
    is($app->calls, $n, 'and no more');
}


sub in_flight {
    my ($nginx, $app) = start('clockodo_dedupe drop;', workers => 2,
                              listen => 'reuseport');

    $app->answer('stall');

    my $first = send_to($nginx, event());

    wait_for(sub { $app->calls == 1 });

    my $client = Clockodo::Client->new($nginx->port);
    my %pids;

    for (1 .. 500) {
        my $reply = request($nginx, event());

        is("$reply->{status} $reply->{header}{'x-verdict'}",
           '409 rejected/in_flight', 'in flight');
        is($reply->{header}{'retry-after'}, 1, 'Retry-After');

        $pids{$reply->{header}{'x-pid'}} = 1;
        last if keys %pids == 2;
    }

    is(keys %pids, 2, 'so says either worker');

    # that is no reason to close the connection

    for (1, 2) {
        $client->send(post(event()));
        is($client->reply->{status}, 409, 'in flight, kept alive');
    }

    like($nginx->log, qr/\[error\].* clockodo webhook rejected \(in_flight\): t/,
         'in the log');

    $app->answer('200');
    is($first->reply->{status}, 200, 'delivered');
    is(answers($nginx, event()), '200 duplicate/', 'a duplicate now');
    is($app->calls, 1, 'once');
}


sub client_gone {
    my ($nginx, $app) = start('clockodo_dedupe drop;');

    $app->answer('stall');

    for my $reset (0, 1) {
        my $client = send_to($nginx, event(company_id => 1 + $reset));

        wait_for(sub { $app->calls == 1 + 2 * $reset });
        $client->close($reset);

        # nginx has noticed when it lets go of the event

        my $again = wait_for(sub {
            my $client = send_to($nginx, event(company_id => 1 + $reset));

            return $client if $client->silent(0.2);
            return $client->reply->{status} == 409 ? undef : die "answered\n";
        });

        wait_for(sub { $app->calls == 2 + 2 * $reset });
        is($app->calls, 2 + 2 * $reset, 'reaches the application again');

        if ($reset) {
            $app->answer('200');
            is($again->reply->{status}, 200, 'delivered');
        }
    }

    is(answers($nginx, event(company_id => 2)), '200 duplicate/', 'once');
}


sub worker_killed {
    my ($nginx, $app) = start('clockodo_dedupe drop lease=1500ms;');

    $app->answer('stall');

    my $client = send_to($nginx, event());

    wait_for(sub { $app->calls == 1 });

    my $worker = $nginx->worker;

    kill 'KILL', $worker;
    wait_for(sub { my ($new) = $nginx->workers; $new && $new != $worker });

    $app->answer('200');
    is(answers($nginx, event()), '409 rejected/in_flight', 'still claimed');

    my $reply = wait_for(sub {
        my $reply = answers($nginx, event());

        return $reply =~ /^409/ ? undef : $reply;
    });

    is($reply, '200 accepted/', 'until the lease is over');
    is($app->calls, 2, 'reaches the application');
    is(answers($nginx, event()), '200 duplicate/', 'once');
}


sub reload {
    my ($nginx, $app) = start('clockodo_dedupe drop;');

    is(answers($nginx, event()), '200 accepted/', 'delivered');

    $app->answer('stall');

    my $client = send_to($nginx, event(company_id => 1));

    wait_for(sub { $app->calls == 2 });

    # the old worker stays for the one that is in flight

    kill 'HUP', $nginx->pid;
    wait_for(sub { $nginx->log =~ /gracefully shutting down/
                   && $nginx->workers == 1 });

    is(answers($nginx, event()), '200 duplicate/', 'delivered before');
    is(answers($nginx, event(company_id => 1)), '409 rejected/in_flight',
       'in flight in the old worker');

    $app->answer('200');
    is($client->reply->{status}, 200, 'delivered by the old worker');
    is(answers($nginx, event(company_id => 1)), '200 duplicate/',
       'the new one knows');
    is($app->calls, 2, 'once each');

    # another size is another memory

    $nginx->reload(http => "clockodo_zone 2m;\n$nginx->{arg}{http}");

    is(answers($nginx, event()), '200 accepted/', 'another size: forgotten');

    # figures are those of a table that is in use

    my $server = $nginx->{arg}{server};
    my $figures = sub { return status($nginx)->{dedupe} };

    cmp_ok($figures->()->{capacity}, '>', 0, 'there is room');
    is(entries($nginx), 1, 'one entry');

    $nginx->reload(server => $server =~ s/clockodo_dedupe drop;//r);
    is_deeply($figures->(), { map { $_ => 0 } qw(capacity entries evictions
                                                 unclaimed) }, 'off');

    $nginx->reload(server => $server);
    is(entries($nginx), 1, 'on again: the entry is still there');
}


sub same {
    my ($nginx, $app) = start('clockodo_dedupe drop;'
                              . 'clockodo_unknown_events forward;');

    my $budget = sub {
        event(event_name => '"project.budget_notification"',
              payload => qq({"id":1,"type":"$_[0]","threshold":$_[1]}))
    };

    my @others = (
        event(), event(company_id => 1), event(subscription_id => 1),
        event(event_name => '"team.created"'),
        event(payload => '{"team":{"id":1}}'),
        event(occurred_at => '"1986-05-10T17:02:01Z"'),
        event(occurred_at => '"1986-05-10T17:02:00.0Z"'),
        $budget->('projectBudget', 80), $budget->('projectBudget', 90),
        $budget->('other', 80),
        event(event_name => '"a.b"', payload => '{"a":{"id":1}}'),
    );

    is(answers($nginx, $_), '200 accepted/', 'another one') for @others;
    is(answers($nginx, $_), '200 duplicate/', 'the same') for @others;
    is(answers($nginx, $budget->('projectBudget', '8e1')), '200 duplicate/',
       'the same number');

    # one without an id is never taken for a duplicate

    is(answers($nginx, event(event_name => '"a.b"', payload => '{}')),
       '200 accepted/', 'no id') for 1, 2;

    # each location has its own

    is(answers($nginx, event(), '/second'), '200 accepted/',
       'another location');
    is(answers($nginx, event(), '/second'), '200 duplicate/', 'and again');
}


sub ttl {
    my ($nginx, $app) = start('clockodo_dedupe drop ttl=1s;');

    is(answers($nginx, event()), '200 accepted/', 'delivered');
    is(answers($nginx, event()), '200 duplicate/', 'a duplicate');

    my $reply = wait_for(sub {
        my $reply = answers($nginx, event());

        return $reply =~ /duplicate/ ? undef : $reply;
    });

    is($reply, '200 accepted/', 'until ttl is over');
    is($app->calls, 2, 'delivered twice');

    wait_for(sub { entries($nginx) == 0 });
    pass('then nothing is left of it');
}


# The clock of the wall is put forward and back by two days.

sub monotonic {
    my ($set, %arg) = wall_clock(sub { status($_[0])->{timestamp} });
    my ($nginx, $app) = start('clockodo_dedupe drop ttl=1h;', %arg);

    is(answers($nginx, event()), '200 accepted/', 'delivered');

    for my $shift ('+2d', '-2d') {
        $set->($nginx, $shift);

        is(answers($nginx, event()), '200 duplicate/',
           "$shift: still known");
    }

    is($app->calls, 1, 'once');
}


sub untouched {
    my ($nginx, $app) = start('clockodo_dedupe drop; clockodo_company 1337;'
                              . 'clockodo_events team.*;'
                              . 'clockodo_secret_file secrets;');

    for my $body (event(token => 1), event(company_id => 1), '{', '',
                  event(payload => '{}'), '{"secret":"x"}',
                  event(event_name => '"user.deleted"',
                        payload => '{"user":{"id":1}}'))
    {
        answers($nginx, $body) for 1, 2;
    }

    is(entries($nginx), 0, 'rejected and filtered: no entry');
    is($app->calls, 0, 'nothing is forwarded');
    unlike($nginx->read('logs/access.log'), qr/ 409 /, 'nor in flight');

    answers($nginx, event());
    is(entries($nginx), 1, 'accepted: an entry');
}


sub redirects {
    my ($nginx, $app) = start('clockodo_dedupe drop;',
        more => 'proxy_intercept_errors on; error_page 404 = /second;'
                . 'error_page 500 =200 /page; error_page 503 =200 @page;',
        server => 'location /page { return 200; }
                   location @page { return 200; }');

    # the application answers 404 to the first location, 200 to the second one

    $app->answer('404');

    my $client = send_to($nginx, event());

    is($client->reply->{status}, 404, 'both have refused it');
    is($app->calls, 2, 'it has come by both');
    is(entries($nginx), 0, 'nothing is claimed any more');

    # 200, but from an error page

    for my $status (500, 503) {
        $app->answer($status);

        my $n = $app->calls;

        is(answers($nginx, event()), '200 accepted/', "$status: an error page")
            for 1, 2;
        is($app->calls, $n + 2, "$status: is no delivery");
    }

    # claimed once, and settled by what the last location got

    ($nginx, $app) = start('clockodo_dedupe drop;',
        more => 'proxy_pass http://unix:/nowhere.sock; error_page 502 = /second;',
        pass => '');

    is(answers($nginx, event()), '200 accepted/', 'by the second location');
    is(entries($nginx), 1, 'claimed once');
    is(answers($nginx, event()), '200 duplicate/', 'known to the first one');
    is($app->calls, 1, 'once');

    # a repeat is one also for the location that takes it in the end

    for my $dedupe ('', 'clockodo_dedupe off;') {
        ($nginx, $app) = start('clockodo_dedupe mark;',
            more => 'proxy_pass http://unix:/nowhere.sock;'
                    . 'error_page 502 = @next;', pass => '',
            server => "location \@next { $dedupe proxy_pass http://app; }");

        is(answers($nginx, event()), '200 accepted/', 'by another location')
            for 1, 2;
        is_deeply([ $app->calls ],
                  [ 'team.updated', 'team.updated duplicate 1' ], 'marked');
    }

    # claimed by the first location, and not forwarded by the second one

    for my $case ([ 'clockodo_token other;', 'rejected/token' ],
                  [ 'clockodo_events user.*;', 'filtered/' ])
    {
        my ($setting, $verdict) = @$case;

        ($nginx) = start('clockodo_dedupe drop;',
            more => 'try_files /nothing @next;', pass => '',
            server => "error_page 403 =200 /page;
                       location /page { clockodo_webhook off; return 200; }
                       location \@next { $setting proxy_pass http://app; }");

        is(answers($nginx, event()), "200 $verdict", $verdict) for 1, 2;
        is(entries($nginx), 0, 'nothing is remembered');
    }
}


# A mirror keeps the request alive long after the reply has left.

sub early {
    my ($nginx, $app) = start('clockodo_dedupe drop;',
        more => 'mirror /copy;',
        server => 'location /copy { internal; clockodo_webhook off;
                                    proxy_pass http://slow; }',
        http => 'upstream slow { server unix:SLOW; }');

    my $slow = $nginx->{slow};

    $slow->answer('stall');

    is(answers($nginx, event()), '200 accepted/', 'delivered');
    is(answers($nginx, event()), '200 duplicate/', 'at once');
    is($app->calls, 1, 'once');

    # the second one is, and its line may come after its reply

    my $over = sub { scalar(() = $nginx->read('logs/access.log') =~ /POST/g) };

    wait_for($over);
    is($over->(), 1, 'and is not over yet');
    $slow->answer('200');
}


sub report {
    my ($nginx, $app) = start('clockodo_dedupe drop;');
    my $server = $nginx->{arg}{server};

    is(answers($nginx, event()), '200 accepted/', 'delivered');

    $app->answer('stall');

    my $client = send_to($nginx, event(company_id => 1));

    wait_for(sub { $app->calls == 2 });

    kill 'HUP', $nginx->pid if $nginx->configure(
        server => $server =~ s/clockodo_webhook on/clockodo_webhook report/gr);
    wait_for(sub { $nginx->log =~ /gracefully shutting down/
                   && $nginx->workers == 1 });

    my $report = send_to($nginx, event(company_id => 1));

    wait_for(sub { $app->calls == 3 });
    $app->answer('200');

    is($report->reply->{header}{'x-verdict'}, 'rejected/in_flight',
       'in flight: would be refused, and goes upstream');
    is($client->reply->{status}, 200, 'the first one is not disturbed');

    is(answers($nginx, event()), '200 duplicate/', 'a duplicate');
    is($app->calls, 4, 'goes upstream');
    is(answers($nginx, event(company_id => 3)), '200 accepted/', 'new')
        for 1, 2;
    is(entries($nginx), 2, 'claims nothing');
}


# Full of what is in flight, of which none may go: further events pass
# unchecked.

sub full {
    my ($set, %arg) = wall_clock(sub { status($_[0])->{timestamp} });
    my ($nginx, $app) = start('clockodo_dedupe drop lease=1h;', %arg,
        more => 'proxy_pass http://silent;', pass => '',
        http => 'clockodo_zone ' . least_zone() . ';'
                . 'upstream silent { server unix:SLOW; }');

    my $capacity = status($nginx)->{dedupe}{capacity};

    # one that accepts no connection: the kernel does

    $nginx->{slow}->stop;

    my $silent = IO::Socket::UNIX->new(Local => $nginx->{slow}->path,
                                       Listen => 4096) or die "listen: $!\n";
    chmod 0666, $nginx->{slow}->path;

    cmp_ok($capacity, '<', 500, "room for $capacity");

    my @clients = map { send_to($nginx, event(company_id => $_)) }
                  1 .. $capacity;

    wait_for(sub { entries($nginx) == $capacity });
    is(status($nginx)->{dedupe}{unclaimed}, 0, 'full');

    push @clients, map { send_to($nginx, event(company_id => 10000)) } 1 .. 3;

    wait_for(sub { status($nginx)->{dedupe}{unclaimed} == 3 });
    is(status($nginx)->{dedupe}{evictions}, 0, 'none of the others has gone');
    is(answers($nginx, event(company_id => $_)), '409 rejected/in_flight',
       "event $_ is known") for 1, $capacity;

    ok($_->silent, 'none is refused') for @clients[-3 .. -1];

    my $warnings = sub {
        return scalar(() = $nginx->log =~ /\[warn\].*"clockodo_zone" is full/g);
    };

    is($warnings->(), 1, 'one warning');

    # one a minute, which a clock that was set back does not make longer

    my $n = 3;

    for my $case ([ '+10s', 1 ], [ '+70s', 2 ], [ '+80s', 2 ], [ '-2d', 3 ],
                  [ '-2d', 3 ])
    {
        my ($shift, $expected) = @$case;

        $set->($nginx, $shift);
        push @clients, send_to($nginx, event(company_id => 10000));

        $n++;
        wait_for(sub { status($nginx)->{dedupe}{unclaimed} == $n });
        is($warnings->(), $expected, "$shift: $expected in all");
    }

    $_->close for @clients;

    wait_for(sub { entries($nginx) == 0 });
    pass('nothing is left of them');
}


sub evicted {
    my ($nginx, $app) = start('clockodo_dedupe drop;',
                              http => 'clockodo_zone ' . least_zone() . ';');

    my $capacity = status($nginx)->{dedupe}{capacity};
    my $client = Clockodo::Client->new($nginx->port);

    my $send = sub {
        $client->send(post(event(company_id => $_[0])));
        return $client->reply->{header}{'x-verdict'};
    };

    is($send->($_), 'accepted/', "event $_") for 1 .. $capacity + 10;

    is(status($nginx)->{dedupe}{evictions}, 10, 'counted');
    is($send->($_), 'duplicate/', 'is known') for 11, $capacity + 10;
    is($send->($_), 'accepted/', "the oldest one, $_, has gone") for 1;
}


sub short_lease {
    my $timeouts = 'proxy_connect_timeout 1s; proxy_send_timeout 2s;'
                   . 'proxy_read_timeout 3s;';

    my ($nginx) = start('clockodo_dedupe drop lease=6s;', more => $timeouts);

    answers($nginx, event(company_id => $_)) for 1, 2;
    unlike($nginx->log, qr/lease/, 'as long as the time-outs');

    ($nginx) = start('clockodo_dedupe drop lease=5999ms;', more => $timeouts,
                     workers => 2);

    answers($nginx, event(company_id => $_)) for 1 .. 20;

    my @warnings = $nginx->log =~
        /\[warn\].* lease of "clockodo_dedupe", (\d+) ms, is .*, (\d+) ms/g;

    is_deeply(\@warnings, [ 5999, 6000 ], 'shorter: one warning');

    # three servers, which are tried one after the other

    my %longest = (
        ''                                                          => 8000,
        'proxy_next_upstream off;'                                  => 6000,
        'proxy_next_upstream_tries 2;'                              => 7000,
        'proxy_next_upstream_timeout 1500ms;'                       => 7500,
        'proxy_next_upstream error timeout non_idempotent;'         => 18000,
        'proxy_next_upstream error timeout non_idempotent;'
        . 'proxy_next_upstream_tries 2;'                            => 12000,
        'proxy_next_upstream error timeout non_idempotent;'
        . 'proxy_next_upstream_timeout 5s;'                         => 11000,
    );

    my (%expected, %got, $locations);
    my $n = 0;

    for my $setting (sort keys %longest) {
        my $longest = $longest{$setting};

        $n++;
        $expected{$longest - 1} = $longest;

        $locations .= "location /$_->[0]$n {
                           clockodo_dedupe drop lease=$_->[1]ms;
                           $timeouts $setting proxy_pass http://several; }"
            for [ enough => $longest ], [ short => $longest - 1 ];
    }

    ($nginx) = start('', server => $locations, http => 'upstream several {'
                     . 'server unix:SLOW; ' x 2 . 'server unix:SLOW backup; }');

    for my $i (1 .. $n) {
        answers($nginx, event(), "/$_$i") for qw(enough short);
    }

    %got = $nginx->log =~
        /\[warn\].* lease of "clockodo_dedupe", (\d+) ms, is .*, (\d+) ms/g;

    is_deeply(\%got, \%expected, 'with several servers');
}


# Who answers by other means than an upstream has taken the event as well.

sub no_upstream {
    my ($nginx) = start('clockodo_dedupe drop;',
                        more => 'try_files /nothing @own;', pass => '',
                        server => 'location @own { return 200; }');

    is(answers($nginx, event()), '200 accepted/', 'the first');
    is(answers($nginx, event()), '200 duplicate/', 'a repeat');
}


# An upstream that is not even asked, behind an error page that says 200.

sub not_asked {
    my ($nginx, $app) = start('clockodo_dedupe drop;',
        more => 'error_page 403 500 502 =200 /page; set $to $http_x_to;',
        pass => 'proxy_pass $to;',
        server => 'location /page { clockodo_webhook off; return 200; }
                   location /denied { error_page 403 =200 /page;
                                      try_files /nothing @denied; }
                   location @denied { error_page 403 =200 /page;
                                      deny all; proxy_pass http://app; }
                   location /bare { proxy_pass $http_x_to; }');

    for my $to ('', 'foo://x', 'http://', 'http://nowhere.invalid',
                'http://127.0.0.1:0x')
    {
        is(answers($nginx, event(), "X-To: $to"), '200 accepted/',
           qq("$to": an error page)) for 1, 2;
    }

    is(answers($nginx, event(), '/bare', 'X-To: foo://x'), '500 accepted/',
       'no error page');
    is(answers($nginx, event(), '/denied'), '200 accepted/', 'refused')
        for 1, 2;

    is(entries($nginx), 0, 'nothing is remembered');
    is($app->calls, 0, 'nothing has come');
    unlike($nginx->log, qr/exited on signal/, 'the worker lives');
}


# The parameters are a part of the setting, and go with it.

sub levels {
    my ($nginx, $app) = start('', http => 'clockodo_dedupe drop ttl=1s;',
        server => 'location /mark {
                       clockodo_dedupe mark;
                       proxy_pass http://app;
                       location /mark/nested { proxy_pass http://app; }
                   }
                   location /off {
                       clockodo_dedupe off; proxy_pass http://app;
                   }');

    my @uris = qw(/hook /mark /mark/nested /off);
    my $again = sub {
        my $n = $app->calls;

        answers($nginx, event(), $_[0]);

        return join ' ', ($app->calls)[$n .. $app->calls - 1];
    };

    is($again->($_), 'team.updated', "$_: the first") for @uris;

    is($again->('/hook'), '', 'of http');
    is($again->('/mark'), 'team.updated duplicate 1', 'of the location');
    is($again->('/mark/nested'), 'team.updated duplicate 1',
       'of the location above');
    is($again->('/off'), 'team.updated', 'off');

    wait_for(sub { $again->('/hook') });
    pass('ttl of http');

    is($again->($_), 'team.updated duplicate 1', "$_: has another ttl")
        for qw(/mark /mark/nested);
}


# As many as the documentation says.

sub memory {
    my $page = 'docs/duplicates.md';

    open my $fh, '<', $page or die "$page: $!\n";
    my ($promised) = join('', <$fh>) =~ /1\s+MB\s+holds\s+([\d,]+)\s+events/;

    my ($nginx) = start('clockodo_dedupe drop;');
    my $capacity = status($nginx)->{dedupe}{capacity};

    $promised =~ tr/,//d;

    # shorter words leave room for some more

    cmp_ok($capacity, $Config{ptrsize} < 8 ? '>=' : '==', $promised,
           'entries in 1 MB');
    cmp_ok($capacity, '>=', 7000, 'at least 7,000');
}


# The size of a zone in which there is room for few events.

sub least_zone {
    eval { start('clockodo_dedupe drop;', http => 'clockodo_zone 1k;') };

    return ($@ =~ /"clockodo_zone" .* must be at least (\d+k) in/)[0]
           // die "no least size: $@";
}


# An nginx with the setting, and an application behind it.

sub start {
    my ($setting, %arg) = @_;

    my $app = Clockodo::Application->start;
    my $slow = Clockodo::Application->start;
    my $more = delete $arg{more} // '';
    my $pass = delete $arg{pass} // 'proxy_pass http://app;';
    my $server = delete $arg{server} // '';
    my $http = delete $arg{http} // '';

    $http =~ s/SLOW/$slow->path/ge;

    my $nginx = Clockodo::Nginx->start(
        http => $http . 'upstream app { server unix:' . $app->path
                . ' max_fails=0; }',
        server => <<"END", %arg);
        $on
        $setting

        location = /status { clockodo_status; }
        location /hook { $more $pass }
        location /second { proxy_pass http://app; }
        $server
END

    wait_for(sub { $nginx->workers == ($arg{workers} || 1) });

    $nginx->{slow} = $slow;
    $nginx->{app} = $app;

    return ($nginx, $app);
}


sub send_to {
    my ($nginx, $body, @headers) = @_;

    my $uri = @headers && $headers[0] =~ m{^/} ? shift @headers : '/hook';
    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post($body, @headers) =~ s{/hook}{$uri}r);

    return $client;
}


sub request {
    return send_to(@_)->reply;
}


sub answers {
    my $reply = request(@_);

    return "$reply->{status} $reply->{header}{'x-verdict'}";
}


sub entries {
    my ($nginx) = @_;

    return status($nginx)->{dedupe}{entries};
}
