// The sets of a door with tokens → by source, the user whose token was accepted last. Pure.

import { byUserSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { type Contents, EVERYONE } from './contents.js'

/** A token that was accepted. */
export interface TokenUse {
  readonly user: string
  /** Whole seconds since then; 0: less than one. */
  readonly ago: number
}

/**
 * By source, and for everyone: the last token that was accepted within the time that a grant lasts.
 * A call or another knock may have renewed the grant since then.
 */
export function viewTokenUses(
  { name, knocks }: DoorSummary,
  { members }: Pick<Contents, 'members'>,
): ReadonlyMap<string, TokenUse> {
  const last = new Map<string, TokenUse>()
  const note = (source: string, use: TokenUse) => {
    if (use.ago < (last.get(source)?.ago ?? Number.POSITIVE_INFINITY)) last.set(source, use)
  }
  for (const user of knocks.flatMap(({ users = [] }) => users)) {
    for (const { source, age } of members(byUserSet(name, user))) {
      if (age === undefined) continue
      note(source, { user, ago: age })
      note(EVERYONE, { user, ago: age })
    }
  }
  return last
}
