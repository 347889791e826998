package Clockodo::Http3;

# A client of HTTP/3: one connection, by t/lib/http3.py.
#
#     my $why = Clockodo::Http3->missing;     # what there is not for it
#     my $listen = Clockodo::Http3->listen($dir, $port);  # for a server
#
#     my $client = Clockodo::Http3->new($port);           # on 127.0.0.1
#     my $reply = $client->request(
#         headers  => [ name => value, ... ],     # more, or others, of a POST
#         data     => [ $text, ... ],             # frames
#         trailers => [ name => value, ... ],
#         end      => 'reset');                   # see http3.py
#
# The reply has status, headers, body and stream ("ended" or "reset"), or
# "closed" where there is no connection any more.

use strict;
use warnings;

use IPC::Open2 qw(open2);
use JSON::PP qw(decode_json);


sub missing {
    my $binary = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';

    return 'this nginx has no HTTP/3'
        if `$binary -V 2>&1` !~ / --with-http_v3_module\b/;

    return 'python3-aioquic is not installed'
        if system "python3 -c 'import aioquic' 2> /dev/null";

    return;
}


# The key and the certificate are made in that folder.

sub listen {
    my ($class, $dir, $port) = @_;

    system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost"
           . " -keyout $dir/key.pem -out $dir/cert.pem 2> /dev/null") == 0
        or die "openssl: no certificate\n";

    return <<"END";
        listen 127.0.0.1:$port quic;
        ssl_certificate $dir/cert.pem;
        ssl_certificate_key $dir/key.pem;
END
}


sub new {
    my ($class, $port) = @_;

    my $pid = open2(my $out, my $in, 'python3', 't/lib/http3.py', '127.0.0.1',
                    $port);

    my $self = bless { pid => $pid, in => $in, out => $out }, $class;

    my $said = $self->line;
    die "cannot connect by HTTP/3: $said->{closed}\n" if !$said->{connected};

    return $self;
}


sub request {
    my ($self, %arg) = @_;

    my %value = (
        ':method'      => 'POST',
        ':scheme'      => 'https',
        ':authority'   => 'localhost',
        ':path'        => '/hook',
        'content-type' => 'application/json');

    my @more = pairs(@{delete $arg{headers} || []});

    # another value in the place of ours; a second one of the same name is kept

    for my $name (reverse sort keys %value) {
        my ($i) = grep { $more[$_][0] eq $name } 0 .. $#more;

        unshift @more, defined $i ? splice @more, $i, 1
                                  : [$name, $value{$name}];
    }

    $arg{headers} = \@more;
    $arg{trailers} = [pairs(@{$arg{trailers} || []})];

    print {$self->{in}} JSON::PP->new->latin1->encode(\%arg), "\n";
    $self->{in}->flush;

    return $self->line;
}


sub pairs {
    my @pairs;

    push @pairs, [map { "$_" } splice @_, 0, 2] while @_;

    return @pairs;
}


sub line {
    my ($self) = @_;

    my $line = readline $self->{out};

    die "the client of HTTP/3 has died\n" if !defined $line;

    return decode_json($line);
}


sub DESTROY {
    my ($self) = @_;

    local $?;

    close $self->{in};
    waitpid $self->{pid}, 0;
}

1;
