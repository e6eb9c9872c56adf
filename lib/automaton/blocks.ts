// The sets of a table → the same with the blocks that count as one source in each. Pure.
import type { ValidDoor, ValidSpec } from '../spec/model/model.js'
import type { Prefix } from '../spec/model/packet-model.js'
import { COUNTED, parseSetName, SYNS } from './language/names.js'
import type { TimedSet } from './language/sets.js'
import { parseAdmitted } from './sharing/names.js'

/**
 * Gives each set that is keyed by sources its prefix: `open.prefix` of the door for grants and
 * their use, `guard.prefix` for attempts, strikes, bans, and what the log leaves out. SYNs that may
 * be retransmitted are always remembered by the address that sent them.
 *
 * @param shared - the doors that share their sets. All have one prefix.
 */
export function withBlocks(
  sets: readonly TimedSet[],
  { doors, guard }: Pick<ValidSpec, 'doors' | 'guard'>,
  shared: readonly ValidDoor[],
): TimedSet[] {
  const byDoor = new Map(doors.map((door) => [door.name, door.open.prefix]))
  const prefixOf = (name: string): Prefix | undefined => {
    if (name === SYNS || name === COUNTED) return undefined
    if (parseAdmitted(name)) return shared[0]?.open.prefix
    const { door, role } = parseSetName(name) ?? {}
    return door === undefined || !role || 'attempt' in role ? guard.prefix : byDoor.get(door)
  }
  return sets.map((set) => {
    const prefix = set.key.includes('source') ? prefixOf(set.name) : undefined
    return prefix ? { ...set, prefix } : set
  })
}
