package Bench::Table;

# The table in docs/performance.md, between two comments.

use strict;
use warnings;

use Bench;

my @rows = (
    ['plain `proxy_pass`', 'plain'],
    ['the same with eight headers by `proxy_set_header`', 'headers'],
    ['this module', 'module'],
    ['with `clockodo_mask_token`', 'masked'],
    ['with `clockodo_dedupe mark`', 'mark'],
    ['with `clockodo_sign_key`', 'signed'],
    ['with `clockodo_webhook report`', 'report'],
    ['to `clockodo_spool`', 'spool'],
    ['to `clockodo_redis_pass`', 'redis'],
    ['the same checks in lua', 'lua'],
    ['the same checks in njs', 'njs'],
    ['plain `proxy_pass` to an application apart', 'plain apart'],
    ['this module, likewise', 'apart'],
    ['HAProxy, fewer checks', 'haproxy'],
    ['webhook, the token alone, handed to `curl`', 'curl'],
    ['webhook, the token alone, handed to `true`', 'webhook'],
    ['this module refuses a wrong token', 'token'],
    ['plain `proxy_pass`, a connection for each call', 'closed'],
    ['this module refuses a malformed body, likewise', 'malformed'],
);


sub write_table {
    my ($count, $load) = @_;

    my $table = "| | instructions a request | requests a second | half within "
                . "| 99 % within | compared to plain | of a worker's time |\n"
                . "|---|---|---|---|---|---|---|\n";

    for my $row (@rows) {
        my ($what, $way) = @$row;
        my $instructions = $count->{$way};

        $table .= '| ' . join(' | ', $what,
                              $instructions ? thousands($instructions) : '–',
                              thousands($load->{$way}{rate}),
                              @{$load->{$way}}{qw(half most all busy)}) . " |\n";
    }

    my ($cpu) = `lscpu` =~ /^Model name: *(.*)$/m;
    my ($version) = `$ENV{NGX_BIN} -v 2>&1` =~ m{nginx/(\S+)};
    my $against = $load->{against};

    $table .= <<"END";

| | requests a second, compared |
|---|---|
| this module to a `proxy_pass` that sends the same headers | $against->{headers} |
| this module to HAProxy, both to an application apart | $against->{haproxy} |
| this module to webhook with `true` | $against->{webhook} |
| this module to webhook with `curl` | $against->{curl} |
| `clockodo_spool` to webhook with `curl` | $against->{spool} |

Of the module's instructions @{[ thousands($count->{added}) ]} are its own, and @{[ thousands($count->{upstream}) ]} what the upstream
takes to read eight more headers. nginx $version, $cpu.
END

    my $page = 'docs/performance.md';

    open my $in, '<', $page or die "$page: $!\n";
    my $text = do { local $/; <$in> };
    close $in;

    $text =~ s/(<!-- make bench -->\n).*(<!-- end -->)/$1$table$2/s
        or die "$page has no place for the table\n";

    open my $out, '>', $page or die "$page: $!\n";
    print $out $text;
    close $out;
}

1;
