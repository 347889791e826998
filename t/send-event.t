# bin/clockodo-send-event takes a token where nginx has it, trusts the
# certificates that it is told to, and waits for a handshake that nginx writes
# down.

use strict;
use warnings;

use lib 't/lib';

use Clockodo::Nginx qw(contents save wait_for);
use File::Temp qw(tempdir);
use POSIX qw(WNOHANG);
use Test::More;


my $script = 'bin/clockodo-send-event';
my $waiting;

END {
    local $?;
    kill 'KILL', $waiting if $waiting;
}

my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);

# one that curl gets to see is one that others on this machine see, too

save("$dir/curl", "#!/bin/sh\necho \"\$@\" >> $dir/arguments\n"
                  . 'PATH=${PATH#*:} exec curl "$@"' . "\n");
chmod 0755, "$dir/curl";
$ENV{PATH} = "$dir:$ENV{PATH}";

delete @ENV{qw(CLOCKODO_TOKEN http_proxy https_proxy all_proxy ALL_PROXY)};

save("$dir/tokens", "\xef\xbb\xbf# a comment\r\n\r\nthe-first subscription=7"
                    . "\r\n#another\n\t the-second\t\r\n"
                    . '\"third\ subscription=9,8');
chmod 0600, "$dir/tokens";

certificates();

my $settings = <<"END";
    location = /hook {
        clockodo_webhook on;
        clockodo_token_file $dir/tokens;
        clockodo_secret_file logs/secrets;
        clockodo_events entry.*;
        proxy_pass http://127.0.0.1:1;
    }
END

my $nginx = Clockodo::Nginx->start(server => $settings);
my $tls = Clockodo::Nginx->start(listen => 'ssl', server => <<"END");
    ssl_certificate $dir/server.pem;
    ssl_certificate_key $dir/server.key;
    $settings
END

my $url = 'http://127.0.0.1:' . $nginx->port . '/hook';
my $tls_url = 'https://127.0.0.1:' . $tls->port . '/hook';
my @file = ('--token-file', "$dir/tokens");

# an event that is filtered out was judged first, its token and subscription

my @event = ('team.updated', $url);


