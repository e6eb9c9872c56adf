# Sends TCP SYNs, or UDP packets with 16 random bytes, as fast as one core can, from an AF_PACKET
# socket.
#
#   perl flood.pl IFNAME SOURCE_MAC TARGET_MAC COUNT [PORT [PROTOCOL [SOURCES [RATE]]]]
#
# The frames are built beforehand, with random source ports. PORT is a number, a range such as
# 50000-59999, or 0 or none for 10000-59999. PROTOCOL is tcp, udp, or tcp6 for SYNs over IPv6.
# Without SOURCES there are 4096 frames with sources in 10.99.0.0/16 or fd00:99::/64, otherwise one
# of each of so many IPv4 sources from 16.0.0.1 on, at least 64 frames. With RATE it sends so many a
# second, some each millisecond. Prints {"ready":true} before the first, if there are SOURCES, and
# {"packets":…,"seconds":…,"burst":…} after the last, or after SIGTERM. "burst" is the median of the
# nanoseconds for a packet in bursts of some 512. Other work on the core interrupts few of the
# bursts, so it moves this median less than the mean.
use strict;
use warnings;
use Socket;
use Time::HiRes qw(clock_gettime usleep CLOCK_MONOTONIC);

my ($ifname, $from, $to, $count, $port, $protocol, $sources, $rate) = @ARGV;
$protocol //= 'tcp';
my ($AF_PACKET, $SOL_PACKET, $PACKET_QDISC_BYPASS, $SIOCGIFINDEX) = (17, 263, 20, 0x8933);
my $machine = `uname -m`;
my $SENDMMSG =
    $machine =~ /x86_64/  ? 307
  : $machine =~ /aarch64/ ? 269
  :                         die "no sendmmsg number for $machine";

socket(my $socket, $AF_PACKET, SOCK_RAW, 0) or die "socket: $!";
my $request = pack('a16 x16', $ifname);
ioctl($socket, $SIOCGIFINDEX, $request) or die "$ifname: $!";
my $index = unpack('x16 i', $request);
bind($socket, pack('S n i S C C a8', $AF_PACKET, 0x0800, $index, 0, 0, 6, '')) or die "bind: $!";
setsockopt($socket, $SOL_PACKET, $PACKET_QDISC_BYPASS, pack('i', 1)) or die "bypass: $!";

sub checksum {
  my $data = shift;
  $data .= "\0" if length($data) % 2;
  my $sum = 0;
  $sum += $_ for unpack('n*', $data);
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  return ~$sum & 0xffff;
}

sub mac { return pack('H2' x 6, split(/:/, shift)) }

srand(7);
my $target = inet_aton('10.77.0.1');
my $target6 = pack('n8', 0xfd00, 0x77, 0, 0, 0, 0, 0, 1);
my $macs = mac($to) . mac($from);
my $ethernet = $macs . pack('n', 0x0800);

sub datagram {
  my ($source, $protocol, $segment) = @_;
  my @ip = (0x4500, 20 + length $segment, int(rand(65536)), 0, 0x4000 + $protocol);
  my $header = pack('n n n n n', @ip);
  $header = pack('n n n n n n', @ip, checksum($header . pack('n', 0) . $source . $target));
  return $ethernet . $header . $source . $target . $segment;
}

sub syn {
  my ($source, $to) = @_;
  my @tcp = (1024 + int(rand(60000)), $to, int(rand(2**32)), 0, 0x5002, 64240);
  my $segment = pack('n n N N n n n n', @tcp, 0, 0);
  my $sum = checksum($source . $target . pack('n n', 6, length $segment) . $segment);
  return datagram($source, 6, pack('n n N N n n n n', @tcp, $sum, 0));
}

sub syn6 {
  my ($source, $to) = @_;
  my @tcp = (1024 + int(rand(60000)), $to, int(rand(2**32)), 0, 0x5002, 64240);
  my $segment = pack('n n N N n n n n', @tcp, 0, 0);
  my $sum = checksum($source . $target6 . pack('N N', length $segment, 6) . $segment);
  my $header = pack('N n C C', 0x60000000, length $segment, 6, 64) . $source . $target6;
  return $macs . pack('n', 0x86dd) . $header . pack('n n N N n n n n', @tcp, $sum, 0);
}

# 16 bytes of chance, and no checksum, which IPv4 allows.
sub udp {
  my ($source, $to) = @_;
  my $payload = pack('N4', map { int(rand(2**32)) } 1 .. 4);
  return datagram($source, 17, pack('n n n n', 1024 + int(rand(60000)), $to, 24, 0) . $payload);
}

my ($lowest, $highest) = split(/-/, $port || '10000-59999');
$highest //= $lowest;
my @frames = map {
  my $source = $sources
    ? pack('N', 0x10000001 + ($_ - 1) % $sources)
    : pack('C4', 10, 99, int(rand(256)), 1 + int(rand(254)));
  my $to = $lowest + int(rand(1 + $highest - $lowest));
  my $source6 = pack('n8', 0xfd00, 0x99, 0, 0, map { int(rand(65536)) } 1 .. 4);
  $protocol eq 'udp' ? udp($source, $to)
    : $protocol eq 'tcp6' ? syn6($source6, $to)
    : syn($source, $to);
} 1 .. (!$sources ? 4096 : $sources < 64 ? 64 : $sources);

my $BATCH = $rate ? int($rate / 1000) || 1 : 64;
my @vectors = map { pack('P Q', $_, length $_) } @frames;
my @batches;
for (my $i = 0; $i < @frames; $i += $BATCH) {
  # struct mmsghdr: name, namelen, iov, iovlen, control, controllen, flags, and the length that was
  # sent.
  my $last = $i + $BATCH > @frames ? $#frames : $i + $BATCH - 1;
  my @headers =
    map { pack('Q L x4 P Q Q Q L x4 L x4', 0, 0, $vectors[$_], 1, 0, 0, 0, 0) } $i .. $last;
  push @batches, [join('', @headers), scalar @headers];
}

# The bursts of the last while, so that a long flood needs no more memory.
my ($BURST, $KEPT) = (512, 20_000);
my @bursts;
my ($sent, $turn, $number) = (0, 0, fileno $socket);
$SIG{TERM} = sub { $count = 0 };
$| = 1;
print qq({"ready":true}\n) if $sources;
my $start = clock_gettime(CLOCK_MONOTONIC);
my ($begun, $before) = ($start, 0);
while ($sent < $count) {
  my ($vector, $length) = @{$batches[$turn++ % @batches]};
  my $done = syscall($SENDMMSG, $number, $vector, $length, 0);
  if ($done < 0) { next if $!{ENOBUFS} || $!{EAGAIN} || $!{EINTR}; die "sendmmsg: $!" }
  $sent += $done;
  if ($rate) {
    my $ahead = $sent / $rate - (clock_gettime(CLOCK_MONOTONIC) - $start);
    usleep($ahead * 1e6) if $ahead > 0;
  } elsif ($sent - $before >= $BURST) {
    my $now = clock_gettime(CLOCK_MONOTONIC);
    push @bursts, 1e9 * ($now - $begun) / ($sent - $before);
    shift @bursts if @bursts > $KEPT;
    ($begun, $before) = ($now, $sent);
  }
}
my $seconds = clock_gettime(CLOCK_MONOTONIC) - $start;
@bursts = sort { $a <=> $b } @bursts;
my $median = @bursts ? $bursts[@bursts / 2] : $sent ? 1e9 * $seconds / $sent : 0;
printf qq({"packets":%d,"seconds":%.6f,"burst":%.1f}\n), $sent, $seconds, $median;
