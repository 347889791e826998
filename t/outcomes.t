# What became of accepted events, by what the application said: taken, or not,
# how many in a row, how long it took, and for which location that counts.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Application;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Status qw(get request sum);
use Test::More;
use Time::HiRes qw(sleep);


my $on = 'clockodo_webhook on; clockodo_token My_Sup3r_T0k3n;';

subtest 'in a row'                     => \&in_a_row;
subtest 'what is no outcome'           => \&no_outcome;
subtest 'without an upstream'          => \&without_upstream;
subtest 'an error page is no success'  => \&error_pages;
subtest 'the sender hangs up'          => \&hangs_up;
subtest 'who asked'                    => \&who_asked;
subtest 'report'                       => \&report;
subtest 'how long it took'             => \&histogram;

done_testing;


sub in_a_row {
    my ($nginx, $app) = start("location /hook { $on proxy_pass http://app; }");

    is_deeply(status($nginx)->{'/hook'}{not_taken},
              { consecutive => 0, since => undef, last => undef,
                status => undef }, 'nothing has come');

    deliver($nginx, '/hook');

    is_deeply(status($nginx, 1)->{'/hook'}{not_taken},
              { consecutive => 0, since => undef, last => undef,
                status => undef }, 'taken');

    my $before = time;

    for my $case ([ 500, 500 ], [ 503, 503 ], [ 'close', 502 ],
                  [ 404, 404 ], [ 302, 302 ])
    {
        my ($answer, $status) = @$case;

        $app->answer($answer);
        deliver($nginx, '/hook');
    }

    my $last = status($nginx, 6)->{'/hook'}{not_taken};

    is($last->{consecutive}, 5, 'five in a row were not taken');
    is($last->{status}, 302, 'status of the last one');
    ok($before <= $_ && $_ <= time, 'and when that was')
        for $last->{since}, $last->{last};

    my $all = status($nginx);

    is_deeply($all->{'/hook'}{outcomes},
              { taken => 1, not_taken => 5, stored => 0 }, 'outcomes');
    is_deeply([ map { $_->{outcome} } @{$all->{deliveries}} ],
              [ ('not_taken') x 5, 'taken' ], 'deliveries');
    is_deeply([ map { $_->{upstream_status} } @{$all->{deliveries}} ],
              [ 302, 404, 502, 503, 500, 200 ], 'their status upstream');
    is_deeply([ map { sum(@{$all->{minutes}{$_}}) }
                    qw(accepted taken not_taken stored) ], [ 6, 1, 5, 0 ],
              'chart');
    like($all->{metrics}, qr/^clockodo_not_taken_consecutive\{.*\} 5$/m,
         'metric');

    $app->answer(204);
    deliver($nginx, '/hook');

    is_deeply(status($nginx, 7)->{'/hook'}{not_taken},
              { %$last, consecutive => 0, since => undef },
              'taken: the last one stays known');
}


# Requests that are no accepted events say nothing of the application.

sub no_outcome {
    my ($nginx, $app) = start(<<"END");
        location /hook {
            $on
            clockodo_events team.*;
            clockodo_dedupe drop;
            clockodo_secret_file secrets;
            proxy_pass http://app;
        }
END

    deliver($nginx, '/hook');
    $app->answer(500);
    deliver($nginx, '/hook', payload => '{"team":{"id":1}}');

    my $due = status($nginx, 2)->{'/hook'};

    is($due->{not_taken}{consecutive}, 1, 'one was not taken');

    request($nginx, $_)
        for post(event()), post('{"secret":"x"}'), post('{'),
            post(event(token => 0)),
            post(event(event_name => '"user.deleted"',
                       payload => '{"user":{"id":1}}'));

    my $status = status($nginx, 7)->{'/hook'};

    is_deeply([ @{$status->{requests}}{qw(accepted duplicate handshake filtered
                                          rejected)} ], [ 2, 1, 1, 1, 2 ],
              'all kinds have come');
    is_deeply($status->{not_taken}, $due->{not_taken}, 'in a row, as before');
    is_deeply($status->{outcomes}, $due->{outcomes}, 'outcomes, as before');
}


