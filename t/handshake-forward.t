# A handshake that is forwarded: the application answers it, and tells by a
# header what it is; where there is a file, its secret was recorded before.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Application;
use Clockodo::Client;
use Clockodo::Config;
use Clockodo::Nginx;
use Clockodo::Peer;
use File::Temp qw(tempdir);
use Test::More;


my $peer = Clockodo::Peer::start('http');
my $app = Clockodo::Application->start;

my $nginx = Clockodo::Nginx->start(http => <<'END', server => <<"END");
    log_format verdict '$uri $clockodo_verdict/$clockodo_reason';
    access_log logs/verdict.log verdict;
END
    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;

    location /file {
        clockodo_secret_file logs/secrets forward;
        proxy_pass http://unix:$peer;
    }
    location /no-file {
        clockodo_secret_file off forward;
        proxy_pass http://unix:$peer;
    }
    location /authenticate {
        clockodo_webhook authenticate;
        clockodo_secret_file off forward;
        proxy_pass http://unix:$peer;
    }
    location /report {
        clockodo_webhook report;
        clockodo_secret_file logs/secrets forward;
        proxy_pass http://unix:$peer;
    }
    location /app {
        clockodo_secret_file logs/secrets forward;
        proxy_pass http://unix:@{[ $app->path ]};
    }
    location /gone {
        clockodo_secret_file logs/gone forward;
        proxy_pass http://unix:$peer;
    }

    location /page/file {
        clockodo_secret_file logs/secrets forward;
        error_page 502 = /file;
        proxy_pass http://unix:/nonexistent;
    }
    location /page/same {
        clockodo_secret_file logs/secrets forward;
        error_page 502 = /no-file;
        proxy_pass http://unix:/nonexistent;
    }
    location /page/recorded {
        clockodo_secret_file logs/secrets forward;
        error_page 502 = /refuses;
        proxy_pass http://unix:/nonexistent;
    }
    location /page/refuses {
        clockodo_secret_file off forward;
        error_page 502 = /refuses;
        proxy_pass http://unix:/nonexistent;
    }
    location = /refuses { proxy_pass http://unix:$peer; }
END

my $n = 0;


subtest 'forwarded' => sub {
    for my $uri ('/file', '/no-file', '/authenticate') {
        my ($status, $got, $secret, $recorded) = send_handshake($uri);

        is($status, 200, $uri);
        is_deeply(ours($got), ['X-Clockodo-Verdict: handshake'],
                  'one header, and none that was forged');
        like($got, qr/\r\n\r\n\{"secret":"\Q$secret\E","more":1\}\z/,
             'the body, as it is');
        like($got, qr{^Content-Type: application/json\r$}m, 'its type');
        is($recorded, $uri eq '/file' ? 1 : 0, 'recorded or not');
        verdict($uri, 'handshake/-');
    }
};


subtest 'recorded first' => sub {
    $app->answer('stall');

    my $calls = $app->calls;
    my $client = Clockodo::Client->new($nginx->port);

    $client->send(handshake('/app', 'secret-first'));
    wait_for(sub { $app->calls > $calls });
    is(recorded('secret-first'), 1, 'before the application has it');

    $app->answer('404');
    is($client->reply->{status}, 404, 'whose answer is the reply');

    $app->answer('500');
    is((send_handshake('/app'))[0], 500, 'whatever it is');
    is((send_handshake('/app'))[3], 1, 'recorded all the same');
};


subtest 'not recorded' => sub {
    unlink $nginx->root . '/logs/gone' or die "unlink: $!\n";

    my ($status, $got) = send_handshake('/gone');

    is($status, 500, 'a record that fails');
    unlike($got, qr/^POST/, 'goes no further');
    verdict('/gone', 'rejected/handshake');
};


subtest 'error pages' => sub {
    for (['/page/file', '/file', 1], ['/page/same', '/no-file', 1]) {
        my ($uri, $page, $times) = @$_;
        my ($status, $got, $secret, $recorded) = send_handshake($uri);

        is($status, 200, $uri);
        is_deeply(ours($got), ['X-Clockodo-Verdict: handshake'],
                  'it stays one');
        is($recorded, $times, 'recorded once');
        verdict($page, 'handshake/-');
    }

    is_deeply([(send_handshake('/page/recorded'))[0, 1, 3]], [200, '', 1],
              'recorded: enough where it is not forwarded');

    my ($status, $got) = send_handshake('/page/refuses');

    is($status, 503, 'neither recorded nor taken');
    unlike($got, qr/^POST/, 'goes no further');
};


subtest 'report' => sub {
    my ($status, $got, $secret, $recorded) = send_handshake('/report');

    is($status, 200, 'forwarded');
    is_deeply(ours($got), ['X-Clockodo-Verdict: handshake'], 'the verdict');
    is($recorded, 0, 'no file is written');
};


subtest 'others' => sub {
    my $got = deliver($nginx, '/file')->{body};

    is_deeply(ours($got), [event_headers() =~ /^(.*?)\r$/mg], 'an event');

    my ($status) = send_handshake('/file', '{"secret":"not one"}');

    is($status, 400, 'a secret that is none');
};


subtest 'nginx -t' => sub {
    my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    mkdir "$dir/conf" or die "mkdir: $!\n";

    for ("$dir/secrets forward", 'off forward') {
        my ($rc, $said) = nginx_t($dir, <<"END");
    server {
        location /hook {
            clockodo_webhook on;
            clockodo_token a-token;
            clockodo_secret_file $_;
            clockodo_redis_pass 127.0.0.1:6379;
        }
    }
END

        isnt($rc, 0, "$_: not with Redis");
        like($said, qr/forward.*"clockodo_redis_pass"/, 'by name');
    }

    my ($rc, $said) = nginx_t($dir, 'clockodo_secret_file off forwards;');

    isnt($rc, 0, 'another parameter');
    like($said, qr/"forwards" .*"clockodo_secret_file"/, 'by name');
};

done_testing;


sub handshake {
    my ($uri, $secret, $body) = @_;

    $body //= qq({"secret":"$secret","more":1});

    return post($body, 'X-Clockodo-Event: forged',
                'X-Clockodo-Verdict: forged') =~ s{/hook}{$uri}r;
}


# The status, what has reached the application, the secret, and how often it is
# in the file.

sub send_handshake {
    my ($uri, $body) = @_;

    my $secret = 'secret-' . ++$n;
    my $client = Clockodo::Client->new($nginx->port);

    $client->send(handshake($uri, $secret, $body));

    my $reply = $client->reply;

    return $reply->{status}, $reply->{body}, $secret, recorded($secret);
}


sub recorded {
    my ($secret) = @_;

    return scalar(() = $nginx->read('logs/secrets') =~ / \Q$secret\E\n/g);
}


sub ours {
    return [$_[0] =~ /^(x[-_]clockodo.*?)\r$/mgi];
}


# What the access log says last: a line comes a little after the reply.

sub verdict {
    my ($uri, $verdict) = @_;

    my $last;

    eval {
        wait_for(sub {
            ($last) = $nginx->read('logs/verdict.log') =~ /^(.*)\n\z/m;
            ($last // '') eq "$uri $verdict";
        });
    };

    is($last, "$uri $verdict", "verdict: $verdict");
}
