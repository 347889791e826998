package Clockodo::Load;

# Sends events without a pause, by many connections, from a process of its own:
#
#     my $load = Clockodo::Load->start($nginx->port);
#     ...                                # what it is to live through
#     my $result = $load->finish;
#
#     $result->{answers}                 # { 200 => 4711, 409 => 1, none => 2 }
#     $result->{acknowledged}            # entity ids that have got 200, sorted
#
# Most events are sent again until they get 200, after any other answer and
# when the connection was closed without one ("none").  One in four is sent
# twice at the same time, and given up after that.  One in ten has a wrong token:
# its answers are counted as "forged 403".

use strict;
use warnings;

use Clockodo;
use Clockodo::Client;
use IO::Select;
use IO::Socket::INET;
use JSON::PP qw(decode_json encode_json);
use POSIX ();
use Time::HiRes qw(time);


my $connections = 32;
my $pause = 0.05;       # before an event is sent again
my $patience = 20;      # for a reply


sub start {
    my ($class, $port) = @_;

    my $parent = $$;

    pipe my $end, my $stop or die "pipe: $!\n";
    pipe my $result, my $out or die "pipe: $!\n";

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        close $_ for $stop, $result;

        my $sent = eval { send_all($port, $end, $parent) } || { died => $@ };

        print $out encode_json($sent);
        close $out;
        POSIX::_exit(0);
    }

    return bless { stop => $stop, result => $result, pid => $pid }, $class;
}


sub finish {
    my ($self) = @_;

    # others that were forked meanwhile may have this end open as well

    syswrite $self->{stop}, '.';

    my $fh = $self->{result};
    my $result = decode_json(do { local $/; <$fh> });

    waitpid $self->{pid}, 0;

    die "the load: $result->{died}" if $result->{died};

    return $result;
}


# What an event is, by its id.

sub forged { $_[0] % 10 == 0 }
sub twice  { $_[0] % 4 == 1 }


# $end gets readable when it is time to send no more new ones.

sub send_all {
    my ($port, $end, $parent) = @_;

    my $select = IO::Select->new($end);
    my ($ending, $last) = (0, 0);
    my (@again, %id, %in, %answers, %acknowledged);

    my $next = sub {
        return shift(@again)->[1] if @again && $again[0][0] <= time;
        return if $ending;

        $last++;
        unshift @again, [ 0, $last ] if twice($last);

        return $last;
    };

    my $send = sub {
        my ($socket, $id) = @_;

        $id{$socket} = $id;
        $in{$socket} = '';

        syswrite $socket, post(event(payload => qq({"team":{"id":$id}}),
                                     forged($id) ? (token => '"x"') : ()));
    };

    my $connect = sub {
        my ($id) = @_;

        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $port)
            or die "connect: $!\n";

        $select->add($socket);
        $send->($socket, $id);
    };

    my $settle = sub {
        my ($id, $answer) = @_;

        $answers{forged($id) ? "forged $answer" : $answer}++;

        if ($answer eq '200') {
            $acknowledged{$id} = 1;

        } elsif (!forged($id) && !twice($id)) {
            push @again, [ time + $pause, $id ];
        }
    };

    my $heard = time;

    while (getppid == $parent) {

        # $end is among them until it has been read

        while ($select->count < $connections + !$ending) {
            my $id = $next->() or last;
            $connect->($id);
        }

        last if $ending && !$select->count && !@again;

        my @ready = $select->can_read(@again ? $pause : 1);

        $heard = time if @ready;
        die "no reply\n" if time > $heard + $patience;

        for my $socket (@ready) {

            if ($socket == $end) {
                $ending = 1;
                $select->remove($end);
                next;
            }

            my $got = sysread $socket, $in{$socket}, 65536,
                              length $in{$socket};
            my ($status, $head) = $in{$socket}
                                  =~ m{\AHTTP/1\.1 (\d+)(.*?)\r\n\r\n}s;
            my $closes = !$got;

            if ($got) {
                my ($length) = ($head // '') =~ /^Content-Length: (\d+)/m;

                # there is a Content-Length in all replies but a chunked one

                next unless defined $length
                            && $in{$socket} =~ /\r\n\r\n.{$length}\z/s;

                $closes = $head =~ /^Connection: close/m;
            }

            $settle->($id{$socket}, $got ? $status : 'none');

            my $id = $closes ? undef : $next->();

            if ($id) {
                $send->($socket, $id);
                next;
            }

            $select->remove($socket);
            delete @{$_}{$socket} for \%id, \%in;
            close $socket;
        }
    }

    return { answers => \%answers,
             acknowledged => [ sort { $a <=> $b } keys %acknowledged ] };
}


1;
