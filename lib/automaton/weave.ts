// Programs and gates → the chains and maps that bring each packet to the rules that judge it. Pure.
//
// A new packet costs one look-up of its protocol and port, and one that asks whether its source is knocking.
import type { Cidr, PortRange, Service, ValidDoor, ValidSpec } from '../spec/model.js'
import { SYN } from '../spec/step.js'
import {
  ACCEPT,
  add,
  type Chain,
  count,
  type DispatchEntry,
  type DispatchMap,
  DROP,
  dispatch,
  goTo,
  inSet,
  jump,
  type Match,
  RETURN,
  type Rule,
  stateIs,
  update,
  type Verdict,
} from './automaton.js'
import { gateChain } from './gate.js'
import { counterName, INVALID_STEPS, PORT_RANGES, PORTS, SEEN, STEPS } from './names.js'
import type { Endpoint, KnockProgram } from './program.js'
import { type ResetDomain, wipeChain } from './reset.js'

const KNOCK_TCP = 'knock_tcp'
const KNOCK_UDP = 'knock_udp'
const KNOCK_ECHO = 'knock_echo'
const ECHO = 'echo'
const JUDGE = 'judge_step'
const JUDGE_INVALID = 'judge_invalid_step'
const ELSEWHERE = 'elsewhere'
const IGNORED = 'ignored'

const isSyn: Match = { kind: 'flags', flags: SYN }

/** One endpoint of one program. */
interface Placed {
  readonly program: KnockProgram
  readonly endpoint: Endpoint
}

export interface Woven {
  readonly chains: readonly Chain[]
  readonly maps: readonly DispatchMap[]
}

export function weave(
  spec: ValidSpec,
  programs: readonly KnockProgram[],
  domains: readonly ResetDomain[],
): Woven {
  const placed = programs.flatMap((program) =>
    program.endpoints.map((endpoint): Placed => ({ program, endpoint })),
  )
  const ports = groupBy(
    placed.filter(({ endpoint }) => endpoint.protocol !== 'icmp'),
    ({ endpoint }) => portKey(endpoint),
  )
  const echo = placed.filter(({ endpoint }) => endpoint.protocol === 'icmp')
  const whole = wholeProtocolRules(spec.doors)
  const knocks = knockEntries(ports)
  const services = serviceEntries(spec.doors)
  const ignored = ignoredEntries(spec.guard.ignore, whole.length > 0)
  const entries = [...knocks.entries, ...services.entries, ...ignored]
  const single = entries.filter(({ ports: { from, to } }) => from === to)
  const ranges = entries.filter(({ ports: { from, to } }) => from !== to)
  const steps = stepChains(ports)
  const echoes = echoChains(echo, domains)

  const base: Chain = {
    name: spec.hook,
    rules: [
      interfaceRule(spec.interfaces),
      ...(echo.length > 0
        ? [{ when: [{ kind: 'echo-request' } as const], verdict: jump(ECHO), comment: 'echo requests: knocks before established' }]
        : []),
      { when: [stateIs('established', 'related')], verdict: ACCEPT, comment: 'connections live on' },
      { when: [], verdict: dispatch(PORTS), comment: 'knock ports, services, ignored ports' },
      ...(ranges.length > 0
        ? [{ when: [], verdict: dispatch(PORT_RANGES), comment: 'services and ignored ports that are ranges' }]
        : []),
      ...whole,
      ...domains
        .filter(({ mode }) => mode === 'any')
        .map(({ knocking }): Rule => ({
          when: [inSet(knocking), stateIs('new')],
          verdict: jump(ELSEWHERE),
          comment: 'new packets elsewhere reset attempts',
        })),
    ],
  }

  return {
    chains: [
      base,
      ...services.chains,
      ...knocks.chains,
      ...knockChains(ports, domains, steps.invalid.length > 0),
      ...steps.chains,
      ...echoes,
      ...elsewhereChains(domains),
      ...(whole.length > 0 && ignored.length > 0
        ? [{ name: IGNORED, rules: [...whole, { when: [], verdict: ACCEPT, comment: '/guard/ignore' }] }]
        : []),
    ],
    maps: [
      { name: PORTS, interval: false, entries: single },
      ...(ranges.length > 0 ? [{ name: PORT_RANGES, interval: true, entries: ranges }] : []),
      { name: STEPS, interval: false, entries: steps.entries },
      ...(steps.invalid.length > 0
        ? [{ name: INVALID_STEPS, interval: false, entries: steps.invalid }]
        : []),
    ],
  }
}

