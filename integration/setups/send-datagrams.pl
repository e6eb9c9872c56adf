# Lines on stdin, each a UDP payload in hexadecimal -> datagrams to one port from one source, all
# from one socket.
#
#   perl send-datagrams.pl TARGET PORT SOURCE [START INTERVAL]
#
# With START (seconds since 1970) each waits for its own moment, so that two processes can send at
# the same one. Prints how many it sent. Perl's own functions alone, so that the smallest
# installation of it will do.
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_DGRAM inet_pton pack_sockaddr_in pack_sockaddr_in6);
use Time::HiRes qw(time sleep);

my ($target, $port, $source, $start, $interval) = @ARGV;
my $family = $target =~ /:/ ? AF_INET6 : AF_INET;

sub place {
    my ($address, $number) = @_;
    my $bytes = inet_pton($family, $address) // die "no address: $address\n";
    return $family == AF_INET6
        ? pack_sockaddr_in6($number, $bytes)
        : pack_sockaddr_in($number, $bytes);
}

socket(my $socket, $family, SOCK_DGRAM, 0) or die "socket: $!\n";
bind($socket, place($source, 0)) or die "bind $source: $!\n";
my $to = place($target, $port);
my @payloads = map { chomp; pack('H*', $_) } <STDIN>;

for my $index (0 .. $#payloads) {
    if (defined $start) {
        my $moment = $start + $index * $interval;
        my $wait = $moment - time() - 0.001;
        sleep($wait) if $wait > 0;
        # The last of it awake: a sleeper wakes up too late for a race.
        1 while time() < $moment;
    }
    defined(send($socket, $payloads[$index], 0, $to)) or die "send: $!\n";
}
print scalar(@payloads), "\n";
