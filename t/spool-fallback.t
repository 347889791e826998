# Behind error_page a spool keeps what the application did not take, whatever
# that came to, and the sender gets 200; what is stored counts as delivered.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Application;
use Clockodo::Client;
use Clockodo::Nginx qw(contents wait_for);
use Clockodo::Trace;
use Test::More;

my $app = Clockodo::Application->start;

$ENV{TEST_NGINX_WORKER_USER} ||= 'www-data' if $> == 0;

my $settings = <<'END';
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_unknown_events forward;

    add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;

    location = /later-by-uri {
        clockodo_spool spool;
    }

    location @later {
        clockodo_spool spool;
    }

    location = /status {
        clockodo_webhook off;
        clockodo_status;
    }
END

my $pass = <<"END";
        proxy_pass http://unix:@{[ $app->path ]};
        proxy_ignore_client_abort on;
        proxy_intercept_errors on;
END

my $id = 0;

subtest 'whatever the application answers' => \&answers;
subtest 'an application that is down'      => \&down;
subtest 'by a URI, by "="'                 => \&ways;
subtest 'with duplicates'                  => \&dedupe;
subtest 'a spool that fails, too'          => \&fails;
subtest 'other settings there'             => \&judged_again;
subtest 'a client that is gone'            => \&gone_client;
subtest 'events of the connection'         => \&events;

done_testing;


sub answers {
    my $nginx = start(<<"END");
    location /hook {
        error_page 429 500 502 503 504 = \@later;
        $pass
    }

    location /named {
        error_page 429 500 502 503 504 \@later;
        $pass
    }

    location /masked {
        clockodo_mask_token on;
        error_page 429 500 502 503 504 \@later;
        $pass
    }
END

    for my $uri ('/hook', '/named', '/masked') {
        for my $status (429, 500, 502, 503, 504, 'close') {
            $app->answer($status);

            is(send_new($nginx, $uri), '200 accepted/', "$uri: $status");
            is(stored($nginx, $id), event_of($id), 'stored, and masked');
        }

        for my $status (200, 204, 302, 400, 404) {
            $app->answer($status);

            is(send_new($nginx, $uri), "$status accepted/", "$uri: $status");
            is(stored($nginx, $id), '', 'not stored');
        }
    }

    # the connection goes on

    $app->answer('503');

    my $client = Clockodo::Client->new($nginx->port);

    for (1, 2) {
        $id++;
        $client->send(post(event(payload => qq({"team":{"id":$id}}))));
        is(judged($client->reply), '200 accepted/', 'one after another');
    }

    $app->answer('200');
    $id++;
    $client->send(post(event(payload => qq({"team":{"id":$id}}))));
    is(judged($client->reply), '200 accepted/', 'and one that is taken');
    is(stored($nginx, $id), '', 'not stored');
}


sub down {
    my $nginx = start(<<"END");
    location /hook {
        error_page 502 503 504 = \@later;
        $pass
    }
END

    $app->stop;
    is(send_new($nginx, '/hook'), '200 accepted/', 'stopped');
    is(stored($nginx, $id), event_of($id), 'stored');

    $app->listen;
    $app->answer('200');
    is(send_new($nginx, '/hook'), '200 accepted/', 'at work again');
    is(stored($nginx, $id), '', 'not stored');
}


# A URI turns the request into a GET.

sub ways {
    my $nginx = start(<<"END");
    location /uri {
        error_page 503 = /later-by-uri;
        $pass
    }

    location /uri-kept {
        error_page 503 /later-by-uri;
        $pass
    }

    location /other {
        error_page 503 =202 \@later;
        $pass
    }

    location /recursive {
        recursive_error_pages on;
        error_page 503 = \@later;
        $pass
    }
END

    $app->answer('503');

    for my $uri ('/uri', '/uri-kept', '/other', '/recursive') {
        is(send_new($nginx, $uri), '200 accepted/', $uri);
        is(stored($nginx, $id), event_of($id), 'stored');
    }
}