sub without_upstream {
    my ($nginx) = start(<<"END");
        location /hook { $on try_files /none \@204; }
        location /full { $on try_files /none \@503; }
        location /page { $on try_files /none \@page; }
        location \@204 { return 204; }
        location \@503 { return 503; }
        location \@page { error_page 503 =200 /fine; return 503; }
        location = /fine { return 200; }
END

    is(deliver($nginx, "/$_->[0]")->{status}, $_->[1], $_->[0])
        for [ hook => 204 ], [ full => 503 ], [ page => 200 ];

    my $status = status($nginx, 3);

    is($status->{'/hook'}{outcomes}{taken}, 1, 'taken');
    is_deeply([ map { $status->{$_}{not_taken}{consecutive} }
                    qw(/hook /full /page) ], [ 0, 1, 1 ], 'in a row');
    is($status->{'/full'}{not_taken}{status}, 503, 'what the sender got');
    is_deeply([ map { $_->{upstream_status} } @{$status->{deliveries}} ],
              [ undef, undef, undef ], 'no upstream was asked');
}


sub error_pages {
    my ($nginx, $app) = start(<<"END");
        location /hook {
            $on
            proxy_intercept_errors on;
            error_page 500 =200 /page;
            proxy_pass http://app;
        }
        location = /page { return 200 "fine\\n"; }
END

    $app->answer(500);
    is(deliver($nginx, '/hook')->{status}, 200, 'the sender gets 200');

    my $status = status($nginx, 1);

    is($status->{'/hook'}{not_taken}{consecutive}, 1, 'it was not taken');
    is($status->{'/hook'}{not_taken}{status}, 500, 'the status is upstream\'s');
    is($status->{'/hook'}{upstream_responses}{'5xx'}, 1, 'class');

    my $delivery = $status->{deliveries}[0];

    is_deeply([ @{$delivery}{qw(outcome status upstream_status)} ],
              [ 'not_taken', 200, 500 ], 'delivery');
}


sub hangs_up {
    my ($nginx, $app) = start("location /hook { $on proxy_pass http://app; }");

    $app->answer('stall');

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event()));
    wait_for(sub { $app->calls });
    $client->close;

    my $status = status($nginx, 1)->{'/hook'};

    is($status->{not_taken}{consecutive}, 1, 'not taken, as far as is known');
    is($status->{not_taken}{status}, 499, 'nginx\'s own status');
    is(sum(values %{$status->{upstream_responses}}), 0, 'there was no response');
    is($status->{upstream_seconds}{buckets}{'+Inf'}, 0, 'nor its time');

    $app->answer(200);
}


# Error pages may lead to another location with the module on.

