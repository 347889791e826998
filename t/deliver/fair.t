# 10,000 good events are through as fast beside 100 that always fail as without
# them, within a tenth; counted in tries, not in seconds.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Deliver;
use Clockodo::Receiver;
use Clockodo::Redis;
use Clockodo::Spool;
use Test::More;


my $good = 10_000;
my $bad = 100;

my $receiver = Clockodo::Receiver->start(sub {
    return $_[0] =~ /^X-Clockodo-Company-Id: 1\r/m ? 500 : 200;
});

my $spool = Clockodo::Spool->new(fast => 1);
my $redis = Clockodo::Redis->start;

my %sources = (
    spool => [['--spool', $spool->path],
              sub { $spool->put(payload => qq({"team":{"id":$_[0]}}),
                                company_id => $_[1]) },
              sub { $spool->names('retry') }],
    Redis => [['--redis', 'unix://' . $redis->path],
              sub {
                  my ($id, $company) = @_;
                  $redis->call('XADD', 'clockodo:events', '*', event_fields(),
                               entity_id => $id, company_id => $company)
              },
              sub { $redis->call('ZCARD', '{clockodo:events}:retry:clockodo') }],
);

for my $kind (sort keys %sources) {
    subtest $kind => sub { beside(@{$sources{$kind}}) };
}

done_testing;


sub beside {
    my ($source, $put, $waiting) = @_;

    my @options = (@$source, '--url', $receiver->url, '--jobs', 8,
                   '--retry-min', '1ms', '--retry-max', '1ms');

    # they wait, and are due at any time

    $put->($_, 1) for 1 .. $bad;

    my $worker = Clockodo::Deliver->start(@options);
    wait_until(sub { $waiting->() == $bad }) or die $worker->log;
    $worker->stop;

    my $before = $receiver->calls;

    $put->($bad + $_, 2) for 1 .. $good;
    $worker = Clockodo::Deliver->start(@options);

    ok(wait_until(sub { (() = $worker->log =~ /taken/g) == $good }, 300),
       'all good ones are taken');
    is($worker->stop, 0, 'stopped');

    my ($tries, $left) = (0, $good);

    for my $call (($receiver->calls)[$before .. $before + 2 * $good]) {
        $tries++;
        last if $call->{answer} eq '200' && --$left == 0;
    }

    is($left, 0, 'each good one');
    cmp_ok($tries, '<=', 1.1 * $good, 'with a tenth more tries');
    cmp_ok($tries, '>', $good, 'the others are not starved');
    diag("$tries tries");
}
