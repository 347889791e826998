package Bench::Counts;

# Instructions a request, and whether there are more than there may be.

use strict;
use warnings;

use Bench;
use Bench::Callgrind;
use Clockodo::Redis;
use Exporter qw(import);

our @EXPORT = qw(counts);

# What may be added to an event that is accepted.  A row is a directive: how
# many instructions it took, and which headers the upstream has to read then,
# which do not count.

my %features = (
    masked => { what => 'clockodo_mask_token', took => 56 },
    mark   => { what => 'clockodo_dedupe mark', took => 643 },
    signed => { what => 'clockodo_sign_key', took => 12_362,
                headers => \@signature },
    report => { what => 'clockodo_webhook report', took => 230,
                headers => ['X-Clockodo-Verdict: accepted'] },
);

# Where it goes to instead of an application, and what that took in all.

my %places = (
    spool => { what => 'clockodo_spool', took => 25_591 },
    redis => { what => 'clockodo_redis_pass', took => 29_468 },
);

# They may take 5 % more, and what runs differ by.

my $noise = 50;


sub counts {
    my @more = (few => 500, many => 4500);
    my $redis = Clockodo::Redis->start;

    my %got = parallel(
        # of more requests: what differs from run to run weighs less
        plain     => { request => post('/plain', $event), @more },

        headers   => { request => post('/headers', $event) },

        module    => { request => post('/module', $event),
                       modules => ['clockodo'], @more },

        # enough for LuaJIT to have compiled what it will
        lua       => { request => post('/lua', $event),
                       modules => ['lua'], few => 1500, many => 2500 },

        njs       => { request => post('/njs', $event),
                       modules => ['njs'] },

        # the module loaded: off in all locations, and on in another one
        off       => { request => post('/plain', $event),
                       modules => ['clockodo'], off => 1 },
        elsewhere => { request => post('/plain', $event),
                       modules => ['clockodo'] },

        features(),
        places($redis),

        # what signing takes, the idempotency key apart, which any event has
        signing   => { request => post('/signed', $event),
                       modules => ['clockodo'],
                       only => 'ngx_http_clockodo_sign' },
        key       => { request => post('/signed', $event),
                       modules => ['clockodo'],
                       only => 'clockodo_event_key' },

        token     => { request => post('/module', $event =~ s/My_/my_/r),
                       modules => ['clockodo'], status => 403 },

        # nginx closes the connection after a 400
        malformed => { request => post('/module', $event =~ s/\}$//r),
                       modules => ['clockodo'], status => 400, close => 1 },
        closed    => { request => post('/plain', $event, 'Connection: close'),
                       close => 1 },

        # what counters and the status cost of that
        counting  => { request => post('/module', $event),
                       modules => ['clockodo'],
                       only => 'ngx_http_clockodo_log_handler' },

        # what proxy_pass sends for it, with and without the headers
        bare      => { request => forwarded(), where => 'upstream', @more },
        eight     => { request => forwarded(@headers), where => 'upstream',
                       @more },
    );

    my %count = map { $_ => $got{$_}{all} } keys %got;

    $count{upstream} = $count{eight} - $count{bare};
    $count{added} = $count{module} - $count{plain} - $count{upstream};
    $count{pool} = pool('/module') - pool('/plain');

    my $all = 0;
    $all += $_ for map { $got{off}{functions}{$_} }
                   grep { /clockodo/ } keys %{$got{off}{functions}};

    print_functions($got{module}{functions}, $got{plain}{functions});

    print "\n# instructions a request\n";
    printf "# %-10s %7d\n", $_, $count{$_}
        for qw(plain headers module lua njs token malformed closed off
               elsewhere), sort(keys %features), sort keys %places;
    printf "# reading eight more headers costs the upstream %d\n",
           $count{upstream};
    print "\n";

    check($count{added} <= 15_000,
          sprintf 'an accepted event adds %d instructions, 15000 at most, '
                  . 'besides %d of the upstream',
                  $count{added}, $count{upstream});
    check($count{counting} > 0 && $count{counting} <= 1200,
          "counting it takes $count{counting} of these, 1200 at most");
    check($count{token} < $count{plain},
          'refusing a wrong token takes less than forwarding');
    check($count{malformed} < $count{closed},
          'refusing a malformed body takes less than forwarding');
    check($all == 0, "off: $all instructions in the module");

    check_signing(\%got, \%count);
    check_features(\%count);
    check_places(\%count);

    check($count{pool} <= 2048,
          "an accepted event takes $count{pool} bytes of pools, "
          . '2048 at most');

    check_sizes($got{plain}{start}, $got{module}{start});

    return \%count;
}


# An event has two texts to digest without a key, the token and what its
# idempotency key is made of: three blocks.  The signature has "ID.TIMESTAMP."
# and the body, each of both with a bit and a length behind it, and one block
# more.

