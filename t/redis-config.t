# What is wrong with the settings of clockodo_redis_... is said when nginx
# starts, by the directive and by the line, and never shows a password.  Here
# nginx only tests configurations.

use strict;
use warnings;

use lib 't/lib';

use Clockodo::Config;
use File::Temp qw(tempdir);
use Test::More;


my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $conf = "$dir/conf/nginx.conf";

mkdir "$dir/conf" or die "mkdir: $!\n";


# Each is a message, and what causes it in a location.  The message names the
# last line, or the one with "#!".

my @errors = (
    [ qr/"clockodo_redis_pass" directive has an invalid address/,
      map { "clockodo_redis_pass $_;" }
          '""', '127.0.0.1:99999', '127.0.0.1:0', '127.0.0.1:x', 'unix:',
          '127.0.0.1:6379/0', 'redis://127.0.0.1', '$', '$arg_to:$-' ],

    # nginx's own words

    [ qr/no port in upstream "127.0.0.1"/, 'clockodo_redis_pass 127.0.0.1;' ],

    [ qr/host not found in upstream "nowhere.invalid"/,
      'clockodo_redis_pass nowhere.invalid:6379;' ],

    [ qr/no port in upstream "127.0.0.1"/, 'clockodo_redis_pass 127.0.0.1;' ],

    [ qr/"clockodo_redis_stream" directive has an empty key/,
      'clockodo_redis_stream "";', 'clockodo_redis_stream "" maxlen=1;' ],

    [ qr/invalid key ".*" in "clockodo_redis_stream" .*not that of a hash tag/,
      map { qq(clockodo_redis_stream "$_";) } qw(} a} {} {}a }{ a}b{c) ],

    [ qr/invalid parameter ".*" in "clockodo_redis_stream" .*"maxlen=N"/,
      map { "clockodo_redis_stream events $_;" }
          qw("" x 100 maxlen maxlen= maxlen=0 maxlen=01 maxlen=-1 maxlen=1k maxlen=1.5
             Maxlen=1 maxlen=99999999999999999999), '"maxlen= 1"' ],

    [ qr/invalid time ".*" in "clockodo_redis_dedupe" .*"24h".* or "off"/,
      map { "clockodo_redis_dedupe $_;" }
          qw("" 0 0s -1 1.5h 1x 5ms on OFF 2147483648 99999999999999999999),
          '"1 x"' ],

    [ qr/"clockodo_redis_auth" directive has an empty password/,
      'clockodo_redis_auth "";', 'clockodo_redis_auth user "";' ],

    [ qr/"clockodo_redis_auth" directive has an empty user/,
      'clockodo_redis_auth "" S3cr3t;' ],

    ( map { my $name = "clockodo_redis_${_}_timeout";

            [ qr/"$name" directive invalid value/,
              map { "$name $_;" } qw("" -1 1x off 1.5s) ],

            [ qr/"$name" directive must not be 0/,
              map { "$name $_;" } qw(0 0s 0ms) ] } qw(connect send read) ),

    [ qr/value ".*" in "clockodo_redis_next_upstream" .*"error" or "timeout"/,
      map { "clockodo_redis_next_upstream $_;" }
          qw("" on http_500 Error invalid_header), 'error x', 'off error',
          'error off', 'off off' ],


    # the same again

    ( map { [ qr/"$_->[0]" directive is duplicate/,
              "$_->[0] $_->[1];\n$_->[0] $_->[1];",
              "$_->[0] $_->[1];\n$_->[0] $_->[2];",
              "$_->[0] $_->[2];\n$_->[0] $_->[1];" ] }
          [qw(clockodo_redis_pass 127.0.0.1:1 $arg_to:1)],
          [qw(clockodo_redis_stream a), 'b maxlen=1'],
          [qw(clockodo_redis_dedupe 1h off)],
          [qw(clockodo_redis_auth S3cr3t), 'user S3cr3t'],
          [qw(clockodo_redis_connect_timeout 1s 2s)],
          [qw(clockodo_redis_send_timeout 1s 2s)],
          [qw(clockodo_redis_read_timeout 1s 2s)],
          [qw(clockodo_redis_next_upstream error off)] ),


    # where, and how many

    ( map { my ($name, $value, @more) = @$_;

            [ qr/invalid number of arguments in "$name" directive/,
              "$name;", @more ? "$name $value @more;" : () ],

            [ qr/"$name" directive is not allowed here/,
              "limit_except GET {\n$name $value; #!\n}" ] }
          [qw(clockodo_redis_pass 127.0.0.1:1 127.0.0.1:1)],
          [qw(clockodo_redis_stream a maxlen=1 b)],
          [qw(clockodo_redis_dedupe 1h 1h)],
          [qw(clockodo_redis_auth user S3cr3t S3cr3t)],
          [qw(clockodo_redis_connect_timeout 1s 1s)],
          [qw(clockodo_redis_send_timeout 1s 1s)],
          [qw(clockodo_redis_read_timeout 1s 1s)],
          [qw(clockodo_redis_next_upstream error)] ),

    [ qr/"clockodo_redis_pass" directive is not allowed here/,
      "server {\nclockodo_redis_pass 127.0.0.1:1; #!\n}" ],


    # only what was accepted

    [ qr/"clockodo_webhook" is not "on" in location "\/x" for the "clockodo_r/,
      map { my $pass = $_;
            map { "server { location /x {\n$pass #!\n$_\n} }" }
                '', 'clockodo_webhook off;',
                'clockodo_webhook report; clockodo_token S3cr3t;' }
          'clockodo_redis_pass 127.0.0.1:1;', 'clockodo_redis_pass $arg_to;' ],

    [ qr/"clockodo_webhook" is not "on" in location "\/x\/y" for/,
      "clockodo_webhook on; clockodo_token S3cr3t; server { location /x {\n"
      . "clockodo_redis_pass 127.0.0.1:1;\nlocation /x/y {\n"
      . "clockodo_webhook off;\nclockodo_redis_pass 127.0.0.1:1; #!\n} } }" ],

    [ qr/"clockodo_webhook" is not "on" in location "\/x" for/,
      "server { location /x {\nif (\$args) {\n"
      . "clockodo_redis_pass 127.0.0.1:1; #!\n} } }" ],
);


