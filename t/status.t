# What clockodo_status shows, as JSON: the shape that docs/operations.md has,
# which location a request counts for, and that nothing gets there that a
# stranger could have chosen.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Status;
use Config;
use Digest::SHA qw(sha256_hex);
use Test::More;


my @verdicts = qw(accepted handshake filtered duplicate rejected);
my @reasons = qw(method content_type content_encoding empty_body
                 body_too_large malformed_json handshake token envelope
                 unknown_event payload company stale in_flight);
my @events = (split(' ', `bin/clockodo-send-event --list`), 'other');
my @outcomes = qw(taken not_taken stored);
my @classes = qw(1xx 2xx 3xx 4xx 5xx);
my @buckets = qw(0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 60 +Inf);

my $token = 'clockodo_token My_Sup3r_T0k3n;';
my $on = "clockodo_webhook on; $token";
my $report = "clockodo_webhook report; $token";

subtest 'shape'                    => \&shape;
subtest 'replies'                  => \&replies;
subtest 'in "if"'                  => \&in_if;
subtest 'labels'                   => \&labels;
subtest 'no location with it on'   => \&nowhere;
subtest 'under a server with it on' => \&below;
subtest 'above one that has it on' => \&nested;
subtest 'verdicts and reasons'     => \&verdicts;
subtest 'deliveries'               => \&deliveries;
subtest 'which location counts'    => \&redirects;
subtest 'upstream'                 => \&upstream;
subtest 'subscriptions'            => \&subscriptions;
subtest 'tokens'                   => \&tokens;
subtest 'nothing raw'              => \&hostile;

done_testing;


sub shape {
    my $nginx = start("location /hook { $on proxy_pass http://app; }");

    request($nginx, post(event()));

    my $status = status($nginx, 1);
    my $location = $status->{locations}[0];
    my $last = $status->{last_accepted};

    is_keys($status, 'all', qw(version module_version nginx_version timestamp
                               since locations last_accepted minutes hours
                               dedupe deliveries other_deliveries));
    is_keys($location, 'location',
            qw(location requests rejected events outcomes upstream_responses
               upstream_seconds not_taken tokens handshakes secret_file
               last_handshake spool));
    is_keys($location->{requests}, 'verdicts', @verdicts);
    is_keys($location->{rejected}, 'reasons', @reasons);
    is_keys($location->{events}, 'events', @events);
    is_keys($location->{upstream_responses}, 'classes', @classes);
    is_keys($location->{outcomes}, 'outcomes', @outcomes);
    is_keys($location->{upstream_seconds}, 'upstream seconds',
            qw(buckets sum));
    is_keys($location->{upstream_seconds}{buckets}, 'buckets', @buckets);
    is_keys($location->{not_taken}, 'not taken',
            qw(consecutive since last status));
    is_keys($location->{tokens}, 'tokens', 1);
    is_keys($location->{spool}, 'spool', qw(stored duplicates failures));
    is_keys($last, 'last accepted',
            qw(time events subscriptions other_subscriptions));
    is_keys($last->{events}, 'events last accepted', @events);
    is_keys($status->{dedupe}, 'duplicates',
            qw(capacity entries evictions unclaimed));
    is_keys($status->{$_}, $_, qw(first seconds), @verdicts, @outcomes)
        for qw(minutes hours);
    is_keys($status->{deliveries}[0], 'a delivery',
            qw(time client location verdict reason outcome event entity_id
               subscription_id company_id idempotency_key occurred_at status
               upstream_status upstream_time));

    is($status->{version}, 2, 'version');
    is("$status->{module_version}\n", `tools/version | cut -d ' ' -f 1`,
       'version of the module');
    like($status->{nginx_version}, qr/^1\.\d+\.\d+$/, 'version of nginx');

    my $now = $status->{timestamp};

    cmp_ok($now, '>', time - 60, 'now');
    cmp_ok($status->{since}, '<=', $now, 'since then');

    ok($_ && $_ > $now - 60 && $_ <= $now, 'a time just now')
        for $last->{time}, $last->{events}{'team.updated'},
            $last->{subscriptions}{42}, $location->{tokens}{1},
            int $status->{deliveries}[0]{time};

    is($last->{events}{'user.deleted'}, undef, 'never');
    is($last->{other_subscriptions}, 0, 'no other subscription');

    for my $case ([ minutes => 60, 60 ], [ hours => 3600, 168 ]) {
        my ($name, $seconds, $n) = @$case;
        my $chart = $status->{$name};

        is($chart->{seconds}, $seconds, "$name: seconds");
        is_deeply([ map { scalar @{$chart->{$_}} } @verdicts, @outcomes ],
                  [ ($n) x (@verdicts + @outcomes) ], "$name: $n");
        is($chart->{first} + ($n - 1) * $seconds, $now - $now % $seconds,
           "$name: the last one is now");
        is_deeply([ map { sum(@{$chart->{$_}}) } @verdicts, @outcomes ],
                  [ 1, 0, 0, 0, 0, 1, 0, 0 ], "$name: it is there");
    }
}


