// Words that nft's scanner reads as its own, so that no table can bear them as a name. Pure.

/** nftables 1.1.7, src/scanner.l: the words that are valid where a table's name stands. */
const KEYWORDS = new Set(
  `accept add ah all amanda and any arp at auto-merge bridge burst bypass bytes cgroup cgroupv2 chain
  chains classid clear code comment comp conntrack constant continue counter counters cpu create csum ct
  cwr daddr day dccp debug define delete describe destroy device devices dnat dport drop dscp dup dup dynamic
  ecn eq esp ether exists expectation expires export export fib fin flags flow flowtable flowtables flush
  frag fully-random fwd ge geneve get goto gre gretap gt handle hash helper helpers hook hoplimit hour ibriport
  icmp icmpv6 id igmp iif iifgroup iifname iiftype import in include inet inner input ingress insert integer interval
  invalid ip ip6 ipsec jhash jump kind l4proto label last le length level limit limits list log lt lshift
  map mark masquerade meta meter meters mh missing mod monitor netdev netlink never nexthdr nfproto not notrack
  numgen obrname oif oifgroup oifname oiftype options or original osf output over packets performance persistent
  pkttype policy position postrouting prefix prerouting priority proto queue quota quotas random redefine redirect
  reject rename replace replace reply reset return rshift rst rt rtclassid ruleset saddr saddr sctp secmark secmarks
  seq set sets size snaplen snat socket sport state status stp symhash syn synproxy synproxys table tables tcp
  th time timeout timeouts tproxy transparent ttl tunnel type typeof udp udplite undefine update urg version
  vlan vmap vxlan xfrm xor xt year zone`.split(/\s+/),
)

/** Whether nft would read the word as its own, in a ruleset that is loaded from text. */
export const isKeyword = (word: string): boolean => KEYWORDS.has(word)
