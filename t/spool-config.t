# What is wrong with clockodo_spool is said when nginx starts, by the directive
# and by the line; and what is right makes the folders.  Here nginx only tests
# configurations.

use strict;
use warnings;

use lib 't/lib';

use Clockodo::Config;
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $conf = "$dir/conf/nginx.conf";

chmod 0755, $dir;
mkdir "$dir/conf" or die "mkdir: $!\n";

open my $fh, '>', "$dir/file" or die "$dir/file: $!\n";
close $fh;

my $on = 'clockodo_webhook on; clockodo_token S3cr3t;';

my @errors = (
    [ qr/"clockodo_spool" directive has an empty path/, 'clockodo_spool "";' ],

    [ qr/"clockodo_spool" directive must not have variables/,
      map { "clockodo_spool $_;" } '$host', '/var/spool/$host', 'a${host}b',
                                   '$' ],

    [ qr/"clockodo_spool" directive must be a folder of its own/,
      map { "clockodo_spool $_;" } '/', '//' ],

    [ qr{"\Q$dir\E/file" in "clockodo_spool" directive is not a folder},
      'clockodo_spool file;', "clockodo_spool $dir/file/;" ],

    [ qr/the folder above ".*" in "clockodo_spool" directive must exist/,
      map { "clockodo_spool $_;" } 'none/spool', "$dir/none/spool/",
                                   'file/spool', '/none/spool' ],

    [ qr/"clockodo_spool" directive is duplicate/,
      "clockodo_spool a;\nclockodo_spool a;",
      "clockodo_spool a;\nclockodo_spool b;" ],

    [ qr/invalid number of arguments in "clockodo_spool" directive/,
      'clockodo_spool;', 'clockodo_spool a b;' ],

    [ qr/"clockodo_spool" directive is not allowed here/,
      "clockodo_spool a; #!\nserver { }",
      "server {\nclockodo_spool a; #!\n}",
      "server { location /x { if (\$args) {\nclockodo_spool a; #!\n} } }",
      "server { location /x { limit_except GET {\nclockodo_spool a; #!\n} } }" ],

    # only what was accepted

    [ qr/"clockodo_webhook" is not "on" in location "\/x" for the "clockodo_sp/,
      map { "server { location /x {\nclockodo_spool a; #!\n$_\n} }" }
          '', 'clockodo_webhook off;',
          'clockodo_webhook report; clockodo_token S3cr3t;',
          'clockodo_webhook authenticate; clockodo_token S3cr3t;' ],

    [ qr/"clockodo_secret_file" has "forward" in location "\/x" for the "clo/,
      map { "server { location /x { $on $_\nclockodo_spool a; #!\n} }" }
          'clockodo_secret_file off forward;',
          'clockodo_secret_file secrets forward;' ],
);

my @fine = map { "server { location /x { $on $_ } }" }
    'clockodo_spool relative;', "clockodo_spool $dir/absolute;",
    "clockodo_spool $dir/slashes///;",
    "clockodo_spool shared; } location /y { $on clockodo_spool shared/;",
    "clockodo_spool nested; location /x/y { clockodo_spool nested2; }";

for my $case (@errors) {
    my ($message, @configs) = @$case;

    for my $config (@configs) {
        my ($rc, $text, $line) = run($config);
        my @emerg = $text =~ /^\w+: \[emerg\] (.*)/mg;

        ok($rc == 1 && @emerg == 1 && $emerg[0] =~ $message
           && $emerg[0] =~ / \Q$conf\E:$line$/ && $text !~ /S3c/,
           "error: $config")
        or diag("exit code $rc, expected line $line and $message\n$text");
    }
}

for my $config (@fine) {
    my ($rc, $text) = run($config);

    ok($rc == 0 && $text !~ /\[(?:warn|error|crit|alert|emerg)\]/,
       "fine: $config") or diag($text);
}

for my $folder (qw(relative absolute slashes shared nested nested2)) {
    is(mode("$dir/$folder$_"), '0700', "$folder$_") for '', '/tmp', '/new';
}

ok(!-e "$dir/none", 'no folder above them');


# what is there already, and cannot be used

SKIP: {
    skip 'root may do all', 4 if $> != 0;

    my $uid = (stat "$dir/relative")[4];

    for my $folder ('tmp', 'new') {
        rmdir "$dir/relative/$folder";
        mkdir "$dir/relative/$folder", 0700;

        my ($rc, $text) = run("server { location /x { $on\n"
                              . 'clockodo_spool relative; } }');

        is($rc, 1, "$folder belongs to another");
        like($text, qr{\[emerg\].*/relative/$folder" for "clockodo_spool" must},
             'why');

        chown $uid, -1, "$dir/relative/$folder";
    }
}

done_testing;


sub run {
    my ($config) = @_;

    $config .= ' #!' unless $config =~ /#!/;
    $config = "server { location / { $on\n$config\n} }"
        unless $config =~ /\bserver \{/;

    return nginx_t($dir, $config);
}


sub mode {
    my ($file) = @_;

    my @stat = stat $file or return 'none';

    return sprintf '%04o', $stat[2] & 07777;
}
