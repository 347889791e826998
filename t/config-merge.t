# Settings are inherited as nginx's users expect: from http to server to
# location to nested location, each by itself, and a list as a whole.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use File::Temp;
use POSIX qw(strftime);
use Test::Nginx::Socket 'no_plan';


my $tokens = File::Temp->new;   # mode 0600
print $tokens "server\nserver-2\n";
$tokens->flush;

$ENV{TEST_NGINX_TOKENS} = $tokens->filename;


# Four sets of settings, each as it is written and as it works: it differs
# from the others in every setting, "off", "any" and "*" among them.

my %sets = (
    http => {
        config => '
            clockodo_token http;
            clockodo_token http-2;
            clockodo_events team.* user.updated;
            clockodo_company 1 2;
            clockodo_unknown_events forward;
            clockodo_max_age 2h;
            clockodo_max_body_size 300;
            clockodo_mask_token on;
            clockodo_secret_file html/http.secrets;',

        tokens    => [qw(http http-2)],
        events    => [qw(team.created user.updated)],
        companies => [1, 2],
        unknown   => 'accepted/',
        age       => 2,
        size      => 300,
        masked    => 1,
        secrets   => 'http.secrets',
    },

    server => {
        config => '
            clockodo_token_file $TEST_NGINX_TOKENS;
            clockodo_events entry.*;
            clockodo_company 3;
            clockodo_unknown_events ignore;
            clockodo_max_age off;
            clockodo_max_body_size 400;
            clockodo_mask_token off;
            clockodo_secret_file off;',

        tokens    => [qw(server server-2)],
        events    => [qw(entry.created)],
        companies => [3],
        unknown   => 'filtered/',
        size      => 400,
    },

    location => {
        config => '
            clockodo_token location;
            clockodo_events service.created;
            clockodo_company 4;
            clockodo_unknown_events reject;
            clockodo_max_age 1h;
            clockodo_max_body_size 500;
            clockodo_mask_token on;
            clockodo_secret_file html/location.secrets;',

        tokens    => [qw(location)],
        events    => [qw(service.created)],
        companies => [4],
        unknown   => 'rejected/unknown_event',
        age       => 1,
        size      => 500,
        masked    => 1,
        secrets   => 'location.secrets',
    },

    nested => {
        config => '
            clockodo_token nested;
            clockodo_events *;
            clockodo_company any;
            clockodo_unknown_events forward;
            clockodo_max_age off;
            clockodo_max_body_size 600;
            clockodo_mask_token off;
            clockodo_secret_file off;',

        tokens    => [qw(nested)],
        events    => [qw(team.created user.updated entry.created
                         service.created service.deleted)],
        companies => [1 .. 4],
        unknown   => 'accepted/',
        size      => 600,
    },
);


# the places where they stand, and the set that has to be in force

my $places = <<'END';
    server {
        listen $TEST_NGINX_SERVER_PORT;
        server_name of-http;

        location / {
            proxy_pass http://app;

            location /nested/ {
                proxy_pass http://app;
                NESTED
            }
        }

        location /location/ {
            proxy_pass http://app;
            LOCATION

            location /location/inherited/ {
                proxy_pass http://app;
            }

            location /location/nested/ {
                proxy_pass http://app;
                NESTED
            }
        }
    }

    server {
        listen $TEST_NGINX_SERVER_PORT;
        server_name of-server;

        SERVER

        location / {
            proxy_pass http://app;

            location /nested/inherited/ {
                proxy_pass http://app;
            }
        }

        location /location/ {
            proxy_pass http://app;
            LOCATION
        }

        location /if/ {
            if ($args) {
                set $unused 1;
                proxy_pass http://app;
            }

            proxy_pass http://nowhere;
            LOCATION
        }

        location /limit_except/ {
            limit_except GET {
                allow all;
            }

            proxy_pass http://app;
            LOCATION
        }
    }

    upstream nowhere {
        server 127.0.0.1:1 down;
    }
END

my @places = (
    ['of-http',   '/',                    'http'],
    ['of-http',   '/nested/',             'nested'],
    ['of-http',   '/location/',           'location'],
    ['of-http',   '/location/inherited/', 'location'],
    ['of-http',   '/location/nested/',    'nested'],
    ['of-server', '/',                    'server'],
    ['of-server', '/nested/inherited/',   'server'],
    ['of-server', '/location/',           'location'],
    ['of-server', '/if/?x',               'location'],
    ['of-server', '/limit_except/',       'location'],
);


