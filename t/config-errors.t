# Whatever is wrong with the settings has to be said when nginx starts, in a
# way that lets an operator mend it: by the directive, by what was expected,
# and by the line.  No message shows a token.  Here nginx only tests
# configurations and serves nothing.

use strict;
use warnings;

use lib 't/lib';

use Clockodo::Config;
use File::Basename qw(basename);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use POSIX qw(mkfifo);
use Test::More;


my $nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';
my $max = '9007199254740991';   # 2^53-1

my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $conf = "$dir/conf/nginx.conf";

chmod 0755, $dir;
mkdir "$dir/$_" for qw(conf folder);
mkfifo("$dir/conf/fifo", 0600) or die "mkfifo: $!";

my %files;   # what stands in them

# keys of 24 and 64 bytes

my $key = 'whsec_S3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3';
my $key_64 = 'whsec_' . 'S3cr3tS3' x 10 . 'S3cr3Q==';

# copies, for one test runs nginx as a user who may not enter this folder

my @modules = map { replica($_) }
                  split ' ', $ENV{TEST_NGINX_LOAD_MODULES} || '';

$nginx = replica($nginx) if $nginx =~ m{/};


# Each is a message, and what causes it: in a location, unless there is a
# server in it.  The message names the last line, or the one with "#!".