sub replies {
    my $nginx = start("location /hook { $on proxy_pass http://app; }");

    for my $case ([ '/status', qr{^application/json$} ],
                  [ '/json', qr{^application/json$} ],
                  [ '/metrics', qr{^text/plain; version=0\.0\.4$} ])
    {
        my ($uri, $type) = @$case;
        my $get = request($nginx, get($uri));

        is($get->{status}, 200, "$uri: 200");
        like($get->{header}{'content-type'}, $type, "$uri: type");
        is($get->{header}{'cache-control'}, 'no-store', "$uri: not cached");
        is(length $get->{body}, $get->{header}{'content-length'},
           "$uri: length");

        my $client = Clockodo::Client->new($nginx->port);

        $client->send(get($uri) =~ s/GET/HEAD/r);

        my $head = $client->reply(1);

        is($head->{status}, 200, "$uri: HEAD");
        is($head->{header}{'content-length'},
           $get->{header}{'content-length'}, "$uri: HEAD has the same length");
        ok($client->silent(0.1), "$uri: HEAD has no body");

        # a body is none of its business, unless it is broken

        for my $case ([ "3\r\nabc\r\n0\r\n\r\n", 200 ], [ "x\r\n", 400 ]) {
            my ($body, $status) = @$case;
            my $chunks = get($uri)
                         =~ s/\r\n\r\n\z/\r\nTransfer-Encoding: chunked$&$body/r;

            is(request($nginx, $chunks)->{status}, $status, "$uri: a body");
        }

        for my $method (qw(POST PUT DELETE OPTIONS)) {
            my $reply = request($nginx, get($uri) =~ s/GET/$method/r);

            is("$reply->{status} $reply->{header}{allow}", '405 GET, HEAD',
               "$uri: $method");
        }
    }
}


sub in_if {
    my $nginx = start(<<'END');
        location /if {
            clockodo_status;
            if ($args) { set $x 1; }
            limit_except GET { deny all; }
        }
END

    is(request($nginx, get('/if?x'))->{status}, 200, 'in "if"');
    unlike($nginx->log, qr/exited on signal/, 'the worker lives');
    is(request($nginx, get('/if') =~ s/GET/POST/r)->{status}, 403,
       'in "limit_except"');
}


