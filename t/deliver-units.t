# The units of clockodo-deliver: systemd has nothing to complain of, and they
# leave the program no more than it needs.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;


my $root = tempdir(CLEANUP => 1);
my $units = "$root/etc/systemd/system";

for my $file (qw(/usr/bin/clockodo-deliver /etc/clockodo-deliver/a.conf)) {
    system 'install', '-D', '-m', 755, '/dev/null', "$root$file";
}

for my $unit (glob 'examples/deliver/*') {
    my ($name) = $unit =~ m{([^/]+)$};
    system 'install', '-D', '-m', 644, $unit, "$units/$name";
}

# targets and users that they name

for my $target (qw(network-online basic sysinit shutdown multi-user paths)) {
    open my $out, '>', "$units/$target.target" or die "$target: $!\n";
    print $out "[Unit]\nDescription=$target\n";
}

for my $name (qw(passwd group)) {
    system 'install', '-D', "/etc/$name", "$root/etc/$name";
}

for my $unit (qw(clockodo-deliver@a.service clockodo-deliver@a.path)) {
    is(`systemd-analyze verify --man=no --root=$root '$unit' 2>&1`, '',
       "$unit: nothing to complain of");
    is($? >> 8, 0, 'exit status');
}

my $out = `systemd-analyze security --offline=true --no-pager --root=$root \\
           --threshold=29 clockodo-deliver\@a.service 2>&1`;

is($? >> 8, 0, 'exposure is under 3.0');
like($out, qr/Overall exposure level for \S+: [012]\.\d/, 'as systemd has it')
    or diag($out);

my ($path) = glob 'examples/deliver/*.path';
open my $in, '<', $path or die "$path: $!\n";
like(join('', <$in>), qr{^DirectoryNotEmpty=/var/spool/clockodo/new$}m,
     'the folder that the path unit looks at');

done_testing;
