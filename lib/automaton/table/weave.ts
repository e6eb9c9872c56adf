// Programs and gates → all chains and maps of a table: the path of each packet to its judging
// rules. Pure. A new packet costs one look-up of its port, and one of its source among the
// knocking.
import { hexDigest } from '../../spec/model/digest.js'
import type { ValidSpec } from '../../spec/model/model.js'
import { ignoreBanned } from '../door/ban.js'
import { KNOCK } from '../door/gate.js'
import { redirectChains } from '../door/redirect.js'
import {
  ACCEPT,
  type Chain,
  count,
  type DispatchMap,
  DROP,
  dispatch,
  goTo,
  inSet,
  jump,
  RETURN,
  type Rule,
  stateIs,
} from '../language/automaton.js'
import { baseChains, isStateful } from '../language/hook.js'
import { INVALID_STEPS, namedSet, portsMap, REPEATED_COUNTER, STEPS } from '../language/names.js'
import { type Again, asks, asksNothing, onceEach } from '../language/once.js'
import type { KnockProgram } from '../language/program.js'
import type { PortSet } from '../language/sets.js'
import { cutChains, cutRules } from './cut.js'
import { type Endpoints, placeEndpoints } from './endpoints.js'
import { PIECES_CHAIN, PIECES_RULE } from './pieces.js'
import {
  anyChains,
  ignoredEntries,
  knockEntries,
  publicChains,
  serviceEntries,
  wholeProtocolRules,
} from './ports.js'
import { rangeRules } from './ranges.js'
import type { ResetDomain } from './reset.js'
import { echoChains, type RangeChains, rangeChains, stepChains } from './steps.js'
import { unreadChains, unreadRules } from './unread.js'

const ECHO = 'echo'
const JUDGE = 'judge_step'
const JUDGE_INVALID = 'judge_invalid_step'
const ELSEWHERE = 'elsewhere'
const BEGINNING = 'beginning'

interface Woven {
  /** Base chains first. */
  readonly chains: readonly Chain[]
  readonly maps: readonly DispatchMap[]
  readonly named: PortSet
  /** The counters that only rules of this file use. */
  readonly counters: readonly string[]
}

export function weave(
  spec: ValidSpec,
  programs: readonly KnockProgram[],
  domains: readonly ResetDomain[],
): Woven {
  const { doors, guard, hook } = spec
  const placed = placeEndpoints(programs)
  const { ports, echo } = placed
  const gates = wholeProtocolRules(spec, programs)
  const stateful = isStateful(hook)
  const whole = gates.length > 0 ? [...(stateful ? [RELATED] : []), ...gates] : []
  const knocks = knockEntries(ports, KNOCK)
  const services = serviceEntries(doors)
  const ignored = ignoredEntries(guard.ignore, whole)
  const parts = [knocks, services, ignored]
  const steps = stepChains(ports)
  const ranged = rangeChains(placed.ranges, KNOCK)
  const others = resetOthers(domains)
  const first = ignoreBanned(guard.ban)

  const entries = parts.flatMap((part) => part.entries)
  const ranges = entries.filter(({ ports: { from, to } }) => from !== to)
  const single = entries.filter((entry) => !ranges.includes(entry))
  const byRange = rangeRules(ranges)
  const digest = hexDigest(single, 8)
  const anyDomain = domains.find(({ mode }) => mode === 'any')
  const echoes = echo.length > 0 ? [ECHO_RULE] : []
  // Behind conntrack fragments are reassembled.
  const before = stateful
    ? [...echoes, SYN_RULE, ...cutRules(doors), ESTABLISHED]
    : [PIECES_RULE, NO_SYN, ...echoes]
  const beginning: Rule[] = [
    portsRule(digest),
    ...byRange.rules,
    ...ranged.find,
    ...unreadRules(doors),
    ...whole,
    ...(anyDomain ? [elsewhereRule(anyDomain)] : []),
  ]
  const base = [...interfaceRules(spec), ...before, ...(stateful ? [REST_RULE] : beginning)]
  const hasInvalid = stateful && steps.invalidEntries.length > 0
  const knocked = knockChains(placed, { first, others, ranged, stateful, hasInvalid })
  return {
    chains: [
      ...redirectChains(spec),
      ...baseChains(spec, base),
      ...(stateful ? [{ name: BEGINNING, rules: beginning }] : [PIECES_CHAIN]),
      ...unreadChains(doors, {
        hasTrusted: guard.trusted.length > 0,
        areFragmentsJudged: !stateful,
      }),
      ...cutChains(doors, guard.trusted.length > 0),
      ...byRange.chains,
      ...parts.flatMap((part) => part.chains),
      ...anyChains(doors),
      ...publicChains(doors),
      ...knocked,
      ...steps.chains,
      ...ranged.chains,
      ...echoChains(ECHO, echo, { first, resetOthers: others, isStateful: stateful }),
      ...(anyDomain ? [elsewhereChain(anyDomain, stateful)] : []),
    ],
    maps: [
      { name: portsMap(digest), entries: single },
      { name: STEPS, entries: steps.entries },
      ...(hasInvalid ? [{ name: INVALID_STEPS, entries: steps.invalidEntries }] : []),
    ],
    named: { name: namedSet(digest), ports: [...new Set(single.map(({ ports }) => ports.from))] },
    counters: knocked.some(({ name }) => name === KNOCK.tcp) ? [REPEATED_COUNTER] : [],
  }
}

