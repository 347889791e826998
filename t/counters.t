# Every counter equals what was sent: over several workers, with reloads in
# between, and after a worker was killed.  Counting begins anew only where the
# memory does: with another size, in a new binary, and in a new nginx.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep);


my $server = <<'END';
        server_name localhost;
        location = /status { clockodo_status; }

        location /one {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_events team.* user.*;
            clockodo_secret_file secrets;
            proxy_pass http://app;
        }
        location /two {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_token second;
            proxy_pass http://app;
        }
END

my %app = (http => <<'END', listen => 'reuseport');
    upstream app {
        server unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;
    }
    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/html/app.sock;
        location / { return 204; }
        location /two { return 500; }
    }
END

# what is sent, and what it adds to

my @kinds = (
    [ '/one', post(event()), accepted => 'events team.updated' ],
    [ '/one', post(event(event_name => '"user.deleted"',
                         payload => '{"user":{"id":1}}')),
      accepted => 'events user.deleted' ],
    [ '/one', post(event(event_name => '"entry.started"',
                         payload => '{"entry":{"id":1}}')), 'filtered' ],
    [ '/one', post('{"secret":"8ee3d438"}'), 'handshake' ],
    [ '/one', post('{'), rejected => 'rejected malformed_json' ],
    [ '/one', post(event(token => 0)), rejected => 'rejected token' ],
    [ '/two', post(event(token => '"second"')),
      accepted => 'events team.updated' ],
    [ '/two', post('x' x 20000), rejected => 'rejected body_too_large' ],
    [ '/two', post(chunked(event(payload => '{}'), 40),
                   'Transfer-Encoding: chunked'),
      rejected => 'rejected payload' ],
);

my (%expected, $sent);


# a known mix

my $nginx = Clockodo::Nginx->start(server => $server, workers => 4, %app);

wait_for(sub { $nginx->workers == 4 });

my %pids = map { $_ => 1 } $nginx->workers;

send_mix(200);
is_deeply(counted(), \%expected, 'four workers');

for my $n (1 .. 3) {
    send_mix(50);
    $nginx->reload;
    send_mix(50);
    is_deeply(counted(), \%expected, "reload $n");
}

$nginx->reload(server => $server =~ s/(?=location \/one)/
                                      location \/zero {
                                          clockodo_webhook on;
                                          clockodo_token t;
                                      } /xr);
send_mix(50);
is_deeply(counted(), \%expected, 'a location more, in front');

$nginx->reload(server => $server);
send_mix(50);
is_deeply(counted(), \%expected, 'and gone again');


# requests go on while the configuration is loaded again and again

{
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        for (1 .. 5) {
            kill 'HUP', $nginx->pid;
            sleep 0.1;
        }

        POSIX::_exit(0);
    }

    send_mix(400);
    waitpid $pid, 0;
    send_mix(20);

    is_deeply(counted(), \%expected, 'reloads at the same time');
}


# one that is killed takes nothing with it

{
    wait_for(sub { $nginx->workers == 4 });

    my ($victim) = $nginx->workers;

    kill 'KILL', $victim;
    wait_for(sub { !-e "/proc/$victim" && $nginx->workers == 4 });

    send_mix(100);
    is_deeply(counted(), \%expected, 'a worker was killed');
}


# another size is another memory

{
    $nginx->reload(server => $server,
                   http => "clockodo_zone 2m;\n$app{http}");
    %expected = ();
    $sent = 0;

    is(counted(), undef, 'another size: from zero');

    send_mix(50);
    is_deeply(counted(), \%expected, 'and counts');

    $nginx->reload;
    is_deeply(counted(), \%expected, 'and keeps that');
}


# so is another binary's

{
    $nginx = Clockodo::Nginx->start(server => $server, %app, daemon => 'on');

    %expected = ();
    $sent = 0;
    send_mix(50);
    is_deeply(counted(), \%expected, 'the old binary');

    my $old = $nginx->pid;

    kill 'USR2', $old;

    my $new = wait_for(sub { my ($pid) = $nginx->read('logs/nginx.pid')
                                         =~ /^(\d+)$/;
                             $pid && $pid != $old && $pid });

    $nginx->{pid} = $new;

    kill 'QUIT', $old;
    wait_for(sub { gone($old) });

    %expected = ();
    $sent = 0;

    is(counted(), undef, 'a new binary: from zero');

    send_mix(50);
    is_deeply(counted(), \%expected, 'and counts');
}

done_testing();


# Sends n requests, each from a connection of its own, which goes to any of
# the workers; what is sent is drawn by a generator that is the same each time.

sub send_mix {
    my ($n) = @_;

    for (1 .. $n) {
        my ($uri, $request, $verdict, @more) = @{$kinds[rand @kinds]};
        my $client = client();

        $client->send($request =~ s{/hook}{$uri}r);

        my $reply = $client->reply or die "no reply\n";

        $expected{$uri}{$verdict}++;
        $expected{$uri}{$_}++ for @more;

        if ($verdict eq 'accepted') {
            my ($class, $outcome) = $uri eq '/one' ? qw(2xx taken)
                                                   : qw(5xx not_taken);

            $expected{$uri}{"upstream_responses $class"}++;
            $expected{$uri}{"outcomes $outcome"}++;
        }

        $sent++;
    }
}


# A worker that leaves resets what it has not accepted yet: that was not sent.

sub client {
    my $client;

    for (1 .. 500) {
        return $client
            if eval { $client = Clockodo::Client->new($nginx->port) };
        sleep 0.01;
    }

    die $@;
}


# All counters but those that are zero, as soon as what was sent is in them;
# undef if all are.

sub counted {
    my $count;

    wait_for(sub { $count = count(); $count->{all} >= $sent });

    return delete $count->{all} ? $count : undef;
}


sub count {
    my $client = client();

    $client->send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");

    my $status = decode_json($client->reply->{body});
    my %count = (all => 0);

    for my $location (@{$status->{locations}}) {
        my $name = $location->{location} =~ s/^localhost//r;
        my $requests = $location->{requests};

        $count{all} += $requests->{$_} for keys %$requests;

        my %value = (%$requests,
                     map { my $kind = $_;
                           map { ("$kind $_" => $location->{$kind}{$_}) }
                           keys %{$location->{$kind}} }
                     qw(rejected events outcomes upstream_responses));

        delete @value{grep { !$value{$_} } keys %value};

        $count{$name} = \%value if %value;
    }

    return \%count;
}
