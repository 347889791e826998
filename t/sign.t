# With a key an application can check where an event comes from: what reaches it
# is signed as Standard Webhooks says, byte by byte as it goes upstream,
# wherever nginx has put the body, whoever sends it and however it is passed on.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Clockodo::Peer;
use Clockodo::Signed;
use File::Temp;
use Test::More;

my %peer = map { $_ => Clockodo::Peer::start($_) }
           qw(http fastcgi scgi uwsgi);

my $file = File::Temp->new;   # mode 0600
print $file "\xef\xbb\xbf# two keys\r\n$keys[1]\r\n\r\n\t $keys[3] ";
$file->flush;

my $by_variables = join "\n", map { my $name = uc;
    "fastcgi_param HTTP_WEBHOOK_$name \$clockodo_webhook_$_;" }
    qw(id timestamp signature);

my $nginx = Clockodo::Nginx->start(http => <<"END", server => <<"END");
    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/html/grpc.sock http2;

        location / {
            proxy_pass http://unix:$peer{http};
        }
    }
END
    listen unix:\$TEST_NGINX_SERVER_ROOT/html/http2.sock http2;

    clockodo_webhook on;
    clockodo_token My_Sup3r_T0k3n;
    clockodo_unknown_events forward;
    clockodo_max_body_size 300k;
    clockodo_sign_key $keys[0];

    client_max_body_size 300k;
    client_body_buffer_size 64k;
    proxy_buffer_size 64k;
    proxy_buffers 8 64k;
    proxy_http_version 1.1;
    proxy_set_header Connection "";

    add_header X-File \$request_body_file always;

    location /hook {
        proxy_pass http://unix:$peer{http};
    }

    location /masked {
        clockodo_mask_token on;
        proxy_pass http://unix:$peer{http};
    }

    location /small {
        client_body_buffer_size 1k;
        proxy_pass http://unix:$peer{http};

        location /small/masked {
            clockodo_mask_token on;
            proxy_pass http://unix:$peer{http};
        }
    }

    location /file {
        client_body_in_file_only clean;
        proxy_pass http://unix:$peer{http};

        location /file/masked {
            clockodo_mask_token on;
            proxy_pass http://unix:$peer{http};
        }
    }

    location /unbuffered {
        proxy_request_buffering off;
        proxy_pass http://unix:$peer{http};
    }

    location /fastcgi {
        fastcgi_pass unix:$peer{fastcgi};
    }

    location /fastcgi/variables {
        fastcgi_pass_request_headers off;
        $by_variables
        fastcgi_pass unix:$peer{fastcgi};
    }

    location /scgi {
        scgi_pass unix:$peer{scgi};
    }

    location /uwsgi {
        uwsgi_param CONTENT_LENGTH \$content_length;
        uwsgi_pass unix:$peer{uwsgi};
    }

    location /grpc {
        grpc_pass unix:\$TEST_NGINX_SERVER_ROOT/html/grpc.sock;
    }

    location /grpc/variables {
        grpc_set_header webhook-id        \$clockodo_webhook_id;
        grpc_set_header webhook-timestamp \$clockodo_webhook_timestamp;
        grpc_set_header webhook-signature \$clockodo_webhook_signature;
        grpc_pass unix:\$TEST_NGINX_SERVER_ROOT/html/grpc.sock;
    }

    location /proxy/variables {
        proxy_pass_request_headers off;
        proxy_set_header webhook-id        \$clockodo_webhook_id;
        proxy_set_header webhook-timestamp \$clockodo_webhook_timestamp;
        proxy_set_header webhook-signature \$clockodo_webhook_signature;
        proxy_pass http://unix:$peer{http};
    }

    location /several {
        clockodo_sign_key $keys[2];
        clockodo_sign_key $keys[0];
        clockodo_sign_key_file ${\ $file->filename};
        proxy_pass http://unix:$peer{http};
    }

    location /from-file {
        clockodo_sign_key_file ${\ $file->filename};
        proxy_pass http://unix:$peer{http};
    }

    location /unsigned {
        clockodo_sign_key off;
        add_header X-Signature "\$clockodo_webhook_id\$clockodo_webhook_signature";
        proxy_pass http://unix:$peer{http};
    }