sub who_asked {
    my ($nginx, $app) = start(<<"END");
        proxy_intercept_errors on;
        recursive_error_pages on;

        location /first {
            $on
            error_page 500 = \@second;
            proxy_pass http://app;
        }
        location \@second { $on proxy_pass http://other; }

        location /refused {
            $on
            error_page 500 = \@strict;
            proxy_pass http://app;
        }
        location \@strict {
            clockodo_webhook on;
            clockodo_token another;
            proxy_pass http://other;
        }

        location /three {
            $on
            error_page 500 = \@two;
            proxy_pass http://app;
        }
        location \@two {
            $on
            error_page 404 = \@one;
            proxy_pass http://none;
        }
        location \@one { $on proxy_pass http://other; }

        location /rewritten {
            $on
            try_files /none \@second;
            proxy_pass http://app;
        }
END

    $app->answer(500);

    is(deliver($nginx, '/first')->{status}, 200, 'another one has taken it');

    my $status = status($nginx, 1);

    is_deeply(figures($status, '/first'), '0: 5xx 1, 0/0, 1 of 500',
              'the first one has asked, without success');
    is_deeply(figures($status, '@second'), '1: 2xx 1, 1/0, 0',
              'the second one has accepted it, with success');

    is(deliver($nginx, '/refused')->{status}, 403, 'another one refuses it');

    $status = status($nginx, 2);

    is_deeply(figures($status, '/refused'), '0: 5xx 1, 0/0, 1 of 500',
              'the first one has asked');
    is_deeply(figures($status, '@strict'), '1: , 0/0, 0',
              'the second one has only refused it');

    is(deliver($nginx, '/three')->{status}, 200, 'at the third');

    $status = status($nginx, 3);

    is_deeply(figures($status, '/three'), '0: 5xx 1, 0/0, 1 of 500', 'first');
    is_deeply(figures($status, '@two'), '0: 4xx 1, 0/0, 1 of 404', 'second');
    is_deeply(figures($status, '@one'), '1: 2xx 1, 1/0, 0', 'third');

    is(deliver($nginx, '/rewritten')->{status}, 200, 'judged twice');

    $status = status($nginx, 4);

    is_deeply(figures($status, '/rewritten'), '0: , 0/0, 0',
              'asked nobody');
    is_deeply(figures($status, '@second'), '2: 2xx 2, 2/0, 0', 'has asked');
}


# requests, responses by class, taken/not taken, in a row

sub figures {
    my ($status, $name) = @_;

    my $location = $status->{$name};
    my $responses = $location->{upstream_responses};
    my $not_taken = $location->{not_taken};

    return sum(values %{$location->{requests}}) . ': '
           . join(' ', map { $responses->{$_} ? "$_ $responses->{$_}" : () }
                           sort keys %$responses)
           . ", $location->{outcomes}{taken}/$location->{outcomes}{not_taken}"
           . ", $not_taken->{consecutive}"
           . ($not_taken->{status} ? " of $not_taken->{status}" : '');
}


sub report {
    my $report = $on =~ s/on;/report;/r;
    my ($nginx, $app) = start(<<"END");
        location /hook { $report proxy_pass http://app; }

        location /first {
            $report
            proxy_intercept_errors on;
            error_page 500 = \@second;
            proxy_pass http://app;
        }
        location \@second { $report proxy_pass http://other; }
END

    $app->answer(500);
    deliver($nginx, '/hook');
    request($nginx, post('{'));
    request($nginx, post('{') =~ s{/hook}{/first}r);

    my $status = status($nginx, 3);

    is($status->{'/hook'}{not_taken}{consecutive}, 1, 'an event');
    is($status->{'/hook'}{upstream_responses}{'5xx'}, 2,
       'what is no event was asked, too');
    is_deeply(figures($status, '/first'), '0: 5xx 1, 0/0, 0',
              'what is no event, and goes on, is not among them');
    is_deeply(figures($status, '@second'), '1: 2xx 1, 0/0, 0', 'nor there');
}


# The buckets have what deliveries say of each.

sub histogram {
    my ($nginx, $app) = start("location /hook { $on proxy_pass http://app; }");

    for my $delay (0, 0, 0, 0.02, 0.06, 0.3, 0) {
        $app->answer($delay ? 'stall' : 200);

        my $n = $app->calls;
        my $client = Clockodo::Client->new($nginx->port);

        $client->send(post(event()));

        if ($delay) {
            wait_for(sub { $app->calls > $n });
            sleep $delay;
            $app->answer(200);
        }

        $client->reply;
    }

    my $status = status($nginx, 7);
    my @times = map { $_->{upstream_time} } @{$status->{deliveries}};
    my $seconds = $status->{'/hook'}{upstream_seconds};

    is(@times, 7, 'deliveries');

    for my $bound (sort { $a <=> $b } keys %{$seconds->{buckets}}) {
        is($seconds->{buckets}{$bound},
           scalar(grep { $_ <= $bound } @times), "at most $bound");
    }

    is(sprintf('%.3f', $seconds->{sum}), sprintf('%.3f', sum(@times)), 'sum');
    cmp_ok($seconds->{sum}, '>=', 0.38, 'the application was waited for');
    cmp_ok($seconds->{buckets}{'0.25'}, '<', 7, 'the longest is not below it');
}


sub start {
    my ($locations) = @_;

    my $app = Clockodo::Application->start;
    my $path = $app->path;

    my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    upstream app { server unix:$path; }
    upstream other { server unix:\$TEST_NGINX_SERVER_ROOT/html/other.sock; }
    upstream none { server unix:\$TEST_NGINX_SERVER_ROOT/html/none.sock; }
    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/html/other.sock;
        location / { return 200; }
    }
    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/html/none.sock;
        location / { return 404; }
    }
END
        server_name localhost;
        location = /status { clockodo_status; }
        location = /metrics { clockodo_status prometheus; }
        $locations
END

    return ($nginx, $app);
}


# With locations by their names, and the metrics.

sub status {
    my ($nginx, $n) = @_;

    my $status = Clockodo::Status::status($nginx, $n);

    my %location = map { $_->{location} =~ s/^localhost//r => $_ }
                   @{$status->{locations}};

    return { %$status, %location,
             metrics => request($nginx, get('/metrics'))->{body} };
}
