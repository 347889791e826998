# Prometheus's own tool finds nothing to complain about in what
# "clockodo_status prometheus" shows, and reads the same figures in it as
# stand in the JSON; the alert rules are valid.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use File::Temp qw(tempfile);
use JSON::PP qw(decode_json);
use Test::More;


my $nginx = Clockodo::Nginx->start(http => app(), server => <<'END');
        server_name hooks.example.com;

        location = /status { clockodo_status; }
        location = /metrics { clockodo_status prometheus; }

        location /hook {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_token other;
            clockodo_secret_file secrets;
            clockodo_events *.updated *.deleted;
            clockodo_unknown_events forward;
            clockodo_dedupe mark;
            proxy_pass http://app;
        }

        location '/odd "\\' {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            return 200;
        }
END

my @requests = (
    (post(event())) x 3, post(event(event_name => '"x.deleted"')),
    post(event(event_name => '"team.created"')), post('{"secret":"s"}'),
    (post('{')) x 2, post(event(token => 1)), post('{"secret":1}'),
    post(event(subscription_id => 7)),
);

check(get('/metrics'), 'metrics', 'nothing has come yet');

for my $request (@requests) {
    my $client = Clockodo::Client->new($nginx->port);

    $client->send($request);
    $client->reply;
}

my $status = wait_for(sub {
    my $status = decode_json(get('/status'));

    return @{$status->{deliveries}} + @{$status->{other_deliveries}}
           == @requests ? $status : undef;
});

my $text = get('/metrics');

check($text, 'metrics', 'all kinds have come');

# once more, by the names that the documentation gives them

my $last = $status->{last_accepted};
my %json;

for my $location (@{$status->{locations}}) {
    my $label = $location->{location} =~ s/(["\\])/\\$1/gr;

    for my $case ([ requests => 'requests', 'verdict' ],
                  [ rejected => 'rejected', 'reason' ],
                  [ events => 'events', 'event' ],
                  [ upstream_responses => 'upstream_responses', 'class' ])
    {
        my ($key, $name, $kind) = @$case;
        my $values = $location->{$key};

        $json{qq(clockodo_${name}_total{location="$label",$kind="$_"})}
            = $values->{$_} for keys %$values;
    }

    my $tokens = $location->{tokens};

    $json{'clockodo_token_last_used_timestamp_seconds'
          . qq({location="$label",token="$_"})} = $tokens->{$_}
        for keys %$tokens;

    my $responses = $location->{upstream_seconds};
    my $histogram = 'clockodo_upstream_response_seconds';

    $json{qq(${histogram}_bucket{location="$label",le="$_"})}
        = $responses->{buckets}{$_} for keys %{$responses->{buckets}};

    my %one = (
        "${histogram}_sum" => $responses->{sum},
        "${histogram}_count" => $responses->{buckets}{'+Inf'},
        clockodo_not_taken_consecutive => $location->{not_taken}{consecutive},
        clockodo_secret_file_bytes => $location->{secret_file}{bytes},
        clockodo_secret_file_limit_bytes => $location->{secret_file}{limit},
        map { ("clockodo_spool_${_}_total" => $location->{spool}{$_}) }
            qw(stored duplicates failures),
    );

    $json{qq($_\{location="$label"})} = $one{$_} for keys %one;
}

$json{clockodo_last_accepted_timestamp_seconds} = $last->{time};

for my $kind (qw(event subscription)) {
    my $values = $last->{"${kind}s"};

    $json{"clockodo_${kind}_last_accepted_timestamp_seconds{$kind=\"$_\"}"}
        = $values->{$_} for keys %$values;
}

$json{clockodo_start_time_seconds} = $status->{since};
$json{qq(clockodo_build_info{version="$status->{module_version}",)
      . qq(nginx_version="$status->{nginx_version}"})} = 1;

$json{clockodo_dedupe_entries} = $status->{dedupe}{entries};
$json{"clockodo_dedupe_${_}_total"} = $status->{dedupe}{$_}
    for qw(evictions unclaimed);

delete @json{grep { !defined $json{$_} } keys %json};

my %metrics = map { /^(\S+?(?:\{.*\})?) (\S+)$/ }
              grep { !/^#/ } split /\n/, $text;

is_deeply([ map { "$_ " . (0 + $metrics{$_}) } sort keys %metrics ],
          [ map { "$_ " . (0 + $json{$_}) } sort keys %json ],
          'the same as the JSON');
is($json{'clockodo_requests_total{location="hooks.example.com/hook",'
         . 'verdict="rejected"}'}, 4, 'and it is what was sent');


# the alert rules

my $rules = 'examples/prometheus-rules.yml';

open my $in, '<', $rules or die "$rules: $!\n";
my $alerts = do { local $/; <$in> };

check($alerts, 'rules', $rules);

my %known = map { /^(\w+)/ ? ($1 => 1) : () } $text =~ /^# TYPE (\w+)/mg;

ok($known{$_}, "rules: $_ is a metric")
    for grep { !/^clockodo_(?:deliver_|webhook$|zone$|secret_file$)/ }
        keys %{{ map { $_ => 1 } $alerts =~ /\b(clockodo_\w+)/g }};


# the check can fail

check($text =~ s/\{location="hooks/{location=hooks/r, 'metrics', 'broken', 1);
check($text . "# TYPE clockodo_bad counter\nclockodo_bad 1\n", 'metrics',
      'a counter of a bad name', 1);
check($alerts =~ s/expr: /expr: )/r, 'rules', 'broken', 1);

done_testing();


sub get {
    my ($uri) = @_;

    my $client = Clockodo::Client->new($nginx->port);

    $client->send("GET $uri HTTP/1.1\r\nHost: localhost\r\n\r\n");

    return $client->reply->{body};
}


# "promtool check metrics" or "rules"; exits 0 and prints nothing but what it
# has found, or that it has found rules.

sub check {
    my ($text, $what, $name, $bad) = @_;

    my ($in, $file) = tempfile(UNLINK => 1);
    print $in $text;
    close $in or die "$file: $!\n";

    my $input = $what eq 'metrics' ? "< $file" : $file;
    my $output = `promtool check $what $input 2>&1`;

    my $complains = $? || ($what eq 'metrics' && $output ne '');

    ok(!!$bad == !!$complains, "promtool: $what: $name") or diag($output);
}