sub dedupe {
    my $nginx = start(<<"END");
    location /drop {
        clockodo_dedupe drop;
        error_page 502 503 504 = \@later;
        $pass
    }

    location /mark {
        clockodo_dedupe mark;
        error_page 502 503 504 \@later;
        $pass
    }

    location /alone {
        clockodo_dedupe drop;
        clockodo_spool alone;
    }
END

    $app->answer('503');

    is(send_new($nginx, '/drop'), '200 accepted/', 'stored');
    $app->answer('200');
    my $calls = $app->calls;
    is(send_again($nginx, '/drop'), '200 duplicate/', 'is a duplicate');
    is($app->calls + 0, $calls + 0, 'the application is not asked');

    # even once it was taken from the spool

    unlink glob $nginx->root . '/spool/new/*';
    is(send_again($nginx, '/drop'), '200 duplicate/', 'still');

    $app->answer('503');
    is(send_new($nginx, '/mark'), '200 accepted/', 'stored');
    $app->answer('200');
    is(send_again($nginx, '/mark'), '200 accepted/', 'a repeat');
    like(($app->calls)[-1], qr/ duplicate/, 'is marked');

    is(send_new($nginx, '/alone'), '200 accepted/', 'alone');
    is(send_again($nginx, '/alone'), '200 duplicate/', 'a repeat');
    unlink glob $nginx->root . '/alone/new/*';
    is(send_again($nginx, '/alone'), '200 duplicate/', 'still');
    is_deeply([ glob $nginx->root . '/alone/new/*' ], [], 'not stored again');

    # what could not be stored is no duplicate

    rename $nginx->root . '/alone/new', $nginx->root . '/away';
    is(send_new($nginx, '/alone'), '503 accepted/', 'not stored');
    rename $nginx->root . '/away', $nginx->root . '/alone/new';
    is(send_again($nginx, '/alone'), '200 accepted/', 'is none');
}


sub fails {
    my $nginx = start(<<"END");
    location /hook {
        error_page 502 503 504 = \@later;
        $pass
    }
END

    $app->answer('503');
    rename $nginx->root . '/spool', $nginx->root . '/away';

    is(send_new($nginx, '/hook'), '503 accepted/', 'neither takes it');
    like($nginx->log, qr/\[error\].*not stored in "clockodo_spool"/, 'log');

    rename $nginx->root . '/away', $nginx->root . '/spool';
    is(send_again($nginx, '/hook'), '200 accepted/', 'again');
    is(stored($nginx, $id), event_of($id), 'stored');
}


sub judged_again {
    my $nginx = start(<<"END");
    location /hook {
        error_page 503 = \@strict;
        $pass
    }

    location \@strict {
        clockodo_company 7;
        clockodo_spool spool;
    }
END

    $app->answer('503');

    is(send_new($nginx, '/hook'), '403 rejected/company', 'refused there');
    is(stored($nginx, $id), '', 'not stored');
}


# Over HTTP/1, with proxy_ignore_client_abort.

sub gone_client {
    my $nginx = start(<<"END");
    location /hook {
        error_page 502 503 504 = \@later;
        $pass
    }
END

    $app->answer('stall');
    my $calls = $app->calls;

    $id++;
    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event(payload => qq({"team":{"id":$id}}))));
    wait_for(sub { $app->calls > $calls });
    $client->close;
    $app->answer('503');

    ok(wait_for(sub { stored($nginx, $id) }), 'stored');
}


# nginx goes on to watch a connection that an upstream was asked for, and tells
# the request that it can write whenever something comes.

sub events {
    plan skip_all => 'nginx has no threads' unless Clockodo::Nginx->threads;
    plan skip_all => 'strace cannot trace here' unless Clockodo::Trace->works;

    my $nginx = start(<<"END");
    location /hook {
        error_page 503 = \@later;
        $pass
    }
END

    $app->answer('503');
    $id++;

    my $slow = Clockodo::Trace->new($nginx->worker,
        trace => 'fdatasync', inject => 'fdatasync:delay_enter=30000000');

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post(event(payload => qq({"team":{"id":$id}}))));
    $slow->wait_for(qr/fdatasync\(/);

    for my $part ('G', "ET /status HTTP/1.1\r\nHost: localhost\r\n\r\n") {
        $client->send($part);

        my $other = Clockodo::Client->new($nginx->port);

        $other->send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
        is($other->reply->{status}, 200, 'nginx has seen it');
        ok($client->silent, 'no reply before it is on disk');
    }

    $slow->stop;

    is(judged($client->reply), '200 accepted/', 'reply');
    is($client->reply->{status}, 200, 'and to the next request');
    is(stored($nginx, $id), event_of($id), 'stored');
}


sub start {
    my ($locations) = @_;

    my $nginx = Clockodo::Nginx->start(server => $settings . $locations);

    $nginx->new_log;

    return $nginx;
}


sub send_new {
    my ($nginx, $uri) = @_;

    $id++;

    return send_again($nginx, $uri);
}


sub send_again {
    my ($nginx, $uri) = @_;

    return judged(deliver($nginx, $uri, payload => qq({"team":{"id":$id}})));
}


sub judged {
    my ($reply) = @_;

    return "$reply->{status} " . ($reply->{header}{'x-judged'} // '');
}


sub event_of {
    my ($id) = @_;

    return event(payload => qq({"team":{"id":$id}}),
                 token => '"**************"');
}


# The content of the file with this event, '' if there is none.

sub stored {
    my ($nginx, $id) = @_;

    my @files = grep { /"id":$id\}/ } map { contents($_) }
                glob $nginx->root . '/spool/new/*';

    return join '', @files;
}