sub labels {
    my $long = 'l' x 300;
    my $nginx = start(<<"END",
        $on
        location /hook { proxy_pass http://app; }
        location = /hook { proxy_pass http://app; }
        location ~ ^/a\\d { proxy_pass http://app;
            if (\$args) { set \$x 1; }
            limit_except GET { deny all; }
        }
        location /nested { location /nested/in { proxy_pass http://app; } }
        location '/a"b\\\\c\x{c3}\x{a4} \x01' { proxy_pass http://app; }
        location \@name { proxy_pass http://app; }
        location /$long { proxy_pass http://app; }
        location /off { clockodo_webhook off; }
END
        names => 'server_name hooks.example.com other.example.com;',
        http => app() . <<"END");
        server {
            listen unix:\$TEST_NGINX_SERVER_ROOT/html/one.sock;
            server_name hooks.example.com;
            location /hook { $on proxy_pass http://app; }
        }
        server {
            listen unix:\$TEST_NGINX_SERVER_ROOT/html/two.sock;
            location /hook { $on proxy_pass http://app; }
        }
END

    my @labels = map { $_->{location} } @{status($nginx)->{locations}};
    my $host = 'hooks.example.com';

    is_deeply([ sort @labels ],
              [ sort $host, "$host/hook", "$host/hook#2", "$host/hook#3",
                     "$host^/a\\d", "$host/nested", "$host/nested/in",
                     "$host/a\"b\\c%C3%A4 %01", "$host\@name", '_/hook',
                     grep { /^\Q$host\E\/l+$/ } @labels ],
              'labels');
    is(scalar(grep { /\/l+$/ && length > 200 && length() < 256 } @labels), 1,
       'a long one is cut off');
    is(scalar(keys %{{ map { $_ => 1 } @labels }}), @labels, 'all differ');
}


sub nowhere {
    my $nginx = start('');
    my $status = status($nginx);

    is_deeply($status->{locations}, [], 'no location');
    is_deeply($status->{$_}, [], "no $_") for qw(deliveries other_deliveries);
    is($status->{last_accepted}{time}, undef, 'nothing accepted');

    my $reply = request($nginx, get('/metrics'));

    like($reply->{body}, qr/^# TYPE clockodo_requests_total counter$/m,
         'metrics without samples');
}


sub below {
    my $nginx = start("$on location /hook { proxy_pass http://app; }");

    is(request($nginx, get('/status'))->{status}, 200, 'GET is not refused');
    is_deeply([ map { $_->{location} } @{status($nginx)->{locations}} ],
              [ 'localhost', 'localhost/hook' ], 'nor does it count');
}


# What is below a location with the status is not open for that.

sub nested {
    my $nginx = Clockodo::Nginx->start(http => app(), server => <<"END");
        server_name localhost;
        $on
        location /status {
            clockodo_status;
            location /status/hook { proxy_pass http://app; }
        }
END

    is(request($nginx, get('/status'))->{status}, 200, 'the status');
    is(request($nginx, post('{') =~ s{/hook}{/status/hook}r)->{status}, 400,
       'a location below it is on');
}


sub verdicts {
    my $nginx = start(<<"END");
        location /hook {
            $on
            clockodo_secret_file secrets;
            clockodo_events *.updated *.budget_notification other.*;
            clockodo_unknown_events forward;
            clockodo_company 1337;
            clockodo_max_age 10s;
            client_max_body_size 1m;
            proxy_pass http://app;
        }
        location /strict {
            $on clockodo_unknown_events reject; proxy_pass http://app;
        }
        location /report {
            $report proxy_pass http://app;
        }
        location /denied { $on deny all; proxy_pass http://app; }
        location /small {
            $on client_max_body_size 10; proxy_pass http://app;
        }
END

    # each in a number of its own, which tells them apart

    my @now = (occurred_at => '"' . now() . '"');
    my $n = 0;
    my %sent = map { $_->[0] => [ ++$n, $_->[1] ] } (
        [ accepted         => post(event(@now)) ],
        [ filtered         => post(event(@now,
                                   event_name => '"team.deleted"')) ],
        [ handshake        => post('{"secret":"x"}') ],
        [ method           => get('/hook') ],
        [ content_type     => post('x', 'Content-Type: text/plain') ],
        [ content_encoding => post('x', 'Content-Encoding: br') ],
        [ empty_body       => post('') ],
        [ body_too_large   => post('x' x 20000) ],
        [ malformed_json   => post('{') ],
        [ 'handshake, bad' => post('{"secret":1}') ],
        [ token            => post(event(token => 1)) ],
        [ envelope         => post(event(company_id => -1)) ],
        [ unknown_event    => post(event(event_name => '"a.b"'))
                              =~ s{/hook}{/strict}r ],
        [ payload          => post(event(payload => '{}')) ],
        [ company          => post(event(company_id => 1)) ],
        [ stale            => post(event()) ],
    );

    for my $sent (values %sent) {
        request($nginx, $sent->[1]) for 1 .. $sent->[0];
    }

    # another that is not documented

    request($nginx, post(event(@now, event_name => '"other.x"')));

    # those that nginx itself has refused do not count

    request($nginx, post(event()) =~ s{/hook}{/denied}r);
    request($nginx, post(event()) =~ s{/hook}{/small}r);

    # judged, but not refused

    request($nginx, post('{') =~ s{/hook}{/report}r);
    request($nginx, post(event()) =~ s{/hook}{/report}r) for 1, 2;

    my %count = map { $_ => $sent{$_}[0] } keys %sent;
    my $all = sum(values %count) + 1 + 3;
    my $status = status($nginx, $all);
    my %location = map { $_->{location} => $_ } @{$status->{locations}};
    my $hook = $location{'localhost/hook'};

    my $handshake = delete $count{'handshake, bad'};
    my $unknown = delete $count{unknown_event};
    my %verdict = map { $_ => delete $count{$_} }
                  qw(accepted filtered handshake);

    is_deeply($hook->{requests},
              { %verdict, accepted => $verdict{accepted} + 1, duplicate => 0,
                rejected => $handshake + sum(values %count) }, 'verdicts');
    is_deeply($hook->{rejected},
              { (map { $_ => 0 } @reasons), %count,
                handshake => $handshake }, 'reasons');
    is_deeply($hook->{events},
              { (map { $_ => 0 } @events), other => 1,
                'team.updated' => $verdict{accepted} }, 'accepted events');

    is($location{'localhost/strict'}{rejected}{unknown_event}, $unknown,
       'another location');
    is_deeply($location{'localhost/report'}{requests},
              { (map { $_ => 0 } @verdicts), rejected => 1, accepted => 2 },
              'report mode');
    is(sum(values %{$location{"localhost/$_"}{requests}}), 0,
       "$_: not judged, not counted") for qw(denied small);

    for my $chart (qw(minutes hours)) {
        is(sum(map { @{$status->{$chart}{$_}} } @verdicts), $all,
           "all are in $chart");
    }
}


sub deliveries {
    my $nginx = start(<<"END");
        location /hook {
            $on
            clockodo_secret_file secrets;
            clockodo_unknown_events forward;
            proxy_pass http://app;
        }
END

    my $at = '1986-05-10T17:02:00Z';
    my @event = ('team.updated', 9001, 42, 1337, $at);

    my @sent = (
        [ post(event()), [ 'accepted', '', 'taken', @event, 200 ] ],
        [ post(event(event_name => '"x.y"', payload => '{}')),
          [ 'accepted', '', 'taken', 'x.y', '', 42, 1337, $at, 200 ] ],
        [ post(event(payload => '{}')),
          [ 'rejected', 'payload', '', 'team.updated', '', 42, 1337, $at,
            400 ] ],
        [ post(event(company_id => 0)),
          [ 'rejected', 'envelope', '', ('') x 5, 400 ] ],
    );

    my @others = (
        [ post('{"secret":"x"}'),
          [ 'handshake', '', '', ('') x 5, 200 ] ],
        [ post(event(token => '"no"')),
          [ 'rejected', 'token', '', ('') x 5, 403 ] ],
        [ post('{'), [ 'rejected', 'malformed_json', '', ('') x 5, 400 ] ],
    );

    my $n = 0;

    for my $case (@sent, @others) {
        request($nginx, $case->[0]);
        status($nginx, ++$n);
    }

    my $status = status($nginx);

    for my $ring ([ deliveries => @sent ], [ other_deliveries => @others ]) {
        my ($name, @cases) = @$ring;
        my @deliveries = @{$status->{$name}};

        is(@deliveries, @cases, "$name: all are there");

        for my $case (reverse @cases) {
            my $delivery = shift @deliveries;

            is_deeply([ @{$delivery}{qw(verdict reason outcome event entity_id
                                        subscription_id company_id occurred_at
                                        status)} ], $case->[1],
                      "$case->[1][0] $case->[1][1], newest first");
            is($delivery->{client}, '127.0.0.1', 'client');
            is($delivery->{location}, 'localhost/hook', 'location');
            is($delivery->{upstream_status},
               $case->[1][0] eq 'accepted' ? 200 : undef, 'upstream status');
            is(defined $delivery->{upstream_time},
               $case->[1][0] eq 'accepted', 'upstream time');
        }
    }

    is_deeply([ map { $_->{idempotency_key} } @{$status->{deliveries}} ],
              [ '', '',
                sha256_hex("4:1337,2:42,3:x.y,0:,20:$at,"),
                sha256_hex("4:1337,2:42,12:team.updated,4:9001,20:$at,") ],
              'idempotency keys');

    for my $i (1 .. 200) {
        request($nginx, post(event(subscription_id => 1000 + $i)));
    }

    my @deliveries = @{status($nginx, $n + 200)->{deliveries}};

    is_deeply([ map { $_->{subscription_id} } @deliveries ],
              [ reverse 1073 .. 1200 ], 'the last 128, newest first');

    # strangers

    request($nginx, get('/hook')) for 1 .. 150;
    request($nginx, post('{')) for 1 .. 20;

    $status = status($nginx, $n + 370);

    is_deeply($status->{deliveries}, \@deliveries,
              'what strangers send does not push them out');
    is_deeply([ map { $_->{reason} } @{$status->{other_deliveries}} ],
              [ ('malformed_json') x 20, ('method') x 108 ],
              'of theirs, the last 128');
}


# A request counts for the location that has judged it last, and once.

sub redirects {
    my $nginx = start(<<"END");
        location /again {
            $on
            proxy_intercept_errors on;
            error_page 404 = /hook;
            proxy_pass http://app/404;
        }
        location /hook { $on proxy_pass http://app; }
        location /once {
            $on
            error_page 403 /final;
            proxy_pass http://app;
        }
        location /final { $on proxy_pass http://app; }
        location /if {
            $on
            if (\$args) { proxy_pass http://app; }
            proxy_pass http://app;
        }
        location /mirrored {
            $on
            mirror /copy;
            proxy_pass http://app;
        }
        location /copy { $on internal; proxy_pass http://app; }
END

    request($nginx, post(event()) =~ s{/hook}{/again}r);
    request($nginx, post(event(token => '"x"')) =~ s{/hook}{/once}r);
    request($nginx, post(event()) =~ s{/hook}{/if?x=1}r);
    request($nginx, post(event()) =~ s{/hook}{/if}r);
    request($nginx, post(event()) =~ s{/hook}{/mirrored}r);

    my $status = status($nginx, 5);
    my %count = map { $_->{location} => join ' ', @{$_->{requests}}
                                        {qw(accepted rejected)} }
                @{$status->{locations}};

    is_deeply(\%count,
              { 'localhost/again' => '0 0', 'localhost/hook' => '1 0',
                'localhost/once' => '0 1', 'localhost/final' => '0 0',
                'localhost/if' => '2 0', 'localhost/mirrored' => '1 0',
                'localhost/copy' => '0 0' }, 'by location');
    is(@{$status->{deliveries}} + @{$status->{other_deliveries}}, 5,
       'one delivery each');
}


sub upstream {
    my $nginx = start(<<"END");
        error_page 403 /page;
        location = /page { proxy_pass http://app; }
        location /hook { $on proxy_pass http://app; }
        location /204 { $on proxy_pass http://app; }
        location /302 { $on proxy_pass http://app; }
        location /404 { $on proxy_pass http://app; }
        location /500 { $on proxy_pass http://app; }
        location /dead { $on proxy_pass http://127.0.0.1:1; }
        location /own { $on root html; }
        location /r { $report proxy_pass http://app; }
END

    request($nginx, post(event()) =~ s{/hook}{/$_}r)
        for qw(hook 204 302 404 500 dead own r);
    request($nginx, post('{') =~ s{/hook}{/r}r);
    request($nginx, post(event(token => 1)));

    my %count = map { $_->{location} =~ s/^localhost//r
                      => join ' ', @{$_->{upstream_responses}}{@classes} }
                @{status($nginx, 10)->{locations}};

    is_deeply(\%count,
              { '/hook' => '0 1 0 0 0', '/204' => '0 1 0 0 0',
                '/302' => '0 0 1 0 0', '/404' => '0 0 0 1 0',
                '/500' => '0 0 0 0 1', '/dead' => '0 0 0 0 1',
                '/own' => '0 0 0 0 0', '/r' => '0 2 0 0 0' },
              'by class; none for an error page that comes from there');
}


sub subscriptions {
    my $nginx = start("location /hook { $on proxy_pass http://app; }");
    my $client = Clockodo::Client->new($nginx->port);

    # words of 32 bits have no room for the larger ids: these are others

    my ($max, @larger) = $Config{ptrsize} < 8
                         ? (4294967295, 4294967296, 9007199254740991)
                         : 9007199254740991;

    # of every second slot, and of some of those two at a time

    my @ids = ((map { 2 * $_ } 1 .. 130), (map { 2 * $_ + 512 } 1 .. 120),
               $max, 1 .. 5, map { 1000001 + $_ } 1 .. 44);

    for my $id (@ids, 2, @larger) {
        $client->send(post(event(subscription_id => $id)));
        $client->reply;
    }

    my $last = status($nginx, @ids + 1 + @larger)->{last_accepted};
    my $time = delete $last->{subscriptions}{other};
    my @kept = keys %{$last->{subscriptions}};

    is(@kept, 256, 'bounded');
    is_deeply([ sort { $a <=> $b } @kept ],
              [ sort { $a <=> $b } keys %{{ map { $_ => 1 } @ids[0 .. 257] }}
              ], 'the first ones, each once');
    is($last->{other_subscriptions}, @ids - 258 + @larger,
       'what does not fit is counted as such');
    ok($time, 'and its time');

    my $metrics = request($nginx, get('/metrics'))->{body};

    like($metrics, qr/^clockodo_subscription_last_\w+\{subscription="$_"\} \d+/m,
         "metric of $_") for 2, $max, 'other';
}


# A rotation is finished when the old token is not used any more.

sub tokens {
    my $location = 'location /hook { clockodo_webhook on; TOKENS '
                   . 'proxy_pass http://app; }';
    my $tokens = sub {
        $location =~ s/TOKENS/join '', map { "clockodo_token $_;" } @_/er
    };

    my $nginx = start($tokens->(qw(old new)));

    my $used = sub {
        my ($n) = @_;

        my $tokens = status($nginx, $n)->{locations}[0]{tokens};

        return [ map { defined $tokens->{$_} ? 1 : 0 }
                 sort { $a <=> $b } keys %$tokens ];
    };

    is_deeply($used->(0), [ 0, 0 ], 'never used');

    request($nginx, post(event(token => '"wrong"')));
    request($nginx, post(event(token => '"old"', company_id => 0)));

    is_deeply($used->(2), [ 1, 0 ], 'the first, though the event is refused');

    reload($nginx, $tokens->(qw(new)));
    is_deeply($used->(2), [ 0 ], 'removed: the other is the first now');

    request($nginx, post(event(token => '"new"')));
    is_deeply($used->(3), [ 1 ], 'used');

    reload($nginx, $tokens->(qw(third new old)));
    is_deeply($used->(3), [ 0, 1, 1 ], 'each is known again');

    reload($nginx, $location =~ s/TOKENS/clockodo_token new subscription=7;/r);
    request($nginx, post(event(token => '"new"')));
    is_deeply($used->(4), [ 1 ], 'tied to a subscription, the same token');

    reload($nginx, $tokens->(qw(new fresh later)));
    request($nginx, post(event(token => '"fresh"')));
    is_deeply($used->(5), [ 1, 1, 0 ], 'the second');

    my $metrics = request($nginx, get('/metrics'))->{body};
    my @numbers = $metrics =~ /^clockodo_token_last_used_timestamp_seconds
                               \{location="localhost\/hook",token="(\d)"\}
                               \ \d+$/mxg;

    is_deeply(\@numbers, [ 1, 2 ], 'metrics');
}


sub hostile {
    my $nginx = start(<<"END");
        location /hook {
            $on
            clockodo_unknown_events forward;
            clockodo_secret_file secrets;
            proxy_pass http://app;
        }
END

    my $evil = 'ev1l<script>alert(1)</script>';
    my $n = 0;

    for my $request (
        post(event(token => qq("$evil"))), post($evil),
        post(event(event_name => qq("$evil"))),
        post(event(event_name => qq("$evil.x"))),
        post(event(occurred_at => qq("$evil"))),
        post(event(company_id => qq("$evil"))),
        post(event(payload => qq({"team":{"id":"$evil"}}))),
        post(event(payload => qq({"$evil":{"id":1}}))),
        post(event(), "X-Clockodo-Event: $evil", "User-Agent: $evil",
             "X-Forwarded-For: $evil", "Referer: $evil"),
        post(event()) =~ s{/hook}{/hook?$evil}r,
        post(event()) =~ s{/hook}{/hook/$evil}r,
        post(event(), "Content-Type: $evil"),
        post(event()) =~ s/POST/EVIL/r,
        post(qq({"secret":"$evil"})), post(qq({"secret":"ev1l"})),
        post(event(more => qq("$evil"))))
    {
        request($nginx, $request);
        $n++;
    }

    status($nginx, $n);

    unlike(request($nginx, get($_))->{body}, qr/ev1l|evil|[<>]|alert|My_Sup3r/i,
           "$_: nothing of it") for qw(/status /metrics);
}


# An nginx with these locations, and the status beside them.

sub start {
    my ($locations, %arg) = @_;

    return Clockodo::Nginx->start(
        http => app_with_statuses(), server => server($locations, %arg), %arg);
}


sub reload {
    my ($nginx, $locations) = @_;

    $nginx->reload(server => server($locations));
}


sub server {
    my ($locations, %arg) = @_;

    my $names = $arg{names} || 'server_name localhost;';

    return <<"END";
        $names
        location = /status { clockodo_status; }
        location = /json { clockodo_status json; }
        location = /metrics { clockodo_status prometheus; }
        $locations
END
}


# The application, which answers 204, 302, 404 or 500 if asked to.

sub app_with_statuses {
    my $statuses = join '', map { "location /$_ { return $_; }" }
                            204, 302, 404, 500;

    return app() =~ s/(?=location \/ \{\s+proxy_set)/$statuses/r;
}


sub now {
    my @t = gmtime;

    return sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ',
                   $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0];
}


sub is_keys {
    my ($hash, $name, @keys) = @_;

    is_deeply([ sort keys %$hash ], [ sort @keys ], "$name: keys");
}
