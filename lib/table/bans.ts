// An installed table → the list of its bans; or one of them ended early.
import { BANNED } from '../automaton/language/names.js'
import { isNotFound } from '../errors.js'
import type { Elements } from '../kernel/elements.js'
import { familySet, sourceText } from '../nft/names.js'
import { renderUnban } from '../nft/transaction.js'
import type { Ban } from '../view/status.js'
import { readSource } from './door-arguments.js'
import type { Call } from './installation.js'
import type { StandingDoors } from './standing-doors.js'

interface Place {
  readonly table: string
  readonly elements: Elements
  readonly doors: StandingDoors
}

/**
 * Lists the bans of both families, with the seconds left. Empty if the table bans nobody.
 *
 * @throws NftError `not-found` if the table is gone.
 */
export function listBans({ table, elements, doors }: Place, call: Call): Promise<Ban[]> {
  return doors.current(call, async (doorsSet) => {
    const bans: Ban[] = []
    const prefix = doors.guardPrefix
    try {
      for (const family of [4, 6] as const) {
        const set = familySet(BANNED, family, prefix)
        for await (const part of elements.list({ table, set }, call)) {
          for (const { key, expires = 0 } of part) {
            const source = sourceText(key[0] as string, family, prefix)
            bans.push({ source, expiresIn: expires })
          }
        }
      }
      return bans
    } catch (error) {
      if (!isNotFound(error)) throw error
      // A table without `guard.ban` and `guard.traps` has no such set.
      await elements.require({ table, set: doorsSet }, call)
      return []
    }
  })
}

/**
 * Ends the ban of an address, or of the block around it.
 *
 * @returns false if the address was not banned.
 * @throws ArgumentError if it is no address.
 * @throws NftError `not-found` if the table is gone.
 */
export function endBan(
  { table, elements, doors }: Place,
  source: string,
  call: Call,
): Promise<boolean> {
  return doors.current(call, async (doorsSet) => {
    const prefix = doors.guardPrefix
    const address = readSource(call.operation, table, source, prefix)
    const place = { table, while: doorsSet, ...(prefix && { prefix }) }
    try {
      await elements.change(renderUnban(place, address, BANNED), call)
      return true
    } catch (error) {
      if (!isNotFound(error)) throw error
      // The kernel answers the same if the ban, its set or the whole table is missing.
      await elements.require({ table, set: doorsSet }, call)
      return false
    }
  })
}