/** Loopback needs no knock unless the spec names it. At ingress a base chain has its own device. */
function interfaceRules({ hook, interfaces: names }: ValidSpec): Rule[] {
  if (hook === 'ingress') return []
  return names.length > 0
    ? [{ when: [{ kind: 'interface', names, not: true }], verdict: ACCEPT, comment: '/interfaces' }]
    : [{ when: [{ kind: 'loopback' }], verdict: ACCEPT, comment: 'loopback' }]
}

/** Before conntrack only a SYN is known to begin a connection, whatever other flags it has. */
const NO_SYN: Rule = { when: [asksNothing], verdict: ACCEPT, comment: 'begins nothing' }

/**
 * conntrack calls a connection established for days after both ends have left it, and for as long
 * as packets come now and then. A SYN in its name is for the service that listens now. Matched
 * before conntrack's state, so that other protocols pay for one comparison only.
 */
const SYN_RULE: Rule = {
  when: [asks],
  verdict: goTo(BEGINNING),
  comment: 'begins a connection, whatever conntrack calls it',
}

const REST_RULE: Rule = { when: [], verdict: goTo(BEGINNING), comment: 'begins something' }

const ECHO_RULE: Rule = {
  when: [{ kind: 'echo-request' }],
  verdict: jump(ECHO),
  comment: 'echo requests: a knock even where established',
}

const ESTABLISHED: Rule = {
  when: [stateIs('established')],
  verdict: ACCEPT,
  comment: 'connections live on',
}

/**
 * Behind the named ports, since a packet that a conntrack helper expects could be for a door's
 * port. ICMP errors and the data connections of the host's own FTP must pass a door before a whole
 * protocol.
 */
const RELATED: Rule = {
  when: [stateIs('related')],
  verdict: ACCEPT,
  comment: 'what belongs to connections',
}

/** A set of ports is a bitmap in the kernel, at a fraction of the cost of the map. */
const portsRule = (digest: string): Rule => ({
  when: [inSet(namedSet(digest))],
  verdict: dispatch(portsMap(digest)),
  comment: 'knocks, services, ignored',
})

const AGAIN: Again = { then: [count(REPEATED_COUNTER)], verdict: DROP }

/**
 * A knock packet resets the attempts of which it is no step. Then the doors with that knock port
 * judge it.
 */
const resetOthers = (domains: readonly ResetDomain[]): Rule[] =>
  domains.map(({ knocking, chain }) => ({
    when: [inSet(knocking)],
    verdict: jump(chain),
    comment: 'a knock resets the attempts of other doors',
  }))

interface KnockChains {
  /** The first rules for every knock packet. */
  readonly first: readonly Rule[]
  readonly others: readonly Rule[]
  readonly ranged: RangeChains
  readonly stateful: boolean
  /** Whether packets that conntrack calls invalid can be steps. */
  readonly hasInvalid: boolean
}

function knockChains({ ports, ranges }: Endpoints, context: KnockChains): Chain[] {
  const { first, others, ranged, stateful, hasInvalid } = context
  const used = [...ports.map(({ port }) => port), ...ranges.map(({ endpoint }) => endpoint.range)]
  const uses = (protocol: 'tcp' | 'udp') => used.some((place) => place?.protocol === protocol)
  const invalid = (verdict: Rule['verdict']): Rule[] =>
    stateful
      ? [{ when: [stateIs('invalid')], ...(verdict && { verdict }), comment: 'starts nothing' }]
      : []
  const judge: Rule = { when: [], verdict: goTo(JUDGE), comment: 'to the doors knocked here' }
  const drop: Rule = { when: [], verdict: DROP, comment: 'knocks are never answered' }
  const again = [...invalid(hasInvalid ? goTo(JUDGE_INVALID) : DROP), ...onceEach(JUDGE, AGAIN)]
  // Before conntrack only SYNs come here, and those with other flags are no knocks.
  const tcp: Chain = { name: KNOCK.tcp, rules: [...first, ...again, stateful ? judge : drop] }
  const udp: Chain = { name: KNOCK.udp, rules: [...first, ...invalid(DROP), judge] }
  const look = (map: string): Rule => {
    return { when: [], verdict: dispatch(map), comment: 'the doors knocked here' }
  }
  const rules = [...others, look(STEPS), ...ranged.judge, drop]
  return [
    ...(uses('tcp') ? [tcp] : []),
    ...(uses('udp') ? [udp] : []),
    ...(used.length > 0 ? [{ name: JUDGE, rules }] : []),
    ...(hasInvalid ? [{ name: JUDGE_INVALID, rules: [look(INVALID_STEPS), drop] }] : []),
  ]
}

const elsewhereRule = ({ knocking }: ResetDomain): Rule => ({
  when: [inSet(knocking)],
  verdict: jump(ELSEWHERE),
  comment: 'what begins elsewhere resets attempts',
})

/** The chain for a packet that is no knock, from a source that is knocking. */
function elsewhereChain({ lastChain: chain }: ResetDomain, stateful: boolean): Chain {
  const not = { when: [stateIs('invalid', 'related')], verdict: RETURN, comment: 'starts nothing' }
  const once = onceEach(chain, { verdict: RETURN })
  // Before conntrack only a SYN is known to begin something.
  const rest = { when: [stateIs('new')], verdict: goTo(chain), comment: 'resets' }
  return { name: ELSEWHERE, rules: stateful ? [not, ...once, rest] : once }
}
