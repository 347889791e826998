package Clockodo;

# What several tests need: an event to send, an application to send it to,
# and a way to send many.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(event event_headers event_fields app own_page run_table);


my @members = qw(subscription_id company_id occurred_at payload event_name
                 token);

my %values = (
    subscription_id => '42',
    company_id      => '1337',
    occurred_at     => '"1986-05-10T17:02:00Z"',
    payload         => '{"team":{"id":9001}}',
    event_name      => '"team.updated"',
    token           => '"My_Sup3r_T0k3n"',
);


# The body of the event in Clockodo's documentation.  Arguments are members'
# names and their JSON text: event(company_id => 7, token => '"x"').  undef
# leaves a member out; members of other names are added at the end.

sub event {
    my %change = @_;

    my %value = (%values, %change);
    my @names = (@members, grep { !exists $values{$_} } sort keys %change);

    return '{' . join(',', map { qq("$_":$value{$_}) }
                           grep { defined $value{$_} } @names) . '}';
}


# The headers that this event goes upstream with, as they are on the wire.  The
# key is "printf '4:1337,2:42,12:team.updated,4:9001,20:1986-05-10T17:02:00Z,'
# | sha256sum".

sub event_headers {
    return <<'END' =~ s/\n/\r\n/gr;
X-Clockodo-Event: team.updated
X-Clockodo-Entity: team
X-Clockodo-Action: updated
X-Clockodo-Entity-Id: 9001
X-Clockodo-Subscription-Id: 42
X-Clockodo-Company-Id: 1337
X-Clockodo-Occurred-At: 1986-05-10T17:02:00Z
X-Clockodo-Idempotency-Key: 633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991
END
}


# The names and values that this event has in a stream of Redis, in their order.

sub event_fields {
    my %header = event_headers() =~ /^X-Clockodo-(\S+): (.*?)\r$/mg;

    return (map({ my $name = lc =~ tr/-/_/r; ($name => $header{$_}) }
                qw(Event Entity Action Entity-Id Subscription-Id Company-Id
                   Occurred-At Idempotency-Key)),
            body => event(token => '"**************"'));
}


# For http_config: an application behind "proxy_pass http://app".  Its reply
# shows what has reached it, a line for each header under our prefix,
# "event=team.updated", and at last "body=..." (without line feeds, 32k).

sub app {
    my $headers = join '', map { "$_=\$http_x_clockodo_$_\\n" }
        qw(event entity action entity_id subscription_id company_id
           occurred_at idempotency_key duplicate verdict reason);

    return <<"END";
    upstream app {
        server unix:\$TEST_NGINX_SERVER_ROOT/html/app.sock;
    }

    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/html/app.sock;
        access_log off;
        client_body_buffer_size 64k;
        clockodo_webhook off;

        location / {
            proxy_set_header X-Body \$request_body;
            proxy_pass http://unix:\$TEST_NGINX_SERVER_ROOT/html/app2.sock;
        }
    }

    server {
        listen unix:\$TEST_NGINX_SERVER_ROOT/html/app2.sock;
        access_log off;
        large_client_header_buffers 4 64k;
        clockodo_webhook off;

        location / {
            return 200 "${headers}body=\$http_x_body\\n";
        }
    }
END
}


# What a page begins with that nginx itself makes for a status; Tengine says
# which HTML it is.

sub own_page {
    return qr/\A(?:<!DOCTYPE [^>]*>\s*)?<html>/;
}


# Runs Test::Nginx's blocks out of a table, in their order.  Each is a hash of
# sections, "name" among them; requests go to the nginx of the last one that
# had a "config".

sub run_table {
    my @blocks = @_;

    my @sections = map { { more_headers => 'Content-Type: application/json',
                           log_level => 'info', %$_ } } @blocks;

    Test::Base::spec_string(join '', map { "=== $_->{name}\n" } @blocks);

    Test::Nginx::Util::add_block_preprocessor(sub {
        my ($block) = @_;
        my $section = shift @sections;

        # in an array, a request is left as it is

        $section->{request} = [$section->{request}];

        $block->set_value($_, $section->{$_}) for keys %$section;
    });

    # it looks into the log after each: what we check is there by then

    local $Test::Nginx::Util::TestNginxSleep = 0.001;

    Test::Nginx::Util::no_shuffle();
    Test::Nginx::Util::run_tests();
}


1;
