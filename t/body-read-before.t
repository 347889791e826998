# Another module may have read the body before ours, under limits of its own,
# or replaced it, or thrown it away: what goes upstream is what was judged.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;
use Time::HiRes qw(sleep);


my $hook = <<'END';
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_max_body_size 4k;
            add_header X-Verdict $clockodo_verdict always;
            add_header X-Reason $clockodo_reason always;
            proxy_pass http://app;
END

my $event = event();
my $bad = event(token => '"x"');
my $large = event(x => '"' . 'x' x 4096 . '"');
my $middle = event(x => '"' . 'x' x 2048 . '"');
my $chunked = 'Transfer-Encoding: chunked';

my $nginx;


sub outcome {
    my ($path, $body, @headers) = @_;

    my $client = Clockodo::Client->new($nginx->port, $nginx->worker);
    my $is_chunked = grep { $_ eq $chunked } @headers;

    my $request = post($is_chunked ? chunked($body, 100) : $body, @headers);

    $request =~ s{ /hook }{ /$path };

    # the body in a segment of its own: nginx must not have it in its buffer
    # already when another module comes to read or discard it

    $client->send(grep { length } $request =~ /\A(.*?\r\n\r\n)(.*)\z/s);

    my $reply = $client->reply;
    my ($seen) = ($reply->{body} || '') =~ /^body=(.*)$/m;

    return join ' ', $reply->{status},
                     (map { $reply->{header}{$_} // () }
                      qw(x-verdict x-reason)),
                     !defined $seen ? () : $seen eq $body ? 'same' : $seen;
}


sub wrong {
    return $nginx->log =~ /\[(?:alert|emerg|crit)\]|exited on signal/;
}


# What stock nginx has.  A mirror gets what was accepted, and its reading of
# the body comes after ours.

$nginx = Clockodo::Nginx->start(http => app(), server => <<"END");
        client_body_buffer_size 1k;

        location /mirror {
            mirror /copy;
            $hook
        }

        location /copy {
            internal;
            log_subrequest on;
            access_log logs/copy.log;
            proxy_pass http://app;
        }

        location /allowed {
            auth_request /yes;
            $hook
        }

        location /denied {
            auth_request /no;
            $hook
        }

        location /yes { return 204; }
        location /no { return 403; }
END

my $temporary = qr/is buffered to a temporary file/;

is(outcome('mirror', $large, $chunked), '413 rejected body_too_large',
   'mirror: too large');
unlike($nginx->log, $temporary, 'mirror: nothing is spooled');

is(outcome('mirror', $bad), '403 rejected token', 'mirror: refused');

is(outcome('mirror', $event), '200 accepted same', 'mirror: accepted');
is(outcome('mirror', $middle, $chunked), '200 accepted same',
   'mirror: accepted, chunked');

is(outcome('allowed', $event), '200 accepted same', 'auth_request: accepted');
is(outcome('allowed', $bad), '403 rejected token', 'auth_request: refused');
is(outcome('denied', $event), '403', 'auth_request: not judged');

# a copy may take longer than the reply

my @copies;

for (1 .. 500) {
    @copies = split /\n/, $nginx->read('logs/copy.log');
    last if @copies >= 2;
    sleep 0.01;
}

is(scalar @copies, 2, 'mirror: copies of what was accepted, no others');

ok(!wrong(), 'nothing went wrong inside');


# What Lua has.

my $modules = '/usr/lib/nginx/modules';
my @modules = map { "$modules/$_" } qw(ndk_http_module.so
                                       ngx_http_lua_module.so);

SKIP: {
    my $nginx_bin = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';

    skip 'no Lua module for this nginx', 1
        if $nginx_bin ne '/usr/sbin/nginx' || grep { !-e } @modules;

    lua();
}

sub lua {
    my $append = 'ngx.req.init_body(128) for c in (" " .. body):gmatch(".") '
                 . 'do ngx.req.append_body(c) end ngx.req.finish_body()';

    my %before = (
        read    => 'access_by_lua_block { ngx.req.read_body() }',
        rewrite => 'rewrite_by_lua_block { ngx.req.read_body() }',
        single  => 'client_body_in_single_buffer on;'
                   . 'access_by_lua_block { ngx.req.read_body() }',
        file    => 'client_body_in_file_only clean;'
                   . 'access_by_lua_block { ngx.req.read_body() }',
        discard => 'access_by_lua_block { ngx.req.discard_body() }',
        empty   => 'access_by_lua_block { ngx.req.read_body() '
                   . 'ngx.req.set_body_data("") }',
        good    => 'access_by_lua_block { ngx.req.read_body() '
                   . "ngx.req.set_body_data([==[$event]==]) }",
        bad     => 'access_by_lua_block { ngx.req.read_body() '
                   . "ngx.req.set_body_data([==[$bad]==]) }",
        append  => 'access_by_lua_block { ngx.req.read_body() '
                   . "local body = [==[$event]==] $append }",
        other_file => 'access_by_lua_block { ngx.req.read_body() '
                   . 'ngx.req.set_body_file('
                   . '"$TEST_NGINX_SERVER_ROOT/nginx.conf") }',
    );

    $nginx = Clockodo::Nginx->start(
        modules => \@modules,
        http    => app(),
        server  => <<"END" . join '',
            client_body_buffer_size 1k;

            location /lua-typeless {
                error_page 502 = \@typeless;
                ${\($hook =~ s{http://app}{http://127.0.0.1:1}r)}
            }

            location \@typeless {
                rewrite_by_lua_block { ngx.req.clear_header("Content-Type") }
                $hook
            }
END
                   map { "location /lua-$_ { $before{$_} $hook }\n" }
                   sort keys %before);

    is(outcome('lua-typeless', $event), '200 accepted same',
       'the type goes once it was judged');

    for my $before (qw(read rewrite single file)) {
        for my $how ([], [ $chunked ]) {
            my $name = "$before, " . (@$how ? 'chunked' : 'plain');

            is(outcome("lua-$before", $event, @$how), '200 accepted same',
               "$name: accepted");
            is(outcome("lua-$before", $middle, @$how), '200 accepted same',
               "$name: accepted, out of a file");
            is(outcome("lua-$before", $bad, @$how), '403 rejected token',
               "$name: token");
            is(outcome("lua-$before", '', @$how), '400 rejected empty_body',
               "$name: empty");
            is(outcome("lua-$before", $large, @$how),
               '413 rejected body_too_large', "$name: too large");
            is(outcome("lua-$before", $event, @$how, 'Content-Type: x'),
               '415 rejected content_type', "$name: content type");
        }
    }

    for my $how ([], [ $chunked ]) {
        my $name = @$how ? 'chunked' : 'plain';

        is(outcome("lua-$_", $event, @$how), '400 rejected empty_body',
           "$_, $name") for qw(discard empty);

        is(outcome('lua-good', $bad, @$how), "200 accepted $event",
           "a good one instead of a bad one, $name");
        is(outcome('lua-bad', $event, @$how), '403 rejected token',
           "a bad one instead of a good one, $name");
        is(outcome('lua-append', $bad, @$how), "200 accepted $event",
           "one in pieces, $name");
        is(outcome('lua-other_file', $event, @$how),
           '413 rejected body_too_large', "a large file, $name");
    }

    ok(!wrong(), 'nothing went wrong inside, with Lua');
}

done_testing();
