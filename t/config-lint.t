# What is valid and yet a mistake, almost surely, is said when nginx starts,
# with the directive and its line; what looks like it and is meant is not.
# Nothing shows a token.

use strict;
use warnings;

use lib 't/lib';

use Clockodo::Config;
use File::Temp qw(tempdir);
use Test::More;


my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $files = 0;

mkdir "$dir/conf";


# a new file beside the configuration

sub file {
    my ($text) = @_;

    my $name = 'file' . ++$files;

    open my $file, '>', "$dir/conf/$name" or die "$name: $!\n";
    print $file $text;
    close $file;
    chmod 0600, "$dir/conf/$name";

    return $name;
}


my $on = 'clockodo_webhook on; clockodo_token S3cr3t; '
         . 'clockodo_secret_file secrets;';

# what is said, where it is; and what must be silent beside it

my @cases = (

    # the module is off, as nobody has said

    ( map { my $setting = $_;
            my ($name) = /^(\w+)/;

            [ warn => qr/"$name" checks nothing in location "\/hook", where an/,
              [ "server { location /hook {\n$setting #!\n} }",
                "server { location / { location /hook {\n$setting #!\n} } }",
                "server { location /hook {\n$setting #!\nclockodo_log_level warn; } }",
              ],
              [ "server { location /hook { $setting clockodo_webhook off; } }",
                "server { clockodo_webhook off; location /hook { $setting } }",
                "clockodo_webhook off; server { location /hook { $setting } }",
              ] ] }
          'clockodo_token S3cr3t;', 'clockodo_events team.*;',
          'clockodo_unknown_events reject;', 'clockodo_company 1;',
          'clockodo_max_age 1h;', 'clockodo_max_body_size 1k;',
          'clockodo_mask_token on;', 'clockodo_dedupe drop;',
          'clockodo_secret_file secrets;',
          'clockodo_token_file ' . file("S3cr3t\n") . ';' ),

    [ warn => qr/"clockodo_token" checks nothing in location "\@hook"/,
      [ "server { location \@hook {\nclockodo_token S3cr3t; #!\n} }" ], [] ],

    [ warn => qr/"clockodo_token" checks nothing in location "\/hook"/,
      [ "server { location /hook {\nclockodo_token S3cr3t; #!\n"
        . "location /hook/x { return 204; } } }" ],

      # a nested location turns it on, at whatever depth

      [ "server { location /hook { clockodo_token S3cr3t; "
        . "clockodo_secret_file off forward; "
        . "location /hook/x { clockodo_webhook on; } } }",
        "server { location /hook { clockodo_token S3cr3t; "
        . "clockodo_secret_file off forward; location /hook/x { "
        . "location = /hook/x/y { clockodo_webhook on; } } } }",
        "server { location / { } location /hook { $on } }" ] ],

    # tokens that no location uses

    [ warn => qr/"clockodo_token" is used by no location of its server: none with "clockodo_webhook on" inherits it/,
      [ "server {\nclockodo_token S3cr3t; #!\nlocation / { } }",
        "server {\nclockodo_token S3cr3t; #!\n}",
        "server {\nclockodo_token S3cr3t; #!\nlocation /hook { $on } }",
        "server { location /hook { $on } }\n"
        . "server { listen 81;\nclockodo_token S3cr3t; #!\nlocation / { } }" ],

      [ "server { clockodo_token S3cr3t; clockodo_secret_file secrets; "
        . "location /hook { clockodo_webhook on; } }",
        "server { clockodo_token S3cr3t; clockodo_secret_file secrets; "
        . "location /hook { clockodo_webhook report; } }",
        "server { clockodo_token S3cr3t; clockodo_secret_file secrets; "
        . "location / { location /hook { clockodo_webhook on; } } }",
        "server { clockodo_token S3cr3t; clockodo_webhook on; }",
        "clockodo_token S3cr3t; server { location / { } }" ] ],

    [ warn => qr/"clockodo_token_file" is used by no location of its server/,
      [ "server {\nclockodo_token_file " . file("S3cr3t\n") . "; #!\n}" ], [] ],

    # tokens that are none

    [ warn => qr/the token in "clockodo_token" directive looks like a placeho/,
      [ map { "server { location /hook { clockodo_webhook on; "
              . "clockodo_secret_file secrets;\nclockodo_token $_; #!\n} }" }
            "'\${TOKEN}'", "'{{ token }}'", "'<S3cr3t>'", 'example-token',
            'Your_Token' ],

      [ map { "server { location /hook { clockodo_webhook on; "
              . "clockodo_secret_file secrets; clockodo_token $_; } }" }
            'S3cr3t=value', "'\"S3cr3t\"'", "'S3cr3t\$'" ] ],

    ( map { my ($what, @lines) = @$_;

            [ warn => qr/line 2 of ".*" in "clockodo_token_file" .*like $what/,
              [ map { "server { location /hook { clockodo_webhook on; "
                      . "clockodo_secret_file secrets;\nclockodo_token_file "
                      . file("S3cr3t\n$_\n") . "; #!\n} }" } @lines ], [] ] }
          [ 'a placeholder', '<S3cr3t-2>', 'example-token' ],
          [ 'a quoted string', '"S3cr3t-2"', "'S3cr3t-2' subscription=1" ],
          [ '"NAME=value"', 'TOKEN=S3cr3t-2' ],
          [ 'JSON', '{"token":"S3cr3t-2"}' ],
          [ 'a directive', 'S3cr3t-2;' ] ),

    [ warn => qr/x/, [],
      [ "server { location /hook { clockodo_webhook on; "
        . "clockodo_secret_file secrets; clockodo_token_file "
        . file("S3cr3t==\nS3cr3t-2 subscription=1\n\$S3cr3t\n") . "; } }" ] ],

    # secret files that are none

    ( map { [ warn => qr/"\Q$_\E" in "clockodo_secret_file" .* name of a file/,
              [ "server { location /hook { clockodo_webhook on; "
                . "clockodo_token S3cr3t;\nclockodo_secret_file '$_'; #!\n} }" ],
              [] ] }
          'OFF', 'Off', '$host.secrets' ),

    [ warn => qr/both.log" in "clockodo_secret_file" directive is a log, too/,
      [ "access_log both.log; server { location /hook { clockodo_webhook on; "
        . "clockodo_token S3cr3t;\nclockodo_secret_file both.log; #!\n} }",
        "server { location /hook { clockodo_webhook on; clockodo_token S3cr3t;"
        . "\nclockodo_secret_file both.log; #!\nerror_log both.log; } }" ],

      [ "access_log other.log; server { location /hook { $on } }",
        "server { location /hook { $on } location /hook2 { $on } }" ] ],

    ( map { my $tokens = file('S3cr3t');
            [ warn => qr/$tokens" in "clockodo_secret_file" .*a token file, too/,
              [ sprintf "server { location /hook { clockodo_webhook on; $_ } }",
                        $tokens, $tokens ],
              [] ] }
          "clockodo_token_file %s;\nclockodo_secret_file $dir/conf/%s; #!\n",
          "\nclockodo_secret_file $dir/conf/%s; #!\nclockodo_token_file %s;" ),

    ( map { [ warn => qr/$_" in "clockodo_secret_file" .* is a key file, too/,
              [ "server { location /hook { clockodo_webhook on; "
                . "clockodo_token S3cr3t; clockodo_sign_key_file $_;\n"
                . "clockodo_secret_file conf/$_; #!\n} }" ],
              [] ] }
          file("whsec_S3cr3t" . 'A' x 38) ),

    # nobody can set up a webhook

    [ notice => qr/location "\/hook" takes no handshakes, .*clockodo_secret_fil/,
      [ "server { clockodo_token S3cr3t; location /hook {\n"
        . "clockodo_webhook on; #!\n} }",
        "server { clockodo_token S3cr3t; location /hook {\n"
        . "clockodo_webhook authenticate; #!\n} }",
        "server { location / { $on } }\nserver { listen 81; clockodo_token "
        . "S3cr3t; location /hook {\nclockodo_webhook on; #!\n} }" ],

      [ "server { clockodo_token S3cr3t; location /hook { clockodo_webhook on; }"
        . " location /setup { $on } }",
        "server { clockodo_token S3cr3t; location /hook { clockodo_webhook on; "
        . "clockodo_secret_file off forward; } }",
        "server { clockodo_token S3cr3t; location \@hook { clockodo_webhook on; "
        . "} }",
        "server { clockodo_token S3cr3t; location /hook { clockodo_webhook "
        . "report; } }" ] ],
);

