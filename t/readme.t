# What the documentation shows can be copied: nginx takes each of its
# configurations, and each directive with the default that it names, in the
# contexts that it names and in no others.

use strict;
use warnings;

use lib 't/lib';

use Clockodo::Config;
use File::Temp qw(tempdir);
use Test::More;


my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);

# the workers' user makes the folders of a spool

chmod 0755, $dir;
mkdir "$dir/conf" or die "mkdir: $!\n";

my %secrets = ('clockodo.tokens' => 'a-token-of-the-file',
               'berlin.tokens'   => 'another-token-of-a-file',
               'hamburg.tokens'  => 'a-third-token-of-a-file',
               'clockodo.keys'   => 'whsec_' . 'A' x 32);

for my $name (keys %secrets) {
    for ("$dir/$name", "$dir/conf/$name") {
        open my $out, '>', $_ or die "$_: $!\n";
        print $out "$secrets{$name}\n";
        chmod 0600, $out or die "$_: $!\n";
    }
}

my @pages = ('README.md', 'CONTRIBUTING.md', 'SECURITY.md',
             'examples/README.md', glob 'docs/*.md');


# by its first word, where a block stands

my $http = qr/^(?:log_format|map|server|upstream)\b/;
my $server = qr/^(?:error_log|error_page|location|(?:fastcgi|proxy)_\w+)\b/;

for my $page (@pages) {
    test_block($page, $_) for slurp($page) =~ /^ *```nginx\n(.*?)^ *```$/msg;
}


my %context = (
    'http'           => '%s',
    'server'         => 'server { %s }',
    'location'       => 'server { location / { %s } }',
    'if in location' => 'server { location / { if ($args) { %s } } }',
    'limit_except'   => 'server { location / { limit_except GET { %s } } }',
);

# of those that have no default

my %value = (
    clockodo_token      => 'another-token',
    clockodo_token_file => 'clockodo.tokens',
    clockodo_status     => 'prometheus',
    clockodo_redis_pass => '127.0.0.1:6379',
    clockodo_redis_auth => 'a-password',
    clockodo_spool      => "$dir/spool",

    clockodo_sign_key      => $secrets{'clockodo.keys'},
    clockodo_sign_key_file => 'clockodo.keys',
);

my @directives = slurp('docs/directives.md')
                 =~ /^### (clockodo_\w+)$(.*?)(?=^##)/msg;

cmp_ok(scalar @directives, '>', 0, 'there are directives');

while (my ($name, $text) = splice @directives, 0, 2) {
    my ($default) = $text =~ /^- \*\*default:\*\* (.*)$/m;
    my ($contexts) = $text =~ /^- \*\*context:\*\* (.*)$/m;

    my $directive = $default eq 'none' ? "$name $value{$name};"
                    : $default =~ s/^`(.*)`$/$1/r;

    like($directive, qr/^$name .*;$/, "$name: its default");

    # some need the module on

    my $around = $name eq 'clockodo_webhook'
                 ? '' : 'clockodo_webhook on; clockodo_token a-token; ';

    my @allowed = grep { allowed("$around$context{$_}", $directive) }
                  sort keys %context;

    is(join(', ', @allowed), join(', ', sort split /, /, $contexts),
       "$name: its contexts");
}

done_testing();


sub test_block {
    my ($page, $block) = @_;

    my ($name) = $block =~ /(\S.*)/;

    # nginx_t() loads the module; a certificate is the reader's own

    $block =~ s/^load_module .*\n//m;
    $block =~ s/^ *(?:ssl_certificate\w* .*|listen 443 ssl;)\n//mg;
    $block =~ s{/etc/nginx/|/var/log/nginx/|/var/spool/}{$dir/}g;
    $block =~ s/^\s*http \{(.*)\}/$1/s;
    $block =~ s/^\s+//;

    # t/redis-tls.t runs it

    return if $block eq '' || $block =~ /^stream\b/;

    if ($block =~ $server) {
        $block = "server {\n$block\n}";

    } elsif ($block !~ $http) {
        die "$page: where does this stand?\n$block";
    }

    my ($rc, $said) = nginx_t($dir, $block);

    is("$rc $said", '0 ', "$page: $name ...");
}


sub allowed {
    my ($context, $directive) = @_;

    my $settings = sprintf $context, $directive;
    my ($rc, $said) = nginx_t($dir, $settings);

    return 0 if $said =~ / directive is not allowed here /;

    is("$rc $said", '0 ', $settings);

    return 1;
}


sub slurp {
    my ($file) = @_;

    open my $in, '<', $file or die "$file: $!\n";
    local $/;

    return scalar <$in>;
}
