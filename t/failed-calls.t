# What the system hardly ever refuses: that a file is looked at, locked, read,
# closed or cut.  Each is said, with the name of the file; whoever waits for it
# is answered; nothing is taken for done, and the next request is as ever.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Config;
use Clockodo::Nginx qw(contents wait_for);
use Clockodo::Trace;
use File::Temp qw(tempdir);
use Test::More;

plan skip_all => 'strace cannot trace here' unless Clockodo::Trace->works;

subtest 'a request'    => \&requests;
subtest 'a start'      => \&starts;

done_testing;


sub requests {
    my $nginx = Clockodo::Nginx->start(http => app(), server => <<'END');
        clockodo_token My_Sup3r_T0k3n;
        clockodo_secret_file secrets;
        clockodo_webhook on;
        add_header X-Judged "$clockodo_verdict/$clockodo_reason" always;

        location /hook {
            proxy_pass http://app;
        }

        location /file {
            clockodo_mask_token on;
            client_body_in_file_only clean;
            proxy_pass http://app;
        }

        location /spool {
            clockodo_spool spool;
        }
END

    my $root = $nginx->root;
    my $secret = [ '/hook', '{"secret":"s3cret"}', '200 handshake/' ];
    my $file = [ '/file', event(), '200 accepted/' ];
    my $spool = [ '/spool', event(), '200 accepted/' ];

    for my $case (
        # what fails, on which file, of which request; what it comes to

        [ '/^fcntl:error=EIO', 'secrets', $secret, '500 rejected/handshake',
          qr{\[error\].*fcntl\(.*\) "$root/secrets" failed \(5: } ],

        [ '/^fcntl:error=EIO:when=2', 'secrets', $secret, '200 handshake/',
          qr{\[error\].*fcntl\(.*\) "$root/secrets" failed \(5: } ],

        [ '/stat:error=EIO', 'secrets', $secret, '500 rejected/handshake',
          qr{\[error\].*fstat\(\) "$root/secrets" failed \(5: } ],

        # a write that seems to have taken five bytes

        [ [ 'write:retval=5', '/^ftruncate:error=EIO' ], 'secrets', $secret,
          '500 rejected/handshake',
          qr{"$root/secrets" has taken only a part of a line.*ftruncate\(\) "}s ],

        # the body is written to its file, and read; then it is masked there

        [ '/^pread:error=EIO', undef, $file, '500 /',
          qr{\[crit\].*could not read the request body from "$root/client_} ],

        [ '/^pwrite:error=EIO:when=2', undef, $file, '500 accepted/',
          qr{\[crit\].*could not mask the request body in "$root/client_b} ],

        [ '/^close$:error=EIO:when=1', undef, $spool, '503 accepted/',
          qr{\[error\].*"clockodo_spool": close\(\) "$root/spool/tmp/\S+" f} ])
    {
        my ($inject, $name, $request, $status, $log) = @$case;
        my ($first, $second) = ref $inject ? @$inject : $inject;

        my ($location, $body, $fine) = @$request;
        # a connection that is there, so that no other one is closed meanwhile

        my $client = Clockodo::Client->new($nginx->port);

        is(send_it($client, $location, event(token => '"x"')),
           '403 rejected/token', "$first: before");

        $nginx->new_log;

        my $trace = Clockodo::Trace->new($nginx->worker,
            trace  => join(',', map { s/:.*//r } $first, $second // ()),
            inject => $first,
            $second ? (fault => $second) : (),
            $name ? (path => "$root/$name") : ());

        is(send_it($client, $location, $body), $status, 'answered');

        wait_for(sub { $nginx->log =~ $log });
        $trace->stop;

        like($nginx->new_log, $log, 'log');

        is(send_it(Clockodo::Client->new($nginx->port), $location, $body),
           $fine, 'the next one');
    }

    is(() = contents("$root/secrets") =~ /^\S+ 127\.0\.0\.1 s3cret$/mg, 5,
       'secrets: of the four next ones, and of one that was not unlocked');
    unlike($nginx->log, qr/My_Sup3r|\[(?:alert|emerg)\]|exited on signal/,
           'nothing else');
}


sub send_it {
    my ($client, $location, $body) = @_;

    $client->send(post($body) =~ s{/hook}{$location}r);

    my $reply = $client->reply;

    return "$reply->{status} " . ($reply->{header}{'x-judged'} // '');
}


sub starts {
    my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $tokens = "$dir/conf/tokens";
    my $secrets = "$dir/secrets";
    my $nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';

    chmod 0755, $dir;
    mkdir "$dir/conf";
    save($tokens, "S3cr3t\n", 0600);

    my $settings = "server { clockodo_token_file tokens;\n"
                   . 'clockodo_webhook on; location /x { '
                   . "clockodo_secret_file secrets; }\n"
                   . 'location /y { clockodo_spool spool; } }';

    for my $case (
        [ '/stat:error=EIO', $tokens, 1,
          qr{\[emerg\].*fstat\(\) "$tokens" failed \(5: .*:7$}m ],

        [ '/^read$:retval=3', $tokens, 1,
          qr{\[emerg\].*cannot read "$tokens" in "clockodo_token_file" d.*:7$}m ],

        [ '/^read$:error=EIO', $tokens, 1,
          qr{\[emerg\].*cannot read "$tokens" in "clockodo_token_f.*\(5: .*:7$}m ],

        [ '/^close$:error=EIO', $tokens, 0,
          qr{\[alert\].*close\(\) "$tokens" failed \(5: .*:7$}m ],

        [ '/stat:error=EIO', $secrets, 1,
          qr{\[emerg\].*"$secrets" .*"clockodo_secret_file" .*\(5: .*:8$}m ],

        # only root becomes the workers' user to make folders

        $> == 0 ? (
            [ '/^setresuid:error=EPERM:when=1', undef, 1,
              qr{\[emerg\].*seteuid\(\d+\) for "clockodo_spool" failed \(1: } ],

            [ '/^setresuid:error=EPERM:when=2', undef, 2,
              qr{\[emerg\].*seteuid\(0\) failed \(1: } ]) : ())
    {
        my ($inject, $path, $code, $said) = @$case;

        # LeakSanitizer traces the process, which only one can do

        save("$dir/nginx", <<"END", 0755);
#!/bin/sh
export ASAN_OPTIONS="\$ASAN_OPTIONS,detect_leaks=0"
exec strace -o $dir/trace -e 'trace=${\($inject =~ s/:.*//r)}' \\
     -e 'inject=$inject' ${\($path ? "-P $path" : '')} $nginx "\$@"
END

        my ($rc, $text) = nginx_t($dir, $settings, nginx => "$dir/nginx");

        is($rc, $code, "$inject: exit code");
        like($text, $said, 'what is said');
        unlike($text, qr/S3cr3t/, 'no token');
    }

    my ($rc) = nginx_t($dir, $settings);

    is($rc, 0, 'without failures');
}


sub save {
    my ($file, $text, $mode) = @_;

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $text;
    close $fh or die "$file: $!\n";
    chmod $mode, $file;
}
