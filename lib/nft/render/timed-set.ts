// A timed set of the automaton → one set of nft, or one for each family. Pure.
import { isPerFamily, type TimedSet } from '../../automaton/language/sets.js'
import type { Family } from '../../spec/model/model.js'
import type { NftSet } from '../document.js'
import { nameOfSet, renderType } from './keys.js'

/** For sets without addresses, which serve both families. */
const EITHER: readonly Family[] = [4]
const FAMILIES: readonly Family[] = [4, 6]

export function renderTimedSet(table: string, timedSet: TimedSet): NftSet[] {
  const { name, key, timeout, capacity: size } = timedSet
  const lasting = timeout === undefined ? { size } : { timeout, size }
  return (isPerFamily(timedSet) ? FAMILIES : EITHER).map((family) => {
    const type = renderType(key, family)
    const set = { family: 'inet', table, name: nameOfSet(name, key, family) } as const
    return { ...set, type, flags: ['timeout'], ...lasting }
  })
}
