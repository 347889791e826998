# Every file of examples/ is one that nginx takes as it is, but for addresses
# and folders, and does what its first lines say.  nginx.conf is not among
# them: "make run" starts it.  So does the snippet of Debian's package, in
# locations that differ.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx qw(:DEFAULT save);
use Clockodo::Peer;
use Clockodo::Signed;
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Test::More;


my %tests = (
    'behind-proxy'      => \&behind_proxy,
    'fastcgi-php'       => \&fastcgi_php,
    'grpc'              => \&grpc,
    'json-errors'       => \&json_errors,
    'json-log'          => \&json_log,
    'one-webhook'       => \&one_webhook,
    'prometheus'        => \&prometheus,
    'rate-limit'        => \&rate_limit,
    'report-first'      => \&report_first,
    'route-by-entity'   => \&route_by_entity,
    'several-companies' => \&several_companies,
    'signed'            => \&signed_events,
    'some-events'       => \&some_events,
    'spool'             => \&spool,
    'spool-fallback'    => \&spool_fallback,
    'status-page'       => \&status_page,
    'token-file'        => \&token_file,
    'token-rotation'    => \&token_rotation,
);

my %port;
@port{8080, 9145} = free_ports($ENV{TEST_NGINX_PORT});

my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;

my $fastcgi = Clockodo::Peer::start('fastcgi');
my $nginx;

# calls from elsewhere come by this header: see start()

my $stranger = 'X-Forwarded-For: 198.51.100.1';

# applications, that say which one they are and what they got

my $applications = join '', map { <<"END" } '3000', '3001', '3002', '50051';
    server {
        listen unix:$dir/$_.sock @{[ $_ == 50051 ? 'http2' : '' ]};
        access_log off;
        location / {
            return 200 "$_ \$http_x_clockodo_event \$http_x_clockodo_verdict";
        }
    }
END


is_deeply([sort map { m{/(.*)\.conf$} } glob 'examples/*.conf'],
          [sort 'nginx', keys %tests], 'there is a test of each');

for my $name (sort keys %tests) {
    subtest "$name.conf" => sub {
        start($name);
        $tests{$name}->();
        undef $nginx;
    };
}

subtest 'the snippet' => sub {
    my $include = load('debian/snippets/clockodo.conf');

    start('', <<"END");
    server {
        listen 8080;

        location = /clockodo {
            $include
            clockodo_secret_file /var/log/nginx/clockodo.secrets;
            proxy_pass http://127.0.0.1:3000;
        }

        location = /another {
            $include
            clockodo_secret_file off;
            clockodo_events entry.*;
            clockodo_log_level warn;
            proxy_pass http://127.0.0.1:3001;
        }
    }
END

    my @event = (event(token => '"of-the-file"'));

    is(send_body(@event), '200 3000 team.updated ', 'an event');
    is(send_body(@event, '/another'), '200 ', 'one that goes no further');
    is(send_event(), '403', 'a wrong token');
    is(send_body('{"secret":"a-secret"}'), '200 ', 'a handshake');
    is(send_body('{"secret":"a-secret"}', '/another'), '403', 'another');
    like(load("$dir/logs/clockodo.secrets"), qr/^\S+ \S+ a-secret\n\z/,
         'recorded once');
    undef $nginx;
};

done_testing;


sub one_webhook {
    is(send_event(), '200 3000 team.updated ', 'an event');
    is(send_event(token => '"wrong"'), '403', 'a wrong token');
    is(send_body('{"secret":"a-secret"}'), '200 ', 'a handshake');
    like(load("$dir/logs/clockodo.secrets"), qr/ 127\.0\.0\.1 a-secret\n\z/,
         'recorded');
}


