# nginx may load the module and have no "http" block at all, as a mail server
# or a balancer of TCP does: it starts, reloads and ends as without it.

use strict;
use warnings;

use lib 't/lib';

use Clockodo::Nginx qw(contents gone wait_for);
use File::Temp qw(tempdir);
use Test::More;


my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';
my $modules = join '', map { "load_module $_;\n" }
              split ' ', $ENV{TEST_NGINX_LOAD_MODULES} || '';

open my $conf, '>', "$dir/nginx.conf" or die "nginx.conf: $!\n";
print $conf <<"END";
${modules}pid nginx.pid;
error_log error.log info;
daemon off;
events { }
END
close $conf;

my @command = ($nginx, '-p', "$dir/", '-c', "$dir/nginx.conf", '-e', 'error.log');

is(system("@command -t -q"), 0, 'nginx -t');

my $pid = fork // die "fork: $!\n";

if ($pid == 0) {
    exec @command;
    die "$nginx: $!\n";
}

wait_for(sub { -s "$dir/nginx.pid" });
wait_for(sub { contents("$dir/error.log") =~ /start worker process \d+/ });

kill 'HUP', $pid;
wait_for(sub { (() = contents("$dir/error.log") =~ /start worker process \d+/g)
               == 2 });
wait_for(sub { contents("$dir/error.log") =~ /exited with code 0/ });

kill 'TERM', $pid;
waitpid $pid, 0;

is($?, 0, 'it ends well');
unlike(contents("$dir/error.log"),
       qr/\[(?:warn|error|crit|alert|emerg)\]|exited on signal/, 'log');

done_testing;
