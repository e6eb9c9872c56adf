// The way of a knock packet, and of other packets of sources that are knocking → the chains of the
// whole table that they pass. Pure.
import { KNOCK } from '../door/gate.js'
import {
  type Chain,
  count,
  type DispatchEntry,
  DROP,
  dispatch,
  goTo,
  inSet,
  jump,
  RETURN,
  type Rule,
  stateIs,
} from '../language/automaton.js'
import { INVALID_STEPS, REPEATED_COUNTER, STEPS } from '../language/names.js'
import { type Again, onceEach } from '../language/once.js'
import { STRAY } from '../sharing/knocks.js'
import type { Endpoints } from './endpoints.js'
import type { ResetDomain } from './reset.js'
import type { RangeChains } from './steps.js'

const JUDGE = 'judge_step'
const JUDGE_INVALID = 'judge_invalid_step'
const ELSEWHERE = 'elsewhere'

const AGAIN: Again = { then: [count(REPEATED_COUNTER)], verdict: DROP }

/**
 * A knock packet resets the attempts of which it is no step. Then the doors with that knock port
 * judge it.
 */
export const resetOthers = (domains: readonly ResetDomain[]): Rule[] =>
  domains
    .filter(({ hasMembers }) => hasMembers)
    .map(({ knocking, chain }) => ({
      when: [inSet(knocking)],
      verdict: jump(chain),
      comment: 'a knock resets the attempts of other doors',
    }))

const STRAY_RULE: Rule = {
  when: [],
  verdict: jump(STRAY),
  comment: 'a knock resets the attempts of shared doors',
}

/** What a knock does to shared doors that does not go through the chain of their knocks. */
export const strayRules = (hasShared: boolean): Rule[] => (hasShared ? [STRAY_RULE] : [])

interface KnockChains {
  /** The first rules for every knock packet. */
  readonly first: readonly Rule[]
  readonly others: readonly Rule[]
  readonly ranged: RangeChains
  readonly stateful: boolean
  /** Whether packets that conntrack calls invalid can be steps. */
  readonly hasInvalid: boolean
  /** The chain that judges the knocks of shared doors. */
  readonly judge: string | undefined
  /** Where packets to ports go. */
  readonly entries: readonly DispatchEntry[]
}

export function knockChains({ ports, ranges }: Endpoints, context: KnockChains): Chain[] {
  const { first, others, ranged, stateful, hasInvalid, judge: shared, entries } = context
  const used = [...ports.map(({ port }) => port), ...ranges.map(({ endpoint }) => endpoint.range)]
  const uses = (protocol: 'tcp' | 'udp') =>
    used.some((place) => place?.protocol === protocol) ||
    entries.some(({ verdict }) => verdict.kind === 'jump' && verdict.chain === KNOCK[protocol])
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
  const visit: Rule[] = shared
    ? [{ when: [], verdict: jump(shared), comment: 'the knocks of shared doors' }]
    : []
  const rules = [...others, ...visit, look(STEPS), ...ranged.judge, drop]
  return [
    ...(uses('tcp') ? [tcp] : []),
    ...(uses('udp') ? [udp] : []),
    ...(used.length > 0 || shared ? [{ name: JUDGE, rules }] : []),
    ...(hasInvalid ? [{ name: JUDGE_INVALID, rules: [look(INVALID_STEPS), drop] }] : []),
  ]
}

export const elsewhereRule = ({ knocking }: ResetDomain): Rule => ({
  when: [inSet(knocking)],
  verdict: jump(ELSEWHERE),
  comment: 'what begins elsewhere resets attempts',
})

/** The chain for a packet that is no knock, from a source that is knocking. */
export function elsewhereChain({ lastChain: chain }: ResetDomain, stateful: boolean): Chain {
  const not = { when: [stateIs('invalid', 'related')], verdict: RETURN, comment: 'starts nothing' }
  const once = onceEach(chain, { verdict: RETURN })
  // Before conntrack only a SYN is known to begin something.
  const rest = { when: [stateIs('new')], verdict: goTo(chain), comment: 'resets' }
  return { name: ELSEWHERE, rules: stateful ? [not, ...once, rest] : once }
}