for my $case (@cases) {
    my ($level, $message, $loud, $silent) = @$case;

    for my $config (@$loud) {
        my ($rc, $text, $line) = nginx_t($dir, $config);

        # nginx -t shows no notices, the error log has them

        $text = "nginx: $_" for grep { $level eq 'notice' } notices();

        my @said = $text =~ /^\w+: \[$level\] (.*)/mg;

        ok($rc == 0 && @said == 1 && $said[0] =~ $message
           && $said[0] =~ / \Q$dir\E\/conf\/nginx\.conf:$line$/
           && $text !~ /S3c/,
           "$level: " . $config =~ tr/\n/ /r)
        or diag("exit code $rc, expected line $line and $message\n$text");
    }

    for my $config (@$silent) {
        my ($rc, $text) = nginx_t($dir, $config);

        ok($rc == 0 && $text !~ /^\w+: \[/m && notices() eq '',
           "silent: $config")
        or diag("exit code $rc\n$text");
    }
}


# an error log that stands behind the http block is known last

{
    nginx_t($dir, "server { location /hook { clockodo_webhook on;\n"
                  . "clockodo_token S3cr3t; clockodo_secret_file both.log; } }");

    # at the level that it has unless told otherwise

    open my $conf, '+<', "$dir/conf/nginx.conf" or die "nginx.conf: $!\n";
    my $text = join '', map { /^error_log / ? "\n" : $_ } <$conf>;
    seek $conf, 0, 0;
    truncate $conf, 0;
    print $conf $text, "error_log both.log;\n";
    close $conf;

    my $nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';
    $text = `$nginx -t -p $dir -c $dir/conf/nginx.conf 2>&1`;

    like($text, qr/both.log" in "clockodo_secret_file" .*is a log, too,? in .*:8$/m,
         'warn: an error log behind the http block');
}

done_testing();


# what the error log says of our notices, since last time

sub notices {
    open my $log, '<', "$dir/error.log" or return '';
    my $text = join '', map { /(\[notice\] )\S+ (.*clockodo.*\n)/ ? "$1$2" : () }
               <$log>;
    unlink "$dir/error.log";

    return $text;
}