END

my $key = '633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991';
my $masked = event(token => '"**************"');

# bodies in one buffer, in several and in a file

my $long = event(more => '"' . 'x' x 3000 . '"');
my $huge = event(more => '"' . 'x' x 200_000 . '"');

for my $path (qw(/hook /masked /small /small/masked /file /file/masked
                 /unbuffered /fastcgi /fastcgi/variables /scgi /uwsgi /grpc
                 /grpc/variables /proxy/variables))
{
    for (['short', event()], ['long', $long], ['huge', $huge]) {
        my ($name, $body) = @$_;

        my $expected = $path =~ /masked/
                       ? $body =~ s/My_Sup3r_T0k3n/'*' x 14/er : $body;

        for my $how (\&at_once, \&in_chunks, \&http2) {
            my $reply = $how->($path, $body);
            my $got = got($reply->{body} // '');
            my $test = "$path, $name, $reply->{how}";

            is($got->{body}, $expected, "$test: the body");
            is(signed($got, $keys[0]), '', "$test: its signature");
            is($got->{id}[0], $key, "$test: its id");
        }
    }
}

like(at_once('/file', event())->{header}{'x-file'}, qr{/\d+\z},
     'the file is one');
like(at_once('/small', $huge)->{header}{'x-file'}, qr{/\d+\z},
     'and that of what has no room in memory');

# several keys, in the order of the configuration

is(signed(got(at_once('/several', event())->{body}), @keys[2, 0, 1, 3]), '',
   'several keys');
is(signed(got(at_once('/from-file', event())->{body}), @keys[1, 3]), '',
   'those of a file');

# off

my $reply = at_once('/unsigned', event());

is_deeply([grep { /^webhook/ } @{got($reply->{body})->{headers}}], [],
          'off: no header');
ok(!exists $reply->{header}{'x-signature'}, 'off: no value');

# an event that may be repeated for another one has an id of its own

my %ids = map { got(at_once('/hook', event(event_name => '"robot.built"',
                                           payload => '{}'))
                    ->{body})->{id}[0] => 1 } 1 .. 3;

is(keys %ids, 3, 'unknown events without an id: ids differ');
is(keys %{{ map { substr($_, 0, 65) => 1 } keys %ids }}, 1,
   'behind the same key and a dash');
like((keys %ids)[0], qr/^[0-9a-f]{64}-[0-9a-f]{16}\z/, 'of hex digits');

my $unknown = got(at_once('/hook', event(event_name => '"robot.built"',
                                         payload => '{}'))->{body});

is(signed($unknown, $keys[0]), '', 'and they are signed');

$unknown = got(at_once('/hook', event(event_name => '"robot.built"',
                                      payload => '{"robot":{"id":7}}'))->{body});

like($unknown->{id}[0], qr/^[0-9a-f]{64}\z/, 'with an id: the key alone');

unlike($nginx->log, qr/whsec_|\[(?:error|crit|alert|emerg)\]/,
       'nothing in the log');

done_testing;


sub at_once {
    my ($path, $body) = @_;

    return call('at once', post($body) =~ s{/hook}{$path}r);
}


sub in_chunks {
    my ($path, $body) = @_;

    return call('in chunks',
                post(chunked($body, 1000), 'Transfer-Encoding: chunked')
                =~ s{/hook}{$path}r);
}


sub call {
    my ($how, $text) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send($text);

    return { %{$client->reply}, how => $how };
}


sub http2 {
    my ($path, $body) = @_;

    my $sent = File::Temp->new;
    print $sent $body;
    $sent->flush;

    my $socket = $nginx->root . '/html/http2.sock';

    open my $curl, '-|', 'curl', '-s', '--http2-prior-knowledge',
         '--unix-socket', $socket, '-H', 'Content-Type: application/json',
         '--data-binary', '@' . $sent->filename, "http://localhost$path"
         or die "curl: $!\n";

    return { body => do { local $/; <$curl> }, how => 'HTTP/2' };
}