sub token_rotation {
    my @tokens = (['example-token-of-two', 42, 200],
                  ['example-token-of-two', 43, 200],
                  ['example-token-of-two', 44, 403],
                  ['example-token-old',    44, 200],
                  ['example-token-new',    44, 200],
                  ['example-token-new',    42, 403]);

    for (@tokens) {
        my ($token, $subscription, $status) = @$_;

        like(send_event(token => qq("$token"),
                        subscription_id => $subscription),
             qr/^$status\b/, "$token of $subscription");
    }

    like(get('/clockodo-status.json', $port{8080}, $stranger), qr/403 Forbidden/,
         'the status is not for strangers');

    my ($tokens) = get('/clockodo-status.json') =~ /"tokens":\{(.*?)\}/;

    is(() = $tokens =~ /"\d":\d+/g, 3,
       'the status tells when each was used');

    my $conf = $nginx->{arg}{http};

    ok($conf =~ s/^.*example-token-old.*\n//m, 'step 4');
    $nginx->reload(http => $conf);

    is(send_event(token => '"example-token-old"', subscription_id => 44),
       '403', 'the old token');
    like(send_event(token => '"example-token-new"', subscription_id => 44),
         qr/^200 3000/, 'the new one');
}


sub token_file {
    is(send_event(token => '"of-the-file"'), '200 3000 team.updated ',
       'a token of the file');
    is(send_event(), '403', 'another one');
}


sub several_companies {
    my @calls = (['one', 'example-token-one', 1337, '200 3000 team.updated '],
                 ['two', 'example-token-two', 2001, '200 3001 team.updated '],
                 ['two', 'example-token-two', 2002, '200 3001 team.updated '],
                 ['two', 'example-token-two', 1337, '403'],
                 ['two', 'example-token-one', 2001, '403'],
                 ['one', 'example-token-one', 2001, '403']);

    for (@calls) {
        my ($path, $token, $company, $answer) = @$_;

        is(send_body(event(token => qq("$token"), company_id => $company),
                     "/clockodo/$path"),
           $answer, "$token of $company to $path");
    }
}


sub signed_events {
    like(send_event(), qr/^200 3000 team\.updated /, 'an event');

    # as the application gets it

    my $peer = Clockodo::Peer::start('http');
    my $conf = $nginx->{arg}{http} =~ s{unix:$dir/3000\.sock;}{unix:$peer;}r;

    $nginx->reload(http => $conf);

    my $got = got(send_event() =~ s/^200 //r);

    is($got->{body}, event(token => '"*************"'), 'without its token');
    is(signed($got, $keys[0]), '', 'and signed');
    is(send_event(token => '"wrong"'), '403', 'a wrong token');
}


sub some_events {
    is(send_event(named('entry.created')), '200 3000 entry.created ',
       'a time entry');
    is(send_event(named('team.deleted')), '200 3000 team.deleted ',
       'what is deleted');
    is(send_event(), '200 ', 'another event');
    is(send_event(named('robot.invented')), '200 ', 'an unknown one');
    is(send_event(named('entry.invented')), '200 3000 entry.invented ',
       'an unknown one of entries');
}


sub route_by_entity {
    is(send_event(named('entry.created')), '200 3000 entry.created ', 'entry');
    is(send_event(named('absence.approved')), '200 3001 absence.approved ',
       'absence');
    is(send_event(), '200 3002 team.updated ', 'the rest');
}


sub json_log {
    send_event();
    send_event(token => '"wrong"');

    my @lines = split /\n/, wait_for(sub {
        my $log = load("$dir/logs/clockodo.log");
        $log =~ tr/\n// == 2 ? $log : '';
    });

    like($lines[0], qr/"status":"200","verdict":"accepted","reason":""
                       ,"event":"team\.updated","entity_id":"9001"
                       ,"subscription_id":"42","company_id":"1337"/x,
         'an event');
    like($lines[1], qr/"status":"403","verdict":"rejected","reason":"token"
                       ,"event":""/x, 'a refusal');
    is(decode_json($_)->{client}, '127.0.0.1', 'JSON') for @lines;
    like($lines[0], qr/"key":"\w{64}","upstream":"200","upstream_time":"\d/,
         'what the application did');
    unlike("@lines", qr/example-token|wrong/, 'no token');
    like(load("$dir/logs/clockodo-errors.log"),
         qr/\[error\] .* rejected \(token\)/, 'the error log');
}


sub behind_proxy {
    my @from = map { "X-Forwarded-For: $_" }
               '203.0.113.7', '198.51.100.1, 203.0.113.7',
               '203.0.113.7, 198.51.100.1', '203.0.113.7, 127.0.0.1';

    is(send_event([$from[0]]), '200 3000 team.updated ', 'an event');
    is(send_event([$from[1]]), '200 3000 team.updated ',
       'what the client claims itself does not matter');
    is(send_event([$from[2]]), '403', 'another address');
    is(send_event([$from[3]]), '200 3000 team.updated ', 'two proxies');
    is(send_event(), '403', 'the proxy itself');
    is(send_body('{"secret":"a-secret"}', '/clockodo', $from[0]), '200 ',
       'a handshake');
    like(load("$dir/logs/clockodo.secrets"),
         qr/ 203\.0\.113\.7 a-secret\n\z/, 'its address');
}


sub rate_limit {
    my $passed = 0;
    my $got;

    $passed++ while ($got = send_event()) eq '200 3000 team.updated '
                    && $passed < 10_000;

    cmp_ok($passed, '>=', 201, 'the burst passes');
    is($got, '429', 'a flood does not');
    is(send_event([$stranger]), '403', 'another address');
}


sub json_errors {
    is(send_event(), '200 3000 team.updated ', 'an event');
    is(send_event(token => '"wrong"'), '403 {"status":403}', 'a 403');
    is(send_body('{'), '400 {"status":400}', 'a 400');
    is(get('/clockodo'), '{"status":405}', 'a 405');
}


sub fastcgi_php {
    my $body = event(token => '"example-token"');

    is(send_body($body), <<"END" . "\n$body", 'headers and body');
200 HTTP_X_CLOCKODO_EVENT=team.updated
HTTP_X_CLOCKODO_ENTITY=team
HTTP_X_CLOCKODO_ACTION=updated
HTTP_X_CLOCKODO_ENTITY_ID=9001
HTTP_X_CLOCKODO_SUBSCRIPTION_ID=42
HTTP_X_CLOCKODO_COMPANY_ID=1337
HTTP_X_CLOCKODO_OCCURRED_AT=1986-05-10T17:02:00Z
HTTP_X_CLOCKODO_IDEMPOTENCY_KEY=@{[ event_headers() =~ /Key: (\w+)/ ]}
END
}


sub grpc {
    is(send_event(), '200 50051 team.updated ', 'an event, by HTTP/2');
    is(send_event(token => '"wrong"'), '403', 'a wrong token');
}


sub report_first {
    is(send_event(), '200 3000 team.updated accepted', 'an event');
    is(send_event(token => '"wrong"'), '200 3000  rejected', 'a wrong token');
    like(load("$dir/logs/clockodo-errors.log"), qr/\(token\)/,
         'the error log');
}


sub spool {
    is(send_event(), '200 ', 'an event') for 1, 2;
    is(waiting(), event(token => '"*************"'), 'waits in the spool');
}


sub spool_fallback {
    is(send_event(), '200 3000 team.updated ', 'an event');
    is(waiting(), '', 'is not kept');

    my $conf = $nginx->{arg}{http};

    ok($conf =~ s{(proxy_pass .*)3000\.sock}{$1none.sock}, 'it stops');
    $nginx->reload(http => $conf);

    is(send_event(), '200 ', 'an event');
    is(waiting(), event(token => '"*************"'), 'waits in the spool');
}


# All that is in the spool.

sub waiting {
    return join '', map { load($_) } glob "$dir/spool/clockodo/new/*";
}


sub status_page {
    is(send_event(), '200 3000 team.updated ', 'an event');
    like(get('/clockodo-status.html'), qr/^<!doctype html>/i, 'the page');
    like(get('/clockodo-status.json'), qr/"accepted":1,/, 'its JSON');

    for my $file ('clockodo-status.html', 'clockodo-status.json') {
        like(get("/$file", $port{8080}, 'X-Forwarded-For: 192.168.1.2'),
             qr/accepted/, "$file, from the local network");
        like(get("/$file", $port{8080}, $stranger), qr/403 Forbidden/,
             "$file, from elsewhere");
    }

    is(send_event([$stranger]), '200 3000 team.updated ',
       'an event, from elsewhere');
}


sub prometheus {
    is(send_event(), '200 3000 team.updated ', 'an event');
    like(get('/metrics', $port{9145}),
         qr/^clockodo_requests_total\{.*verdict="accepted"\} 1$/m, 'metrics');
}


# Starts nginx with a file of examples/, or with another text.

sub start {
    my ($name, $conf) = @_;

    remove_tree(glob "$dir/*");
    make_path("$dir/html", "$dir/logs", "$dir/spool");
    save("$dir/clockodo.tokens", "# a comment\nof-the-file\n");
    save("$dir/clockodo.keys", "# a comment\n$keys[0]\n");
    chmod 0600, "$dir/clockodo.tokens", "$dir/clockodo.keys";
    copy('html/clockodo-status.html', "$dir/html") or die "copy: $!\n";
    chmod 0755, "$dir/html";
    chmod 0644, "$dir/html/clockodo-status.html";

    $conf //= load("examples/$name.conf");

    $conf =~ s{listen 8080;}{listen 127.0.0.1:$port{8080};}g;
    $conf =~ s{listen 127\.0\.0\.1:9145;}{listen 127.0.0.1:$port{9145};}g;
    $conf =~ s{127\.0\.0\.1:(300\d|50051)\b}{unix:$dir/$1.sock}g;
    $conf =~ s{unix:/run/php/php-fpm\.sock}{unix:$fastcgi}g;
    $conf =~ s{/etc/nginx/(?=clockodo)}{$dir/}g;
    $conf =~ s{/var/log/nginx/}{$dir/logs/}g;
    $conf =~ s{/usr/share/nginx/html}{$dir/html}g;
    $conf =~ s{/var/spool/}{$dir/spool/}g;

    # whom a call comes from; behind-proxy.conf says so itself

    my $realip = $name eq 'behind-proxy' ? '' : <<'END';
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
END

    $nginx = Clockodo::Nginx->start(http => $realip . $applications . $conf,
                                    server => '');

    my $test = join ' ', $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx', '-t',
                    '-p', $nginx->root . '/', '-c', $nginx->root . '/nginx.conf';

    # of http2 at "listen", which is a test's own, and of tokens that are to be
    # replaced

    my $meant = qr/"listen \.\.\. http2"|like a placeholder/;
    my $said = join '', grep { !/$meant/ } `$test 2>&1`;

    is($?, 0, 'nginx -t');
    unlike($said, qr/\[/, 'with nothing to complain about');
}


sub named {
    my ($name) = @_;
    my ($entity) = split /\./, $name;

    return (event_name => qq("$name"), payload => qq({"$entity":{"id":1}}));
}


# An event with the token that most files have: "200 body" or "403".

sub send_event {
    my @headers = ref $_[0] ? @{shift()} : ();

    return send_body(event(token => '"example-token"', @_), '/clockodo',
                     @headers);
}


# The body of a refusal is shown if it is none of nginx's own pages.

sub send_body {
    my ($body, $path, @headers) = @_;

    my $request = post($body, @headers) =~ s{/hook}{$path // '/clockodo'}er;
    my $client = Clockodo::Client->new($port{8080});

    $client->send($request);

    my $reply = $client->reply;

    return $reply->{body} =~ own_page() ? $reply->{status}
           : "$reply->{status} $reply->{body}";
}


sub get {
    my ($path, $port, @headers) = @_;

    my $client = Clockodo::Client->new($port || $port{8080});

    $client->send(join "\r\n", "GET $path HTTP/1.1", 'Host: localhost',
                  @headers, '', '');

    return $client->reply->{body};
}


# Those that are kept free for this test, beside the one of its nginx.

sub free_ports {
    my ($port) = @_;

    return ($port + 1, $port + 2) if $port;

    my @listeners = map { IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                                Listen => 1) } 1, 2;

    return map { $_->sockport } @listeners;
}


sub load {
    my ($file) = @_;

    open my $in, '<', $file or return '';
    local $/;

    return scalar <$in> // '';
}
