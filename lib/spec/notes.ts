// A valid spec → what is as it says and easily believed to be otherwise, in plain words. Pure.
import type { ValidDoor, ValidSpec } from './model.js'

/** A fact about a spec that is no fault. */
export interface Note {
  /** JSON Pointer into the spec. */
  readonly path: string
  readonly message: string
}

/** Says what `any` judges, what reaches a host beside a door's addresses, and what `ingress` does not see. */
export function notesOf({ doors, hook }: ValidSpec): Note[] {
  return [
    ...(hook === 'ingress' ? [{ path: '/hook', message: OF_TAGS }] : []),
    ...doors
      .filter(({ services }) => services.some(({ protocol }) => protocol === 'any'))
      .map(({ name, origin }) => ({ path: `${origin}/service`, message: ofAny(name) })),
    ...doors
      .filter((door) => hook !== 'forward' && isHeardBeside(door))
      .map(({ name, origin }) => ({ path: `${origin}/address`, message: ofBroadcast(name) })),
  ]
}

/** Whether a service of the door can hear packets that are sent to none of its addresses. */
const isHeardBeside = ({ addresses, services }: ValidDoor): boolean =>
  addresses.length > 0 && services.some(({ protocol }) => protocol === 'udp' || protocol === 'any')

const OF_TAGS =
  '"ingress" does not judge frames with two VLAN tags, and the host takes those with a tag of number 0 for its own; ' +
  'drop them beside (docs/threat-model.md has the two rules), or take "prerouting"'

const ofBroadcast = (name: string): string =>
  `a UDP service that listens at any address also answers packets to broadcast and multicast addresses, which ${name} does not judge; ` +
  'add those addresses (such as 255.255.255.255, the broadcast address of the network, 224.0.0.0/4 and ff00::/8), or leave address out'

const ofAny = (name: string): string =>
  `"any" of ${name} judges TCP, UDP and echo requests (ping), and nothing else; every other protocol passes as it came, ` +
  'also from strangers: other ICMP and IGMP, IPIP, 6in4, GRE, ESP, AH, OSPF, VRRP, SCTP; to close one, name it in service: protocol/sctp'
