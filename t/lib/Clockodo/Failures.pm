package Clockodo::Failures;

# Lets calls of an nginx fail that was built by "tools/asan --failures", and
# tells what came of it:
#
#     my $failures = Clockodo::Failures->new(     # before that nginx starts
#         of_nginx => [{ kind => 'close', stack => qr/.../, problem => qr/.../,
#                        why => '...' }]);
#
#     $failures->arm('memory', 3, pid => $worker, on => 1);
#                                 # pid: -1 is what is forked from then on
#     ...                         # the third allocation fails, and all others
#     my $met = $failures->disarm;                # how many there were
#     $failures->failed                           # whether one has failed
#     $failures->call, $failures->stack           # which, and where
#     $failures->reports                          # of sanitizers, since then
#     $failures->descriptors($pid), $failures->more($pid, $before)
#
#     my ($tried, @wrong) = $failures->sweep('memory', [0, 1], sub {
#         my ($n, $on) = @_;      # arms, acts, disarms
#         return @problems;
#     });
#
# does so for all n until there is none that failed, each alone and with all
# that follow.  What nginx itself makes of a failure is told apart by functions
# on the way to the call, with none of ours behind them, and by what is wrong
# then.  It is the other side of t/failures/inject.c.

use strict;
use warnings;

use Clockodo::Nginx qw(contents);
use File::Temp qw(tempfile);
use Test::More ();


# the order_t of inject.c: numbers behind "kind", and what it gives back

my $kind = 'a16';
my $orders = 'L L l';
my $results = 'L L Z20 L x4 Q24';
my $head = 28;
my $serial = 60;
my $size = 256;


sub new {
    my ($class, %arg) = @_;

    my ($file, $name) = tempfile('clockodo.XXXXXX', TMPDIR => 1, UNLINK => 1);

    my ($log) = ($ENV{ASAN_OPTIONS} || '') =~ /\blog_path=([^,]+)/
        or die "to be run by tools/asan --failures\n";

    my $self = bless { file => $file, name => $name, log => $log,
                       of_nginx => [], %arg }, $class;

    $self->put(0, "\0" x $size);
    chmod 0666, $name;

    $ENV{FAILURES} = $name;

    # those of other tests

    $self->reports;

    return $self;
}


sub arm {
    my ($self, $what, $nth, %arg) = @_;

    $self->put(0, "\0" x $size);
    $self->put($serial, pack 'L', ++$self->{serial});
    $self->put(16, pack $orders, $nth, $arg{on} ? 1 : 0, $arg{pid} || 0);
    $self->put(0, pack $kind, $what);
}


sub disarm {
    my ($self) = @_;

    $self->put(0, pack $kind, '');

    return ($self->results)[0];
}


sub met    { ($_[0]->results)[0] }
sub failed { ($_[0]->results)[1] }
sub call   { ($_[0]->results)[2] }


# The functions on the way to it, the innermost first.

sub stack {
    my ($self) = @_;

    my (undef, undef, undef, $n, @frames) = $self->results;

    $n or return;

    # an address is where a call returns to

    my @addresses = map { sprintf '%x', $_ - 1 } @frames[0 .. $n - 1];

    open my $in, '-|', 'addr2line', '-f', '-i', '-e', $ENV{TEST_NGINX_BINARY},
                       @addresses
        or die "addr2line: $!\n";

    my @lines = <$in>;
    my @names = @lines[grep { $_ % 2 == 0 } 0 .. $#lines];

    chomp @names;

    # but for those of inject.c and the sanitizers

    return grep { !/^(?:\?\?|__(?:interceptor|wrap)_.*|fails|fails_of
                      |\w+_fails)$/x } @names;
}


sub results {
    my ($self) = @_;

    my $text;

    sysseek $self->{file}, $head, 0;
    sysread $self->{file}, $text, $size - $head;

    return unpack $results, $text;
}


sub put {
    my ($self, $offset, $text) = @_;

    sysseek $self->{file}, $offset, 0;
    syswrite $self->{file}, $text;
}


# What sanitizers have said since this was called last.  The files stay, for
# tools/asan, but for those that are of nginx's own.

sub reports {
    my ($self) = @_;

    $self->{reports} = {};

    for (grep { !$self->{seen}{$_}++ } glob "$self->{log}.*") {
        my $text = contents($_);
        my ($what) = $text =~ /^(.*(?:ERROR|error).*)$/m;

        $self->{reports}{'a report: ' . ($what // $text)} = $_;
    }

    return sort keys %{$self->{reports}};
}


sub sweep {
    my ($self, $kind, $modes, $run) = @_;

    my ($tried, @wrong) = 0;

    for my $on (@$modes) {
        for (my $n = 1; @wrong < 5; $n++) {
            my @problems = $run->($n, $on);

            my $failed = $self->failed;
            my @stack = @problems ? $self->stack : ();

            $tried++ if $failed;

            @problems = grep { !$self->is_of_nginx($kind, "@stack", $_) }
                        @problems;

            push @wrong, join "\n    ",
                         "$n" . ($on ? ' and on' : '') . ', '
                         . ($failed ? $self->call : 'nothing failed') . ': '
                         . join(', ', @problems), @stack
                if @problems;

            last if !$failed;
        }
    }

    return $tried, @wrong;
}


sub is_of_nginx {
    my ($self, $kind, $stack, $problem) = @_;

    for my $own (@{$self->{of_nginx}}) {

        if ($kind =~ /^(?:$own->{kind})$/ && $problem =~ $own->{problem}
            && $stack =~ /^(.*?)$own->{stack}/ && $1 !~ /clockodo/)
        {
            unlink $self->{reports}{$problem} if $self->{reports}{$problem};

            $own->{seen}++;
            return 1;
        }
    }

    return 0;
}


# Scenarios by kinds: how many failures there were.

sub print_table {
    my ($self, $table, $names, $kinds) = @_;

    my @shown = grep { my $kind = $_; grep { $_->{$kind} } values %$table }
                @$kinds;

    my $row = sub {
        my ($name, @cells) = @_;

        return sprintf '%-20s' . ' %9s' x @cells, $name, @cells;
    };

    Test::More::diag(join "\n", 'failures tried:', $row->('', @shown), map {
        my $name = $_;

        $table->{$name} ? $row->($name, map { $table->{$name}{$_} || '-' }
                                        @shown)
                        : ();
    } @$names);

    for (grep { $_->{seen} } @{$self->{of_nginx}}) {
        Test::More::diag("nginx's own, $_->{kind}, $_->{seen} times: "
                         . $_->{why});
    }
}


# The descriptors of a process, by what they are; and of which there are more.

sub descriptors {
    my ($self, $pid) = @_;

    my %count;

    for (glob "/proc/$pid/fd/*") {
        my $to = readlink // next;

        # a file that a scenario made anew is the same here

        $count{$to =~ s/:\[\d+\]$| \(deleted\)$//r}++;
    }

    return \%count;
}


sub more {
    my ($self, $pid, $before) = @_;

    my $after = $self->descriptors($pid);

    return join ', ', map { "$_: $after->{$_}" }
                      grep { $after->{$_} > ($before->{$_} || 0) }
                      sort keys %$after;
}

1;
