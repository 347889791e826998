# Each alert of examples/prometheus-rules.yml comes when it must, and does not
# when it must not: by promtool, whose tests stand beside it.  Needs no nginx.

use strict;
use warnings;

use Test::More;


my $rules = 'examples/prometheus-rules.yml';
my $tests = 'examples/prometheus-rules.test.yml';

my $output = `promtool test rules $tests 2>&1`;

is($?, 0, "promtool: $tests") or diag($output);

my $tested = slurp($tests);
my @alerts = slurp($rules) =~ /alert: (\w+)/g;

cmp_ok(@alerts, '>', 5, 'alerts found');

for my $alert (@alerts) {
    like($tested, qr/alertname: $alert\n +eval_time: \w+\n +exp_alerts:\n/,
         "$alert: is seen to come");
    like($tested, qr/\{ alertname: $alert, eval_time: \w+ \}/,
         "$alert: is seen not to come");
}

done_testing();


sub slurp {
    my ($file) = @_;

    open my $in, '<', $file or die "$file: $!\n";
    local $/;

    return scalar <$in>;
}
