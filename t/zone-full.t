# Locations and tokens stay in the zone for good, so that figures go on after a
# reload.  One that has no room left for new ones refuses the configuration,
# names the directive, and what runs goes on; nothing of it is half done.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Config;
use Clockodo::Nginx;
use File::Temp qw(tempdir);
use Test::More;


# locations by these names, and their tokens

sub server {
    my ($prefix, $n, $tokens, $token, $dedupe) = @_;

    return join '', ($dedupe ? "clockodo_dedupe mark;\n" : ''),
           'location /metrics { clockodo_status prometheus; }',
           map { my $i = $_;
                 "location /$prefix-$i { clockodo_webhook on;\n"
                 . join('', map { "clockodo_token $token-$i-$_;\n" }
                                1 .. $tokens)
                 . 'clockodo_token My_Sup3r_T0k3n;'
                 . 'return 200 $clockodo_verdict; }' } 1 .. $n;
}


# the least size for a configuration, by what a message says of it

sub least {
    my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    mkdir "$dir/conf";

    my (undef, $text) = nginx_t($dir, "clockodo_zone 1k;\nserver { @_ }");
    my ($least) = $text =~ /must be at least (\d+)k in/
        or die "no least size: $text\n";

    return $least;
}


my @cases = (
    # name, what runs, what it becomes; both fit alone

    [ 'locations',  [ 'old', 30, 1, 'x' ],   [ 'new', 30, 1, 'x' ] ],
    [ 'labels',     [ 'old', 60, 0 ],        [ 'n' x 80, 20, 0 ] ],
    [ 'tokens',     [ 'old', 8, 200, 'x' ],  [ 'old', 8, 200, 'y' ] ],
    [ 'duplicates', [ 'old', 200, 1, 'x' ],  [ 'old', 8, 1, 'x', 1 ] ],
);

for my $case (@cases) {
    my ($name, $before, $after) = @$case;

    my ($zone) = sort { $b <=> $a }
                 map { least(server(@$_)) } $before, $after;

    my $nginx = Clockodo::Nginx->start(http   => "clockodo_zone ${zone}k;",
                                       server => server(@$before));
    my $path = "/$before->[0]-1";

    is(deliver($nginx, $path)->{status}, 200, "$name: an event");

    my @workers = $nginx->workers;

    $nginx->configure(server => server(@$after));

    # the second time it has what the first one has added

    for my $n (1, 2) {
        kill 'HUP', $nginx->pid;
        wait_for(sub { $n == (() = $nginx->log =~
            /\[emerg\].*"clockodo_zone" has no room for more locations/g) });
    }

    is_deeply([ $nginx->workers ], \@workers, "$name: what runs goes on");
    is(deliver($nginx, $path)->{status}, 200, "$name: as it did");

    $nginx->reload(server => server(@$before));
    is(deliver($nginx, $path)->{status}, 200, "$name: and after a reload");
    unlike($nginx->log, qr/\[alert\]|\[crit\]/, "$name: nothing is wrong");
}

done_testing;