my $result = <<'END';
    add_header X-Result "$clockodo_verdict/$clockodo_reason" always;
    proxy_hide_header X-Result;
END

my $inherited = join "\n", app(), $result, 'clockodo_webhook on;',
                           $sets{http}{config}, $places;

$inherited =~ s/^ +([A-Z]+)$/$sets{lc $1}{config}/mg;

my %recorded;   # the secrets of a file

my @inherited = (
    { name => 'inherited', http_config => $inherited, config => '',
      request => 'GET /', error_code => 405 },

    map { place(@$_) } @places
);


# clockodo_webhook, and what stands nowhere

my $webhook = app() . $result . <<'END';
    server {
        listen $TEST_NGINX_SERVER_PORT;
        server_name off;

        clockodo_token 1;

        location / {
            proxy_pass http://app;

            location /on/ {
                proxy_pass http://app;
                clockodo_webhook on;

                location /on/on/ {
                    proxy_pass http://app;
                }

                location /on/off/ {
                    proxy_pass http://app;
                    clockodo_webhook off;
                }
            }
        }

        location /report/ {
            proxy_pass http://app;
            clockodo_webhook report;

            location /report/on/ {
                proxy_pass http://app;
                clockodo_webhook on;
            }
        }
    }

    server {
        listen $TEST_NGINX_SERVER_PORT;
        server_name report;

        clockodo_token 1;
        clockodo_webhook report;

        location / {
            proxy_pass http://app;
        }

        location /on/ {
            proxy_pass http://app;
            clockodo_webhook on;
        }

        location /off/ {
            proxy_pass http://app;
            clockodo_webhook off;
        }
    }

    server {
        listen $TEST_NGINX_SERVER_PORT;
        server_name bare;

        clockodo_webhook on;
    }

    server {
        listen $TEST_NGINX_SERVER_PORT;
        server_name bare-report;

        clockodo_webhook report;
    }

    server {
        listen $TEST_NGINX_SERVER_PORT;
        server_name return;

        clockodo_webhook on;
        return 204;
    }
END

my @webhook = (
    { name => 'webhook', http_config => $webhook, config => '',
      request => 'GET /' },

    ( map { webhook('off',    $_, 'off') }    '/', '/on/off/' ),
    ( map { webhook('off',    $_, 'on') }     '/on/', '/on/on/',
                                              '/report/on/' ),
    ( map { webhook('off',    $_, 'report') } '/report/' ),
    ( map { webhook('report', $_, 'report') } '/' ),
    ( map { webhook('report', $_, 'on') }     '/on/' ),
    ( map { webhook('report', $_, 'off') }    '/off/' ),

    # without locations there may be no token: then nothing matches

    ( map { request('bare', '/', event(token => $_), 'rejected/token') }
          '"My_Sup3r_T0k3n"', '""', 1, undef ),

    request('bare', '/', '{"secret":"s"}', 'rejected/handshake'),
    request('bare-report', '/', event(), 'rejected/token', error_code => 405),

    # nginx returns before a module like ours runs

    request('return', '/', event(), '/', error_code => 204),

    # defaults

    ( map { request('off', '/on/', event(token => '"1"', @$_), 'accepted/') }
          [], [occurred_at => '"2999-12-31T23:59:59Z"'],
          [company_id => '9007199254740991'],
          [event_name => '"entry.deleted"', payload => '{"entry":{"id":1}}'],
    ),

    request('off', '/on/', event(token => '"1"', event_name => '"team.moved"'),
            'accepted/'),
    request('off', '/on/', '{"secret":"s"}', 'rejected/handshake'),
    request('off', '/on/', sized(16384, token => '"1"'), 'accepted/'),
    request('off', '/on/', sized(16385, token => '"1"'),
            'rejected/body_too_large'),
    request('off', '/on/', event(token => '"1"'), 'accepted/',
            response_body_like => qr/^body=.*"token":"1"/m),
);


run_table(@webhook, @inherited);

for my $name ('http.secrets', 'location.secrets') {
    open my $file, '<', html_dir() . "/$name" or die "$name: $!";

    is(join(' ', map { (split)[2] } <$file>), "@{$recorded{$name}}", $name);
}


