# Lines on stdin, each the name of an interface and a frame in hexadecimal -> the frames, sent as
# they are, at once or at the moment that follows in the line, in seconds since 1970. So two
# processes can send at the same moment.
# Perl's own functions alone, so that the smallest installation of it will do.
use strict;
use warnings;
use Time::HiRes qw(time sleep);

my ($AF_PACKET, $SOCK_RAW, $SIOCGIFINDEX) = (17, 3, 0x8933);

# Protocol 0: it sends and never receives.
socket(my $socket, $AF_PACKET, $SOCK_RAW, 0) or die "socket: $!\n";

my %index;

sub index_of {
    my ($name) = @_;
    my $request = pack('a16 x24', $name);
    ioctl($socket, $SIOCGIFINDEX, $request) or die "$name: $!\n";
    return unpack('x16 i', $request);
}

$| = 1;
while (my $line = <STDIN>) {
    my ($name, $hex, $moment) = $line =~ /^(\S+) ([0-9a-f]+)(?: ([0-9.]+))?$/
        or die "not a name and a frame: $line";
    $index{$name} //= index_of($name);
    if (defined $moment) {
        my $wait = $moment - time() - 0.001;
        sleep($wait) if $wait > 0;
        # The last of it awake: a sleeper wakes up too late for a race.
        1 while time() < $moment;
    }
    # packet(7): family, protocol, index, hardware type, packet type, address length, address.
    my $to = pack('S n i S C C a8', $AF_PACKET, 0, $index{$name}, 0, 0, 6, '');
    defined(send($socket, pack('H*', $hex), 0, $to)) or die "send: $!\n";
    print ".\n";
}
