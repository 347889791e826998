# The status page's Content-Security-Policy lets in the page's own script and
# style and nothing else, and the page needs nothing else.  Needs no nginx.

use strict;
use warnings;

use Digest::SHA qw(sha256_base64);
use FindBin;
use Test::More;

open my $in, '<:raw', "$FindBin::Bin/../html/clockodo-status.html"
    or die "clockodo-status.html: $!\n";
my $page = do { local $/; <$in> };

my ($policy) = $page =~ /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/;

my %policy = map { /^\s*(\S+)\s+(.*?)\s*$/s } split /;/, $policy // '';

is_deeply \%policy, {
    'default-src' => "'none'",
    'script-src'  => hash_of('script'),
    'style-src'   => hash_of('style'),
    'connect-src' => "'self'",
    'img-src'     => 'data:',
    'base-uri'    => "'none'",
    'form-action' => "'none'",
    'require-trusted-types-for' => "'script'",
    'trusted-types' => "'none'",
}, 'the policy, its hashes are those that tools/page-hashes writes';

unlike $policy, qr/unsafe-/, 'the policy has no "unsafe-"';

ok index($page, '<meta http-equiv') < index($page, '<script'),
    'the policy comes before all that it is about';

# What is left is markup.

my $markup = $page =~ s{<!--.*?-->|<(script|style)>.*?</\1>}{}gsr;

unlike $markup, qr/<(?:script|style)\b/i, 'one script and one style';

my @tags = $markup =~ /<[a-z](?:"[^"]*"|[^"'>])*>/gi;

cmp_ok scalar @tags, '>', 100, 'tags found';

is_deeply [grep { /\s(?:on\w+|style)\s*=/i } @tags], [], 'no inline handler, no inline style';

is_deeply [grep { /\s(?:src|href|action|data|poster|srcset|ping)="(?!#|data:)/i } @tags], [],
    'no address but in the page itself';

is_deeply [$page =~ m{((?:\w+:)?//[\w.-]+\.\w+[^\s"'<]*)}g],
    ["http://www.w3.org/2000/svg", "https://your.host/clockodo", "http://www.w3.org/2000/svg"],
    'the name space of SVG and an example are the only addresses';

unlike $page, qr/\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b/,
    'nothing is parsed as markup or script';

unlike $page, qr/\@import|\@font-face|\burl\(/i, 'the style loads nothing';

done_testing;


sub hash_of {
    my ($tag) = @_;

    my @texts = $page =~ m{<$tag>(.*?)</$tag>}gs;

    return @texts == 1 ? "'sha256-" . sha256_base64($texts[0]) . "='" : "one <$tag>";
}
