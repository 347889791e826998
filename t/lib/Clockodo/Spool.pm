package Clockodo::Spool;

# A spool as clockodo_spool writes it, and what is in it:
#
#     my $spool = Clockodo::Spool->new;
#
#     my $name = $spool->put(payload => '{"team":{"id":1}}');   # as event()
#     $spool->path, $spool->names('new'), $spool->file('dead', $name)
#
# With "fast => 1" nothing is flushed.  An event gets the name that its idempotency key says; of one that has no id
# the name has 16 more digits.

use strict;
use warnings;

use Clockodo;
use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use IO::Handle;
use JSON::PP;


sub new {
    my ($class, %arg) = @_;

    my $dir = tempdir('clockodo.XXXXXX', TMPDIR => 1, CLEANUP => 1);

    mkdir "$dir/$_", 0700 or die "$dir/$_: $!\n" for qw(tmp new);

    return bless { path => $dir, number => 0, %arg }, $class;
}


sub path { $_[0]{path} }


sub put {
    my ($self, %event) = @_;

    my $body = event(token => '"**************"', %event);
    my $name = name($body);

    $self->write("$name.json", $body);

    return $name;
}


# Aside, flushed, then into its place, and the folder flushed.

sub write {
    my ($self, $file, $body) = @_;

    my $tmp = "$self->{path}/tmp/" . ++$self->{number} . ".$$";
    my $umask = umask 0077;

    open my $out, '>', $tmp or die "$tmp: $!\n";
    umask $umask;
    print $out $body;
    $out->flush or die "$tmp: $!\n";
    $self->{fast} || $out->sync or die "$tmp: $!\n";
    close $out;

    link $tmp, "$self->{path}/new/$file" or die "$file: $!\n";
    unlink $tmp;

    return if $self->{fast};

    open my $folder, '<', "$self->{path}/new" or die "new: $!\n";
    $folder->sync;
}


sub name {
    my ($body) = @_;

    my $event = JSON::PP->new->allow_bignum->decode($body);
    my ($entity) = split /\./, $event->{event_name};
    my $payload = $event->{payload};
    my $budget = $event->{event_name} eq 'project.budget_notification';
    my $id = ($budget ? $payload : $payload->{$entity})->{id};

    my @fields = (@{$event}{qw(company_id subscription_id event_name)},
                  $id // '', $event->{occurred_at});

    push @fields, @{$payload}{qw(type threshold)} if $budget;

    my $key = sha256_hex(join '', map { length() . ":$_," } @fields);

    return defined $id ? $key : sprintf '%s.%08x%08x', $key,
                                        map { rand 2 ** 32 } 1, 2;
}


sub names {
    my ($self, $folder) = @_;

    my @names;

    if (opendir my $dir, "$self->{path}/$folder") {
        @names = sort grep { !/^\./ } readdir $dir;
    }

    return @names;
}


sub file {
    my ($self, $folder, $name) = @_;

    open my $in, '<', "$self->{path}/$folder/$name" or return;
    local $/;

    return scalar(<$in>) // '';
}

1;
