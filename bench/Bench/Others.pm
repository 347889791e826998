package Bench::Others;

# What may be taken instead of nginx, as a careful user would set it up:
#
#     my $server = Bench::Others->haproxy($application);
#     my $server = Bench::Others->webhook($application);
#     $server->{port}, $server->{pid}
#
# HAProxy finds the token and the fields of one kind of event, does not look
# into the rest, and forwards the event with eight headers.  webhook
# (github.com/adnanh/webhook) compares the token, runs a command for each event
# and waits for it: below /hook/curl one that hands the event to the
# application, below /hook/true one that does nothing.  Each has one thread.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP qw(encode_json);
use Time::HiRes qw(sleep);


sub haproxy {
    my ($class, $application) = @_;

    my $port = Bench::free_port();
    my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);

    save("$dir/haproxy.cfg", <<"END");
global
    nbthread 1
    maxconn 1000

defaults
    mode http
    http-reuse always
    timeout connect 5s
    timeout client 10s
    timeout server 10s

frontend hooks
    bind 127.0.0.1:$port

    http-request deny deny_status 405 unless METH_POST
    http-request return status 415 unless { req.hdr(Content-Type),field(1,;) -m str -i application/json }
    http-request wait-for-body time 5s
    http-request deny deny_status 413 if { req.body_size gt 15360 }

    http-request set-var(txn.right) str(My_Sup3r_T0k3n)
    http-request set-var(txn.token) req.body,json_query('\$.token')
    http-request deny deny_status 403 unless { var(txn.token),secure_memcmp(txn.right) }

    http-request set-var(txn.event) req.body,json_query('\$.event_name')
    http-request set-var(txn.entity) var(txn.event),field(1,.)
    http-request set-var(txn.subscription) req.body,json_query('\$.subscription_id','int')
    http-request set-var(txn.company) req.body,json_query('\$.company_id','int')
    http-request set-var(txn.time) req.body,json_query('\$.occurred_at')
    http-request set-var(txn.id) req.body,json_query('\$.payload.team.id','int')
    http-request set-var(txn.key) var(txn.company),concat(:,txn.subscription,:),concat(,txn.event,:),concat(,txn.id,:),concat(,txn.time),sha2(256),hex,lower
    http-request deny deny_status 400 unless { var(txn.event) -m reg ^[a-z0-9_]+\\.[a-z0-9_]+\$ } { var(txn.id) -m int gt 0 } { var(txn.subscription) -m int gt 0 } { var(txn.company) -m int gt 0 } { var(txn.time) -m found }

    http-request set-header X-Clockodo-Event %[var(txn.event)]
    http-request set-header X-Clockodo-Entity %[var(txn.entity)]
    http-request set-header X-Clockodo-Action %[var(txn.event),field(2,.)]
    http-request set-header X-Clockodo-Entity-Id %[var(txn.id)]
    http-request set-header X-Clockodo-Subscription-Id %[var(txn.subscription)]
    http-request set-header X-Clockodo-Company-Id %[var(txn.company)]
    http-request set-header X-Clockodo-Occurred-At %[var(txn.time)]
    http-request set-header X-Clockodo-Idempotency-Key %[var(txn.key)]

    default_backend application

backend application
    server application unix\@$application
END

    return $class->start($port, $dir, 'haproxy', '-db', '-f',
                         "$dir/haproxy.cfg");
}


sub webhook {
    my ($class, $application) = @_;

    my $port = Bench::free_port();
    my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);

    my %common = (
        'http-methods' => ['POST'],
        'include-command-output-in-response' => JSON::PP::true,
        'trigger-rule-mismatch-http-response-code' => 403,
        'trigger-rule' => {
            match => { type => 'value', value => 'My_Sup3r_T0k3n',
                       parameter => { source => 'payload', name => 'token' } },
        },
    );

    my @curl = ('-sf', '--unix-socket', $application, '-H',
                'Content-Type: application/json', 'http://localhost/', '-d');

    save("$dir/hooks.json", encode_json([
        { %common, id => 'true', 'execute-command' => '/bin/true' },
        { %common, id => 'curl', 'execute-command' => '/usr/bin/curl',
          'pass-arguments-to-command' => [
              (map { { source => 'string', name => $_ } } @curl),
              { source => 'entire-payload' } ] },
    ]));

    local $ENV{GOMAXPROCS} = 1;

    return $class->start($port, $dir, 'webhook', '-hooks', "$dir/hooks.json",
                         '-ip', '127.0.0.1', '-port', $port, '-urlprefix',
                         'hook');
}


# On the core of nginx's worker.

sub start {
    my ($class, $port, $dir, @command) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        exec 'taskset', '-c', 0, @command;
        die "exec: $!\n";
    }

    my $self = bless { port => $port, pid => $pid, owner => $$ }, $class;

    until (IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")) {
        waitpid($pid, 1) == 0
            or die "$command[0] has not started: ", `cat $dir/log`;
        sleep 0.05;
    }

    return $self;
}


sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};

    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
}


sub save {
    my ($name, $text) = @_;

    open my $out, '>', $name or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
}

1;
