package Bench::Callgrind;

# What callgrind counts of an nginx: instructions, by function.  What the kernel
# does is not counted.
#
#     my %got = parallel(NAME => { request => ..., modules => ... }, ...);
#
# A test has what Bench->start() takes, and
#
#     request   a text, or a function that returns one
#     status    what the answer has to be, 204 unless told otherwise
#     close     nginx closes the connection after it
#     where     'upstream': it is sent there
#     only      the function whose instructions count, with all that it calls
#     few, many how often it is sent in the two runs

use strict;
use warnings;

use Bench;
use Cwd qw(getcwd);
use Exporter qw(import);

our @EXPORT = qw(begin finish parallel total);

# Each figure is the difference between two runs with different numbers of
# requests, divided by the difference: what nginx does when it starts and stops
# cancels.

my ($few, $many) = (50, 450);


# The two runs of each at the same time.

sub parallel {
    my %tests = @_;

    my %got;

    for my $name (sort keys %tests) {
        my $test = $tests{$name};
        my @runs = map { begin($_, $test) } $test->{few} || $few,
                                            $test->{many} || $many;

        my ($small, $large) = map { finish($_) } @runs;
        my $n = $runs[1]{n} - $runs[0]{n};

        for my $f (keys %$large) {
            $got{$name}{functions}{$f} = ($large->{$f} - ($small->{$f} // 0))
                                         / $n;
        }

        $got{$name}{all} = (total($large) - total($small)) / $n;
        $got{$name}{start} = total($small) - $runs[0]{n} * $got{$name}{all};
    }

    return %got;
}


sub total {
    my ($functions) = @_;

    my $total = 0;
    $total += $_ for values %$functions;

    return $total;
}


sub begin {
    my ($n, $test) = @_;

    pipe my $in, my $out or die "pipe: $!\n";

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        print $out join '', map { "$_->[0]\t$_->[1]\n" } one_run($n, $test);
        close $out;
        exit 0;
    }

    return { n => $n, in => $in, pid => $pid };
}


sub finish {
    my ($run) = @_;

    my $in = $run->{in};
    my %functions = map { chomp; split /\t/ } <$in>;

    waitpid $run->{pid}, 0;
    die "a run under callgrind has failed\n" if $?;

    return \%functions;
}


sub one_run {
    my ($n, $test) = @_;

    my $file = "build/bench/callgrind.$$";

    my $nginx = Bench->start(
        %$test, single => 1,
        wrapper => ['valgrind', '--tool=callgrind', '--quiet',
                    $test->{only} ? "--toggle-collect=$test->{only}" : (),
                    "--callgrind-out-file=" . getcwd() . "/$file"]);

    my $client;
    my $expected = $test->{status} || 204;

    for (1 .. $n) {
        $client = $nginx->client($test->{where})
            if !$client || $test->{close};

        my $request = $test->{request};
        my $status = $client->call(ref $request ? $request->() : $request);

        die "status $status, not $expected\n" if $status != $expected;
    }

    undef $client;
    $nginx->stop;

    my %functions = read_callgrind($file);

    unlink $file;

    return map { [$_, $functions{$_}] } keys %functions;
}


# The format is described in Valgrind's manual: lines of costs follow "fn=",
# but for the one after "calls=", which has what the callee took.  A name is
# given once, with a number that stands for it.

sub read_callgrind {
    my ($file) = @_;

    open my $in, '<', $file or die "$file: $!\n";

    my (%names, %cost);
    my ($object, $function, $call) = ('', '', 0);

    while (<$in>) {
        if (my ($called, $what, $number, $name) =
                /^(c?)(ob|fn)=(\(\d+\))(?: (.*))?$/)
        {
            $names{$what}{$number} = $name if defined $name;

            next if $called;

            $name = $names{$what}{$number};

            if ($what eq 'ob') {
                $object = $name =~ s{.*/}{}r;

            } else {
                $function = $name =~ s/'\d+$//r;
            }

        } elsif (/^calls=/) {
            $call = 1;

        } elsif (/^[-+*\d]\S* (\d+)$/) {
            $cost{"$function [$object]"} += $1 unless $call;
            $call = 0;
        }
    }

    return %cost;
}

1;
