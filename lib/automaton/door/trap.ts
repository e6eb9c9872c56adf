// Trap ports → their entries in the map of ports, and the chains that ban the sources of packets to
// them. Pure.
import type { ValidSpec, ValidTraps } from '../../spec/model/model.js'
import {
  type Chain,
  count,
  type DispatchEntry,
  DROP,
  entryOf,
  goTo,
  inSet,
  jump,
  RETURN,
  type Rule,
  stateIs,
  updateFor,
} from '../language/automaton.js'
import { isStateful } from '../language/hook.js'
import { BANNED, BANS_COUNTER, IGNORED_COUNTER, TRUSTED } from '../language/names.js'
import { isSyn } from '../language/once.js'

const TRAP = 'trap'
const TRAPPED = 'trapped'

export const trapEntries = (traps: ValidTraps | undefined): DispatchEntry[] =>
  (traps?.ports ?? []).map(({ protocol, ports }) => entryOf(protocol, ports, jump(TRAP)))

/**
 * Makes the chains; empty if there are no traps. Only what begins something is caught: a plain SYN,
 * or what conntrack calls new. A source that is banned already is not banned again, so that neither
 * retransmissions nor a shorter time of the traps change a ban. If the set of bans is full, nobody
 * is banned.
 *
 * @param lapse - the rule that ends the attempts of a source, as any ordinary packet does.
 */
export function trapChains({ guard, hook }: ValidSpec, lapse: readonly Rule[]): Chain[] {
  const { traps, trusted } = guard
  if (!traps) return []
  const rule = (purpose: string, rest: Omit<Rule, 'comment'>): Rule => {
    return { ...rest, comment: `/guard/traps ${purpose}` }
  }
  const pass: Rule = { when: [inSet(TRUSTED)], verdict: RETURN, comment: '/guard/trusted' }
  const caught = goTo(TRAPPED)
  const isUdp = { kind: 'protocol', protocols: ['udp'] } as const
  const stateful = isStateful(hook)
  const begun = stateful ? [stateIs('new')] : []
  return [
    {
      name: TRAP,
      rules: [
        ...(trusted.length > 0 ? [pass] : []),
        ...(stateful
          ? [rule('starts nothing', { when: [stateIs('invalid', 'related')], verdict: RETURN })]
          : []),
        rule('caught', { when: [isSyn], verdict: caught }),
        rule('caught', { when: [isUdp, ...begun], verdict: caught }),
      ],
    },
    {
      name: TRAPPED,
      rules: [
        ...lapse,
        rule('banned already', {
          when: [inSet(BANNED)],
          then: [count(IGNORED_COUNTER)],
          verdict: DROP,
        }),
        rule('banned', {
          when: [],
          then: [updateFor(BANNED, traps.for), count(BANS_COUNTER)],
          verdict: DROP,
          logs: { event: 'banned', by: 'trap' },
        }),
        rule('no room to ban', { when: [], verdict: DROP }),
      ],
    },
  ]
}
