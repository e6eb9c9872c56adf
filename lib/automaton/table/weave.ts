// Programs and gates → all chains and maps of a table: the path of each packet to its judging
// rules. Pure. A new packet costs one look-up of its port, and one of its source among the
// knocking.
import { hexDigest } from '../../spec/model/digest.js'
import type { ValidSpec } from '../../spec/model/model.js'
import { ignoreBanned } from '../door/ban.js'
import { KNOCK } from '../door/gate.js'
import { redirectChains } from '../door/redirect.js'
import { trapChains, trapEntries } from '../door/trap.js'
import {
  ACCEPT,
  type Chain,
  type DispatchEntry,
  type DispatchMap,
  dispatch,
  goTo,
  inSet,
  jump,
  type Rule,
  stateIs,
} from '../language/automaton.js'
import { baseChains, isStateful } from '../language/hook.js'
import { INVALID_STEPS, namedSet, portsMap, REPEATED_COUNTER, STEPS } from '../language/names.js'
import { asks, asksNothing } from '../language/once.js'
import type { KnockProgram } from '../language/program.js'
import type { PortSet } from '../language/sets.js'
import type { SharedDoor } from '../sharing/choose.js'
import { cutChains, cutRules } from './cut.js'
import { placeEndpoints } from './endpoints.js'
import { elsewhereChain, elsewhereRule, knockChains, resetOthers, strayRules } from './knocked.js'
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
import { echoChains, rangeChains, stepChains } from './steps.js'
import { talkChains, talkRules } from './talk.js'
import { unreadChains, unreadRules } from './unread.js'

const ECHO = 'echo'
const BEGINNING = 'beginning'

interface Woven {
  /** Base chains first. */
  readonly chains: readonly Chain[]
  readonly maps: readonly DispatchMap[]
  /** The ports of the map of ports, unless there are too many. */
  readonly named: readonly PortSet[]
  /** The counters that only rules of this file use. */
  readonly counters: readonly string[]
}

/** What leads packets to shared doors: the entries of their ports, the chain of their knocks. */
export interface WovenShared {
  readonly entries: readonly DispatchEntry[]
  readonly judge: string
  /** The one that answers for packets that cannot be read. */
  readonly first: SharedDoor
}

export function weave(
  spec: ValidSpec,
  programs: readonly KnockProgram[],
  domains: readonly ResetDomain[],
  { shared }: { readonly shared?: WovenShared },
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
  const first = ignoreBanned(guard)

  const entries = [
    ...parts.flatMap((part) => part.entries),
    ...(shared?.entries ?? []),
    ...trapEntries(guard.traps),
  ]
  const ranges = entries.filter(({ ports: { from, to } }) => from !== to)
  const single = entries.filter((entry) => !ranges.includes(entry))
  const byRange = rangeRules(ranges)
  const digest = hexDigest(single, 8)
  const named = [...new Set(single.map(({ ports }) => ports.from))]
  const anyDomain = domains.find(({ mode }) => mode === 'any')
  const echoes = echo.length > 0 ? [ECHO_RULE] : []
  // Behind conntrack fragments are reassembled.
  const talk = talkRules(doors, hook)
  const before = stateful
    ? [...echoes, SYN_RULE, ...talk, ...cutRules(doors), ESTABLISHED]
    : [PIECES_RULE, ...talk, NO_SYN, ...echoes]
  const lapse = anyDomain ? [elsewhereRule(anyDomain)] : []
  const beginning: Rule[] = [
    portsRule(digest, named.length <= MOST_NAMED),
    ...byRange.rules,
    ...ranged.find,
    ...unreadRules(doors, shared?.first),
    ...whole,
    ...lapse,
  ]
  const base = [...interfaceRules(spec), ...before, ...(stateful ? [REST_RULE] : beginning)]
  const hasInvalid = stateful && steps.invalidEntries.length > 0
  const judge = shared?.judge
  const knocked = knockChains(placed, {
    first,
    others,
    ranged,
    stateful,
    hasInvalid,
    judge,
    entries,
  })
  return {
    chains: [
      ...redirectChains(spec),
      ...baseChains(spec, base),
      ...(stateful ? [{ name: BEGINNING, rules: beginning }] : [PIECES_CHAIN]),
      ...unreadChains(doors, {
        hasTrusted: guard.trusted.length > 0,
        areFragmentsJudged: !stateful,
        shared: shared?.first,
      }),
      ...cutChains(doors, guard.trusted.length > 0),
      ...talkChains(doors),
      ...byRange.chains,
      ...parts.flatMap((part) => part.chains),
      ...anyChains(doors),
      ...publicChains(doors),
      ...knocked,
      ...steps.chains,
      ...ranged.chains,
      ...echoChains(ECHO, echo, {
        first,
        resetOthers: [...others, ...strayRules(shared !== undefined)],
        isStateful: stateful,
      }),
      ...trapChains(spec, lapse),
      ...(anyDomain ? [elsewhereChain(anyDomain, stateful)] : []),
    ],
    maps: [
      { name: portsMap(digest), entries: single },
      { name: STEPS, entries: steps.entries },
      ...(hasInvalid ? [{ name: INVALID_STEPS, entries: steps.invalidEntries }] : []),
    ],
    named: named.length <= MOST_NAMED ? [{ name: namedSet(digest), ports: named }] : [],
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

/**
 * A set of ports is a bitmap in the kernel, at a fraction of the cost of the map. To add to it the
 * kernel walks a list of all its elements, so with more ports there is none.
 */
const MOST_NAMED = 4096

const portsRule = (digest: string, isNamed: boolean): Rule => ({
  when: isNamed ? [inSet(namedSet(digest))] : [],
  verdict: dispatch(portsMap(digest)),
  comment: 'knocks, services, ignored',
})
