// A ban → the sets and the chain that count a source's strikes, and the rule that drops the knocks
// of banned sources. Pure.
import type { ValidBan, ValidSpec } from '../../spec/model/model.js'
import {
  type Action,
  type Chain,
  count,
  DROP,
  goTo,
  inSet,
  RETURN,
  type Rule,
  remove,
  update,
  type Verdict,
} from '../language/automaton.js'
import { BANNED, BANS_COUNTER, IGNORED_COUNTER, STRIKES, strikeSet } from '../language/names.js'
import type { TimedSet } from '../language/sets.js'

const STRIKE = 'strike'

/** What bans sources. */
export type Banning = Pick<ValidSpec['guard'], 'ban' | 'traps'>

export const bansAnybody = ({ ban, traps }: Banning): boolean =>
  ban !== undefined || traps !== undefined

/** The verdict of a rule that ends an attempt because of a wrong knock. */
export const strikeVerdict = (ban: ValidBan | undefined): Verdict => (ban ? goTo(STRIKE) : RETURN)

/**
 * The actions of a completed knock: they delete the source's strikes, and the ban that the same
 * packet may have caused by what it reset.
 */
export const forgive = (ban: ValidBan | undefined): Action[] =>
  ban ? [...(ban.after > 1 ? [remove(STRIKES)] : []), remove(BANNED)] : []

/** The first rule for knock packets: it drops those of banned sources. */
export const ignoreBanned = (guard: Banning): Rule[] =>
  bansAnybody(guard)
    ? [
        {
          when: [inSet(BANNED)],
          then: [count(IGNORED_COUNTER)],
          verdict: DROP,
          comment: guard.ban ? '/guard/ban ignored' : '/guard/traps ignored',
        },
      ]
    : []

export const banCounters = (guard: Banning): string[] =>
  bansAnybody(guard) ? [BANS_COUNTER, IGNORED_COUNTER] : []

/** The numbers of strikes that a source can have without being banned. */
const strikesOf = ({ after }: ValidBan): number[] =>
  Array.from({ length: after - 1 }, (_, index) => index + 1)

export function banSets({ ban, traps }: Banning, capacity: number): TimedSet[] {
  const timed = (name: string, timeout: number): TimedSet => {
    return { name, key: ['source'], timeout, perElement: true, capacity }
  }
  if (!ban) return traps ? [timed(BANNED, traps.for)] : []
  const first = ban.after > 1 ? [timed(STRIKES, ban.within)] : []
  const strikes = strikesOf(ban).map((strikes) => timed(strikeSet(strikes), ban.within))
  return [timed(BANNED, ban.for), ...first, ...strikes]
}

export function banChains(ban: ValidBan | undefined): Chain[] {
  if (!ban) return []
  const comment = (purpose: string) => `/guard/ban ${purpose}`
  const [first, ...later] = strikesOf(ban).map(strikeSet)
  const last = later.at(-1) ?? first
  const banned: Rule = {
    when: last === undefined ? [] : [inSet(STRIKES), inSet(last)],
    then: [
      update(BANNED),
      ...(last === undefined ? [] : [remove(STRIKES), remove(last)]),
      count(BANS_COUNTER),
    ],
    verdict: RETURN,
    logs: { event: 'banned' },
    comment: comment('banned'),
  }
  if (first === undefined) return [{ name: STRIKE, rules: [banned] }]
  const more = later.map((to, index): Rule => {
    const from = [first, ...later][index] as string
    const when = [inSet(STRIKES), inSet(from)]
    const then = [update(to), remove(from)]
    return { when, then, verdict: RETURN, comment: comment(`strike ${index + 2}`) }
  })
  const begin: Rule = {
    when: [],
    // `within` counts from the first strike, so STRIKES is not renewed by later ones.
    then: [...later.map(remove), update(first), update(STRIKES)],
    verdict: RETURN,
    comment: comment('strike 1'),
  }
  return [{ name: STRIKE, rules: [banned, ...more, begin] }]
}
