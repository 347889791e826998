# What the other tests here find: faults are planted in a copy of the module,
# each of another kind, and each has to be found where it is.

use strict;
use warnings;

use lib 't/lib';

use Clockodo::Nginx qw(contents save);
use Cwd qw(getcwd);
use File::Temp qw(tempdir);
use Test::More;


my $here = getcwd();
my $build = $ENV{TEST_NGINX_BINARY} =~ s{/objs/nginx-failures$}{}r;
my $copy = "$build-planted";

# file, what stands there and what is there instead; where it shows, and as what

my @planted = (
    { name  => 'memory that is not checked',
      file  => 'src/edge/ngx_http_clockodo_sign.c',
      from  => 'if (signature == NULL) {',
      to    => 'if (0) {',
      where => ['signed', 'memory'],
      found => qr/the worker has ended/ },

    { name  => 'a 200 although a write has failed',
      file  => 'src/edge/ngx_http_clockodo_handshake.c',
      from  => 'if (n == (ssize_t) line->len && fdatasync(line->fd) == 0) {',
      to    => 'if (fdatasync(line->fd) == 0) {',
      where => ['handshake', 'write'],
      found => qr/200, but not recorded/ },

    { name  => 'a 200 although a flush has failed',
      file  => 'src/spool/ngx_http_clockodo_spool_file.c',
      from  => 'if (fsync(dir) == 0) {',
      to    => 'if (fsync(dir) == 0 || 1) {',
      where => ['spooled', 'sync'],
      found => qr/200, though nothing was flushed/ },

    { name  => 'a claim that is not released',
      file  => 'src/edge/ngx_http_clockodo_dedupe.c',
      from  => "ngx_slab_pool_t  *shpool;\n\n    if (ctx->claim.owner == 0) {",
      to    => "ngx_slab_pool_t  *shpool;\n\n    if (1) {",
      where => ['deduplicated', 'read'],
      found => qr/next: status 409/ },

    { name  => 'a file that stays open',
      file  => 'src/spool/ngx_http_clockodo_spool_file.c',
      from  => 'if (ngx_close_file(fd) == NGX_FILE_ERROR && rc == NGX_OK) {',
      to    => 'if (rc == NGX_OK && ngx_close_file(fd) == NGX_FILE_ERROR) {',
      where => ['spooled', 'write'],
      found => qr/descriptors: / },

    { name  => 'memory that is not given back',
      file  => 'src/core/clockodo_json.c',
      from  => "    if (error->code) {\n        clockodo_json_members_free(",
      to    => "    if (0) {\n        clockodo_json_members_free(",
      where => ['escaped', 'memory'],
      found => qr/LeakSanitizer/ },
);


plant();

for my $fault (@planted) {
    my ($rc, $text) = run(@{$fault->{where}});

    ok($rc != 0 && $text =~ $fault->{found}, $fault->{name}) or diag($text);
}

done_testing;


# Builds that nginx from the copy; what is not changed is not compiled again.

sub plant {
    run_or_die('rm', '-rf', $copy);
    run_or_die('cp', '-a', $build, $copy);
    run_or_die('cp', '-a', "$here/config", "$here/src",
               glob("$here/*.c"), "$copy/");

    # nginx's own src is there already: the module's lies beside it

    for my $fault (@planted) {
        my $file = "$copy/$fault->{file}";
        my $text = contents($file);

        $text =~ s/\Q$fault->{from}\E/$fault->{to}/
            or die "$fault->{name}: $fault->{file} is not as expected\n";

        save($file, $text);
    }

    my $makefile = "$copy/objs/Makefile-failures";

    save($makefile, contents($makefile) =~ s{\Q$here\E/(?!build)}{$copy/}gr);

    run_or_die('make', '-s', '--no-print-directory', '-C', $copy,
               '-f', 'objs/Makefile-failures', 'binary');
}


sub run_or_die {
    system(@_) == 0 or die "@_: failed\n";
}


# Some of requests.t, with a place of its own for reports: they are wanted.

sub run {
    my ($scenario, $kind) = @_;

    my $dir = tempdir(CLEANUP => 1);

    chmod 01777, $dir;

    local $ENV{ASAN_OPTIONS} = $ENV{ASAN_OPTIONS}
                               =~ s{log_path=[^,]+}{log_path=$dir/report}r;
    local $ENV{UBSAN_OPTIONS} = $ENV{UBSAN_OPTIONS}
                                =~ s{log_path=[^,]+}{log_path=$dir/report}r;
    local $ENV{TEST_NGINX_BINARY} = "$copy/objs/nginx-failures";
    local $ENV{SCENARIO} = $scenario;
    local $ENV{KIND} = $kind;

    my $text = `$^X t/failures/requests.t 2>&1`;
    my $rc = $?;

    return $rc, $text . join '', map { contents($_) } glob "$dir/report*";
}
