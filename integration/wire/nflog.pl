# An NFLOG group's number -> a line "ready", then one for each packet: its prefix, a tab, and the
# packet in hexadecimal from its IP header on (linux/netfilter/nfnetlink_log.h). Ends with its
# standard input. Perl's own functions alone.
use strict;
use warnings;

my ($AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER, $SOL_SOCKET, $SO_RCVBUFFORCE) = (16, 3, 12, 1, 33);
my ($ULOG, $PACKET, $CONFIG) = (4, 0, 1);
my ($CMD, $MODE, $BIND, $COPY_PACKET) = (1, 2, 1, 2);
my ($PAYLOAD, $PREFIX) = (9, 10);

my ($group) = @ARGV;
$| = 1;
socket(my $socket, $AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER) or die "socket: $!\n";
setsockopt($socket, $SOL_SOCKET, $SO_RCVBUFFORCE, pack('l', 4 << 20)) or die "buffer: $!\n";
bind($socket, pack('S S L L', $AF_NETLINK, 0, 0, 0)) or die "bind: $!\n";

sub configure {
    my ($type, $value) = @_;
    my $attribute = pack('S S a*', 4 + length $value, $type, $value);
    $attribute .= "\0" x (-length($attribute) % 4);
    # A request that is acknowledged.
    my $body = pack('C C n', 0, 0, $group) . $attribute;
    my $message = pack('L S S L L', 16 + length $body, $ULOG << 8 | $CONFIG, 5, 1, 0) . $body;
    defined send($socket, $message, 0) or die "send: $!\n";
    defined recv($socket, my $answer, 65536, 0) or die "recv: $!\n";
    my ($error) = unpack('x16 l', $answer);
    $error == 0 or die "group $group: error $error\n";
}

configure($CMD, pack('C', $BIND));
configure($MODE, pack('N C C', 0xffff, $COPY_PACKET, 0));
print "ready\n";

sub attributes_of {
    my ($bytes) = @_;
    my %found;
    while (length $bytes >= 4) {
        my ($length, $type) = unpack('S S', $bytes);
        last if $length < 4;
        $found{$type & 0x7fff} = substr($bytes, 4, $length - 4);
        my $padded = ($length + 3) & ~3;
        $bytes = $padded < length $bytes ? substr($bytes, $padded) : '';
    }
    return %found;
}

while (1) {
    my $wait = '';
    vec($wait, fileno(STDIN), 1) = 1;
    vec($wait, fileno($socket), 1) = 1;
    select($wait, undef, undef, undef);
    if (vec($wait, fileno(STDIN), 1)) {
        last unless sysread(STDIN, my $ignored, 4096);
    }
    next unless vec($wait, fileno($socket), 1);
    defined recv($socket, my $bytes, 65536, 0) or die "recv: $!\n";
    while (length $bytes >= 20) {
        my ($length, $type) = unpack('L S', $bytes);
        if ($type == ($ULOG << 8 | $PACKET)) {
            my %found = attributes_of(substr($bytes, 20, $length - 20));
            my $prefix = unpack('Z*', $found{$PREFIX} // '');
            print $prefix, "\t", unpack('H*', $found{$PAYLOAD} // ''), "\n";
        }
        my $padded = ($length + 3) & ~3;
        $bytes = $padded < length $bytes ? substr($bytes, $padded) : '';
    }
}
