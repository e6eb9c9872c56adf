// The words that nft's scanner reads as its own, so that no table can have them as a name. Pure.

/**
 * The words that nft 1.0.6, 1.1.3 or 1.1.7 refuses in `table inet …` or in `list table inet …`.
 * Their scanners have more keywords, which they accept there.
 */
export const KEYWORDS: ReadonlySet<string> = new Set(
  `accept add ah all and arp bridge cgroup chain chains comment comp constant continue count
  counter counters cpu create ct day dccp define delete describe destroy device devices dnat drop
  dst dup dynamic ecn element elements eq esp ether exists expires export exthdr fib flags flow
  flowtable flowtables flush frag fwd ge geneve get goto gre gretap gt handle hbh hook hooks hour
  ibriport ibrname icmp icmpv6 igmp iif iifgroup iifname iiftype import include index inet insert
  interval ip ip6 ipsec jhash jump le limit limits list log lshift lt map maps mark masquerade
  meta meter meters mh missing monitor ne netdev nftrace not notrack numgen obriport obrname
  offload oif oifgroup oifname oiftype or osf pkttype policy position priority queue quota quotas
  random redefine redirect reject rename replace reset return rshift rt rt0 rt2 rtclassid rule
  rules ruleset sctp secmark secmarks set sets size skgid skuid snat socket srh symhash synproxy
  synproxys table tables tcp th time timeout tproxy tunnel tunnels type typeof udp udplite
  undefine update vlan vmap vni vxlan xor xt`.split(/\s+/),
)

/** Whether nft would not accept the word as the name of a table. */
export const isKeyword = (word: string): boolean => KEYWORDS.has(word)