my @fine = (
    'clockodo_redis_stream a;',
    'clockodo_redis_stream "{a}" maxlen=1;',
    'clockodo_redis_stream "a{b" maxlen=9223372036854775807;',
    'clockodo_redis_stream "a{b}c}";',
    'clockodo_redis_dedupe 1s;',
    'clockodo_redis_dedupe "1d 2h";',
    'clockodo_redis_dedupe 2147483647;',
    'clockodo_redis_auth S3cr3t;',
    'clockodo_redis_auth user S3cr3t;',
    'clockodo_redis_connect_timeout 1ms;',
    'clockodo_redis_next_upstream error;',
    'clockodo_redis_next_upstream timeout error error;',

    # inherited, and not, from the location around it

    "clockodo_webhook on; clockodo_token S3cr3t; server { location /x {\n"
    . "clockodo_redis_pass 127.0.0.1:1;\n"
    . "location /x/y { clockodo_webhook off; return 200; }\n"
    . "if (\$args) { set \$x 1; } } }",

    "clockodo_webhook on; clockodo_token S3cr3t; server { location /x {\n"
    . "if (\$args) { clockodo_redis_pass 127.0.0.1:1; } } }",
);


for my $case (@errors) {
    my ($message, @configs) = @$case;

    for my $config (@configs) {
        my ($rc, $text, $line) = run($config);

        # of an address nginx has said before what is wrong with it

        my ($emerg) = $text =~ /.*^\w+: \[emerg\] (.*)/ms;

        ok($rc == 1 && $emerg =~ $message
           && $emerg =~ / \Q$conf\E:$line$/ && $text !~ /S3c/,
           'error: ' . name($config))
        or diag("exit code $rc, expected line $line and $message\n$text");
    }
}

for my $config (@fine) {
    my ($rc, $text) = run($config);

    ok($rc == 0 && $text !~ /S3c|\[/, 'fine: ' . name($config))
    or diag("exit code $rc\n$text");
}

{
    open my $log, '<', "$dir/error.log" or die "error.log: $!";
    my $text = do { local $/; <$log> };

    ok($text =~ /\[emerg\]/ && $text =~ /\[debug\]/ && $text !~ /S3c/,
       'no password in the error log');
}

done_testing();


# the output of "nginx -t", its exit code, and the line that is at fault

sub run {
    my ($config) = @_;

    $config .= ' #!' unless $config =~ /#!/;
    $config = "clockodo_webhook on; clockodo_token t; server { location / {\n"
              . "$config\n} }"
        unless $config =~ /\bserver \{/;

    return nginx_t($dir, $config);
}


sub name {
    my ($config) = @_;

    $config =~ s/\s*#!|\s+$//g;

    return $config =~ s/\s+/ /gr;
}
