package Clockodo::Network;

# Hosts that are network namespaces, at one of two switches, which a link joins:
#
#     Clockodo::Network->alone;           # first of all: see below
#
#     my $network = Clockodo::Network->new([qw(edge1 node1)], [qw(node2 app)]);
#
#     $network->address('node1')          # its address
#     $network->on('node1')               # the first words of a command there
#     $network->cut; $network->mend;      # the link between the switches
#     $network->worsen('2ms', '0.5%')     # delay and loss at each host; false
#                                         # if the kernel has no netem
#
# alone() starts the program again with a network, mounts and processes of its
# own.  What it makes and starts is gone when it ends, also if it is killed:
# processes with the first one of them, namespaces and files (below /run, in
# memory) with the last.

use strict;
use warnings;

use Time::HiRes qw(sleep);


my $mark = 'CLOCKODO_NETWORK';


sub alone {
    my ($class) = @_;

    if (!delete $ENV{$mark}) {
        $ENV{$mark} = 1;

        exec qw(unshare --net --mount --pid --fork --kill-child --mount-proc),
             $^X, $0, @ARGV or die "unshare: $!\n";
    }

    run(qw(mount -t tmpfs -o mode=755 tmpfs /run));

    mkdir $_ or die "$_: $!\n" for '/run/netns', '/run/tmp';
    chmod 01777, '/run/tmp';
    $ENV{TMPDIR} = '/run/tmp';

    run(qw(ip link set lo up));
}


sub new {
    my ($class, @sides) = @_;

    my $self = bless { address => {} }, $class;

    run(qw(ip link add link0 type veth peer name link1));

    for my $i (0 .. $#sides) {
        run(qw(ip link add), "switch$i", qw(type bridge));
        run(qw(ip link set), "switch$i", 'up');
        plug("link$i", "switch$i");

        $self->host($_, "switch$i") for @{$sides[$i]};
    }

    # a second after that, a bridge forwards at the latest

    sleep 1;

    return $self;
}


sub host {
    my ($self, $host, $switch) = @_;

    my $address = $self->{address}{$host}
                = '10.77.0.' . (1 + keys %{$self->{address}});

    run(qw(ip netns add), $host);
    run(qw(ip link add), $host, qw(type veth peer name eth0 netns), $host);
    plug($host, $switch);

    run(qw(ip -n), $host, @$_) for
        [qw(link set lo up)], [qw(link set eth0 up)],
        ['address', 'add', "$address/24", 'dev', 'eth0'];
}


sub plug {
    my ($link, $switch) = @_;

    run(qw(ip link set), $link, 'master', $switch, 'up');
}


sub address {
    my ($self, $host) = @_;

    return $self->{address}{$host} // die "there is no host $host\n";
}


sub on {
    my ($self, $host) = @_;

    $self->address($host);

    return (qw(ip netns exec), $host);
}


sub cut  { run(qw(ip link set link0 down)) }
sub mend { run(qw(ip link set link0 up)) }


sub worsen {
    my ($self, $delay, $loss) = @_;

    for my $host (sort keys %{$self->{address}}) {
        my @words = ('tc', '-n', $host, qw(qdisc add dev eth0 root netem delay),
                     $delay, 'loss', $loss);

        my $said = `@words 2>&1`;

        return 0 if $said =~ /qdisc kind is unknown|No such file/;
        die "@words: $said\n" if $? != 0;
    }

    return 1;
}


sub run {
    my (@words) = @_;

    system(@words) == 0 or die "@words: failed\n";
}

1;