# requests that show which settings a place has

sub place {
    my ($host, $path, $name) = @_;

    my $set = $sets{$name};

    my $probe = sub {
        my ($expected, @change) = @_;

        return request($host, $path, event(passing($set), @change), $expected);
    };

    my $age = $set->{age} || 1e9;
    my $token = $set->{tokens}[0];

    $token = '*' x length $token if $set->{masked};

    return (

        ( map { $probe->(one_of($_, $set->{tokens}, 'rejected/token'),
                         token => qq("$_")) }
              map { @{$_->{tokens}} } values %sets ),

        ( map { $probe->(one_of($_, $set->{events}, 'filtered/'), named($_)) }
              qw(team.created user.updated entry.created service.created
                 service.deleted) ),

        ( map { $probe->(one_of($_, $set->{companies}, 'rejected/company'),
                         company_id => $_) } 1 .. 4 ),

        $probe->($set->{unknown}, named($set->{events}[0] =~ s/\..*/.sent/r)),

        ( map { $probe->($_ < $age ? 'accepted/' : 'rejected/stale',
                         occurred_at => hours_ago($_)) }
              0.5, 1.5, 2.5, 24 * 365 ),

        request($host, $path, sized($set->{size}, passing($set)), 'accepted/',
                response_body_like => qr/^body=.*"token":"\Q$token\E"/m),
        request($host, $path, sized($set->{size} + 1, passing($set)),
                'rejected/body_too_large'),

        handshake($host, $path, $set->{secrets}),
    );
}


sub handshake {
    my ($host, $path, $file) = @_;

    our $handshakes;
    my $secret = 'secret-' . ++$handshakes;

    push @{$recorded{$file}}, $secret if $file;

    return request($host, $path, qq({"secret":"$secret"}),
                   $file ? 'handshake/' : 'rejected/handshake');
}


# a good event and a bad one, at a place where the module is on, off, or only
# reports

sub webhook {
    my ($host, $path, $mode) = @_;

    my $send = sub {
        my ($token, $result, $seen, @more) = @_;

        return request($host, $path, event(token => $token), $result,
                       $seen ? (response_body_like => qr/^$seen$/m) : (),
                       @more);
    };

    return $mode eq 'off'
           ? ($send->('"1"', '/', 'event='),
              $send->('"2"', '/', 'event='))

           : $mode eq 'on'
           ? ($send->('"1"', 'accepted/', 'event=team.updated'),
              $send->('"2"', 'rejected/token'))

           : ($send->('"1"', 'accepted/', 'verdict=accepted'),
              $send->('"2"', 'rejected/token', 'reason=token',
                      error_code => 200));
}


sub request {
    my ($host, $path, $body, $result, %more) = @_;

    my %status = (token => 403, company => 403, handshake => 403,
                  body_too_large => 413);

    my ($verdict, $reason) = split '/', $result;

    my @values = $body =~ /(?:company_id|at|name|token|secret)":([^,}]+)/g;

    return {
        name             => "$host$path: $result @values",
        request          => "POST $path\n$body",
        more_headers     => "Host: $host\nContent-Type: application/json",
        error_code       => $reason ? $status{$reason} || 400 : 200,
        response_headers => "X-Result: $result",
        %more
    };
}


# an event that passes with these settings

sub passing {
    my ($set) = @_;

    return (token       => qq("$set->{tokens}[0]"),
            company_id  => $set->{companies}[0],
            occurred_at => hours_ago(0),
            named($set->{events}[0]));
}


sub named {
    my ($name) = @_;

    my ($entity) = split /\./, $name;

    return (event_name => qq("$name"), payload => qq({"$entity":{"id":1}}));
}


sub hours_ago {
    my ($hours) = @_;

    return strftime('"%Y-%m-%dT%H:%M:%SZ"', gmtime(time - 3600 * $hours));
}


sub sized {
    my ($size, @change) = @_;

    my $length = length event(@change, pad => '""');

    return event(@change, pad => '"' . 'x' x ($size - $length) . '"');
}


sub one_of {
    my ($value, $values, $otherwise) = @_;

    return (grep { $_ eq $value } @$values) ? 'accepted/' : $otherwise;
}
