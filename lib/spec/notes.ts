// A valid spec → remarks about parts that are easily misunderstood. Pure.
import { kindOf } from '../automaton/kinds/kinds.js'
import { cidrContains } from './model/address.js'
import type { Note, ValidDoor, ValidSpec } from './model/model.js'
import type { Prefix } from './model/packet-model.js'

/**
 * Gathers remarks: who does actions, what `any` judges, what reaches a host past a door's addresses
 * or redirect, from when on a token opens, whom traps can ban, and whom wide blocks let in.
 */
export function notesOf({ actions, doors, guard, hook }: ValidSpec): Note[] {
  return [
    ...(actions.length > 0 ? [{ path: '/actions', message: OF_ACTIONS }] : []),
    ...(guard.traps ? [{ path: '/guard/traps', message: OF_TRAPS }] : []),
    ...doors
      .filter(({ services }) => services.some(({ protocol }) => protocol === 'any'))
      .map(({ name, origin }) => ({ path: `${origin}/service`, message: ofAny(name) })),
    ...doors
      .filter((door) => hook !== 'forward' && isHeardBeside(door))
      .map(({ name, origin }) => ({ path: `${origin}/address`, message: ofBroadcast(name) })),
    ...doors.flatMap(({ name, origin, open: { redirectTo } }) =>
      redirectTo?.address === undefined
        ? []
        : [{ path: `${origin}/open/redirectTo`, message: ofHost(name, redirectTo.address) }],
    ),
    ...doors
      .filter(({ open: { prefix } }) => prefix && isWide(prefix))
      .map(({ name, origin }) => ({ path: `${origin}/open/prefix`, message: ofWide(name) })),
    ...doors.flatMap((door) =>
      door.knocks.flatMap((knock) => kindOf(knock).notesOf?.(knock, door) ?? []),
    ),
  ]
}

/** Wider than what one customer has: the least block in routing tables, and a site (RFC 6177). */
const isWide = (prefix: Prefix): boolean => prefix[4] < 24 || prefix[6] < 48

const ofWide = (name: string): string =>
  `a knock at ${name} lets in the whole block around its source, with many other customers; ` +
  'take 24 and 48 bits or more'

const OF_ACTIONS =
  'a process does them, `knocklib run` or a program that calls keepInstalled; ' +
  '`knocklib install` alone does none'

/**
 * The addresses of all hosts of a network (RFC 1112, RFC 4291). A door that has them needs no
 * remark.
 */
const TO_ALL = { 4: '224.0.0.1', 6: 'ff02::1' } as const

/** Whether a service of the door can receive packets that are sent to none of its addresses. */
const isHeardBeside = ({ addresses, services }: ValidDoor): boolean =>
  [...new Set(addresses.map(({ family }) => family))].some(
    (family) => !addresses.some((cidr) => cidrContains(cidr, TO_ALL[family])),
  ) && services.some(({ protocol }) => protocol === 'udp' || protocol === 'any')

const OF_TRAPS =
  'anybody can send a packet to a trap in the name of another address, and so ban it: ' +
  'its knocks are then ignored, and its grants stay; ' +
  'list the addresses that must always get in under guard.trusted'

const ofBroadcast = (name: string): string =>
  'a UDP service that listens at any address also answers packets to broadcast ' +
  `and multicast addresses, which ${name} does not judge; ` +
  'add those addresses (such as 255.255.255.255, the broadcast address of the ' +
  'network, 224.0.0.0/4 and ff00::/8), or leave address out'

const ofHost = (name: string, address: string): string =>
  `${name} redirects granted sources to ${address}; a source that can reach that ` +
  'host directly needs no knock, since no door of this table protects it'

const ofAny = (name: string): string =>
  `"any" of ${name} judges TCP, UDP and echo requests (ping), and nothing else; ` +
  'every other protocol passes, ' +
  'also from strangers: other ICMP and IGMP, IPIP, 6in4, GRE, ESP, AH, OSPF, ' +
  'VRRP, SCTP; to close one, name it in service: protocol/sctp'
