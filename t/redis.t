# An accepted event becomes an entry of a stream, once; the client gets 200
# when it is stored, and not before.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Redis;
use JSON::PP qw(decode_json);
use Test::More;


my $redis = Clockodo::Redis->start;

my $on = <<'END';
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_secret_file secrets;

    add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;
    add_header X-Upstream "$upstream_addr $upstream_status" always;
END

subtest 'an entry'           => \&entry;
subtest 'a consumer group'   => \&group;
subtest 'verdicts'           => \&verdicts;
subtest 'once'               => \&once;
subtest 'no id, no key'      => \&without_id;
subtest 'nothing half done'  => \&half_done;
subtest 'keys and lengths'   => \&settings;
subtest 'addresses'          => \&addresses;
subtest 'connections'        => \&connections;
subtest 'bodies'             => \&bodies;
subtest 'HTTP/2'             => \&http2;
subtest 'other ways to it'   => \&other_ways;
subtest 'in an if'           => \&if_block;
subtest 'limit_except'       => \&limit_except;
subtest 'a cluster'          => \&cluster;
subtest 'clockodo_dedupe'    => \&zone;
subtest 'counters'           => \&counters;

done_testing;


# Nothing but POST /hook, with these settings in its location.

sub start {
    my ($settings, %more) = @_;

    $redis->call('FLUSHALL');

    return Clockodo::Nginx->start(server => <<"END", %more);
$on
    location /hook {
        clockodo_redis_pass unix:@{[ $redis->path ]};
        $settings
    }
END
}


# Returns the status, verdict and reason that a body gets.

sub got {
    my ($nginx, $body, @headers) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post($body, 'Connection: close', @headers));

    my $reply = $client->reply;

    return "$reply->{status} " . ($reply->{header}{'x-judged'} // '');
}


sub entry {
    my $nginx = start('');
    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event()));

    my $reply = $client->reply;

    is($reply->{status}, 200, 'status');
    is($reply->{header}{'content-length'}, 0, 'an empty body');
    is($reply->{header}{'x-judged'}, 'accepted/', 'verdict');
    is($reply->{header}{'x-upstream'}, 'unix:' . $redis->path . ' 200',
       'what nginx knows of the upstream');

    is_deeply($redis->call('XRANGE', 'clockodo:events', '-', '+')->[0][1],
              [event_fields()], 'all fields, in their order');

    $client->send(post(event()));
    is($client->reply->{status}, 200, 'the connection goes on');

    is_deeply($redis->call('KEYS', '*'), ['clockodo:events'],
              'no key but the stream');
    is($redis->call('XLEN', 'clockodo:events'), 2, 'twice is twice');

    unlike($nginx->log, qr/\[(?:error|crit|alert|emerg)\]/, 'no error');
    unlike($nginx->log . $nginx->read('logs/access.log'), qr/My_Sup3r/,
           'no token in a log');
}


sub group {
    my $nginx = start('clockodo_redis_dedupe 1h;');

    $redis->call(qw(XGROUP CREATE clockodo:events workers 0 MKSTREAM));

    got($nginx, event());

    my $read = $redis->call(qw(XREADGROUP GROUP workers one COUNT 10 STREAMS
                               clockodo:events >));
    my ($id, $fields) = @{$read->[0][1][0]};

    is_deeply({ @$fields }, { event_fields() }, 'every field');
    is($redis->call('XACK', 'clockodo:events', 'workers', $id), 1,
       'acknowledged');
}


sub verdicts {
    my $nginx = start('clockodo_redis_dedupe 1h; clockodo_events team.*;');

    is(got($nginx, event(token => '"x"')), '403 rejected/token', 'rejected');
    is(got($nginx, '{"secret":"s"}'), '200 handshake/', 'a handshake');
    is(got($nginx, event(event_name => '"user.created"',
                         payload => '{"user":{"id":1}}')),
       '200 filtered/', 'filtered');
    is($redis->call('DBSIZE'), 0, 'nothing of that is stored');

    is(got($nginx, event()), '200 accepted/', 'accepted');
    is(got($nginx, event()), '200 duplicate/', 'a duplicate');
    is(scalar($redis->entries), 1, 'stored once');
}


