# Every expression of examples/grafana-dashboard.json is known to a Prometheus
# that scrapes nginx with traffic, and none is empty.  Prometheus reads the
# alert rules, too.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use POSIX qw(WNOHANG);
use Test::More;


my $nginx = Clockodo::Nginx->start(http => app(), server => <<'END');
        server_name hooks.example.com;

        location = /metrics { clockodo_status prometheus; }

        location /hook {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_secret_file secrets;
            clockodo_dedupe mark;
            proxy_pass http://app;
        }
END

open my $in, '<', 'examples/grafana-dashboard.json' or die "dashboard: $!\n";
my $dashboard = decode_json(do { local $/; <$in> });

my ($port, $pid) = prometheus();

END { kill 'TERM', $pid if $pid; }

# traffic, from before the first scrape on: increase() needs two

my $sent = 0;
my %missing = map { $_ => 1 } map { $_->{expr} } targets();

cmp_ok(keys %missing, '>', 20, 'expressions found');

wait_for(sub {
    $sent++;

    for my $request (post(event(payload => qq({"team":{"id":$sent}}))),
                     post('{"secret":"s"}'), post(event(token => 1)),
                     post(event(company_id => 0)))
    {
        my $client = Clockodo::Client->new($nginx->port);

        $client->send($request);
        $client->reply;
    }

    for my $expr (keys %missing) {
        delete $missing{$expr} if found($expr);
    }

    return !%missing || $sent > 200;
});

ok(!$missing{$_}, $_) for sort map { $_->{expr} } targets();

# the locations to choose from

my ($variable) = grep { $_->{name} eq 'location' }
                 @{$dashboard->{templating}{list}};
my ($metric, $label) = $variable->{definition}
                       =~ /^label_values\((\w+), (\w+)\)$/;

is_deeply([ map { $_->{metric}{$label} } @{query("group by ($label) ($metric)")} ],
          [ 'hooks.example.com/hook' ], 'the variable "location"');

is_deeply([ grep { ($_->{datasource}{uid} // '') ne '${datasource}' }
                 targets(),
                 grep { $_->{type} ne 'row' } @{$dashboard->{panels}} ],
          [], 'the data source is the variable');

# no two panels have one place or number

my %place;
push @{$place{"$_->{gridPos}{x} $_->{gridPos}{y}"}}, $_->{title}
    for @{$dashboard->{panels}};

is_deeply([ grep { @$_ > 1 } values %place ], [], 'places');
is(keys %{{ map { $_->{id} => 1 } @{$dashboard->{panels}} }},
   @{$dashboard->{panels}}, 'ids');

# the alerts

my $rules = get('/api/v1/rules')->{data}{groups};

is_deeply([ grep { $_->{health} eq 'err' } map { @{$_->{rules}} } @$rules ], [],
          'rules');
cmp_ok(scalar(map { @{$_->{rules}} } @$rules), '>', 5, 'rules are there');

# what is asked for can be missing

ok(!found('clockodo_no_such_metric'), 'a metric that is not there');

done_testing();


sub targets {
    return map { @{$_->{targets} || []} } @{$dashboard->{panels}};
}


sub found {
    my ($expr) = @_;

    my $result = query($expr) or return 0;

    return scalar @$result;
}


# As Grafana asks, with its variables set.

sub query {
    my ($expr) = @_;

    $expr =~ s/\$location/.*/g;
    $expr =~ s/\$__(?:rate_interval|range)/1m/g;

    my $answer = get('/api/v1/query?query='
                     . $expr =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger);

    die "$expr: $answer->{error}\n" if $answer->{status} ne 'success';

    return $answer->{data}{result};
}


sub get {
    my ($uri) = @_;

    my $client = eval { Clockodo::Client->new($port) } or return {};

    $client->send("GET $uri HTTP/1.1\r\nHost: localhost\r\n\r\n");

    return decode_json($client->reply->{body});
}


sub prometheus {
    my $dir = tempdir(CLEANUP => 1);
    my $listening = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
        or die "no free port\n";
    my $port = $listening->sockport;

    close $listening;

    my $rules = POSIX::getcwd() . '/examples/prometheus-rules.yml';

    open my $out, '>', "$dir/prometheus.yml" or die "prometheus.yml: $!\n";
    print $out <<"END";
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
rule_files:
  - $rules
scrape_configs:
  - job_name: clockodo
    static_configs:
      - targets: ['127.0.0.1:@{[ $nginx->port ]}']
END
    close $out;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        exec 'prometheus', "--config.file=$dir/prometheus.yml",
             "--storage.tsdb.path=$dir/data",
             "--web.listen-address=127.0.0.1:$port"
            or POSIX::_exit(127);
    }

    wait_for(sub {
        die "prometheus has ended\n" if waitpid($pid, WNOHANG) == $pid;

        my $client = eval { Clockodo::Client->new($port) } or return;

        $client->send("GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n");

        return ($client->reply || { status => 0 })->{status} == 200;
    });

    return ($port, $pid);
}
