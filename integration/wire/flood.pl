# Sends TCP SYNs, or UDP packets with 16 random bytes, as fast as one core can, from an AF_PACKET
# socket.
#
#   perl flood.pl IFNAME SOURCE_MAC TARGET_MAC COUNT [PORT [PROTOCOL [SOURCES [RATE]]]]
#
# The frames are built beforehand: IPv4, random source ports, random ports from 10000 to 59999 (PORT
# 0 or none) or PORT. Without SOURCES there are 4096 with sources in 10.99.0.0/16, otherwise one of
# each of so many sources from 16.0.0.0 on. With RATE it sends so many a second, some each
# millisecond. Prints {"ready":true} before the first and {"packets":…,"seconds":…} after the last.
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
my $ethernet = mac($to) . mac($from) . pack('n', 0x0800);

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

# 16 bytes of chance, and no checksum, which IPv4 allows.
sub udp {
  my ($source, $to) = @_;
  my $payload = pack('N4', map { int(rand(2**32)) } 1 .. 4);
  return datagram($source, 17, pack('n n n n', 1024 + int(rand(60000)), $to, 24, 0) . $payload);
}

my @frames = map {
  my $source = $sources
    ? pack('N', 0x10000000 + $_)
    : pack('C4', 10, 99, int(rand(256)), 1 + int(rand(254)));
  my $to = $port || 10000 + int(rand(50000));
  $protocol eq 'udp' ? udp($source, $to) : syn($source, $to);
} 1 .. ($sources || 4096);

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

my ($sent, $turn, $number) = (0, 0, fileno $socket);
$| = 1;
print qq({"ready":true}\n) if $sources;
my $start = clock_gettime(CLOCK_MONOTONIC);
while ($sent < $count) {
  my ($vector, $length) = @{$batches[$turn++ % @batches]};
  my $done = syscall($SENDMMSG, $number, $vector, $length, 0);
  if ($done < 0) { next if $!{ENOBUFS} || $!{EAGAIN}; die "sendmmsg: $!" }
  $sent += $done;
  next unless $rate;
  my $ahead = $sent / $rate - (clock_gettime(CLOCK_MONOTONIC) - $start);
  usleep($ahead * 1e6) if $ahead > 0;
}
printf qq({"packets":%d,"seconds":%.6f}\n), $sent, clock_gettime(CLOCK_MONOTONIC) - $start;