sub check_signing {
    my ($got, $count) = @_;

    my ($without) = sort { $b <=> $a } map { $got->{module}{functions}{$_} }
                    grep { /\[libcrypto/ } keys %{$got->{module}{functions}};

    my ($id, $timestamp) = map { s/^.*: //r } @signature;
    my $blocks = int((length("$id.$timestamp.$event") + 9 + 63) / 64) + 1;
    my $block = $without / 3;

    my $signing = $count->{signing} - $count->{key};

    check($block > 0 && $signing > $block
          && $signing <= $blocks * $block + 1500,
          sprintf 'signing an event takes %d instructions, %d blocks of '
                  . 'SHA-256 at %d each and 1500 at most',
                  $signing, $blocks, $block);

    my $none = 0;
    $none += $_ for map { $got->{module}{functions}{$_} }
                    grep { /clockodo_sign/ } keys %{$got->{module}{functions}};

    check($none == 0, "without a key: $none instructions for signing");
}


# Each feature beside the module without it, with events that are all other
# ones, and what the upstream reads more.

sub features {
    my %tests = (
        fresh => { request => sub { post('/module', fresh()) },
                   modules => ['clockodo'], more => ['features'] },
    );

    for my $name (keys %features) {
        my $headers = $features{$name}{headers};

        $tests{$name} = { request => sub { post("/$name", fresh()) },
                          modules => ['clockodo'], more => ['features'] };

        $tests{"$name upstream"} =
            { request => forwarded(@headers, @$headers), where => 'upstream' }
            if $headers;
    }

    return %tests;
}


sub check_features {
    my ($count) = @_;

    for my $name (sort keys %features) {
        my ($what, $took, $headers) = @{$features{$name}}{qw(what took headers)};
        my $most = 1.05 * $took + $noise;

        my $upstream = $headers ? $count->{"$name upstream"} - $count->{eight}
                                : 0;
        my $added = $count->{$name} - $count->{fresh} - $upstream;

        check($added > 0 && $added <= $most,
              sprintf '%s adds %d instructions, %d at most, besides %d of the '
                      . 'upstream', $what, $added, $most, $upstream);
    }
}


sub places {
    my ($redis) = @_;

    my %common = (modules => ['clockodo'], status => 200);

    return (
        spool => { %common, request => place('spool'), more => ['spool'] },
        redis => { %common, request => place('redis'), redis => $redis->path },
    );
}


sub place {
    my ($name) = @_;

    return sub { post("/$name", fresh()) };
}


sub check_places {
    my ($count) = @_;

    for my $name (sort keys %places) {
        my ($what, $took) = @{$places{$name}}{qw(what took)};
        my $most = 1.05 * $took + $noise;

        check($count->{$name} <= $most,
              sprintf 'an event to %s takes %d instructions, %d at most',
                      $what, $count->{$name}, $most);
    }
}


sub forwarded {
    my (@more) = @_;

    return post('/', $event, 'Host: application', @more);
}


# Bodies of 1 KB and of 64 KB: whether the larger one costs more a byte.

my %bodies;

BEGIN {
    %bodies = (
        'a long string'  => sub { 'x' x $_[0] },
        'many members'   => sub { fill($_[0], '"%05d":1,') },
        'long names'     => sub { fill($_[0], '"' . 'a' x 40 . '%05d":1,') },
        'escaped names'  => sub { fill($_[0], '"\u0061%05d":1,') },
        'objects'        => sub { fill($_[0], '{"a":{"b":%d}},') },
        'numbers'        => sub { fill($_[0], '%d.5e-3,', 10000) },
    );
}

sub fill {
    my ($len, $format, $first) = @_;

    my $text = '';
    my $n = $first // 0;

    $text .= sprintf $format, $n++ while length $text < $len;

    return $text =~ s/,$//r;
}


sub sized {
    my ($what, $size) = @_;

    my $len = $size - length($event) - 40;
    my $more = $bodies{$what}->($len);

    my $value = $what =~ /string/ ? "\"$more\""
                : $what =~ /members|names/ ? "{$more}" : "[$more]";

    return $event =~ s/^\{/{"more":$value,/r;
}


# Start-up is known by now: one run of each will do.

sub check_sizes {
    my ($plain, $module) = @_;

    my %forwarded = of_sizes($plain, sub {
        { request => post('/plain', 'x' x $_[0]) }
    });

    for my $what (sort keys %bodies) {

        my %judged = of_sizes($module, sub {
            { request => post('/sized', sized($what, $_[0])),
              modules => ['clockodo'] }
        });

        my ($small, $large) = map { ($judged{$_} - $forwarded{$_}) / $_ }
                              1024, 65536;

        check($large <= $small,
              sprintf '%s: %.1f instructions a byte at 1 KB, %.1f at 64 KB',
                      $what, $small, $large);
    }
}


sub of_sizes {
    my ($start, $test) = @_;

    my $n = 40;
    my @sizes = (1024, 65536);
    my @runs = map { begin($n, $test->($_)) } @sizes;

    return map { $_ => (total(finish(shift @runs)) - $start) / $n } @sizes;
}


# The bytes that nginx takes for a request, by its debug log.  What fits into a
# block of a pool is not in there: with the least that there may be, only what
# has 32 bytes or less does.

sub pool {
    my ($path) = @_;

    my $nginx = Bench->start(modules => ['clockodo'], level => 'debug',
                             http => 'request_pool_size 112;');
    my $client = $nginx->client;

    # the second one: the first makes the connection's own

    $client->call(post($path, $event));
    my $before = length $nginx->read('error.log');
    $client->call(post($path, $event));
    $nginx->stop;

    my $log = substr $nginx->read('error.log'), $before;
    my $bytes = 0;

    $bytes += $_ for $log =~ /(?:malloc|posix_memalign): \w+:(\d+)/g;

    return $bytes;
}


sub print_functions {
    my ($with, $without) = @_;

    my %more = map { $_ => $with->{$_} - ($without->{$_} // 0) } keys %$with;

    print "# where the instructions go that an accepted event adds\n";

    for my $f (sort { $more{$b} <=> $more{$a} } keys %more) {
        printf "# %7d  %s\n", $more{$f}, $f if $more{$f} >= 25;
    }
}

1;
