// A timed set of the automaton → one set or map of nft, or one for each family. Pure.
import { isPerFamily, type TimedSet } from '../../automaton/language/sets.js'
import type { Family } from '../../spec/model/packet-model.js'
import type { NftCommand, NftSet } from '../document.js'
import { nameOfSet, renderType } from './keys.js'

/** For sets without addresses, which serve both families. */
const EITHER: readonly Family[] = [4]
const FAMILIES: readonly Family[] = [4, 6]

export function renderTimedSet(table: string, timedSet: TimedSet): NftSet[] {
  const { name, key, timeout, capacity: size, counts } = timedSet
  const lasting = timeout === undefined ? { size } : { timeout, size }
  return (isPerFamily(timedSet) ? FAMILIES : EITHER).map((family) => {
    const type = renderType(key, family)
    const set = { family: 'inet', table, name: nameOfSet(name, timedSet, family) } as const
    const stmt = counts && { stmt: [{ counter: null }] }
    return { ...set, type, flags: ['timeout'], ...lasting, ...stmt }
  })
}

/** The commands that make it. A set that remembers marks is a map. */
export const renderTimedSets = (table: string, timedSet: TimedSet): NftCommand[] =>
  renderTimedSet(table, timedSet).map((set) => ({
    add: timedSet.remembers ? { map: { ...set, map: 'mark' } } : { set },
  }))
