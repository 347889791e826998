package Clockodo::Config;

# What "nginx -t" says of settings:
#
#     my ($rc, $text, $line) = nginx_t($dir, $settings,
#         nginx   => '/usr/sbin/nginx',
#         modules => [ ... ],
#         uid     => 65534);               # who runs it
#
# $dir/conf/nginx.conf gets the settings, which stand in "http"; the line is
# that of "#!" in them.  $dir/error.log has it all, too, at its "debug" level.

use strict;
use warnings;

use Exporter qw(import);


our @EXPORT = qw(nginx_t);


sub nginx_t {
    my ($dir, $settings, %arg) = @_;

    my $conf = "$dir/conf/nginx.conf";
    my $nginx = $arg{nginx} || $ENV{TEST_NGINX_BINARY} || 'nginx';

    my $modules = join ' ', map { "load_module $_;" }
                  @{$arg{modules}
                    || [split ' ', $ENV{TEST_NGINX_LOAD_MODULES} || '']};

    my $temp = join ' ', map { "${_}_temp_path $dir/temp;" }
                         qw(client_body proxy fastcgi uwsgi scgi);

    my $text = <<"END";
$modules
pid $dir/nginx.pid;
error_log $dir/error.log debug;
events { }
http {
access_log off; $temp
$settings
}
END

    open my $file, '>:raw', $conf or die "$conf: $!\n";
    print $file $text;
    close $file or die "$conf: $!\n";

    my ($line) = map { 1 + tr/\n// } $text =~ /\A(.*)#!/s;

    my $pid = open(my $out, '-|') // die "fork: $!\n";

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        $< = $> = $arg{uid} if $arg{uid};
        exec 'timeout', 20, $nginx, '-t', '-e', "$dir/error.log", '-p', $dir,
             '-c', $conf;
        die "exec: $!\n";
    }

    my $output = join '', grep { !/: (the )?configuration file / } <$out>;
    close $out;

    return ($? >> 8, $output, $line);
}

1;
