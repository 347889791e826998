# A body is JSON in UTF-8 if Content-Type says so, by the grammar of RFC 9110,
# whatever its case, blanks, quotes and other parameters.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use Clockodo::Client;
use Clockodo::Nginx;
use Test::More;


my $nginx = Clockodo::Nginx->start(server => <<'END');

        location / {
            clockodo_webhook on;
            clockodo_token My_Sup3r_T0k3n;
            clockodo_events user.*;
            add_header X-Reason $clockodo_reason always;
        }
END

my @good = split /\n/, <<'END';
application/json
APPLICATION/JSON
Application/Json
application/json;
application/json;charset=utf-8
application/json; charset=UTF-8
application/json ; charset=utf-8
application/json; Charset="utf-8"
application/json; charset="Utf-8"
application/json; charset="\u\t\f-8"
application/json; charset=utf-8;
application/json; version=1
application/json; version="a;b=\"c\", charset=latin1"
application/json; version=1; charset=utf-8
application/json; charset=utf-8; version=1
application/json; xcharset=latin1
application/json; charset=utf-8; charset=UTF-8
application/json; charset*0=utf-8
application/json; charset*=utf-8''utf-8
application/json; charset*0*=UTF-8'en'utf%2D8
application/json; x="; charset=utf-7; y="
END

push @good, "application/json;\tcharset=utf-8\t";

my @bad = split /\n/, <<'END';

json
application
application/
application/json/x
application/jsonp
application/json5
application/json-patch+json
application/ld+json
application/problem+json
xapplication/json
text/json
text/plain
text/plain; application/json
multipart/form-data; boundary=application/json
application/x-www-form-urlencoded
application/json, application/json
application/json, text/plain
application/json text/plain
"application/json"
application /json
application/ json
*/*
application/*
application/json; charset=utf8
application/json; charset=utf-16
application/json; charset=iso-8859-1
application/json; charset=us-ascii
application/json; CHARSET=latin1
application/json; charset=
application/json; charset=""
application/json; charset="utf-8
application/json; charset=utf-8"
application/json; charset='utf-8'
application/json; charset=utf-8x
application/json; charset=xutf-8
application/json; charset=" utf-8"
application/json; charset=utf-8 x
application/json; charset = utf-8
application/json; charset
application/json; charset=utf-8; charset=latin1
application/json; charset=latin1; charset=utf-8
application/json; version=1; charset=latin1
application/json; version="; charset=utf-8
application/json charset=utf-8
application/json;; charset=latin1
application/json; charset*=utf-7
application/json; charset*=utf-8''utf-7
application/json; charset*=utf-7''utf-8
application/json; charset*=utf-8''utf%2D7
application/json; charset*0=utf-7
application/json; Charset*0="utf-7"
application/json; charset*0*=utf-8''utf-7
application/json; charset*0=utf-; charset*1=7
application/json; charset=utf-8; charset*0=utf-7
END

my $event = event();
my $client;


sub outcome {
    my (@lines) = @_;

    my $request = post($event, 'Content-Type: x');
    my $lines = join '', map { "$_\r\n" } @lines;

    $request =~ s/Content-Type: x\r\n/$lines/;

    $client ||= Clockodo::Client->new($nginx->port);
    $client->send($request);

    my $reply = $client->reply;

    undef $client if $reply->{header}{connection} ne 'keep-alive';

    return join ' ', $reply->{status}, $reply->{header}{'x-reason'} // ();
}


is(outcome("Content-Type: $_"), '200', "good: $_") for @good;
is(outcome("Content-Type: $_"), '415 content_type', "bad: $_") for @bad;

is(outcome("content-type:application/json"), '200', 'no blank, lower case');


# There is one.

my $missing = qr/there is no "Content-Type" header/;
my $repeated = qr/there is more than one "Content-Type" header/;

$nginx->new_log;

is(outcome(), '415 content_type', 'none');
like($nginx->new_log, $missing, 'its line');

is(outcome('Content_Type: application/json'), '415 content_type',
   'only one that has an underscore');
like($nginx->new_log, $missing, 'its line');

for ([ 'application/json', 'application/json' ],
     [ 'application/json', 'text/plain' ],
     [ 'text/plain', 'application/json' ],
     [ 'application/json', '' ])
{
    is(outcome(map { "Content-Type: $_" } @$_), '415 content_type',
       "two: @$_");
    like($nginx->new_log, $repeated, 'its line');
}

is(outcome('Content-Type: application/json',
           (map { "X-Header-$_: x" } 1 .. 40), 'CONTENT-TYPE: text/plain'),
   '415 content_type', 'two, far apart');

like($nginx->new_log, $repeated, 'its line');

done_testing();