/** Our own host's loopback needs no knock, unless the spec names it. */
function interfaceRule(names: readonly string[]): Rule {
  return names.length > 0
    ? { when: [{ kind: 'interface', names, not: true }], verdict: ACCEPT, comment: '/interfaces' }
    : { when: [{ kind: 'interface', names: ['lo'] }], verdict: ACCEPT, comment: 'loopback' }
}

const portKey = ({ protocol, port }: { protocol: string; port?: number }): string =>
  `${protocol}_${port}`

const entryOf = (protocol: 'tcp' | 'udp', ports: PortRange, verdict: Verdict): DispatchEntry => ({
  protocol,
  ports,
  verdict,
})

const singlePort = (port: number): PortRange => ({ from: port, to: port })

/** The destinations of doors where each of them names some; undefined where one is for any. */
function unionOfAddresses(doors: readonly ValidDoor[]): Cidr[] | undefined {
  if (doors.some(({ addresses }) => addresses.length === 0)) return undefined
  const all = new Map<string, Cidr>()
  for (const { addresses } of doors) {
    for (const cidr of addresses) all.set(`${cidr.address}/${cidr.prefixLength}`, cidr)
  }
  return [...all.values()]
}

/** Knock ports go to the chains that know retransmissions; one that no door knocks on for an address stays out of it. */
function knockEntries(ports: ReadonlyMap<string, Placed[]>) {
  const entries: DispatchEntry[] = []
  const chains: Chain[] = []
  for (const [key, users] of ports) {
    const { protocol, port } = users[0]?.endpoint as { protocol: 'tcp' | 'udp'; port: number }
    const target = protocol === 'tcp' ? KNOCK_TCP : KNOCK_UDP
    const addresses = unionOfAddresses(users.map(({ program }) => program.door))
    if (!addresses) {
      entries.push(entryOf(protocol, singlePort(port), jump(target)))
      continue
    }
    const name = `only_${key}`
    const here: Match = { kind: 'destination', addresses }
    const comment = `${protocol}/${port} at the doors' addresses`
    chains.push({ name, rules: [{ when: [here], verdict: goTo(target), comment }] })
    entries.push(entryOf(protocol, singlePort(port), jump(name)))
  }
  return { entries, chains }
}

/** Doors may share a service where their addresses are apart: each gate passes the others' packets on. */
function serviceEntries(doors: readonly ValidDoor[]) {
  const listed = doors.flatMap((door) =>
    door.services.flatMap(({ protocol, ports }) =>
      ports && protocol !== 'any' ? [{ door, protocol, ports }] : [],
    ),
  )
  const entries: DispatchEntry[] = []
  const chains: Chain[] = []
  const groups = groupBy(listed, ({ protocol, ports }) => `${protocol}_${ports.from}_${ports.to}`)
  for (const [key, users] of groups) {
    const { protocol, ports, door } = users[0] as (typeof users)[0]
    if (users.length === 1) {
      entries.push(entryOf(protocol, ports, jump(gateChain(door.name))))
      continue
    }
    const name = `gates_${key}`
    const rules = users.map((user): Rule => ({
      when: [],
      verdict: jump(gateChain(user.door.name)),
      comment: `${user.door.name} ${user.door.origin}/service`,
    }))
    chains.push({ name, rules })
    entries.push(entryOf(protocol, ports, jump(name)))
  }
  return { entries, chains }
}

function ignoredEntries(ignore: readonly Service[], behindGates: boolean): DispatchEntry[] {
  const verdict = behindGates ? goTo(IGNORED) : ACCEPT
  return ignore.flatMap(({ protocol, ports }) =>
    ports && protocol !== 'any' ? [entryOf(protocol, ports, verdict)] : [],
  )
}

/** Doors before every port of a protocol. What keeps the host on its network is let through. */
function wholeProtocolRules(doors: readonly ValidDoor[]): Rule[] {
  return doors.flatMap((door) =>
    door.services
      .filter(({ ports }) => !ports)
      .flatMap(({ protocol }): Rule[] => {
        const gate = jump(gateChain(door.name))
        const comment = `${door.name} ${door.origin}/service`
        const guarded = (match: Match[]): Rule => ({ when: match, verdict: gate, comment })
        if (protocol === 'tcp') return [guarded([{ kind: 'protocol', protocols: ['tcp'] }])]
        if (protocol === 'udp') return [DHCPV6, guarded([{ kind: 'protocol', protocols: ['udp'] }])]
        return [DHCPV6, guarded([{ kind: 'echo-request' }]), CONTROL, guarded([])]
      }),
  )
}