sub once {
    my $nginx = start('clockodo_redis_dedupe 90m;');
    my %fields = event_fields();
    my $key = "{clockodo:events}:$fields{idempotency_key}";

    is(got($nginx, event()), '200 accepted/', 'new');
    is_deeply([sort @{$redis->call('KEYS', '*')}],
              ['clockodo:events', $key], 'its key');
    is($redis->call('EXPIRETIME', $key) - $redis->call('TIME')->[0] >= 5390,
       1, 'for the time to live');

    is(got($nginx, event() =~ s/,/ , /gr), '200 duplicate/',
       'the same event, written in another way');

    is(got($nginx, event(payload => '{"team":{"id":9002}}')),
       '200 accepted/', 'another one');

    is(got($nginx, event(occurred_at => '"1986-05-10T17:02:01Z"')),
       '200 accepted/', 'a second later');

    is(scalar($redis->entries), 3, 'entries');

    # as it expires

    $redis->call('DEL', $key);

    is(got($nginx, event()), '200 accepted/', 'forgotten');
    is(scalar($redis->entries), 4, 'stored again');
}


# Two events without an id may be two events.

sub without_id {
    my $nginx = start('clockodo_redis_dedupe 1h;
                       clockodo_unknown_events forward;');

    my @unknown = (event_name => '"comet.seen"',
                   payload => '{"comet":{"tail":1}}');

    is(got($nginx, event(@unknown)), '200 accepted/', 'stored') for 1, 2;

    is_deeply([map { $_->{entity_id} } $redis->entries], ['', ''],
              'with an empty field');
    is($redis->call('DBSIZE'), 1, 'no key');

    my @known = (event_name => '"comet.seen"',
                 payload => '{"comet":{"id":1}}');

    is(got($nginx, event(@known)), '200 accepted/', 'one with an id');
    is(got($nginx, event(@known)), '200 duplicate/', 'and its repeat');

    my @budget = (event_name => '"project.budget_notification"',
                  payload => '{"id":123,"type":"projectBudget",'
                             . '"threshold":80}');

    is(got($nginx, event(@budget)), '200 accepted/', 'a budget notification');
    is(got($nginx, event(@budget)), '200 duplicate/', 'and its repeat');
}


# What cannot be stored must not be known.

sub half_done {
    my $nginx = start('clockodo_redis_dedupe 1h;');

    $redis->call('SET', 'clockodo:events', 'not a stream');

    is(got($nginx, event()), '502 accepted/', 'not stored');
    like($nginx->new_log,
         qr/\[error\].*redis did not store a clockodo event, error "WRONGTYPE"/,
         'the reason in the log');
    is($redis->call('DBSIZE'), 1, 'and not known');

    $redis->call('DEL', 'clockodo:events');

    is(got($nginx, event()), '200 accepted/', 'a repeat is stored');
    is(scalar($redis->entries), 1, 'once');
}


sub settings {
    my $path = $redis->path;

    $redis->call('FLUSHALL');

    my $nginx = Clockodo::Nginx->start(
        http => "clockodo_redis_stream outer maxlen=1000;
                 clockodo_redis_dedupe 2h;
                 clockodo_redis_connect_timeout 5s;
                 clockodo_redis_send_timeout 5s;
                 clockodo_redis_read_timeout 5s;",
        server => <<"END");
    $on

    location = /outer {
        clockodo_redis_pass unix:$path;
    }

    location = /tagged {
        clockodo_redis_pass unix:$path;
        clockodo_redis_stream "a{tag}b" maxlen=5000;
    }

    location = /brace {
        clockodo_redis_pass unix:$path;
        clockodo_redis_stream "a{b";
        clockodo_redis_dedupe off;
    }

    location = /short {
        clockodo_redis_pass unix:$path;
        clockodo_redis_stream short maxlen=100;
        clockodo_redis_dedupe off;
    }

    location = /long {
        clockodo_redis_pass unix:$path;
        clockodo_redis_stream long;
        clockodo_redis_dedupe off;
    }
END

    my $send = sub {
        my ($path, $times) = @_;

        my $client = Clockodo::Client->new($nginx->port);

        for (1 .. $times || 1) {
            $client->send(post(event()) =~ s{/hook}{$path}r);
            $client->reply->{status} == 200 or die "not 200\n";
        }

        return 1;
    };

    my %fields = event_fields();

    $send->($_) for qw(/outer /outer /tagged /tagged /brace /brace);

    is_deeply([sort @{$redis->call('KEYS', '*')}],
              [sort 'outer', "{outer}:$fields{idempotency_key}",
                    'a{tag}b', "a{tag}b:$fields{idempotency_key}", 'a{b'],
              'streams, and keys beside them');

    is_deeply([map { $redis->call('XLEN', $_) } 'outer', 'a{tag}b', 'a{b'],
              [1, 1, 2], 'their lengths');

    # whole nodes of 100 entries are cut off

    $send->($_, 450) for qw(/short /long);

    cmp_ok($redis->call('XLEN', 'short'), '<', 300, 'cut to about maxlen');
    cmp_ok($redis->call('XLEN', 'short'), '>=', 100, 'not below it');
    is($redis->call('XLEN', 'long'), 450, 'or not cut');
}


sub addresses {
    my ($path, $port) = ($redis->path, $redis->port);

    my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    upstream redis {
        server unix:$path;
    }

    map \$arg_to \$to {
        unix     unix:$path;
        port     127.0.0.1:$port;
        upstream redis;
        bad      127.0.0.1:99999;
        noport   127.0.0.1;
        none     "";
        unknown  nowhere.invalid:6379;
    }
END
    $on
    location = /unix     { clockodo_redis_pass unix:$path; }
    location = /port     { clockodo_redis_pass 127.0.0.1:$port; }
    location = /upstream { clockodo_redis_pass redis; }
    location = /variable { clockodo_redis_pass \$to; }
    location = /part     { clockodo_redis_pass 127.0.0.1:\$arg_port; }
END

    $redis->call('FLUSHALL');

    for my $to (qw(/unix /port /upstream /variable?to=unix /variable?to=port
                   /variable?to=upstream), "/part?port=$port")
    {
        is(deliver($nginx, $to)->{status}, 200, $to);
    }

    is(scalar($redis->entries), 7, 'all stored');
    unlike($nginx->new_log, qr/\[error\]/, 'no error');

    my %errors = (
        bad     => [500, qr/invalid port in upstream "127.0.0.1:99999"/],
        noport  => [500, qr/no port in upstream "127.0.0.1"/],
        none    => [500, qr/no host in upstream ""/],
        unknown => [502, qr/ nowhere\.invalid(?:, | could not be resolved)/],
    );

    for my $to (sort keys %errors) {
        is(deliver($nginx, "/variable?to=$to")->{status}, $errors{$to}[0],
           "$to: status");
        like($nginx->new_log, $errors{$to}[1], "$to: reason");
    }

    is(scalar($redis->entries), 7, 'nothing stored');
}


# With "keepalive" connections are used again, else they are not kept.

sub connections {
    my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    upstream redis {
        server unix:@{[ $redis->path ]};
        keepalive 4;
    }
END
    $on
    location = /keep {
        clockodo_redis_pass redis;
        clockodo_redis_dedupe 1h;
    }

    location = /close {
        clockodo_redis_pass unix:@{[ $redis->path ]};
        clockodo_redis_dedupe 1h;
    }
END

    $redis->call('FLUSHALL');

    my $opened = sub {
        my ($to) = @_;

        my $before = received();
        my $client = Clockodo::Client->new($nginx->port);

        # new and known ones

        for my $id (1 .. 10, 1 .. 10) {
            $client->send(post(event(payload => qq({"team":{"id":$id}})))
                          =~ s{/hook}{$to}r);
            $client->reply->{status} == 200 or die "not 200\n";
        }

        return received() - $before;
    };

    is($opened->('/keep'), 1, 'keepalive: one connection');
    is($opened->('/close'), 20, 'else one for each');

    # one that Redis has closed

    $redis->call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');

    is($opened->('/keep'), 1, 'closed by redis: a new one');
}


sub received {
    return $redis->call('INFO', 'stats')
           =~ /total_connections_received:(\d+)/ ? $1 : die;
}


# Bodies that nginx has in several buffers or in a file; sent by bytes.

sub bodies {
    my $nginx = start('client_body_buffer_size 1k;
                       clockodo_max_body_size 300k;');

    for my $size (10, 1000, 20_000, 200_000) {
        for my $headers ([], ['Transfer-Encoding: chunked']) {

            my $body = event(note => '"' . 'x' x $size . '"');
            my $client = Clockodo::Client->new($nginx->port);

            $client->send(post(@$headers ? chunked($body, 700) : $body,
                               @$headers));

            is($client->reply->{status}, 200, "$size bytes @$headers");

            is(($redis->entries)[-1]{body},
               $body =~ s/My_Sup3r_T0k3n/'*' x 14/er, 'the body');
        }
    }

    # the body that nginx has is masked, too

    $nginx = start('clockodo_mask_token on;');

    got($nginx, event());
    is_deeply([$redis->entries], [{ event_fields() }], 'with clockodo_mask_token');

    # nothing ends a value but its length

    my $strange = event(note => '"\r\n$5\r\nhello\r\n\u00e4 é"');

    is(got($nginx, $strange), '200 accepted/', 'strange characters');
    is(($redis->entries)[-1]{body},
       $strange =~ s/My_Sup3r_T0k3n/'*' x 14/er, 'the body');
}


sub http2 {
    my $nginx = start('clockodo_redis_dedupe 1h;', listen => 'http2');

    my @curl = ('curl', '-s', '--http2-prior-knowledge', '-i',
                '-H', 'Content-Type: application/json',
                'http://127.0.0.1:' . $nginx->port . '/hook', '-d');

    for my $verdict (qw(accepted duplicate)) {
        open my $curl, '-|', @curl, event() or die "curl: $!\n";

        like(join('', <$curl>), qr{^HTTP/2 200 .*^x-judged: $verdict/\r$}ms,
             $verdict);
    }

    is(scalar($redis->entries), 1, 'stored once');

    # the client need not wait; Redis may still have the connections of before

    $redis->wait_for(qr/\A(?!.*cmd=eval)/s, 'CLIENT', 'LIST');
    $redis->call(qw(CLIENT PAUSE 60000 WRITE));

    my $pid = open my $curl, '-|', @curl, event(company_id => 7)
        or die "curl: $!\n";

    $redis->wait_for(qr/cmd=eval/, 'CLIENT', 'LIST');
    kill 'KILL', $pid;
    close $curl;

    wait_for(sub { $nginx->log =~ /client prematurely closed connection/ });

    $redis->call(qw(CLIENT UNPAUSE));
    $redis->wait_for(qr/^2$/, 'XLEN', 'clockodo:events');
    is(scalar($redis->entries), 2, 'stored although the client has gone');
}


# Error pages, internal redirects and subrequests.

sub other_ways {
    my $path = $redis->path;

    my $nginx = Clockodo::Nginx->start(server => <<"END");
    $on

    location = /fallback {
        proxy_pass http://127.0.0.1:1;
        error_page 502 504 = \@redis;
    }

    location \@redis {
        clockodo_redis_pass unix:$path;
    }

    location = /page {
        clockodo_redis_pass unix:/nowhere;
        error_page 502 \@page;
    }

    location \@page {
        clockodo_webhook off;
        default_type text/plain;
        return 502 "\$clockodo_verdict, \$upstream_status";
    }

    location = /mirrored {
        mirror /mirror;
        clockodo_redis_pass unix:$path;
    }

    location = /mirror {
        internal;
        clockodo_redis_pass unix:$path;
    }
END

    $redis->call('FLUSHALL');

    is(deliver($nginx, '/fallback')->{status}, 200, 'when the application is down');
    is(scalar($redis->entries), 1, 'stored');

    my $page = deliver($nginx, '/page');

    is("$page->{status} $page->{body}", '502 accepted, 502', 'an error page');

    $nginx->new_log;

    is(deliver($nginx, '/mirrored')->{status}, 200, 'a subrequest beside it');
    is(scalar($redis->entries), 2, 'stores nothing');
    like($nginx->new_log, qr/"clockodo_redis_pass" is only for events that we/,
         'which is said');
}


sub if_block {
    my $path = $redis->path;

    my $nginx = Clockodo::Nginx->start(server => <<"END");
    $on

    location = /in {
        if (\$arg_redis) {
            clockodo_redis_pass unix:$path;
        }

        proxy_pass http://127.0.0.1:1;
    }

    location = /around {
        if (\$arg_redis) {
            set \$x y;
        }

        clockodo_redis_pass unix:$path;
    }
END

    is(deliver($nginx, '/in?redis=1')->{status}, 200, 'set in an if');
    is(deliver($nginx, '/in')->{status}, 502, 'and not out of it');
    is(deliver($nginx, '/around?redis=1')->{status}, 200, 'kept by an if');
}


# What "limit_except" limits is a configuration of its own, without a handler.

sub limit_except {
    my $nginx = start('limit_except GET { allow 127.0.0.1; deny all; }

        location /hook/below {
            limit_except GET { allow 127.0.0.1; deny all; }
        }

        location /hook/denied {
            clockodo_redis_pass unix:/nowhere;
            limit_except GET { deny all; }
        }');

    is(got($nginx, event()), '200 accepted/', 'who may post');
    is(scalar($redis->entries), 1, 'stored');

    for (['/hook/below', 404, 'not inherited'],
         ['/hook/denied', 403, 'who may not'])
    {
        my ($to, $status, $name) = @$_;
        my $client = Clockodo::Client->new($nginx->port);

        $client->send(post(event()) =~ s{/hook}{$to}r);
        is($client->reply->{status}, $status, $name);
    }

    is(scalar($redis->entries), 1, 'nothing more');
}


# A cluster runs no script whose keys are not in one hash slot.

sub cluster {
    my $node = Clockodo::Redis->start('cluster-enabled' => 'yes');
    my @streams = qw(clockodo:events events {a} x{a}y {a}{b} a{b {{b {a}} }{a});
    my $n = 0;

    $node->call(qw(CLUSTER ADDSLOTSRANGE 0 16383));
    $node->wait_for(qr/cluster_state:ok/, 'CLUSTER', 'INFO');

    my $nginx = Clockodo::Nginx->start(server => $on . join '', map { <<"END" }
    location = /hook/@{[ $n++ ]} {
        clockodo_redis_pass unix:@{[ $node->path ]};
        clockodo_redis_stream "$_";
        clockodo_redis_dedupe 1h;
    }
END
        @streams);

    for my $i (0 .. $#streams) {
        my @status = map {
            my $reply = deliver($nginx, "/hook/$i");

            "$reply->{status} $reply->{header}{'x-judged'}";
        } 1, 2;

        is("@status", '200 accepted/ 200 duplicate/', $streams[$i]);
    }
}


# The zone of this edge, and Redis for all of them.

sub zone {
    my $nginx = start('clockodo_redis_dedupe 1h; clockodo_dedupe drop;');
    my $other = Clockodo::Nginx->start(server => <<"END");
$on
    location /hook {
        clockodo_redis_pass unix:@{[ $redis->path ]};
        clockodo_redis_dedupe 1h;
    }
END

    is(got($nginx, event()), '200 accepted/', 'new');

    my $calls = scripts();

    is(got($nginx, event()), '200 duplicate/', 'known to the zone');
    is(scripts(), $calls, 'Redis was not asked');

    my @second = (payload => '{"team":{"id":9002}}');

    is(got($other, event(@second)), '200 accepted/', 'new at another edge');
    is(got($nginx, event(@second)), '200 duplicate/', 'known to Redis');
    is(scripts(), $calls + 2, 'which was asked');

    is(got($nginx, event(@second)), '200 duplicate/', 'then to the zone');
    is(scripts(), $calls + 2, 'it was not asked');

    # what was not stored is known to neither

    my @third = (payload => '{"team":{"id":9003}}');

    $redis->call('RENAME', 'clockodo:events', 'renamed');
    $redis->call('SET', 'clockodo:events', 'not a stream');
    is(got($nginx, event(@third)), '502 accepted/', 'not stored');

    $redis->call('RENAME', 'renamed', 'clockodo:events');
    is(got($nginx, event(@third)), '200 accepted/', 'the repeat is');

    is(scalar($redis->entries), 3, 'entries');

    # an entry has no mark

    $nginx = start('clockodo_dedupe mark;');

    is(got($nginx, event()), '200 accepted/', 'with mark') for 1, 2;
    is_deeply([$redis->entries], [({ event_fields() }) x 2],
              'a repeat is an entry like any other');
}


# How many scripts Redis has run.

sub scripts {
    return $redis->call('INFO', 'commandstats')
           =~ /cmdstat_eval:calls=(\d+)/ ? $1 : 0;
}


sub counters {
    my $nginx = start('clockodo_redis_dedupe 1h;
                       clockodo_redis_next_upstream off;', http => <<'END');
    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/html/status.sock;

        location / {
            clockodo_status prometheus;
        }

        location = /json {
            clockodo_status json;
        }
    }
END

    got($nginx, event()) for 1 .. 3;

    $redis->call('DEL', 'clockodo:events');
    $redis->call('SET', 'clockodo:events', 'not a stream');

    got($nginx, event(payload => qq({"team":{"id":$_}}))) for 1, 2;

    my $socket = $nginx->root . '/html/status.sock';
    my $text = `curl -s --unix-socket $socket http://localhost/`;

    # the label is the server's name as well

    $text =~ s/location="[^"]*\//location="\//g;

    ok($text =~ /^\Q$_\E$/m, $_)
        for 'clockodo_requests_total{location="/hook",verdict="accepted"} 3',
            'clockodo_requests_total{location="/hook",verdict="duplicate"} 2',
            'clockodo_upstream_responses_total{location="/hook",class="2xx"} 3',
            'clockodo_upstream_responses_total{location="/hook",class="5xx"} 2';

    # what the page shows

    my $status = decode_json(
        `curl -s --unix-socket $socket http://localhost/json`);

    is_deeply([map { "$_->{verdict} $_->{status} $_->{entity_id} "
                     . (defined $_->{upstream_time} ? 'asked' : '') }
                   @{$status->{deliveries}}],
              ['accepted 502 2 asked', 'accepted 502 1 asked',
               'duplicate 200 9001 asked', 'duplicate 200 9001 asked',
               'accepted 200 9001 asked'], 'deliveries');

    my ($location) = grep { $_->{location} =~ m{/hook$} }
                     @{$status->{locations}};

    is_deeply([@{$location->{requests}}{qw(accepted duplicate)},
               @{$location->{upstream_responses}}{qw(2xx 5xx)}], [3, 2, 3, 2], 'sums');
}
