// Doors and knock ports → the entries of the map from a port to the chain that judges its packets.
// Pure.
import type { ValidDoor, ValidSpec } from '../../spec/model/model.js'
import type { Cidr, PortRange, Service } from '../../spec/model/packet-model.js'
import { stepMeetsService } from '../../spec/model/step.js'
import { gateChain } from '../door/gate.js'
import { atDoor, onInterfaces } from '../door/here.js'
import { refuseEarly } from '../door/refused.js'
import {
  ACCEPT,
  type Chain,
  type DispatchEntry,
  entryOf,
  goTo,
  type IpProtocol,
  jump,
  type Match,
  onPort,
  RETURN,
  type Rule,
} from '../language/automaton.js'
import type { KnockProgram } from '../language/program.js'
import { groupBy, type PortUsers } from './endpoints.js'

/** Entries of the map of ports, and the chains to which they lead if one verdict is not enough. */
interface PortEntries {
  readonly entries: readonly DispatchEntry[]
  readonly chains: readonly Chain[]
}

/**
 * The entries of knock ports lead to the chain of their protocol, but only at the interfaces and
 * addresses of doors that have them. Knock ports of a door's own service are left out: the gate
 * sends on the packets that nothing accepts.
 */
export function knockEntries(
  ports: readonly PortUsers[],
  chainOf: Readonly<Record<'tcp' | 'udp', string>>,
): PortEntries {
  const entries: DispatchEntry[] = []
  const chains: Chain[] = []
  for (const { key, port, users } of ports) {
    const isServed = ({ program }: PortUsers['users'][number]) =>
      program.door.services.some((service) => stepMeetsService(port, service))
    if (users.some(isServed)) continue
    const target = chainOf[port.protocol]
    const places = placesOf(users.map(({ program }) => program.door))
    if (places.length === 0) {
      entries.push(entryOf(port.protocol, port.port, jump(target)))
      continue
    }
    const name = `only_${key}`
    const isAnyInterface = users.every(({ program }) => program.door.interfaces.length === 0)
    const where = isAnyInterface ? 'addresses' : 'interfaces and addresses'
    const comment = `${port.protocol}/${port.port} at the doors' ${where}`
    const rules = places.map((when): Rule => ({ when, verdict: goTo(target), comment }))
    chains.push({ name, rules })
    entries.push(entryOf(port.protocol, port.port, jump(name)))
  }
  return { entries, chains }
}

/**
 * The matches of packets to some of the doors: one list for each set of interfaces that doors have.
 * Empty if one of the doors gets all packets.
 */
function placesOf(doors: readonly ValidDoor[]): Match[][] {
  const groups = [...groupBy(doors, ({ interfaces }) => interfaces.join(' ')).values()]
  const places = groups.map((own) => {
    return atDoor({ interfaces: own[0].interfaces, addresses: unionOfAddresses(own) })
  })
  return places.some((place) => place.length === 0) ? [] : places
}

/** The addresses of all doors; empty if one of them has none, which means any. */
function unionOfAddresses(doors: readonly ValidDoor[]): Cidr[] {
  if (doors.some(({ addresses }) => addresses.length === 0)) return []
  const all = new Map<string, Cidr>()
  for (const { addresses } of doors) {
    for (const cidr of addresses) all.set(`${cidr.address}/${cidr.prefixLength}`, cidr)
  }
  return [...all.values()]
}

interface Listed {
  readonly door: ValidDoor
  readonly protocol: 'tcp' | 'udp'
  readonly ports: PortRange
  /** The chain that judges the packets. */
  readonly chain: string
}

/**
 * The entries of services. Doors may share a service if their addresses are apart, or if one of
 * them is for everyone: each gate passes on what another may accept.
 */
export function serviceEntries(doors: readonly ValidDoor[]): PortEntries {
  const entries: DispatchEntry[] = []
  const chains: Chain[] = []
  const groups = groupBy(doors.flatMap(listedServices), ({ protocol, ports }) =>
    [protocol, ports.from, ports.to].join('_'),
  )
  for (const [key, [first, ...others]] of groups) {
    const { protocol, ports, chain } = first
    if (others.length === 0) {
      entries.push(entryOf(protocol, ports, jump(chain)))
      continue
    }
    const name = `gates_${key}`
    const rules = [first, ...others].map(({ door, chain }) => toChain(door, chain, []))
    chains.push({ name, rules })
    entries.push(entryOf(protocol, ports, jump(name)))
  }
  return { entries, chains }
}

function listedServices(door: ValidDoor): Listed[] {
  const list = (services: readonly Service[], chain: string) =>
    services.flatMap(({ protocol, ports }) =>
      ports && hasPorts(protocol) ? [{ door, protocol, ports, chain }] : [],
    )
  const open = redirects(door) ? list(door.services, publicChain(door)) : []
  return [...open, ...list(guardedServices(door), gateChain(door.name))]
}

/**
 * The services that a gate protects. For a door that redirects, this is the target port on this
 * host.
 */
