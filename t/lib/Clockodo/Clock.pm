package Clockodo::Clock;

# The clock of the wall of an nginx, which can be set; what time it takes for
# time-outs is not touched.
#
#     my ($set, %arg) = wall_clock(sub { ... });
#     my $nginx = Clockodo::Nginx->start(%arg, ...);
#
#     $set->($nginx, '+2d');      # from the true time: s, m, h or d
#
# The function is called with the nginx and returns what time that has.

use strict;
use warnings;

use Clockodo::Nginx;
use Exporter qw(import);
use File::Temp qw(tempdir);

our @EXPORT = qw(wall_clock);

my %unit = (s => 1, m => 60, h => 3600, d => 86400);


sub wall_clock {
    my ($timestamp) = @_;

    my ($library) = glob '/usr/lib/*/faketime/libfaketime.so.1';

    $library or die "libfaketime is missing\n";

    my $dir = tempdir(CLEANUP => 1);
    chmod 0755, $dir;

    my $write = sub {
        open my $fh, '>', "$dir/new" or die "time: $!\n";
        print $fh "$_[0]\n";
        close $fh;
        chmod 0644, "$dir/new";

        # at no time is it half written

        rename "$dir/new", "$dir/time" or die "time: $!\n";
    };

    my $set = sub {
        my ($nginx, $shift) = @_;
        my ($number, $unit) = $shift =~ /^([-+]\d+)([smhd])$/;

        $write->($shift =~ s/s$//r);
        wait_for(sub { abs($timestamp->($nginx) - time - $number * $unit{$unit})
                       <= 2 });
    };

    $write->('+0');

    return ($set,
        main => join('', map { "env $_;\n" }
                         qw(LD_PRELOAD FAKETIME_TIMESTAMP_FILE
                            FAKETIME_DONT_FAKE_MONOTONIC FAKETIME_NO_CACHE)),
        wrapper => [ 'env', "LD_PRELOAD=$library",
                     "FAKETIME_TIMESTAMP_FILE=$dir/time",
                     'FAKETIME_DONT_FAKE_MONOTONIC=1',
                     'FAKETIME_NO_CACHE=1' ]);
}

1;