my @errors = (

    # values

    [ qr/"(\w+)" in "clockodo_webhook" .*must be "on", "off", "auth/,
      map { "clockodo_webhook $_;" } qw(yes 1 reports onoff) ],

    [ qr/"" in "clockodo_webhook" directive/, 'clockodo_webhook "";' ],

    [ qr/in "clockodo_unknown_events" .*must be "reject", "forward" or "igno/,
      map { "clockodo_unknown_events $_;" } qw(drop on off "") ],

    [ qr/in "clockodo_mask_token" directive, it must be "on" or "off"/,
      map { "clockodo_mask_token $_;" } qw(yes report "") ],

    [ qr/invalid pattern ".*" in "clockodo_events" .*"entity\.\*", "\*\.act/,
      map { "clockodo_events $_;" }
          qw("" . .. team team. .updated team.updated.again team* ** te*.x
             *.up* Team.updated team.Updated team-x.updated téam.updated
             team:updated), '"team updated"', '"team.updated "', '* team',
          'team.updated .' ],

    [ qr/invalid company id ".*" in "clockodo_company" .*1 to 2\^53-1, or "an/,
      map { "clockodo_company $_;" }
          qw("" 0 01 -1 +1 1.0 1e3 0x1 one off ANY 9007199254740992
             18446744073709551617), '1,', '1,2', '" 1"', '1 0', '1 any',
          'any 1', 'any any' ],

    [ qr/"clockodo_sign_key" .*key that does not start with "whsec_" in /,
      map { "clockodo_sign_key $_;" }
          qw("" on OFF whsec whsec- S3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3
             WHSEC_S3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3), "'S3cr3t $key'" ],

    [ qr/"clockodo_sign_key" .*that is not base64 with its padding behind "whs/,
      map { "clockodo_sign_key '$_';" }
          "${key}S", "${key}S3=", "${key}=", "$key ", "$key    ", "${key}====",
          "${key}S3==", $key =~ s/S3$/S-/r, $key =~ s/S3$/_3/r,
          $key_64 =~ s/==//r, $key_64 =~ s/Q==/R==/r ],

    [ qr/"clockodo_sign_key" directive has a key of less than 24 bytes in /,
      map { "clockodo_sign_key $_;" }
          'whsec_', 'whsec_S3cr', $key =~ s/S3$/Q=/r ],

    [ qr/"clockodo_sign_key" directive has a key of more than 64 bytes in /,
      map { "clockodo_sign_key $_;" }
          $key_64 =~ s/Q==/S8=/r, 'whsec_' . 'S3cr' x 1000 ],

    [ qr/"clockodo_sign_key" directive is "off" beside a key in /,
      "clockodo_sign_key $key;\nclockodo_sign_key off;" ],

    [ qr/"clockodo_sign_key" directive has a key beside "off" in /,
      "clockodo_sign_key off;\nclockodo_sign_key $key;" ],

    [ qr/invalid time ".*" in "clockodo_max_age" .*such as "30s".* or "off"/,
      map { "clockodo_max_age $_;" }
          qw("" 0 0s -1 1.5h 1x 5ms on any 99999999999999999999), '"1 x"' ],

    [ qr/invalid size ".*" in "clockodo_max_body_size" .*such as "16k"/,
      map { "clockodo_max_body_size $_;" }
          qw("" 0 0k -1 1.5k 1x k off 99999999999999999999 99999999999999999m)
    ],

    [ qr/"clockodo_token" directive has an empty token/,
      'clockodo_token "";', "clockodo_token '' subscription=1;" ],

    [ qr/"clockodo_token" directive must be "TOKEN \[subscription=ID\[,ID\.\./,
      map { "clockodo_token S3cr3t $_;" }
          qw(S3cr3t-2 "" subscription subscriptions=1 Subscription=1
             company=1) ],

    [ qr/"clockodo_token" .*list of subscriptions, .*subscription=ID.*integer/,
      map { "clockodo_token S3cr3t subscription=$_;" }
          ('', '0', '01', '-1', '+1', '1.0', 'x', 'S3cr3t', '1,', ',1', ',',
           '1,,2', '1,0', '1,x', '9007199254740992', '18446744073709551617'),
    ],

    [ qr/"clockodo_token" .*list of subscriptions/,
      'clockodo_token S3cr3t "subscription=1, 2";',
      'clockodo_token S3cr3t "subscription= 1";' ],

    [ qr/"clockodo_secret_file" directive must be the path of a file or "off"/,
      'clockodo_secret_file "";', 'clockodo_secret_file on;' ],

    [ qr/invalid parameter "\w*" in "clockodo_secret_file" .*be "forward"/,
      map { "clockodo_secret_file secrets $_;" }
          qw(secrets Forward off on ""), ],

    [ qr/"clockodo_secret_file" directive must be the path of .* it is no log/,
      map { "clockodo_secret_file $_;" }
          qw(stderr syslog:server=127.0.0.1 memory:1m), ],

    [ qr/invalid value "\w*" in "clockodo_log_level" .*"info", "notice", "warn"/,
      map { "clockodo_log_level $_;" } qw(debug crit err off ""), ],

    [ qr/"clockodo_secret_file" directive has the file of another directive/,
      "access_log shared combined buffer=4k;\nclockodo_secret_file shared;" ],

    [ qr{"\S+/\./same" in "clockodo_secret_file" .* is "\S+/same" by another},
      "server {\nclockodo_secret_file same;\n"
      . "location / { clockodo_secret_file ./same; }  #!\n}" ],

    [ qr{cannot open "\Q$dir\E/\S+" in "clockodo_secret_file" .*as a regular},
      map { "clockodo_secret_file $_;" }
          qw(nowhere/secrets folder conf/fifo conf/nginx.conf/secrets) ],

    [ qr/invalid value ".*" in "clockodo_dedupe" .*be "off", "mark" or "drop"/,
      map { "clockodo_dedupe $_;" } qw("" on DROP yes ttl=1h lease=1m) ],

    [ qr/invalid parameter ".*" in "clockodo_dedupe" .*"ttl=TIME" or "lease=T/,
      map { "clockodo_dedupe drop $_;" }
          qw("" ttl 1h TTL=1h time=1h mark leases=1h), 'ttl=1h x', '"ttl 1h"' ],

    [ qr/duplicate parameter ".*" in "clockodo_dedupe" directive/,
      map { "clockodo_dedupe mark $_;" } 'ttl=1h ttl=1h', 'lease=1m lease=2m' ],

    [ qr/invalid time in ".*" in "clockodo_dedupe" .*such as "30s", "5m" or/,
      map { ("clockodo_dedupe drop ttl=$_;", "clockodo_dedupe mark lease=$_;") }
          ('', qw(0 0s -1 1.5h 1x on off 99999999999999999999)) ],

    [ qr/invalid size ".*" in "clockodo_zone" .*such as "512k" or "1m"/,
      map { "clockodo_zone $_;#!\nserver { }" }
          qw("" 0 0k -1 1.5m 1x m off 99999999999999999999) ],

    [ qr/"clockodo_zone" is too small, it must be at least \d+k in /,
      map { "clockodo_zone $_;#!\nserver { location / {\n"
            . "clockodo_webhook on; clockodo_token S3cr3t; } }" }
          qw(1 4k 32k 40000) ],

    [ qr/invalid value ".*" in "clockodo_status" .*"json" or "prometheus"/,
      map { "clockodo_status $_;" } qw("" on off xml JSON jsonx) ],

    [ qr/"clockodo_status" and "clockodo_webhook" cannot be in one location/,
      "clockodo_status;\nclockodo_webhook on;",
      "clockodo_webhook report;#!\nclockodo_status;" ],

    [ qr{cannot open "/dev/null" in "clockodo_secret_file" .*as a regular f},
      'clockodo_secret_file /dev/null;' ],


    # token files

    [ qr{cannot open "\Q$dir\E/conf/\w+" in "clockodo_token_file" .*No such f},
      'clockodo_token_file missing;' ],

    [ qr{"\Q$dir\E/.*" in "clockodo_token_file" .*must be a regular file},
      map { "clockodo_token_file $_;" } '../folder', 'fifo' ],

    [ qr/"clockodo_token_file" directive must be the path of a file in /,
      'clockodo_token_file "";' ],

    [ qr{"/dev/zero" in "clockodo_token_file" .*must be a regular file},
      'clockodo_token_file /dev/zero;' ],

    [ qr{"\Q$dir\E/conf/\w+" in "clockodo_token_file" directive has no token},
      map { 'clockodo_token_file ' . file($_) . ';' }
          '', "\n", "\r\n", " \t \n\n", '# S3cr3t', "#\n#S3cr3t\n",
          "\xef\xbb\xbf", "\xef\xbb\xbf# S3cr3t\n" ],

    [ qr{line 1 of "\Q$dir\E/conf/\w+" in "clockodo_token_file" .*must be "TOK},
      map { 'clockodo_token_file ' . file($_) . ';' }
          'S3cr3t x', "S3cr3t S3cr3t\n", 'S3cr3t subscription = 1',
          'S3cr3t subscription=1 x', 'S3cr3t subscription=1 # S3cr3t',
          ' # S3cr3t' ],

    [ qr{line 4 of "\Q$dir\E/conf/\w+" in "clockodo_token_file" .*must be "TOK},
      map { 'clockodo_token_file ' . file($_) . ';' }
          "# one\r\n\r\nS3cr3t-3 subscription=1\r\nS3cr3t-4 x\r\n",
          "\xef\xbb\xbf\n\nS3cr3t-3\nS3cr3t-4 x" ],

    [ qr{line 2 of "\Q$dir\E/conf/\w+" in "clockodo_token_file" .*subscription},
      map { 'clockodo_token_file ' . file("S3cr3t-1\nS3cr3t $_\n") . ';' }
          map { "subscription=$_" } '', 0, '1,', '1,S3cr3t' ],

    [ qr{line 2 of "\Q$dir\E/conf/\w+" in "clockodo_token_file" .*has a NUL},
      map { 'clockodo_token_file ' . file("S3cr3t-1\n$_\n") . ';' }
          "S3cr3t\0", "\0", "# S3cr3t \0", "S3c\0r3t subscription=1" ],

    [ qr{"clockodo_token_file" directive must be a regular file of at most 10},
      'clockodo_token_file ' . file('#' x 1048569 . "\nS3cr3t\n") . ';' ],

    # files of keys

    [ qr{cannot open "\Q$dir\E/conf/\w+" in "clockodo_sign_key_file" .*No suc},
      'clockodo_sign_key_file missing;' ],

    [ qr{"\Q$dir\E/.*" in "clockodo_sign_key_file" .*must be a regular file},
      map { "clockodo_sign_key_file $_;" } '../folder', 'fifo' ],

    [ qr{"\Q$dir\E/conf/\w+" in "clockodo_sign_key_file" directive has no key},
      map { 'clockodo_sign_key_file ' . file($_) . ';' } '', "# S3cr3t\n" ],

    [ qr{line 2 of "\Q$dir\E/conf/\w+" in "clockodo_sign_key_file" .* "whsec_"},
      map { 'clockodo_sign_key_file ' . file("$key_64\n$_") . ';' }
          'off', 'S3cr3t', "'$key'", "$key;", "${key}S" ],

    [ qr{line 2 of ".*" in "clockodo_sign_key_file" .*a key and nothing else},
      map { 'clockodo_sign_key_file ' . file("#\n$_\n$key_64") . ';' }
          "$key S3cr3t", "$key # S3cr3t", "$key subscription=1",
          "$key subscription=S3cr3t", 'clockodo_sign_key S3cr3t' ],

    [ qr{line 1 of ".*" in "clockodo_sign_key_file" .*has a NUL byte},
      'clockodo_sign_key_file ' . file("$key\0") . ';' ],

    [ qr{line 1 of ".*" in "clockodo_sign_key_file" .*beside "off"},
      "clockodo_sign_key off;\nclockodo_sign_key_file " . file($key) . ';' ],


    # the same again

    [ qr/"clockodo_sign_key" directive has a duplicate key/,
      "clockodo_sign_key $key;\nclockodo_sign_key $key;",
      "clockodo_sign_key $key;\nclockodo_sign_key $key_64;\n"
      . "clockodo_sign_key $key;",
      'clockodo_sign_key_file ' . file("$key_64\n$key\n") . ";\n"
      . "clockodo_sign_key $key;",

      # HMAC fills a key up with zeros
      "clockodo_sign_key $key;\nclockodo_sign_key ${key}AA==;" ],

    [ qr/line 3 of ".*" in "clockodo_sign_key_file" .*a duplicate key/,
      'clockodo_sign_key_file ' . file("$key\n\n$key\n") . ';' ],

    [ qr/"clockodo_sign_key" directive is duplicate in /,
      "clockodo_sign_key off;\nclockodo_sign_key off;" ],

    [ qr/"clockodo_token" directive has a duplicate token/,
      "clockodo_token S3cr3t;\nclockodo_token S3cr3t;",
      "clockodo_token S3cr3t;\nclockodo_token S3cr3t-2;\n"
      . 'clockodo_token "S3cr3t" subscription=1;',
      "clockodo_token S3cr3t subscription=1;\n"
      . "clockodo_token S3cr3t subscription=2;",
      'clockodo_token_file ' . file("S3cr3t-1\nS3cr3t\n") . ";\n"
      . "clockodo_token S3cr3t;" ],

    [ qr/line 2 of ".*" in "clockodo_token_file" .*a duplicate token/,
      'clockodo_token_file ' . file("S3cr3t\nS3cr3t\n") . ';',
      'clockodo_token_file ' . file("\xef\xbb\xbfS3cr3t\nS3cr3t\n") . ';',
      'clockodo_token_file ' . file("S3cr3t\r\nS3cr3t subscription=1") . ';',
      'clockodo_token S3cr3t;'
      . 'clockodo_token_file ' . file("S3cr3t-1\n S3cr3t\n") . ';',

      # a comment starts where the line does
      'clockodo_token "#S3cr3t";'
      . 'clockodo_token_file ' . file("#S3cr3t\n #S3cr3t\n") . ';',

      'clockodo_token_file ' . file("S3cr3t") . ';'
      . 'clockodo_token_file ' . file("S3cr3t-1\nS3cr3t\t\n") . ';' ],

    ( map { [ qr/"$_->[0]" directive is duplicate/,
              "$_->[0] $_->[1];\n$_->[0] $_->[1];",
              "$_->[0] $_->[1];\n$_->[0] $_->[2];",
              "$_->[0] $_->[2];\n$_->[0] $_->[1];",
              "server { $_->[0] $_->[1];\n$_->[0] $_->[2]; #!\n}",
              "$_->[0] $_->[2];\n$_->[0] $_->[1]; #!\nserver { }" ] }
          [qw(clockodo_webhook on off)],
          [qw(clockodo_secret_file secrets off)],
          [qw(clockodo_events team.* *)],
          [qw(clockodo_unknown_events forward reject)],
          [qw(clockodo_company 1 any)],
          [qw(clockodo_max_age 1h off)],
          [qw(clockodo_max_body_size 1k 16k)],
          [qw(clockodo_mask_token on off)] ),


    [ qr/"clockodo_zone" directive is duplicate/,
      "clockodo_zone 1m;\nclockodo_zone 1m; #!\nserver { }" ],

    [ qr/"clockodo_status" directive is duplicate/,
      "clockodo_status;\nclockodo_status;",
      "clockodo_status json;\nclockodo_status prometheus;" ],


    # where, and how many

    [ qr/"clockodo_zone" directive is not allowed here/,
      "server {\nclockodo_zone 1m; #!\n}", "clockodo_zone 1m;" ],

    [ qr/invalid number of arguments in "clockodo_zone" directive/,
      map { "clockodo_zone $_; #!\nserver { }" } '', '1m 1m' ],

    [ qr/"clockodo_status" directive is not allowed here/,
      "server {\nclockodo_status; #!\n}",
      "clockodo_status; #!\nserver { }",
      "if (\$args) {\nclockodo_status; #!\n}" ],

    [ qr/invalid number of arguments in "clockodo_status" directive/,
      "clockodo_status json json;" ],

    ( map { my ($name, $value, @more) = @$_;

            [ qr/"$name" directive is not allowed here/,
              "if (\$args) {\n$name $value; #!\n}",
              "limit_except GET {\n$name $value; #!\n}",
              "upstream u {\n$name $value; #!\n}\nserver { }",
              "server { }\n}\n$name $value; #!\nhttp {" ],

            [ qr/invalid number of arguments in "$name" directive/,
              "$name;", @more ? "$name $value @more;" : () ] }
          [qw(clockodo_webhook on on)],
          [qw(clockodo_token S3cr3t subscription=1 subscription=2)],
          [qw(clockodo_token_file tokens tokens)],
          [qw(clockodo_secret_file secrets forward forward)],
          [qw(clockodo_events *)],
          [qw(clockodo_unknown_events reject reject)],
          [qw(clockodo_company 1)],
          [qw(clockodo_max_age 1h 1h)],
          [qw(clockodo_max_body_size 1k 1k)],
          [qw(clockodo_mask_token on on)],
          [qw(clockodo_sign_key off off)],
          [qw(clockodo_sign_key_file keys keys)],
          [qw(clockodo_dedupe drop ttl=1h lease=1m x)] ),

    [ qr/invalid number of arguments in "clockodo_token" directive/,
      "clockodo_token S3cr3t-1\nclockodo_token S3cr3t-2;" ],


    # no token: the line is that of clockodo_webhook

    ( map { [ qr/"clockodo_token(_file)?" is defined in location "\/x" for the/,
              "server { location /x {\nclockodo_webhook $_; #!\n} }",
              "server {\nclockodo_webhook $_; #!\nlocation /x { } }",
              "server {\nclockodo_webhook off; location /x {\n"
              . "clockodo_webhook $_; #!\n} }",
              "clockodo_webhook $_; #!\nserver {\nlocation /x {\n} }",
              "server {\nlocation = /x {\nclockodo_webhook $_; #!\n} }",
              "server { clockodo_webhook $_; #!\nclockodo_events *;\n"
              . "location /x { clockodo_company 1; } }",
              "server { location / { clockodo_token S3cr3t;\n}\n"
              . "location /x {\nclockodo_webhook $_; #!\n} }",
              "server { clockodo_token S3cr3t;\nclockodo_webhook $_; }\n"
              . "server { clockodo_webhook $_; #!\nlocation /x { } }" ],

            [ qr/ is defined in location "\/x\/y" for the/,
              "server { location /x { location /x/y {\n"
              . "clockodo_webhook $_; #!\n} } }",
              "server { clockodo_webhook $_; #!\nlocation /x {\n"
              . "clockodo_webhook off; location /x/y {\n"
              . "clockodo_webhook $_; #!\n} } }",
              "server { location /x {\nclockodo_webhook off;\n"
              . "location /x/z {\nclockodo_token S3cr3t;\n}\n"
              . "location /x/y {\nclockodo_webhook $_; #!\n} } }" ],

            [ qr/ is defined in location "\^\/x\$" for the/,
              "server { location ~ ^/x\$ {\nclockodo_webhook $_; #!\n} }" ],

            [ qr/ is defined in location "\@x" for the/,
              "server { location \@x {\nclockodo_webhook $_; #!\n} }" ] }
          qw(on report) ),
);


# nothing at all is said about these

my @fine = (
    '',
    'clockodo_webhook off;',
    'clockodo_webhook on; clockodo_token S3cr3t;',
    'clockodo_token S3cr3t; clockodo_webhook report;',
    'clockodo_webhook on; clockodo_token S3cr3t; if ($args) { set $x 1; } '
    . 'limit_except POST { deny all; }',
    'clockodo_token S3cr3t; clockodo_token s3cr3t; clockodo_token S3cr3t1;',
    "clockodo_token S3cr3t subscription=1,2,$max,1;",
    "clockodo_company 1 2 $max;",
    'clockodo_company any;',
    'clockodo_events * *.* entry.* *.deleted team.updated '
    . 'project.budget_notification;',
    'clockodo_max_age 1;',
    'clockodo_max_age "1d 2h";',
    'clockodo_max_age off;',
    'clockodo_max_body_size 1;',
    'clockodo_max_body_size 1m;',
    'clockodo_secret_file off;',

    ( map { 'clockodo_secret_file conf/' . file('', $_) . ';' }
          0600, 0620 ),

    'clockodo_dedupe off;', 'clockodo_dedupe mark ttl=500ms lease=1h30m;',
    'clockodo_dedupe drop lease=1m ttl=1d;',

    # another level is another list

    "clockodo_token S3cr3t;\nserver { clockodo_token S3cr3t; location / {\n"
    . "clockodo_token S3cr3t; location /x {\nclockodo_token S3cr3t; } "
    . "clockodo_webhook off; } clockodo_webhook on; }",

    # a server without locations needs no token

    'server { clockodo_webhook on; }',
    'server { clockodo_webhook report; if ($args) { set $x 1; } }',
    'server { clockodo_webhook on; location / { clockodo_webhook off; } }',
    "clockodo_webhook on;\nserver { location / { clockodo_token S3cr3t; } }",

    # token files

    ( map { 'clockodo_webhook on; clockodo_token_file ' . file($_) . ';' }
          "S3cr3t", "S3cr3t\n", "S3cr3t\r\n",
          "# S3cr3t\r\n\r\nS3cr3t\r\n\tS3cr3t-2 \t subscription=1,2 \r\n",
          "\xef\xbb\xbfS3cr3t\nS3cr3t-2", "\xef\xbb\xbf# S3cr3t\r\nS3cr3t",
          "S3cr3t\nS3cr3t# subscription=$max\n#S3cr3t", "\xffS3cr3t",
          '#' x 1048568 . "\nS3cr3t\n" ),

    'clockodo_token_file ' . file("S3cr3t\n", 0640) . ';',
    'clockodo_token_file ' . file("S3cr3t\n", 0400) . ';',
    "clockodo_token_file $dir/conf/" . file("S3cr3t\n") . ';',
    'clockodo_token S3cr3t; clockodo_token_file ' . file("S3cr3t-2\n") . ';'
    . 'clockodo_token_file ' . file("S3cr3t-3\n") . ';',

    # keys

    "clockodo_sign_key $key;", "clockodo_sign_key $key_64;",
    "clockodo_sign_key off;",
    "clockodo_sign_key $key;\nclockodo_sign_key $key_64;",
    "clockodo_sign_key $key;\nserver { clockodo_sign_key $key; location / {\n"
    . "clockodo_webhook off; clockodo_sign_key off; } }",

    ( map { 'clockodo_sign_key_file ' . file($_) . ';' }
          $key, "\xef\xbb\xbf# S3cr3t\r\n\r\n\t$key \r\n$key_64\r\n" ),

    "clockodo_sign_key $key;\nclockodo_sign_key_file " . file($key_64) . ';',
);


# these are fine, but for a word of warning

my @warnings = (
    ( map { my $pattern = $_;

            [ qr/pattern "\Q$_\E" in "clockodo_events" .*no documented event/,
              "clockodo_events $_;",
              "clockodo_unknown_events forward;\nclockodo_events * $_;" ] }
          qw(teams.* *.moved team.moved budget_notification.*
             entry.completed project_.created), 'a' x 64 . '.*' ),

    [ qr{\Q$dir\E/conf/\w+" in "clockodo_token_file" .*read by others, .*0600},
      map { 'clockodo_token_file ' . file("S3cr3t\n", $_) . ';' }
          0644, 0604, 0666 ],

    [ qr{\Q$dir\E/conf/\w+" in "clockodo_sign_key_file" .*by others, .*0600},
      map { 'clockodo_sign_key_file ' . file("$key\n", $_) . ';' } 0644 ],

    [ qr{\Q$dir\E/conf/\w+" in "clockodo_secret_file" .*by others, .*0600},
      map { 'clockodo_secret_file conf/' . file('', $_) . ';' }
          0644, 0604, 0666 ],

    # who can read it can lock it

    [ qr{\Q$dir\E/conf/\w+" in "clockodo_secret_file" .*by its group, .*0600},
      map { 'clockodo_secret_file conf/' . file('', $_) . ';' }
          0640, 0660 ],
);


for my $case (@errors) {
    my ($message, @configs) = @$case;

    for my $config (@configs) {
        my ($rc, $text, $line) = run($config);
        my @emerg = $text =~ /^\w+: \[emerg\] (.*)/mg;

        ok($rc == 1 && @emerg == 1 && $emerg[0] =~ $message
           && $emerg[0] =~ / \Q$conf\E:$line$/ && $text !~ /S3c/,
           'error: ' . name($config))
        or diag("exit code $rc, expected line $line and $message\n$text");
    }
}

for my $config (@fine) {
    my ($rc, $text) = run($config);

    ok($rc == 0 && $text !~ /S3c|\[(?!notice\])/,
       'fine: ' . name($config))
    or diag("exit code $rc\n$text");
}

{
    my $location = "location /x { clockodo_webhook on; clockodo_token S3cr3t; "
                   . "clockodo_dedupe drop; }";

    my (undef, $text) = run("server { $location }\nserver { $location }");
    like($text, qr/\[warn\] .*location "_\/x#2" from others .* order/,
         'warning: a location known by its order');

    (undef, $text) = run("server { server_name a; $location }\n"
                         . "server { server_name b; $location }");
    unlike($text, qr/\[(?!notice\])/, 'fine: of servers with names');
}

for my $case (@warnings) {
    my ($message, @configs) = @$case;

    for my $config (@configs) {
        my ($rc, $text, $line) = run($config);
        my @warn = $text =~ /^\w+: \[warn\] (.*)/mg;

        ok($rc == 0 && @warn == 1 && $warn[0] =~ $message
           && $warn[0] =~ / \Q$conf\E:$line$/ && $text !~ /S3c/,
           'warning: ' . name($config))
        or diag("exit code $rc, expected line $line and $message\n$text");
    }
}


# nginx has to read the token file with its own rights

{
    my $uid = $> || getpwnam 'nobody';

    my ($rc, $text) = run('clockodo_token_file ' . file("S3cr3t\n", 0) . ';',
                          $uid);

    like($text, qr/cannot open .* "clockodo_token_file" .*Permission denied/,
         'error: token file that may not be read');
}


# the line may be one of another file

{
    my $file = file("\n\nclockodo_webhook on;\n");
    my ($rc, $text) = run("include $file;\nserver { location /x { } }");

    like($text, qr{in location "/x" for .* in \Q$dir\E/conf/$file:3$}m,
         'error: no token, included file');
}


# Where paths start from: nginx itself resolves logs from the prefix, and what
# belongs to the configuration from its folder.

{
    my ($rc) = run('clockodo_secret_file paths;');

    ok($rc == 0 && -f "$dir/paths" && !-e "$dir/conf/paths",
       'secret file in the prefix');

    file("S3cr3t\n", 0600, '../token');
    ($rc) = run('clockodo_token_file token;');

    is($rc, 1, 'token file not in the prefix');
}


# the least size of the zone that a message names does, and less does not

for my $case ([ 'one location', 1, 1 ], [ 'many', 200, 20 ]) {
    my ($name, $locations, $tokens) = @$case;

    my $config = join '', 'server {',
                 (map { "clockodo_token S3cr3t-$_;\n" } 1 .. $tokens),
                 (map { "location /$_ { clockodo_webhook on; }\n" }
                      1 .. $locations), '}';

    my (undef, $text) = run("clockodo_zone 1k;\n$config");
    my ($least) = $text =~ /must be at least (\d+)k in/;

    my ($rc) = run("clockodo_zone ${least}k;\n$config");
    is($rc, 0, "zone, $name: ${least}k");

    (undef, $text) = run('clockodo_zone ' . ($least - 4) . "k;\n$config");
    like($text, qr/must be at least ${least}k in/, "zone, $name: 4k less");
}

{
    my $config = join '', 'server { clockodo_webhook on; clockodo_token ',
                 "S3cr3t;\n", (map { "location /$_ { }\n" } 1 .. 1500), '}';

    my ($rc, $text) = run($config);
    my ($least) = $text =~ /need a "clockodo_zone" of at least (\d+)k$/m;

    is($rc, 1, 'zone: too many locations for the default');

    ($rc) = run("clockodo_zone ${least}k;\n$config");
    is($rc, 0, "zone: $least do");
}


# not even with debugging on

{
    open my $log, '<', "$dir/error.log" or die "error.log: $!";
    my $text = do { local $/; <$log> };

    ok($text =~ /\[emerg\]/ && $text =~ /\[debug\]/ && $text !~ /S3c/,
       'no token in the error log');
}


done_testing();


# the output of "nginx -t", its exit code, and the line that is at fault

sub run {
    my ($config, $uid) = @_;

    $config .= ' #!' unless $config =~ /#!/;
    $config = "server { clockodo_webhook off; location / {\n$config\n} }"
        unless $config =~ /\bserver \{/;

    return nginx_t($dir, $config, nginx => $nginx, modules => \@modules,
                   uid => $uid);
}


# a new file beside the configuration

sub file {
    my ($text, $mode, $name) = @_;

    $name //= sprintf 'file%03d', keys(%files) + 1;
    $files{$name} = $text;

    write_file("$dir/conf/$name", $text);
    chmod $mode // 0600, "$dir/conf/$name";

    return $name;
}


sub replica {
    my ($name) = @_;

    my $replica = "$dir/" . basename($name);

    copy($name, $replica) or die "$replica: $!";
    chmod 0755, $replica;

    return $replica;
}


sub write_file {
    my ($name, $text) = @_;

    open my $file, '>:raw', $name or die "$name: $!";
    print $file $text;
    close $file or die "$name: $!";
}


sub name {
    my ($config) = @_;

    $config =~ s/\s*#!|\s+$//g;
    $config =~ s/\s+/ /g;
    $config =~ s/(file\d+)/'"' . substr($files{$1}, 0, 50) . '"'/ge;
    $config =~ s/([\0-\37\177-\377])/sprintf '\x%02x', ord $1/ge;

    return $config || 'nothing';
}
