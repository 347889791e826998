# The token has done its work once it was judged: with clockodo_mask_token no
# application gets to see it, nor its logs.  Nothing but its bytes may change,
# wherever nginx has put the body.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;

my $nginx = Clockodo::Nginx->start(http => app(), server => <<'END');
    clockodo_token My_Sup3r_T0k3n;
    clockodo_token 'My/T"0\\ké😀';
    clockodo_secret_file secrets;
    clockodo_company 1337;
    clockodo_events team.updated;
    clockodo_webhook on;
    clockodo_mask_token on;

    add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;
    add_header X-Masked $clockodo_body always;
    add_header X-Request-Body $request_body always;
    add_header X-File $request_body_file always;

    proxy_buffers 8 64k;
    proxy_buffer_size 64k;

    location /hook {
        proxy_pass http://app;
    }

    location /single {
        client_body_in_single_buffer on;
        proxy_pass http://app;
    }

    location /small {
        client_body_buffer_size 1k;
        proxy_pass http://app;
    }

    location /file {
        client_body_in_file_only on;
        proxy_pass http://app;
    }

    location /clean {
        client_body_in_file_only clean;
        client_body_buffer_size 1k;
        proxy_pass http://app;
    }

    location /report {
        clockodo_webhook report;
        proxy_pass http://app;
    }

    location /off {
        clockodo_mask_token off;
        proxy_pass http://app;

        location /off/small {
            client_body_buffer_size 1k;
            proxy_pass http://app;
        }
    }

    # masked here, and then redirected to where it would not be; nothing
    # listens on port 1

    location /to {
        proxy_pass http://127.0.0.1:1;

        location /to/uri {
            error_page 502 =200 /off;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/off {
            error_page 502 = @off;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/no-module {
            error_page 502 = @no_module;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/report {
            error_page 502 = @report;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/masked {
            error_page 502 = @on;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/small {
            client_body_buffer_size 1k;
            error_page 502 = @off;
            proxy_pass http://127.0.0.1:1;
        }

        location /to/try {
            try_files /nothing /off;
        }
    }

    location @off {
        clockodo_mask_token off;
        proxy_pass http://app;
    }

    location @no_module {
        clockodo_webhook off;
        proxy_pass http://app;
    }

    location @report {
        clockodo_webhook report;
        clockodo_mask_token off;
        proxy_pass http://app;
    }

    # and the other way round

    location /late {
        clockodo_mask_token off;
        error_page 502 = @on;
        proxy_pass http://127.0.0.1:1;

        location /late/small {
            client_body_buffer_size 1k;
            error_page 502 = @on;
            proxy_pass http://127.0.0.1:1;
        }
    }

    location @on {
        proxy_pass http://app;
    }
END

my @spellings = (
    'My_Sup3r_T0k3n',
    '\u004dy_Sup3r_T0k3\u006E',
    'My/T\"0\\\\ké😀',
    'My\/T\u00220\u005ck\u00e9\ud83d\ude00',
);

# How the body comes and where nginx keeps it: the path, whether in a file,
# and the segments that are sent, made of what stands before, in and after the
# token.

my @ways = (
    [ 'one segment', '/hook', '', sub { post(join '', @_) } ],
    [ 'two buffers with a part of the token in each', '/hook', '',
      sub { halves(@_) } ],
    [ 'two buffers, to be one', '/single', '', sub { halves(@_) } ],
    [ 'chunks', '/hook', '', sub { chunks(7, @_) } ],
    [ 'chunks of one byte', '/hook', '', sub { chunks(1, @_) } ],
    [ 'chunks, more than the buffer holds', '/small', '',
      sub { chunks(500, @_) } ],
    [ 'a temporary file', '/small', 'file', sub { halves(@_) } ],
    [ 'a file that stays', '/file', 'file', sub { post(join '', @_) } ],
    [ 'a file that stays, in chunks', '/file', 'file',
      sub { chunks(7, @_) } ],
    [ 'a file that is removed', '/clean', 'file', sub { halves(@_) } ],
);

for my $token (@spellings) {
    for my $way (@ways) {
        my ($name, $path, $file, $segments) = @$way;
        my ($sent, $masked) = bodies($token);

        my $reply = request($path, $segments->(@$sent));

        is_reply($reply, 'accepted/', $masked, $masked, "$name, $token");

        $file ? ok($reply->{file}, 'in a file')
              : is($reply->{memory}, $masked, '$request_body');

        is(contents($reply->{file}), $masked, '$request_body_file')
            if $path eq '/file';
    }
}

# $clockodo_body does not depend on what goes upstream

for my $path (qw(/off /off/small)) {
    my ($sent, $masked) = bodies($spellings[1]);

    is_reply(request($path, halves(@$sent)), 'accepted/', join('', @$sent),
             $masked, $path);
}

for my $path (map({ "/to/$_" } qw(uri off no-module report masked
                                small try)),
              qw(/late /late/small))
{
    my ($sent, $masked) = bodies($spellings[1]);

    is_reply(request($path, halves(@$sent)), 'accepted/', $masked, $masked,
             "redirected: $path");
}

# who is let through by "report", and who is not by "on"

my ($sent, $masked) = bodies($spellings[0], event_name => '"team.created"');
my $body = join '', @$sent;

is_reply(request('/report', post($body)), 'filtered/', $masked, $masked,
         'report: filtered');
is_reply(request('/hook', post($body)), 'filtered/', undef, $masked,
         'filtered');

($sent, $masked) = bodies($spellings[0]);

is_reply(request('/report', post(join '', @$sent)), 'accepted/', $masked,
         $masked, 'report: accepted');

# whatever goes upstream with a right token is masked

for ([ 'rejected/company', company_id => 7 ],
     [ 'rejected/envelope', company_id => '"7"' ])
{
    my ($verdict, @members) = @$_;
    my ($sent, $masked) = bodies($spellings[0], @members);

    is_reply(request('/report', post(join '', @$sent)), $verdict, $masked,
             $masked, "report: $verdict");
    is_reply(request('/hook', post(join '', @$sent)), $verdict, undef, '',
             $verdict);
}

for ([ 'rejected/token', event(token => '"wrong"') ],
     [ 'rejected/malformed_json', event() . '}' ],
     [ 'handshake/', '{"secret":"My_Sup3r_T0k3n"}' ])
{
    my ($verdict, $body) = @$_;

    is_reply(request('/report', post($body)), $verdict, $body, '',
             "report: $verdict");
    is_reply(request('/hook', post($body)), $verdict, undef, '', $verdict);
}

unlike($nginx->log, qr/\[(?:alert|crit|error)\](?!.*connect\(\) failed|.*rejected \()/,
       'nothing else went wrong');

done_testing();


# A body in three parts, before, in and after the token, and what it is like
# once masked.  The token's text stands in other places too, and the parts
# before and after are too long for nginx's buffers.

sub bodies {
    my ($token, %more) = @_;

    my $pad = join '', map { "$_ " } 1 .. 800;
    my ($before, $after) = split /@/, event(
        payload => qq({"team":{"id":9001},"token":"$token","pad":"$pad"}),
        token   => '"@"',
        zzz     => qq({"token":"$token","$token":1,"pad":"$pad"}),
        %more);

    return [ $before, $token, $after ],
           $before . '*' x length($token) . $after;
}


sub halves {
    my ($before, $token, $after) = @_;

    my $request = post($before . $token . $after);
    my $half = length($request) - length($after) - int(length($token) / 2);

    return unpack "a$half a*", $request;
}


sub chunks {
    my ($size, @parts) = @_;

    return post(chunked(join('', @parts), $size),
                'Transfer-Encoding: chunked');
}


sub request {
    my ($path, @segments) = @_;

    my $client = Clockodo::Client->new($nginx->port, $nginx->worker);

    $segments[0] =~ s{ \S+ }{ $path };
    $client->send(@segments);

    my $reply = $client->reply;
    my ($upstream) = $reply->{body} =~ /^body=(.*)$/m;
    my %header = %{$reply->{header}};

    return {
        judged   => $header{'x-judged'},
        upstream => $upstream,
        masked   => $header{'x-masked'} // '',
        memory   => $header{'x-request-body'},
        file     => $header{'x-file'},
    };
}


sub is_reply {
    my ($reply, $judged, $upstream, $masked, $name) = @_;

    is($reply->{judged}, $judged, "$name: judged");
    is($reply->{upstream}, $upstream, "$name: what goes upstream");
    is($reply->{masked}, $masked, "$name: \$clockodo_body");
}


sub contents {
    my ($file) = @_;

    open my $fh, '<', $file or return "$file: $!";
    local $/;

    return scalar(<$fh>) // '';
}
