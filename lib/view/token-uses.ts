// The sets of a door with tokens → by source, the last token that was accepted. Pure.

import { byUserSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { type Contents, EVERYONE } from './contents.js'

/** The use of a token. */
export interface TokenUse {
  readonly user: string
  /** Whole seconds since it was accepted; 0: less than one. */
  readonly ago: number
}

/**
 * Maps each source, and `everyone`, to the last token that was accepted within the time that a
 * grant lasts. A call or another knock may have renewed the grant since then.
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