subtest 'token files' => sub {
    my @accepted = (
        ['the first',              @file],
        ['a number',               @file, '--token-number', 1],
        ['the next',               @file, '--token-number', 2],
        ['the last',               @file, '--token-number', 3],
        ['another subscription',   @file, '--token-number', 3,
                                   '--subscription', 8],
        ['one that may have any',  @file, '--token-number', 2,
                                   '--subscription', 1000]);

    is_deeply([send_event(@event, @$_[1 .. $#$_])], [0, "200 OK\n", ''],
              $_->[0]) for @accepted;

    is_deeply([send_event(@event, @file, '--subscription', 9)],
              [1, "403 Forbidden\n", ''], 'a subscription of another');

    {
        local $ENV{CLOCKODO_TOKEN} = 'wrong';
        is_deeply([send_event(@event, @file)], [0, "200 OK\n", ''],
                  'rather than $CLOCKODO_TOKEN');
    }

    unlike(contents("$dir/arguments"), qr/the-|third/, 'no arguments');

    is_deeply([send_event(@event, @file, '--token-number', 4)],
              [1, '', "clockodo-send-event: $dir/tokens has no token "
                      . "number 4\n"], 'a number too many');

    is_deeply([send_event(@event, '--token-file', $_)],
              [1, '', "clockodo-send-event: $_ cannot be read\n"],
              "no file: $_") for "$dir/none", $dir;
};


subtest 'certificates' => sub {
    my @event = ('team.updated', $tls_url, @file);

    my ($rc, $status, $said) = send_event(@event);

    is("$rc $status", '1 ', 'one that nobody has signed');
    like($said, qr/certificate/, 'says why');

    ($rc, $status, $said) = send_event(@event, '--cacert', "$dir/other.pem");

    is("$rc $status", '1 ', 'one that another has signed');
    like($said, qr/certificate/, 'says why');

    is_deeply([send_event(@event, @$_)], [0, "200 OK\n", ''], $_->[0])
        for ['--cacert', "$dir/ca.pem"], ['--insecure'];

    is_deeply([send_event('--secret', 'a-secret', '--cacert', "$dir/ca.pem",
                          $tls_url)],
              [0, "200 OK\n", ''], 'a handshake');

    my $log = wait_for(sub {
        my $log = $tls->read('logs/access.log');
        $log =~ tr/\n// >= 3 ? $log : '';
    });

    is(() = $log =~ / 200 .*\n/g, 3, 'nothing was sent before');
};


subtest 'a handshake' => sub {
    is((send_event('--secret', 'secret-of-before', $url))[1], "200 OK\n",
       'before');

    wait_handshake('1');

    is((send_event('--secret', 'secret-1', $url))[1], "200 OK\n", 'it comes');
    is(ended(), 0, 'that was it');
    is(contents("$dir/out.1"), "secret-1\n", 'the secret');
    like(contents("$dir/err.1"),
         qr/ at \d{4}\S+Z from 127\.0\.0\.1; .*\n.*"clockodo_secret_file off;"/,
         'what to look at, and what to do now');

    # the new file has as many lines as the old one had

    wait_handshake('2');
    kill 'STOP', $waiting;

    rename $nginx->root . '/logs/secrets', $nginx->root . '/logs/old';
    kill 'USR1', $nginx->pid;
    wait_for(sub { -e $nginx->root . '/logs/secrets' });
    wait_for(sub { (send_event('--secret', 'secret-2', $url))[1]
                   eq "200 OK\n" });
    send_event('--secret', 'secret-3', $url);
    kill 'CONT', $waiting;

    is(ended(), 0, 'rotated meanwhile');
    is(contents("$dir/out.2"), "secret-2\n", 'the secret of the new file');

    is_deeply([send_event('--wait-handshake', "$dir/none")],
              [1, '', "clockodo-send-event: $dir/none cannot be read\n"],
              'no file');
};


subtest 'arguments' => sub {
    my @wrong = (
        [qr/no token: give --token or --token-file, or/, @event],
        [qr/--token and --token-file exclude/,  @event, @file, '--token', 't'],
        [qr/--token-number goes with --token-file/,
                                      @event, '--token-number', 1],
        [qr/--token-number wants a positive whole number/,
                                      @event, @file, '--token-number', 0],
        [qr/--token-file wants a value/,        @event, '--token-file'],
        [qr/--cacert wants a file/,             @event, @file, '--cacert'],
        [qr/--cacert and --insecure exclude/,
                              @event, @file, '--insecure', '--cacert', 'x'],
        [qr/--wait-handshake wants a file/,     '--wait-handshake'],
        [qr/--secret goes with nothing but a URL, not --token-file/,
                                      '--secret', $url, @file]);

    push @wrong, map { [qr/--wait-handshake goes with nothing else/,
                        '--wait-handshake', "$dir/tokens", @$_] }
                 [$url], [@file], ['team.updated'], ['--insecure'],
                 ['--secret'];

    for (@wrong) {
        my ($message, @arguments) = @$_;
        my ($rc, $status, $said) = send_event(@arguments);

        is("$rc $status", '2 ', "@arguments");
        like($said, qr/^clockodo-send-event: $message.*\nusage: /, $message);
    }
};

done_testing;


# A CA, a server of it, and another CA.

sub certificates {
    save("$dir/san", 'subjectAltName=IP:127.0.0.1');

    my @key = ('-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=clockodo');

    openssl('req', '-x509', @key, '-keyout', "$dir/$_.key",
            '-out', "$dir/$_.pem", '-days', 2) for 'ca', 'other';
    openssl('req', @key, '-keyout', "$dir/server.key", '-out', "$dir/csr");
    openssl('x509', '-req', '-in', "$dir/csr", '-CA', "$dir/ca.pem",
            '-CAkey', "$dir/ca.key", '-set_serial', 1, '-days', 2,
            '-extfile', "$dir/san", '-out', "$dir/server.pem");
}


sub openssl {
    my @said = run('openssl', @_);

    die "openssl @_:\n$said[2]" if $said[0];
}


# Exit status, standard output and standard error.

sub send_event {
    return run($script, @_);
}


sub run {
    my $pid = spawn('out', 'err', @_);

    waitpid $pid, 0;

    return $? >> 8, contents("$dir/out"), contents("$dir/err");
}


sub spawn {
    my ($out, $err, @command) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/$out";
        open STDERR, '>', "$dir/$err";
        exec @command or POSIX::_exit(127);
    }

    return $pid;
}


# Waits until it waits.

sub wait_handshake {
    my ($n) = @_;

    $waiting = spawn("out.$n", "err.$n", $script, '--wait-handshake',
                     $nginx->root . '/logs/secrets');

    wait_for(sub { contents("$dir/err.$n") =~ /waiting/ });
}


sub ended {
    wait_for(sub { waitpid($waiting, WNOHANG) == $waiting });
    undef $waiting;

    return $? >> 8;
}
