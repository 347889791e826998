# Whatever a request asks of the system can fail: the n-th call of a kind does,
# for all n until there is none that did not.  nginx neither crashes nor hangs,
# gives no 200 for what did not get through, leaves no descriptor, no half of
# a line or file behind, and answers the next request as ever.
#
#     make failures T=t/failures/requests.t SCENARIO=spooled KIND=memory
#
# runs some of it; both are regular expressions.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Failures;
use Clockodo::Nginx qw(contents gone wait_for);
use Clockodo::Redis;
use Clockodo::Signed;
use Clockodo::Taker;
use Test::More;

my @kinds = qw(memory slab read write short interrupt open sync link stat lock
               locked control connect accept close random);

# what passes, in life: to fail for ever is to hang

my %passes = map { $_ => 1 } qw(interrupt locked accept);

# What nginx itself makes of a failure: a kind, functions on the way to the
# call, what is wrong then, and why that is so.

my @of_nginx = (
    { kind => 'memory',
      stack => qr/\bngx_http_post_request ngx_http_subrequest\b/,
      problem => qr/^status hangs$|^descriptors: socket: \d$/,
      why => 'ngx_http_subrequest() fails, and the request counts it still' },
    { kind => 'memory',
      stack => qr/\bngx_pnalloc ngx_http_v2_construct_request_line\b/,
      problem => qr/^the worker has ended$|^a report: .*\bSEGV\b/,
      why => 'a line of the log shows a request line that has a length alone' },
    { kind => 'memory',
      stack => qr/\bngx_http_proxy_internal_body_length_variable\b/,
      problem => qr/, but with \{/,
      why => 'a request goes on without the length of its body' },
);

my $failures = Clockodo::Failures->new(of_nginx => \@of_nginx);
my ($redis, $replica, $taker, $nginx);
my $number = 0;

# What is sent, what it comes to, and whether it has got through: a function of
# the event's number that says what is wrong, or nothing.

my @scenarios = (
    { name => 'event', uri => '/event', got => \&taken, ours => 8 },
    { name => 'signed', uri => '/signed', ours => 8,
      got => sub { taken(@_) || signed(got($taker->taken($_[1])), $keys[0]) } },
    { name => 'signed, no id', uri => '/signed', ours => 7, got => \&taken,
      body => \&without_id },
    { name => 'chunked', uri => '/event', got => \&taken, ours => 8,
      headers => ['Transfer-Encoding: chunked'] },
    { name => 'over HTTP/2', uri => '/event', got => \&taken, ours => 8,
      http2 => 1 },
    { name => 'masked in a file', uri => '/file', got => \&taken, ours => 8 },
    { name => 'in part in a file', uri => '/part', got => \&taken, ours => 8,
      body => sub { event_of($_[0], more => '"' . 'x' x 3000 . '"') } },
    { name => 'mirrored', uri => '/mirrored', got => \&taken, ours => 8 },
    { name => 'forged headers', uri => '/event', got => \&taken, ours => 8,
      headers => [map { ("X-Clockodo-$_: 1", "X-$_: 1") } 1 .. 9] },
    { name => 'escaped', uri => '/event', got => \&taken, ours => 8,
      body => sub { event_of($_[0], map({ ("m\\u00e9$_" => '"x"') } 1 .. 300),
                             token => '"My\u005fSup3r\u005fT0k3n"') } },
    { name => 'reported', uri => '/report', got => \&taken, ours => 2,
      body => sub { event_of($_[0], token => '"x"') } },
    { name => 'authentic', uri => '/authenticate', got => \&taken, ours => 2,
      body => sub { event_of($_[0], company_id => '0') } },
    { name => 'filtered', uri => '/filtered', got => sub { '' } },
    { name => 'refused', uri => '/event', status => 403,
      body => sub { event_of($_[0], token => '"x"') } },
    { name => 'not a POST', uri => '/event', status => 405, method => 'PUT' },
    { name => 'too large', uri => '/event', status => 413,
      headers => ['Transfer-Encoding: chunked'],
      body => sub { 'x' x 20_000 } },
    { name => 'too large, a page', uri => '/page', status => 413,
      headers => ['Transfer-Encoding: chunked'],
      body => sub { 'x' x 20_000 } },
    { name => 'handshake', uri => '/handshake', got => \&recorded,
      body => \&secret },
    { name => 'forwarded handshake', uri => '/forward', ours => 1,
      got => sub { recorded(@_) || taken(@_) }, body => \&secret },
    { name => 'spooled', uri => '/spool', got => \&spooled },
    { name => 'spooled, no id', uri => '/spool', got => \&spooled,
      body => \&without_id },
    { name => 'spooled twice', uri => '/spool', got => \&spooled,
      before => 1 },
    { name => 'spooled later', uri => '/later', got => \&spooled },
    { name => 'deduplicated', uri => '/dedupe', got => \&taken, ours => 8,
      repeat => 1 },
    { name => 'a duplicate', uri => '/dedupe', got => \&taken, ours => 8,
      before => 1, repeat => 1 },
    { name => 'redis', uri => '/redis', got => \&streamed },
    { name => 'redis, kept', uri => '/kept', got => \&streamed, warm => 1 },
    { name => 'redis by a name', uri => '/named', got => \&streamed },
    { name => 'redis, the next', uri => '/next', got => \&streamed },
    { name => 'redis, elsewhere', uri => '/elsewhere', got => \&streamed,
      warm => 1 },
    { name => 'redis, nowhere', uri => '/nowhere', status => 502 },
    { name => 'redis twice', uri => '/redis', got => \&streamed,
      before => 1 },
    { name => 'status', uri => '/status', method => 'GET', got => \&whole },
    { name => 'metrics', uri => '/metrics', method => 'GET',
      got => sub { $_[2]{body} =~ /^clockodo_build_info\{.*\} 1\n\z/m
                   ? '' : 'no metrics' } },
);

my %table;

start();

for my $scenario (@scenarios) {
    my $name = $scenario->{name};

    next if $ENV{SCENARIO} && $name !~ /^(?:$ENV{SCENARIO})$/;

    subtest $name => sub { scenario($scenario) };
}

$failures->print_table(\%table, [map { $_->{name} } @scenarios], \@kinds);

$nginx->stop;

is(join(', ', $failures->reports), '', 'no report at its end');

done_testing;


sub start {
    $redis = Clockodo::Redis->start(requirepass => 'r3d1s');
    $redis->call('AUTH', 'r3d1s');

    # it says READONLY, whether there is a master or not

    $replica = Clockodo::Redis->start(requirepass => 'r3d1s',
                                      replicaof => ['127.0.0.1', 1]);

    $taker = Clockodo::Taker->start;

    my $path = $redis->path;

    $nginx = Clockodo::Nginx->start(level => 'notice',
                                    http => <<"END", server => <<"END");
    log_format values '\$status \$clockodo_verdict \$clockodo_reason '
                      '\$clockodo_event \$clockodo_idempotency_key '
                      '\$clockodo_webhook_signature \$clockodo_body';

    upstream app { server unix:@{[ $taker->path ]}; }
    upstream redis { server unix:$path; keepalive 1; }
    upstream next {
        server 127.0.0.1:1 max_fails=0;
        server unix:$path max_fails=0 backup;
    }
    upstream elsewhere {
        server unix:@{[ $replica->path ]} max_fails=0;
        server unix:$path max_fails=0 backup;
        keepalive 2;
    }

    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/html/http2.sock http2;

        clockodo_token My_Sup3r_T0k3n;
        clockodo_webhook on;
        clockodo_mask_token on;
        lingering_close off;

        location = /event { proxy_pass http://app; }
    }
END
    access_log logs/access.log values;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_webhook on;
    clockodo_mask_token on;
    proxy_next_upstream off;
    lingering_close off;

    location = /event { proxy_pass http://app; }

    location = /signed {
        clockodo_sign_key $keys[0];
        proxy_pass http://app;
    }

    location = /file {
        client_body_in_file_only clean;
        proxy_pass http://app;
    }

    location = /part {
        client_body_buffer_size 1k;
        proxy_pass http://app;
    }

    location = /mirrored {
        mirror /mirror;
        proxy_pass http://app;
    }

    location = /mirror {
        internal;
        clockodo_webhook off;
        return 204;
    }

    location = /page {
        error_page 413 /sorry;
        proxy_pass http://app;
    }

    location = /sorry {
        internal;
        clockodo_webhook off;
        proxy_pass http://app;
    }

    location = /report {
        clockodo_webhook report;
        proxy_pass http://app;
    }

    location = /authenticate {
        clockodo_webhook authenticate;
        proxy_pass http://app;
    }

    location = /filtered {
        clockodo_events entry.*;
        proxy_pass http://app;
    }

    location = /handshake {
        clockodo_secret_file secrets;
        proxy_pass http://app;
    }

    location = /forward {
        clockodo_secret_file secrets forward;
        proxy_pass http://app;
    }

    location = /spool {
        clockodo_mask_token off;
        clockodo_spool spool;
    }

    location = /later {
        proxy_pass http://127.0.0.1:1;
        recursive_error_pages on;
        error_page 502 504 = \@later;
    }

    location \@later { clockodo_spool spool; }

    location = /dedupe {
        clockodo_dedupe drop;
        proxy_ignore_client_abort on;
        proxy_pass http://app;
    }

    location = /redis {
        clockodo_mask_token off;
        clockodo_redis_pass unix:$path;
        clockodo_redis_auth r3d1s;
        clockodo_redis_dedupe 1h;
    }

    location = /kept {
        clockodo_redis_pass redis;
        clockodo_redis_auth r3d1s;
        clockodo_redis_dedupe 1h;
    }

    location = /named {
        set \$where unix:$path;
        clockodo_redis_pass \$where;
        clockodo_redis_auth r3d1s;
    }

    location = /next {
        clockodo_redis_pass next;
        clockodo_redis_auth r3d1s;
        clockodo_redis_dedupe 1h;
    }

    location = /elsewhere {
        clockodo_redis_pass elsewhere;
        clockodo_redis_auth r3d1s;
        clockodo_redis_dedupe 1h;
    }

    location = /nowhere {
        clockodo_redis_pass unix:@{[ $replica->path ]};
        clockodo_redis_auth r3d1s;
    }

    location = /status { clockodo_webhook off; clockodo_status; }
    location = /metrics { clockodo_webhook off; clockodo_status prometheus; }
END

    # it is ready once it has answered

    request({ uri => '/event' }, ++$number);
}


sub scenario {
    my ($scenario) = @_;

    my $sum = 0;

    # once before it counts: what is set up once, a file, say, is there

    is(join(', ', one($scenario)), '', 'without a failure');

    for my $kind (@kinds) {
        next if $ENV{KIND} && $kind !~ /^(?:$ENV{KIND})$/;

        my ($n, @wrong) = $failures->sweep($kind, $passes{$kind} ? [0] : [0, 1],
                                            sub {
            one($scenario, $kind, @_);
        });

        $table{$scenario->{name}}{$kind} = $n;
        $sum += $n;

        ok(!@wrong, "$kind: $n") or diag(join "\n", @wrong);
    }

    cmp_ok($sum, '>', 0, "$sum failures");
}


# One request, with the n-th call failing, and one after it.

sub one {
    my ($scenario, $kind, $n, $on) = @_;

    my $worker = $nginx->worker;
    my $id = ++$number;
    my @problems;

    for my $first ($scenario->{before} ? $id : (),
                   $scenario->{warm} ? ++$number : ())
    {
        my ($problem) = check($scenario, $first, request($scenario, $first));

        push @problems, "before: $problem" if $problem;
    }

    my $before = $failures->descriptors($worker);

    # without memory for a connection, ngx_http_v2_init() loses a pool

    $taker->connect_http2(http2()) if $scenario->{http2};

    $failures->arm($kind || 'none', $n || 0, pid => $worker, on => $on);

    my $reply = request($scenario, $id);

    # what it does when its client has been answered

    eval { wait_for(sub { gone($worker)
                          || !$failures->more($worker, $before) }) };

    $failures->disarm;

    push @problems, check($scenario, $id, $reply, $kind);

    my $more = $failures->more($worker, $before);

    if (gone($worker) || !grep { $_ == $worker } $nginx->workers) {
        push @problems, 'the worker has ended';
        wait_for(sub { $nginx->workers == 1 });

    } elsif ($more) {
        push @problems, "descriptors: $more";
    }

    push @problems, $failures->reports, left($kind || '');

    if ($n) {
        my $next = $scenario->{repeat} ? $id : ++$number;

        my ($problem) = check($scenario, $next, request($scenario, $next));

        push @problems, "next: $problem" if $problem;
    }

    return @problems;
}


# What is wrong with a reply.

sub check {
    my ($scenario, $id, $reply, $kind) = @_;

    my $expected = $scenario->{status} || 200;

    my $status = $reply->{status};

    if ($status eq $expected) {
        return if $status != 200;

        # in a request, whatever is flushed has to be

        return "$status, though nothing was flushed"
            if $kind && $kind eq 'sync' && $failures->failed;

        my $problem = $scenario->{got}->($scenario, $id, $reply);

        return $problem ? "$status, but $problem" : ();
    }

    # what has come to the application is right nevertheless

    if ($scenario->{ours} && $taker->taken($id)) {
        my $problem = $scenario->{got}->($scenario, $id, $reply);

        return "taken, but $problem" if $problem =~ /^with/;
    }

    # of a fault in here nobody else is blamed

    return if $kind && $status =~ /^(?:none|5\d\d)$/;

    return "status $status";
}


# What has got through: all of it, with all of our headers, and no token.

sub taken {
    my ($scenario, $id) = @_;

    my $text = $taker->taken($id) // return 'not taken';
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my $ours = () = $head =~ /^X-Clockodo-/mg;

    return "with $ours headers of ours" if $ours != $scenario->{ours};

    return $body eq masked(body_of($scenario, $id)) ? '' : "with $body";
}


sub recorded {
    my ($scenario, $id) = @_;

    return $nginx->read('secrets') =~ / s-$id\n/ ? '' : 'not recorded';
}


sub spooled {
    my ($scenario, $id) = @_;

    my $body = masked(body_of($scenario, $id));

    return (grep { contents($_) eq $body } stored()) ? '' : 'not stored';
}


sub stored {
    return glob $nginx->root . '/spool/new/*';
}


sub streamed {
    my ($scenario, $id) = @_;

    my $last = $redis->call('XREVRANGE', 'clockodo:events', '+', '-',
                            'COUNT', 2);
    my $body = masked(body_of($scenario, $id));

    return (grep { my %field = @{$_->[1]}; $field{body} eq $body } @$last)
           ? '' : 'not in the stream';
}


# JSON, written from its beginning to its end

sub whole {
    my ($scenario, $id, $reply) = @_;

    my $body = $reply->{body};
    my ($opened, $closed) = ($body =~ tr/{//, $body =~ tr/}//);

    return $body =~ /\A\{.*\}\s*\z/s && $opened == $closed ? '' : 'no JSON';
}


# What must not be left behind, whatever has failed.

sub left {
    my ($kind) = @_;

    my @problems;
    my $root = $nginx->root;
    my $secrets = $nginx->read('secrets');

    push @problems, 'half a line' if $secrets =~ /[^\n]\z/;

    truncate "$root/secrets", 0 if length $secrets > 20_000;

    for (map { contents($_) } stored()) {
        push @problems, "half a file: $_"
            unless /^\{.*"token":"\*+"(?:,"number":\d+)?\}\z/;
    }

    # what cannot be taken away stays

    my @rubbish = (glob("$root/spool/tmp/*"), glob("$root/client_body_temp/*"));

    push @problems, "left: @rubbish" if @rubbish && $kind ne 'link';

    unlink @rubbish, glob "$root/spool/new/*";

    return @problems;
}


# Bodies.

sub event_of {
    my ($id, @change) = @_;

    return event(payload => qq({"team":{"id":$id}}), @change);
}


sub without_id {
    my ($id) = @_;

    return event(event_name => '"a.b"', payload => '{}', number => $id);
}


sub secret { qq({"secret":"s-$_[0]"}) }


sub body_of {
    my ($scenario, $id) = @_;

    return '' if ($scenario->{method} || '') eq 'GET';

    return ($scenario->{body} || \&event_of)->($id);
}


# What of it goes on: a wrong token is none, and stays.

sub masked {
    my ($body) = @_;

    return $body =~ s/(?<="token":")(My.*?)(?=")/'*' x length $1/er;
}


sub request {
    my ($scenario, $id) = @_;

    my $body = body_of($scenario, $id);

    return $taker->request_http2(http2(), $scenario->{uri}, $body)
        if $scenario->{http2};

    return $taker->request($nginx->port, $scenario->{uri}, $body,
                           method => $scenario->{method},
                           headers => $scenario->{headers});
}


sub http2 { $nginx->root . '/html/http2.sock' }
