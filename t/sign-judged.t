# Nobody but this module signs: an application that gets no event, or one that
# was not accepted, gets no signature either, neither a client's nor that of
# another location.  What was accepted is signed by the location that judged it
# last, also where checks are only reported, and on an error page.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Peer;
use Clockodo::Signed;
use Test::More;

my $peer = Clockodo::Peer::start('http');

my $settings = <<"END";
    underscores_in_headers on;
    ignore_invalid_headers off;

    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_sign_key $keys[0];
    clockodo_company 1337;
    clockodo_events team.*;
    clockodo_secret_file off;
    clockodo_unknown_events forward;

    add_header X-Values "\$clockodo_webhook_id/\$clockodo_webhook_timestamp/\$clockodo_webhook_signature" always;

    set \$early "\$clockodo_webhook_signature";

    location /hook {
        proxy_pass http://unix:$peer;
    }

    location /report {
        clockodo_webhook report;
        proxy_pass http://unix:$peer;
    }

    location /authenticate {
        clockodo_webhook authenticate;
        clockodo_secret_file off forward;
        proxy_pass http://unix:$peer;
    }

    location /mark {
        clockodo_dedupe mark;
        proxy_pass http://unix:$peer;
    }

    location /drop {
        clockodo_dedupe drop;
        proxy_pass http://unix:$peer;
    }

    location /unsigned {
        clockodo_sign_key off;
        proxy_pass http://unix:$peer;
    }

    location /module-off {
        clockodo_webhook off;
        proxy_pass http://unix:$peer;
    }

    location /mine {
        proxy_set_header webhook-id mine;
        proxy_pass http://unix:$peer;
    }

    # nothing listens on port 1

    location /to {
        proxy_pass http://127.0.0.1:1;

        location /to/signed {
            clockodo_sign_key $keys[1];
            error_page 502 =200 /hook;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/masked {
            error_page 502 =200 \@masked;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/unsigned {
            error_page 502 =200 /unsigned;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/report {
            clockodo_company any;
            error_page 502 =200 /report;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/page {
            clockodo_company any;
            error_page 502 = /page;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/id {
            proxy_intercept_errors on;
            error_page 502 =200 /hook;
            proxy_pass http://unix:\$TEST_NGINX_SERVER_ROOT/html/ill.sock;
        }

        location /to/try {
            try_files /nothing /hook;
        }
    }

    location \@masked {
        clockodo_mask_token on;
        proxy_pass http://unix:$peer;
    }

    location /page {
        clockodo_webhook off;
        return 200 "page\\n";
    }
END

my $nginx = Clockodo::Nginx->start(server => $settings, http => <<'END');
    log_format id $http_webhook_id;

    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/html/ill.sock;
        access_log logs/ids.log id;
        return 502;
    }
END

my @three = qw(webhook-id webhook-timestamp webhook-signature);


# a client's headers, however spelled

my @spoofed = (map({ ($_, uc, ucfirst, tr/-/_/r, tr/-/./r, tr/-/~/r) } @three),
               'Webhook_Id', 'WEBHOOK.TIMESTAMP', 'webhook!signature');

my @others = qw(webhook webhook-ids webhook-id- x-webhook-id webhookid
                webhook--id webhook-signatures webhook-timestam
                svix-signature web-hook-id);

my @more = (map({ "$_: spoofed" } @spoofed), map { "$_: other" } @others);

for my $path ('/hook', '/report') {
    my $got = arrived($path, event(), @more);

    is(signed($got, $keys[0]), '', "$path: a client's headers are taken out");
    is_deeply([grep { /: other$/ } @{$got->{headers}}],
              [map { "$_: other" } map { tr/A-Za-z0-9/-/cr } @others],
              "$path: and others are not");
}

for (['a wrong token', event(token => '"wrong"')],
     ['another company', event(company_id => 1)],
     ['a filtered event', event(event_name => '"user.updated"',
                                payload => '{"user":{"id":1}}')],
     ['no JSON', 'x'],
     ['a handshake', '{"secret":"a"}'])
{
    my ($name, $body) = @$_;

    my $got = arrived('/report', $body, @more);

    is_deeply([map { @{$got->{$_} || []} } qw(id timestamp signature)], [],
              "report: $name has no signature, not even a client's");
    is($nginx->{values}, '//', 'and no values');
}

for (['another company', event(company_id => 1)],
     ['an unknown envelope', event(occurred_at => '"yesterday"')],
     ['a handshake', '{"secret":"a"}'])
{
    my ($name, $body) = @$_;

    my $got = arrived('/authenticate', $body, @more);

    is_deeply([map { @{$got->{$_} || []} } qw(id timestamp signature)], [],
              "authenticate: $name is forwarded, and not signed");
    is($nginx->{values}, '//', 'and no values');
}

is(signed(arrived('/authenticate', event(), @more), $keys[0]), '',
   'authenticate: an accepted event is signed');

for my $path ('/unsigned', '/module-off') {
    is_deeply([grep { /^webhook-(?:id|timestamp|signature): / }
               @{arrived($path, event(), map { "$_: client's" } @three)->{headers}}],
              [map { "$_: client's" } @three],
              "$path: headers are the client's");
}

# where checks are only reported

is(signed(arrived('/report', event()), $keys[0]), '',
   'report: an accepted event is signed');

# headers and variables agree

for my $path ('/hook', '/report') {
    my $got = arrived($path, event());

    is($nginx->{values}, join('/', map { $got->{$_}[0] }
                              qw(id timestamp signature)),
       "$path: variables are as the headers");
}

# what is refused is not signed

my $reply = deliver($nginx, '/hook', company_id => 1);

is($reply->{status}, 403, 'a rejected event');
is($reply->{header}{'x-values'}, '//', 'has no values');

# duplicates

for my $n (1, 2) {
    my $got = arrived('/mark', event());

    is(signed($got, $keys[0]), '', "mark: signed, delivery $n");
    is(scalar(grep { $_ eq 'x-clockodo-duplicate: 1' } @{$got->{headers}}),
       $n - 1, 'and marked if it is a duplicate');
}

is(signed(arrived('/drop', event()), $keys[0]), '', 'drop: signed');

$reply = deliver($nginx, '/drop');

is("$reply->{status} $reply->{header}{'x-values'}", '200 //',
   'but for a duplicate');

# another location judges again

is(signed(arrived('/to/signed', event()), $keys[0]), '',
   'the key is that of the last location');
is(signed(arrived('/to/try', event()), $keys[0]), '', 'try_files');

my $got = arrived('/to/masked', event());

is($got->{body}, event(token => '"**************"'), 'masked on the way');
is(signed($got, $keys[0]), '', 'and signed as it is now');

$got = arrived('/to/unsigned', event());

is(signed($got, $keys[0]), '0 of webhook-id', 'not signed in the last one');
is($nginx->{values}, '//', 'and no values');

$got = arrived('/to/report', event(company_id => 1));

is(signed($got, $keys[0]), '0 of webhook-id', 'rejected by the last one');
is((grep { /^x-clockodo-verdict/ } @{$got->{headers}})[0],
   'x-clockodo-verdict: rejected', 'which reports it');

$reply = deliver($nginx, '/to/page', company_id => 1);

like($reply->{header}{'x-values'},
     qr{^[0-9a-f]{64}/\d{10}/v1,[\w+/]{43}=$},
     'an error page where the module is off has the values');

# an id is the event's, also where another location sends it again

$got = arrived('/to/id', event(event_name => '"team.built"', payload => '{}'));

like($got->{id}[0], qr/^[0-9a-f]{64}-[0-9a-f]{16}\z/, 'an id of its own');
is(signed($got, $keys[0]), '', 'is signed');
is(wait_for(sub { $nginx->read('logs/ids.log') =~ s/\n\z//r }), $got->{id}[0],
   'and the one that another application was sent');

# what somebody says himself

$got = arrived('/mine', event());

is_deeply($got->{id}, ['mine'], 'proxy_set_header is in force');
is(@{$got->{signature}}, 1, 'beside the rest');

# a key that goes at a reload

$nginx->reload(server => $settings =~ s/clockodo_sign_key (?!off).*//gr);

is(signed(arrived('/hook', event()), $keys[0]), '0 of webhook-id',
   'no key after a reload');

$nginx->reload(server => $settings =~ s/\Q$keys[0]/$keys[2]/gr);

is(signed(arrived('/hook', event()), $keys[2]), '', 'another one after it');

unlike($nginx->log, qr/whsec_|\[(?:alert|crit|emerg)\]/,
       'nothing of it in the log');

done_testing;


# What the application got.

sub arrived {
    my ($path, $body, @headers) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send(post($body, @headers) =~ s{/hook}{$path}r);

    my $reply = $client->reply;

    $nginx->{values} = $reply->{header}{'x-values'};

    return got($reply->{body});
}