/** A DHCPv6 server answers from its own address what was asked by multicast: conntrack knows no such reply. */
const DHCPV6: Rule = {
  families: [6],
  when: [
    { kind: 'port', protocol: 'udp', port: 546 },
    { kind: 'source', addresses: [{ family: 6, address: 'fe80::', prefixLength: 10 }] },
  ],
  verdict: ACCEPT,
  comment: 'DHCPv6 replies',
}

/** Neighbour discovery, router advertisements, group membership: without them the host drops off its network. */
const CONTROL: Rule = {
  when: [{ kind: 'protocol', protocols: ['icmp', 'icmpv6', 'igmp'] }],
  verdict: ACCEPT,
  comment: 'network control',
}

/** A knock resets the attempts of which it is no step, and then goes to the doors that are knocked there. */
const resetOthers = (domains: readonly ResetDomain[]): Rule[] =>
  domains.map(({ knocking, chain }) => ({
    when: [inSet(knocking)],
    verdict: jump(chain),
    comment: 'a knock resets the attempts of other doors',
  }))

function knockChains(
  ports: ReadonlyMap<string, Placed[]>,
  domains: readonly ResetDomain[],
  hasInvalid: boolean,
): Chain[] {
  const protocols = new Set([...ports.values()].map((users) => users[0]?.endpoint.protocol))
  const drop: Rule = { when: [], verdict: DROP, comment: 'knocks are never answered' }
  const onInvalid = hasInvalid ? goTo(JUDGE_INVALID) : DROP
  const invalid = (verdict: Verdict): Rule => {
    return { when: [stateIs('invalid')], verdict, comment: 'starts nothing' }
  }
  const judge: Rule = { when: [], verdict: goTo(JUDGE), comment: 'to the doors knocked here' }
  const chains: Chain[] = []
  if (protocols.has('tcp')) {
    const rules: Rule[] = [
      invalid(onInvalid),
      { when: [isSyn, inSet(SEEN)], then: [update(SEEN)], verdict: DROP, comment: 'retransmitted SYN' },
      { when: [isSyn], then: [add(SEEN)], verdict: goTo(JUDGE), comment: 'first SYN of its connection' },
      { when: [isSyn], verdict: DROP, comment: 'no room to remember it' },
      judge,
    ]
    chains.push({ name: KNOCK_TCP, rules })
  }
  if (protocols.has('udp')) chains.push({ name: KNOCK_UDP, rules: [invalid(DROP), judge] })
  if (chains.length === 0) return []
  const steps: Rule = { when: [], verdict: dispatch(STEPS), comment: 'the doors knocked here' }
  chains.push({ name: JUDGE, rules: [...resetOthers(domains), steps, drop] })
  if (hasInvalid) {
    const invalidSteps = { ...steps, verdict: dispatch(INVALID_STEPS) }
    chains.push({ name: JUDGE_INVALID, rules: [invalidSteps, drop] })
  }
  return chains
}

/** For each knock port the chains of the doors that are knocked there. */
function stepChains(ports: ReadonlyMap<string, Placed[]>) {
  const chains: Chain[] = []
  const entries: DispatchEntry[] = []
  const invalid: DispatchEntry[] = []
  const place = (key: string, users: Placed[], own: Chain[], to: DispatchEntry[]) => {
    const { protocol, port } = users[0]?.endpoint as { protocol: 'tcp' | 'udp'; port: number }
    chains.push(...own)
    if (own.length > 1) chains.push({ name: key, rules: visitEach(users, own) })
    const target = own.length > 1 ? key : (own[0] as Chain).name
    to.push(entryOf(protocol, singlePort(port), jump(target)))
  }
  for (const [key, users] of ports) {
    place(key, users, endpointChains(users, key), entries)
    const odd = users.filter(({ endpoint }) => endpoint.invalidRules.length > 0)
    if (odd.length > 0) place(`invalid_${key}`, odd, invalidChains(odd, `invalid_${key}`), invalid)
  }
  return { chains, entries, invalid }
}

