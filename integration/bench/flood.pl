# Sends TCP SYNs as fast as one core can, from an AF_PACKET socket, and prints how long it took.
#
#   perl flood.pl IFNAME SOURCE_MAC TARGET_MAC COUNT [PORT]
#
# 4096 frames are built beforehand: IPv4, random sources in 10.99.0.0/16, random source ports, random ports
# from 10000 to 59999 (or PORT), correct checksums. Prints {"packets":…,"seconds":…}.
use strict;
use warnings;
use Socket;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($ifname, $from, $to, $count, $port) = @ARGV;
my ($AF_PACKET, $SOL_PACKET, $PACKET_QDISC_BYPASS, $SIOCGIFINDEX) = (17, 263, 20, 0x8933);
my $machine = `uname -m`;
my $SENDMMSG = $machine =~ /x86_64/ ? 307 : $machine =~ /aarch64/ ? 269 : die "no sendmmsg number for $machine";

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
my @frames = map {
  my $source = pack('C4', 10, 99, int(rand(256)), 1 + int(rand(254)));
  my @tcp = (1024 + int(rand(60000)), $port // 10000 + int(rand(50000)), int(rand(2**32)), 0, 0x5002, 64240);
  my $segment = pack('n n N N n n n n', @tcp, 0, 0);
  my $sum = checksum($source . $target . pack('n n', 6, length $segment) . $segment);
  $segment = pack('n n N N n n n n', @tcp, $sum, 0);
  my @ip = (0x4500, 20 + length $segment, int(rand(65536)), 0, 0x4006);
  my $header = pack('n n n n n', @ip);
  $header = pack('n n n n n n', @ip, checksum($header . pack('n', 0) . $source . $target));
  $ethernet . $header . $source . $target . $segment;
} 1 .. 4096;

my $BATCH = 64;
my @vectors = map { pack('P Q', $_, length $_) } @frames;
my @batches;
for (my $i = 0; $i < @frames; $i += $BATCH) {
  # struct mmsghdr: name, namelen, iov, iovlen, control, controllen, flags, and the length that was sent.
  push @batches, join '', map { pack('Q L x4 P Q Q Q L x4 L x4', 0, 0, $vectors[$_], 1, 0, 0, 0, 0) } $i .. $i + $BATCH - 1;
}

my ($sent, $turn, $number) = (0, 0, fileno $socket);
my $start = clock_gettime(CLOCK_MONOTONIC);
while ($sent < $count) {
  my $done = syscall($SENDMMSG, $number, $batches[$turn++ % @batches], $BATCH, 0);
  if ($done < 0) { next if $!{ENOBUFS} || $!{EAGAIN}; die "sendmmsg: $!" }
  $sent += $done;
}
printf qq({"packets":%d,"seconds":%.6f}\n), $sent, clock_gettime(CLOCK_MONOTONIC) - $start;
