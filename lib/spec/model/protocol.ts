// IP protocols by number or IANA name ↔ numbers. Pure.

/** IANA's number of an IP protocol, 0 to 255. */
export type ProtocolNumber = number

/** IANA's numbers of the protocols that have their own words here. */
export const NUMBER = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpv6: 58 } as const

/**
 * The names of IANA's "Assigned Internet Protocol Numbers", spelled as in /etc/protocols. If a
 * number has several names, the first is the one that is written.
 */
const NAMES: ReadonlyMap<string, ProtocolNumber> = new Map(
  `hopopt 0, icmp 1, igmp 2, ggp 3, ipip 4, ipencap 4, ipv4 4, st 5, tcp 6, cbt 7, egp 8, igp 9,
  pup 12, udp 17, hmp 20, xns-idp 22, rdp 27, iso-tp4 29, dccp 33, xtp 36, ddp 37, idpr-cmtp 38,
  6in4 41, ipv6 41, ipv6-route 43, ipv6-frag 44, idrp 45, rsvp 46, gre 47, dsr 48, esp 50, ah 51,
  skip 57, ipv6-icmp 58, icmpv6 58, ipv6-nonxt 59, ipv6-opts 60, rspf 73, vmtp 81, eigrp 88,
  ospf 89, ospfigp 89, ax.25 93, etherip 97, encap 98, pim 103, ipcomp 108, vrrp 112, pgm 113,
  l2tp 115, isis 124, sctp 132, fc 133, mobility-header 135, udplite 136, mpls-in-ip 137,
  manet 138, hip 139, shim6 140, wesp 141, rohc 142, ethernet 143`
    .split(/,\s+/)
    .map((entry) => entry.split(' ') as [string, string])
    .map(([name, number]) => [name, Number(number)]),
)

/**
 * Reads a protocol's number, 0 to 255, or its IANA name in lower case; undefined for anything else.
 */
export function parseProtocol(text: string): ProtocolNumber | undefined {
  if (!/^(0|[1-9][0-9]{0,2})$/.test(text)) return NAMES.get(text)
  return Number(text) <= 255 ? Number(text) : undefined
}

/** Writes a protocol's IANA name, or its number if the list above has no name. */
export function formatProtocol(number: ProtocolNumber): string {
  for (const [name, own] of NAMES) if (own === number) return name
  return String(number)
}

/**
 * Says what to write instead of a protocol that cannot be a service by its number; undefined if it
 * can be.
 */
export function insteadOfProtocol(number: ProtocolNumber): string | undefined {
  switch (number) {
    case NUMBER.tcp:
      return '"tcp", or tcp/1..65535'
    case NUMBER.udp:
      return '"udp", or udp/1..65535'
    case NUMBER.icmp:
    case NUMBER.icmpv6:
      return '"any", which judges pings: all other ICMP always passes'
    case 0:
    case 43:
    case 44:
    case 60:
      return 'a protocol: this number is that of an IPv6 extension header'
    default:
      return undefined
  }
}