function guardedServices({ services, open: { redirectTo } }: ValidDoor): readonly Service[] {
  if (!redirectTo) return services
  if (redirectTo.address !== undefined) return []
  const { port } = redirectTo
  const protocols = new Set(services.map(({ protocol }) => protocol))
  return [...protocols].map((protocol) => ({ protocol, ports: { from: port, to: port } }))
}

const publicChain = ({ name }: ValidDoor): string => `public_${name}`

/**
 * The chains for the services of doors that redirect. They are public: packets to them are accepted
 * and reset nothing.
 */
export const publicChains = (doors: readonly ValidDoor[]): Chain[] =>
  doors.filter(redirects).map((door) => {
    const comment = `${door.name} ${door.origin}/service`
    const rules = [{ when: atDoor(door), verdict: ACCEPT, comment }]
    return { name: publicChain(door), rules }
  })

const redirects = ({ open }: ValidDoor): boolean => open.redirectTo !== undefined

const toGate = (door: ValidDoor, when: readonly Match[]): Rule =>
  toChain(door, gateChain(door.name), when)

const toChain = (door: ValidDoor, chain: string, when: readonly Match[]): Rule => ({
  when,
  verdict: jump(chain),
  comment: `${door.name} ${door.origin}/service`,
})

const IGNORED = 'ignored'

/**
 * The entries of ignored ports. Their packets are accepted, after the rules of doors before a whole
 * protocol.
 */
export function ignoredEntries(ignore: readonly Service[], whole: readonly Rule[]): PortEntries {
  const verdict = whole.length > 0 ? goTo(IGNORED) : ACCEPT
  const entries = ignore.flatMap(({ protocol, ports }) =>
    ports && hasPorts(protocol) ? [entryOf(protocol, ports, verdict)] : [],
  )
  const pass: Rule = { when: [], verdict: ACCEPT, comment: '/guard/ignore' }
  const isUsed = whole.length > 0 && entries.length > 0
  return { entries, chains: isUsed ? [{ name: IGNORED, rules: [...whole, pass] }] : [] }
}

const TRANSPORTS: readonly IpProtocol[] = ['tcp', 'udp']

/** The protocols of a service, not counting the echo requests of `any`. */
export const protocolsOf = (protocol: Service['protocol']): readonly IpProtocol[] =>
  protocol === 'any' ? TRANSPORTS : [protocol]

/** Whether packets of a service's protocol have ports. */
export const hasPorts = (protocol: Service['protocol']): protocol is 'tcp' | 'udp' =>
  protocol === 'tcp' || protocol === 'udp'

/**
 * The rules of doors before a whole protocol. DHCPv6 replies pass, so that the host stays on its
 * network. `any` judges only TCP, UDP and echo requests: routers, tunnels and clusters use the
 * others, and nobody knocks before that.
 */
export function wholeProtocolRules(spec: ValidSpec, programs: readonly KnockProgram[]): Rule[] {
  return spec.doors.flatMap((door) =>
    door.services
      .filter(({ ports }) => !ports)
      .flatMap(({ protocol }): Rule[] => {
        if (protocol === 'any') {
          const ping = toGate(door, [{ kind: 'echo-request' }])
          return [dhcpV6(door), ping, toChain(door, anyChain(door), [])]
        }
        const own = toGate(door, [{ kind: 'protocol', protocols: [protocol] }])
        if (protocol === 'tcp') return [...refuseEarly(door, spec, programs), own]
        return protocol === 'udp' ? [dhcpV6(door), own] : [own]
      }),
  )
}

const anyChain = ({ name }: ValidDoor): string => `any_${name}`

/**
 * The chains before the gates of doors before `any`. A packet whose protocol cannot be read is
 * refused by the gate.
 */
export const anyChains = (doors: readonly ValidDoor[]): Chain[] =>
  doors
    .filter(({ services }) => services.some(({ protocol }) => protocol === 'any'))
    .map((door) => {
      const when: Match[] = [{ kind: 'protocol', protocols: TRANSPORTS, not: true }]
      const comment = `${door.name} neither TCP nor UDP: not hidden`
      const judge: Rule = {
        when: [],
        verdict: goTo(gateChain(door.name)),
        comment: `${door.name} ${door.origin}/service`,
      }
      return { name: anyChain(door), rules: [{ when, verdict: RETURN, comment }, judge] }
    })

/**
 * A DHCPv6 server answers a multicast request from its own address, so conntrack does not know the
 * reply.
 */
const dhcpV6 = (door: ValidDoor): Rule => ({
  families: [6],
  when: [
    ...onInterfaces(door),
    onPort('udp', 546),
    { kind: 'source', addresses: [{ family: 6, address: 'fe80::', prefixLength: 10 }] },
  ],
  verdict: ACCEPT,
  comment: 'DHCPv6 replies',
})

/** The matches for a service's packets, any of which is enough. */
export function servedBy({ protocol, ports }: Service): Match[] {
  if (ports && hasPorts(protocol)) return [onPort(protocol, ports)]
  const own: Match = { kind: 'protocol', protocols: protocolsOf(protocol) }
  return protocol === 'any' ? [{ kind: 'echo-request' }, own] : [own]
}
