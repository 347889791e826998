# An event comes in by a token that is configured where it is sent to, and by
# no other text, however alike.  Several may be valid at a time, each may be
# tied to subscriptions, and a reload brings new ones.

use strict;
use warnings;

use lib 't/lib';

use Clockodo;
use File::Temp;
use HTTP::Tiny;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(sleep);


my $ids = '9007199254740991';   # 2^53-1

my %file = (
    FILE => "\xef\xbb\xbf# Comment\r\n\r\n#Comment-2\r\n"
            . "First\r\n\t Second \t\r\nThird#\tsubscription=7,$ids\r\nLast",
    MANY => join('', map { "Token-$_\n" } 1 .. 2000),
    TURN => "Old\n",
);

my %handle;

for my $name (keys %file) {
    $handle{$name} = File::Temp->new;
    $ENV{"TEST_NGINX_$name"} = $handle{$name}->filename;

    rewrite($name, $file{$name});
}

my $long = 'long-' x 600;

my $config = <<"END";
    add_header X-Result "\$clockodo_verdict/\$clockodo_reason" always;
    proxy_hide_header X-Result;

    clockodo_webhook on;
    clockodo_max_body_size 64k;

    location /one {
        clockodo_token My_Sup3r_T0k3n;
        proxy_pass http://app;
    }

    location /several {
        clockodo_token My_Sup3r_T0k3n;
        clockodo_token "a \\"b\\"\\\\c";
        clockodo_token d/e;
        clockodo_token f\303\274r;
        clockodo_token \360\237\230\200;
        clockodo_token $long;
        proxy_pass http://app;
    }

    location /tied {
        clockodo_token One subscription=1;
        clockodo_token Some subscription=2,3,$ids;
        clockodo_token Any;
        proxy_pass http://app;
    }

    location /file {
        clockodo_token_file \$TEST_NGINX_FILE;
        proxy_pass http://app;
    }

    location /both {
        clockodo_token_file \$TEST_NGINX_MANY;
        clockodo_token Directive subscription=8;
        clockodo_token_file \$TEST_NGINX_FILE;
        proxy_pass http://app;
    }

    location /turn {
        clockodo_token_file \$TEST_NGINX_TURN;
        proxy_pass http://app;
    }
END


