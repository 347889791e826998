# Each rejection is a line of the error log at the level that
# clockodo_log_level says: at "error", unless told otherwise, which a stock
# error_log shows.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Config;
use Clockodo::Nginx;
use File::Temp qw(tempdir);
use Test::More;


my @levels = qw(info notice warn error);

my $settings = 'clockodo_token My_Sup3r_T0k3n; clockodo_company 7;'
               . 'location /default { clockodo_webhook on; }'
               . join '', map { <<"END" } @levels;
    location /$_ {
        clockodo_log_level $_;
        clockodo_webhook on;
        location /$_/inside { clockodo_webhook on; }
        location /$_/authenticate { clockodo_webhook authenticate; }
        location /$_/again { clockodo_webhook on; clockodo_log_level error; }
    }
END

my $nginx = Clockodo::Nginx->start(server => $settings);

# a token that is wrong; under "report" and "authenticate" the wrong company

my %level = (
    '/default' => 'error',
    map { ("/$_" => $_, "/$_/inside" => $_, "/$_/authenticate" => $_,
           "/$_/again" => 'error') } @levels);

for my $uri (sort keys %level) {
    my @event = $uri =~ /authenticate/ ? () : (token => '"wrong"');

    is_deeply(logged($nginx, $uri, @event), [$level{$uri}], $uri);
}

undef $nginx;

# "return" would run before the handler, so an application answers

$nginx = Clockodo::Nginx->start(http => app(), server => <<'END');
    clockodo_token My_Sup3r_T0k3n;
    location / {
        clockodo_webhook report;
        clockodo_log_level notice;
        proxy_pass http://app;
    }
END

is_deeply(logged($nginx, '/', token => '"wrong"'), ['notice'], 'report');
undef $nginx;

$nginx = Clockodo::Nginx->start(level => 'error', server => $settings);

is_deeply(logged($nginx, '/default', token => '"wrong"'), ['error'],
          'an error_log without a level');
is_deeply(logged($nginx, '/warn', token => '"wrong"'), [],
          'which does not show what is less');


my $dir = tempdir('clockodo-XXXXXX', TMPDIR => 1, CLEANUP => 1);
mkdir "$dir/conf" or die "mkdir: $!\n";

for my $value (qw(debug crit off), '""') {
    my ($rc, $said) = nginx_t($dir, "clockodo_log_level $value;");

    isnt($rc, 0, "nginx -t refuses $value");
    like($said, qr/"clockodo_log_level" .*"info", "notice", "warn" or "error"/,
         'and says what there is');
}

my ($rc, $said) = nginx_t($dir,
                          'clockodo_log_level warn; clockodo_log_level warn;');

isnt($rc, 0, 'and a second one');
like($said, qr/"clockodo_log_level" directive is duplicate/, 'by name');

done_testing;


# The levels of the lines that an event leaves.

sub logged {
    my ($nginx, $uri, @event) = @_;

    my $seen = length $nginx->log;

    deliver($nginx, $uri, @event);

    return [substr($nginx->log, $seen)
            =~ /\[(\w+)\] [^\n]*clockodo webhook [^\n]*rejected/g];
}