const visitEach = (users: readonly Placed[], chains: readonly Chain[]): Rule[] =>
  chains.map(({ name }, index) => ({
    when: [],
    verdict: jump(name),
    comment: commentOf(users[index] as Placed),
  }))

const commentOf = ({ program: { door, attempt } }: Placed): string =>
  `${door.name} ${door.origin}/${attempt === 'close' ? 'close' : 'knock'}`

const endpointChain = ({ program: { door, attempt } }: Placed, key: string): string =>
  attempt === 'close' ? `${key}_close_${door.name}` : `${key}_open_${door.name}`

/** The way out for packets to a destination that is not the door's. */
function atDoorOnly(user: Placed): Rule[] {
  const { addresses } = user.program.door
  if (addresses.length === 0) return []
  const when: Match[] = [{ kind: 'destination', addresses, not: true }]
  return [{ when, verdict: RETURN, comment: commentOf(user) }]
}

/** The chains of the programs that share an endpoint, in the programs' order. */
function endpointChains(users: readonly Placed[], key: string): Chain[] {
  return users.map((user, index) => {
    const { program, endpoint } = user
    const isFirstOfDoor = users.findIndex((other) => other.program.door === program.door) === index
    const reset: Rule[] =
      program.reset === 'never' || program.wipe.length === 0
        ? []
        : [{ when: [], verdict: goTo(wipeChain(program)), comment: `${commentOf(user)} out of order` }]
    return {
      name: endpointChain(user, key),
      rules: [
        ...atDoorOnly(user),
        ...(isFirstOfDoor ? countKnocks(users, program.door) : []),
        ...endpoint.rules,
        ...reset,
      ],
    }
  })
}

function invalidChains(users: readonly Placed[], key: string): Chain[] {
  return users.map((user) => ({
    name: endpointChain(user, key),
    rules: [...atDoorOnly(user), ...user.endpoint.invalidRules],
  }))
}

/** A packet that is a step of a door counts once for it, also where it is a step of its closing knock too. */
function countKnocks(users: readonly Placed[], door: ValidDoor): Rule[] {
  const packets = users
    .filter(({ program }) => program.door === door)
    .flatMap(({ endpoint }) => endpoint.packets)
  const distinct = new Map(packets.map((packet) => [JSON.stringify(packet), packet]))
  const then = [count(counterName('knocks', door.name))]
  return [...distinct.values()].map((packet) => {
    return { ...packet, then, comment: `${door.name} ${door.origin} knocks` }
  })
}

/** Echo requests that are some door's step are judged whatever conntrack calls them; the others go on as they came. */
function echoChains(users: readonly Placed[], domains: readonly ResetDomain[]): Chain[] {
  if (users.length === 0) return []
  const select = users.flatMap(({ program, endpoint }): Rule[] => {
    const { addresses } = program.door
    const here: Match[] = addresses.length > 0 ? [{ kind: 'destination', addresses }] : []
    return endpoint.packets.map((packet) => {
      const when = [...packet.when, ...here]
      return { ...packet, when, verdict: goTo(KNOCK_ECHO), comment: 'echo requests that are a step' }
    })
  })
  const distinct = new Map(select.map((rule) => [JSON.stringify(rule), rule]))
  const chains = endpointChains(users, 'echo')
  return [
    {
      name: ECHO,
      rules: [
        { when: [stateIs('invalid')], verdict: RETURN, comment: 'starts nothing' },
        ...distinct.values(),
      ],
    },
    {
      name: KNOCK_ECHO,
      rules: [
        ...resetOthers(domains),
        ...visitEach(users, chains),
        { when: [], verdict: DROP, comment: 'knocks are never answered' },
      ],
    },
    ...chains,
  ]
}

/** A new packet that is no knock, of a source that is knocking; its SYN may come again. */
function elsewhereChains(domains: readonly ResetDomain[]): Chain[] {
  const domain = domains.find(({ mode }) => mode === 'any')
  if (!domain) return []
  const reset = goTo(domain.chain)
  const rules: Rule[] = [
    { when: [isSyn, inSet(SEEN)], then: [update(SEEN)], verdict: RETURN, comment: 'retransmitted SYN' },
    { when: [isSyn], then: [add(SEEN)], verdict: reset, comment: 'first SYN of its connection' },
    { when: [], verdict: reset, comment: 'resets' },
  ]
  return [{ name: ELSEWHERE, rules }]
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
