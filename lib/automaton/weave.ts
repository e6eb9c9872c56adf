// Programs and gates → the table's chains and maps: the way of each packet to the rules that judge it. Pure.
//
// A new packet costs one look-up of its protocol and port, and one that asks whether its source is knocking.
import { hexDigest } from '../spec/digest.js'
import type { ValidSpec } from '../spec/model.js'
import {
  ACCEPT,
  type Chain,
  type DispatchMap,
  DROP,
  dispatch,
  goTo,
  inSet,
  jump,
  type PortSet,
  RETURN,
  type Rule,
  stateIs,
} from './automaton.js'
import { ignoreBanned } from './ban.js'
import { cutChains, cutRules } from './cut.js'
import { type Endpoints, placeEndpoints } from './endpoints.js'
import { KNOCK } from './gate.js'
import { baseChains, isStateful } from './hook.js'
import { INVALID_STEPS, namedSet, portsMap, STEPS } from './names.js'
import { isSyn, onceEach } from './once.js'
import { PIECES_CHAIN, PIECES_RULE } from './pieces.js'
import {
  anyChains,
  ignoredEntries,
  knockEntries,
  publicChains,
  serviceEntries,
  wholeProtocolRules,
} from './ports.js'
import type { KnockProgram } from './program.js'
import { rangeRules } from './ranges.js'
import { redirectChains } from './redirect.js'
import type { ResetDomain } from './reset.js'
import { echoChains, type RangeChains, rangeChains, stepChains } from './steps.js'
import { unreadChains, unreadRules } from './unread.js'

const ECHO = 'echo'
const JUDGE = 'judge_step'
const JUDGE_INVALID = 'judge_invalid_step'
const ELSEWHERE = 'elsewhere'

/** RFC 9293's bits. */
const SYN_ACK = 0x02 | 0x10

export interface Woven {
  /** Base chains first. */
  readonly chains: readonly Chain[]
  readonly maps: readonly DispatchMap[]
  readonly named: PortSet
}

export function weave(
  spec: ValidSpec,
  programs: readonly KnockProgram[],
  domains: readonly ResetDomain[],
): Woven {
  const { doors, guard, hook } = spec
  const placed = placeEndpoints(programs)
  const { ports, echo } = placed
  const gates = wholeProtocolRules(doors)
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
  const base: Rule[] = [
    ...interfaceRules(spec),
    // conntrack puts pieces together.
    ...(stateful ? [] : [PIECES_RULE, NO_SYN]),
    ...(echo.length > 0 ? [ECHO_RULE] : []),
    ...cutRules(doors),
    ...(stateful ? [ESTABLISHED] : []),
    portsRule(digest),
    ...byRange.rules,
    ...ranged.find,
    ...unreadRules(doors),
    ...whole,
    ...(anyDomain ? [elsewhereRule(anyDomain, stateful)] : []),
  ]
  const hasInvalid = stateful && steps.invalidEntries.length > 0
  return {
    chains: [
      ...redirectChains(spec),
      ...baseChains(spec, base),
      ...(stateful ? [] : [PIECES_CHAIN]),
      ...unreadChains(doors, {
        hasTrusted: guard.trusted.length > 0,
        areFragmentsJudged: !stateful,
      }),
      ...cutChains(doors, guard.trusted.length > 0),
      ...byRange.chains,
      ...parts.flatMap((part) => part.chains),
      ...anyChains(doors),
      ...publicChains(doors),
      ...knockChains(placed, { first, others, ranged, stateful, hasInvalid }),
      ...steps.chains,
      ...ranged.chains,
      ...echoChains(ECHO, echo, { first, resetOthers: others, isStateful: stateful }),
      ...(anyDomain ? [elsewhereChain(anyDomain)] : []),
    ],
    maps: [
      { name: portsMap(digest), entries: single },
      { name: STEPS, entries: steps.entries },
      ...(hasInvalid ? [{ name: INVALID_STEPS, entries: steps.invalidEntries }] : []),
    ],
    named: { name: namedSet(digest), ports: [...new Set(single.map(({ ports }) => ports.from))] },
  }
}

/** The host's own loopback needs no knock, unless the spec names it. At ingress the base chains are the interfaces'. */
function interfaceRules({ hook, interfaces: names }: ValidSpec): Rule[] {
  if (hook === 'ingress') return []
  return names.length > 0
    ? [{ when: [{ kind: 'interface', names, not: true }], verdict: ACCEPT, comment: '/interfaces' }]
    : [{ when: [{ kind: 'loopback' }], verdict: ACCEPT, comment: 'loopback' }]
}

/** Before conntrack only a SYN is known to begin a connection, whatever other flags it has beside. */
const NO_SYN: Rule = {
  when: [{ kind: 'flags', flags: { mask: SYN_ACK, value: 0x02 }, not: true }],
  verdict: ACCEPT,
  comment: 'begins nothing',
}

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
 * Behind the named ports: what a conntrack helper expects could name a door's own. ICMP errors and the data
 * connections of the host's own FTP must not end at a door before a whole protocol.
 */
const RELATED: Rule = {
  when: [stateIs('related')],
  verdict: ACCEPT,
  comment: 'what belongs to connections',
}

/** A port alone is looked up in a bitmap, at a fraction of what the map costs. */
const portsRule = (digest: string): Rule => ({
  when: [inSet(namedSet(digest))],
  verdict: dispatch(portsMap(digest)),
  comment: 'knocks, services, ignored',
})

/** A knock resets the attempts of which it is no step, and then goes to the doors that are knocked there. */
const resetOthers = (domains: readonly ResetDomain[]): Rule[] =>
  domains.map(({ knocking, chain }) => ({
    when: [inSet(knocking)],
    verdict: jump(chain),
    comment: 'a knock resets the attempts of other doors',
  }))

interface KnockChains {
  /** The rules for every knock. */
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
  const again = [...invalid(hasInvalid ? goTo(JUDGE_INVALID) : DROP), ...onceEach(JUDGE, DROP)]
  // Before conntrack only SYNs come here, and those with other flags beside are no knocks.
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

const elsewhereRule = ({ knocking }: ResetDomain, stateful: boolean): Rule => ({
  when: [inSet(knocking), stateful ? stateIs('new') : isSyn],
  verdict: jump(ELSEWHERE),
  comment: 'new packets elsewhere reset attempts',
})

/** A new packet that is no knock, of a source that is knocking. */
function elsewhereChain({ lastChain: chain }: ResetDomain): Chain {
  const [retransmitted, first] = onceEach(chain, RETURN)
  // Where there is no room to remember a SYN the attempt ends all the same: the safe side.
  const reset: Rule = { when: [], verdict: goTo(chain), comment: 'resets' }
  return { name: ELSEWHERE, rules: [retransmitted, first, reset] }
}
