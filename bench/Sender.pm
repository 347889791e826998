package Sender;

# Sends events to edges, so many a second, each until it was answered 200; a
# process of its own, on a host of its own:
#
#     perl -Ibench -It/lib -MSender -e Sender::run FILE SETTINGS
#
# SETTINGS is JSON:
#
#     edges   addresses; an event of one edge's sender goes to that one, any
#             other one to two of them at once
#     first, step, last    its ids
#     rate    events a second; one that is late goes out as soon as it can
#     paths   location and company are those of the id
#     lies    for every so many, it writes down a 200 without sending anything
#
# A line of FILE is a try: when the event was to go out, when it was sent, when
# the reply came, the number of the edge, the id, the status.  0 is none.

use strict;
use warnings;

use Clockodo;
use Clockodo::Client ();
use Errno qw(EAGAIN EINPROGRESS);
use IO::Select;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Time::HiRes qw(sleep time);


my $patience = 10;      # seconds for a reply
my $pause = 0.2;        # before an event is sent again
my $most = 256;         # connections to an edge

my (%set, $out, @waiting, @again, @idle, @open, %try);
my $reading = IO::Select->new;
my $writing = IO::Select->new;


sub run {
    my ($file, $settings) = @ARGV;

    %set = %{decode_json($settings)};
    open $out, '>', $file or die "$file: $!\n";

    local $SIG{PIPE} = 'IGNORE';

    my $began = time;
    my $next = $set{first};
    my $n = 0;

    while ($next <= $set{last} || %try || @again || grep { @$_ } @waiting) {

        my $due = $began + $n / $set{rate};

        if ($next <= $set{last} && $due <= time) {
            plan($next, $due);
            $next += $set{step};
            $n++;
            next;
        }

        push @{$waiting[$_->{edge}]}, $_ for due();
        start($_) for 0 .. $#{$set{edges}};
        move($next <= $set{last} ? $due : time + 0.1);
    }

    close $out or die "$file: $!\n";
}


# Which edges an event goes to.

sub plan {
    my ($id, $due) = @_;

    my $edges = @{$set{edges}};
    my @to = $edges == 1 ? (0)
             : ($id % $edges,
                ($id + 1 + int($id / $edges) % ($edges - 1)) % $edges);

    if ($set{lies} && $id % $set{lies} == 0) {
        note({ id => $id, due => $due, at => $due, edge => $_ }, 200) for @to;
        return;
    }

    push @{$waiting[$_]}, { id => $id, due => $due, edge => $_ } for @to;
}


sub due {
    my @due;

    push @due, (shift @again)->[1] while @again && $again[0][0] <= time;

    return @due;
}


# Gives what waits for an edge to connections.

sub start {
    my ($edge) = @_;

    while (@{$waiting[$edge] || []}) {

        my $socket = pop @{$idle[$edge] ||= []};

        if (!$socket) {
            return if ($open[$edge] // 0) >= $most;

            $socket = IO::Socket::INET->new(
                PeerAddr => $set{edges}[$edge], PeerPort => 80, Blocking => 0)
                or die "connect: $!\n";

            $open[$edge]++;
        }

        my $try = shift @{$waiting[$edge]};

        @{$try}{qw(socket at in out)} = ($socket, time, '',
                                         request($try->{id}));

        $try{$socket} = $try;
        $writing->add($socket);
    }
}


sub request {
    my ($id) = @_;

    my @paths = @{$set{paths}};
    my $path = $paths[$id / 3 % @paths];

    return Clockodo::Client::post(event(
               company_id => 1 + $id / 3 % @paths,
               payload => sprintf '{"team":{"id":%d}}', $id))
           =~ s{/hook}{$path}r;
}


sub move {
    my ($until) = @_;

    my $left = $until - time;

    $left = 0.1 if $left > 0.1;
    $left = 0 if $left < 0;

    # without sockets, select() returns at once

    if (!$reading->count && !$writing->count) {
        sleep $left;
        return;
    }

    my ($in, $out) = IO::Select->select($reading, $writing, undef, $left);

    for my $socket (@{$out || []}) {
        my $try = $try{$socket};
        my $n = syswrite $socket, $try->{out};

        if (!defined $n) {
            settle($try, 0) if $! != EAGAIN && $! != EINPROGRESS;
            next;
        }

        substr $try->{out}, 0, $n, '';
        next if length $try->{out};

        $writing->remove($socket);
        $reading->add($socket);
    }

    for my $socket (@{$in || []}) {
        my $try = $try{$socket};

        # an idle one was closed

        if (!$try) {
            forget($socket);
            next;
        }

        my $n = sysread $socket, $try->{in}, 65536, length $try->{in};

        next if !defined $n && $! == EAGAIN;
        settle($try, 0), next if !$n;

        my ($status, $head, $body) = $try->{in}
            =~ m{\AHTTP/1\.1 (\d+)(.*?)\r\n\r\n(.*)}s or next;
        my ($length) = $head =~ /^Content-Length: (\d+)/m;

        next if length $body < ($length // 0);

        settle($try, $status, $head !~ /^Connection: close/m);
    }

    my $old = time - $patience;

    settle($_, 0) for grep { $_->{at} < $old } values %try;
}


sub settle {
    my ($try, $status, $keep) = @_;

    my $socket = delete $try->{socket};

    delete $try{$socket};
    note($try, $status);
    push @again, [time + $pause, $try] if $status != 200;

    if ($keep) {
        push @{$idle[$try->{edge}]}, $socket;

    } else {
        forget($socket, $try->{edge});
    }
}


sub forget {
    my ($socket, $edge) = @_;

    for my $i (defined $edge ? $edge : 0 .. $#idle) {
        my @rest = grep { $_ != $socket } @{$idle[$i] || []};

        next if !defined $edge && @rest == @{$idle[$i] || []};

        $idle[$i] = \@rest;
        $open[$i]--;
    }

    $reading->remove($socket);
    $writing->remove($socket);
    close $socket;
}


sub note {
    my ($try, $status) = @_;

    printf $out "%.6f %.6f %.6f %d %d %d\n", $try->{due}, $try->{at}, time,
           $set{number}[$try->{edge}], $try->{id}, $status;
}

1;
