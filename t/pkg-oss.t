# nginx.org's build_module.sh (pkg-oss) makes a package of a module, and tells
# who installs it what to load.  It does not run config: it looks for names in
# its lines.  What it finds has to be the file that nginx's makefile makes.

use strict;
use warnings;

use Cwd qw(getcwd);
use File::Temp qw(tempdir);
use Test::More;


my $src = $ENV{NGX_SRC} || '/usr/share/nginx/src';
my $config = do { local (@ARGV, $/) = 'config'; <> };

is_deeply([loaded($config)], [made()], 'what to load is what is made');

# the ways that others write it in, as the script reads them

is_deeply([loaded(qq(ngx_module_name=one\n))], ['one'], 'a name');
is_deeply([loaded(qq(so="one"\nngx_module_name=\$so\n))], ['one'],
          'a variable');
is_deeply([loaded(qq(ngx_module_name="one two"\n))], ['one', 'two'],
          'two names, of which nginx makes one');
is_deeply([loaded(qq(ngx_addon_name=one\nngx_module_name="\\\n two"\n))],
          ['one'], 'no name in that line');

done_testing;


# The modules that the script says are to be loaded.

sub loaded {
    my ($text) = @_;

    my @names = map { split } value($text, 'ngx_module_name');

    # a variable stands for its value; what has a backslash is left out

    @names = grep { !/\\/ }
             map  { /^\$(.*)/ ? value($text, $1) : $_ } @names;

    return @names ? @names : value($text, 'ngx_addon_name');
}


# A variable's value in each line that sets it: what is between the first two
# quotes, or all.

sub value {
    my ($text, $name) = @_;

    return map { (split /"/)[/"/ ? 1 : 0] }
           map { (split /=/)[1] } grep { /\Q$name\E=/ } split /\n/, $text;
}


# The modules that nginx's makefile makes, of a configure that looks for little
# besides.

sub made {
    my $dir = tempdir(CLEANUP => 1);
    my $here = getcwd();

    system('cp', '-R', "$src/.", $dir) == 0 or die "cp: $?\n";

    my $log = qx(cd $dir && ./configure --with-compat \\
                     --without-http_rewrite_module --without-http_gzip_module \\
                     --add-dynamic-module=$here 2>&1);

    die $log if $?;

    open my $in, '<', "$dir/objs/Makefile" or die "$dir/objs/Makefile: $!\n";

    return map { m{^modules:\s+objs/(\S+)\.so$} ? $1 : () } <$in>;
}