my @table = (

    # the same text, however it is spelt

    accepted('/one', map { [token => qq("$_")] }
        'My_Sup3r_T0k3n', '\u004dy_Sup3r_T0k3n', 'My_Sup3r_T0k3\u006E',
        join '', map { sprintf '\u%04x', ord } split //, 'My_Sup3r_T0k3n'),

    accepted('/several', map { [token => qq("$_")] }
        'My_Sup3r_T0k3n', 'a \"b\"\\\\c', 'a\u0020\u0022b\u0022\u005cc',
        'd/e', 'd\/e', 'd\u002fe', "f\303\274r", 'f\u00fcr', 'f\u00FCr',
        "\360\237\230\200", '\ud83d\ude00', '\uD83D\uDE00', $long),

    # another text, however alike

    rejected('/one', map { [token => qq("$_")] }
        '', 'M', 'My_Sup3r_T0k3', 'y_Sup3r_T0k3n', 'My_Sup3r_T0k3n ',
        ' My_Sup3r_T0k3n', 'My_Sup3r_T0k3nn', 'my_Sup3r_T0k3n',
        'MY_SUP3R_T0K3N', 'Ny_Sup3r_T0k3n', 'My_Sup3r_T0k3o',
        'My_Sup3r_T0k3n\n', 'My_Sup3r_T0k3n\u001f', '\\\\u004dy_Sup3r_T0k3n',
        'My_Sup3r_T0k3nMy_Sup3r_T0k3n', "\303\277My_Sup3r_T0k3n",
        'd/e', $long),

    rejected('/several', map { [token => qq("$_")] }
        'a', 'a b\\\\c', 'd\\\\/e', "fu\314\210r", "f\303\234r", 'fur',
        '\ud83d\ude01', substr($long, 1), "${long}x", '*', '.*'),

    # no text

    rejected('/one', map { [token => $_] }
        1, 0, 'true', 'null', '["My_Sup3r_T0k3n"]',
        '{"My_Sup3r_T0k3n":"My_Sup3r_T0k3n"}', undef),

    rejected('/one', [token => undef, Token => '"My_Sup3r_T0k3n"'],
                     [token => undef, payload => '{"team":{"id":9001},'
                                               . '"token":"My_Sup3r_T0k3n"}']),

    # tied to subscriptions

    accepted('/tied', map { [token => qq("$_->[0]"),
                             subscription_id => $_->[1]] }
        ['One', 1], ['Some', 2], ['Some', 3], ['Some', $ids],
        map { ['Any', $_] } 1, 2, 4, $ids),

    rejected('/tied', map { [token => qq("$_->[0]"),
                             subscription_id => $_->[1]] }
        ['One', 2], ['One', 11], ['One', 10], ['One', '"1"'], ['One', '1.0'],
        ['One', '1e0'], ['One', 'true'], ['One', 'null'], ['One', '[1]'],
        ['One', 0], ['One', undef], ['Some', 1], ['Some', 23],
        ['Some', '9007199254740992'], ['Some', '9007199254740990'],
        ['Some', 0], ['Some', '2.5'], ['Another', 1]),

    # in files, and in several places

    ( map { my $place = $_;

            accepted($place, [token => '"First"'], [token => '"Second"'],
                [token => '"Last"'],
                map { [token => '"Third#"', subscription_id => $_] } 7, $ids),

            rejected($place, [token => '"Third#"'],
                map { [token => qq("$_")] }
                    '', '#', 'Comment', '# Comment', '#Comment-2', 'Last\r',
                    'First\r', '\ufeffFirst', '\t Second', 'Second \t',
                    'Third', 'subscription=7', 'My_Sup3r_T0k3n',
                    'Token-0', 'Token-2001') } '/file', '/both' ),

    accepted('/both', [token => '"Directive"', subscription_id => 8],
        map { [token => qq("Token-$_")] } 1, 999, 2000),

    rejected('/both', [token => '"Directive"']),
);

$table[0]{http_config} = app();
$table[0]{config} = $config;

no_root_location();
master_on();
run_table(@table);


# Rotation: the new token is added, the old one is taken away later.  What
# cannot be read leaves things as they are.

replies(Old => 200, New => 403);

rewrite('TURN', "New\nOld\n");
reload();
replies(Old => 200, New => 200);

rewrite('TURN', "New\n");
reload();
replies(Old => 403, New => 200);

rewrite('TURN', "Newer New\n");
reload();
wait_for(sub { errors() =~ /\[emerg\] .*: line 1 of ".*TOKEN \[subscr/ });
replies(Old => 403, New => 200, Newer => 403);


# none of these shows up

{
    my $errors = errors();

    ok($errors =~ /rejected \(token\)/
       && $errors !~ /T0k3n|long-|Token-|"New|Newer|Third|Direct|\\u/,
       'no token in the error log');
}


sub accepted {
    my ($place, @changes) = @_;

    return map { request($place, 'accepted/', 200, @$_) } @changes;
}


sub rejected {
    my ($place, @changes) = @_;

    return map { request($place, 'rejected/token', 403, @$_) } @changes;
}


sub request {
    my ($place, $result, $code, @change) = @_;

    my $values = substr join(' ', map { $_ // 'none' } @change), 0, 70;

    return {
        name             => "$place $result $values",
        request          => "POST $place\n" . event(@change),
        error_code       => $code,
        response_headers => "X-Result: $result",
    };
}


sub rewrite {
    my ($name, $text) = @_;

    my $file = $handle{$name};

    truncate $file, 0 or die "truncate: $!";
    seek $file, 0, 0;
    print $file $text;
    $file->flush;
}


sub reload {
    kill 'HUP', Test::Nginx::Util::get_pid_from_pidfile('')
        or die "kill: $!";
}


# Until the old workers are gone, one of them may reply.

sub replies {
    my @expected = @_;
    my $seen;

    my $url = 'http://127.0.0.1:' . server_port() . '/turn';
    my $http = HTTP::Tiny->new(keep_alive => 0);

    wait_for(sub {
        my @seen;

        for my $i (grep { $_ % 2 == 0 } 0 .. $#expected) {
            my $reply = $http->post($url, {
                headers => { 'Content-Type' => 'application/json' },
                content => event(token => qq("$expected[$i]"))
            });

            push @seen, $expected[$i], $reply->{status};
        }

        $seen = "@seen";

        return $seen eq "@expected";
    });

    is($seen, "@expected", "rotation: @expected");
}


sub wait_for {
    my ($condition) = @_;

    for (1 .. 200) {
        return if $condition->();
        sleep 0.05;
    }
}


sub errors {
    open my $log, '<', server_root() . '/logs/error.log' or die "log: $!";
    local $/;

    return scalar <$log>;
}
