// An installed table → the list of its bans; or one of them ended early.
import { BANNED } from '../automaton/language/names.js'
import { isNotFound } from '../errors.js'
import type { Elements } from '../kernel/elements.js'
import { ABOUT_SET } from '../nft/about.js'
import { familySet } from '../nft/names.js'
import { renderUnban } from '../nft/transaction.js'
import type { Address } from '../spec/model/address.js'
import type { Ban } from '../view/status.js'
import type { Call } from './installation.js'

interface Place {
  readonly table: string
  readonly elements: Elements
}

/**
 * Lists the bans of both families, with the seconds left. Empty if the table bans nobody.
 *
 * @throws NftError `not-found` if the table is gone.
 */
export async function listBans({ table, elements }: Place, call: Call): Promise<Ban[]> {
  const bans: Ban[] = []
  try {
    for (const family of [4, 6] as const) {
      for await (const part of elements.list({ table, set: familySet(BANNED, family) }, call)) {
        for (const { key, expires = 0 } of part) {
          bans.push({ source: key[0] as string, expiresIn: expires })
        }
      }
    }
    return bans
  } catch (error) {
    if (!isNotFound(error)) throw error
    // A table without `guard.ban` and `guard.traps` has no such set.
    await elements.require({ table, set: ABOUT_SET }, call)
    return []
  }
}

/**
 * Ends the ban of an address.
 *
 * @returns false if the address was not banned.
 * @throws NftError `not-found` if the table is gone.
 */
export async function endBan(
  { table, elements }: Place,
  address: Address,
  call: Call,
): Promise<boolean> {
  try {
    await elements.change(renderUnban(table, address, BANNED), call)
    return true
  } catch (error) {
    if (!isNotFound(error)) throw error
    // The kernel answers the same if the ban, its set or the whole table is missing.
    await elements.require({ table, set: ABOUT_SET }, call)
    return false
  }
}
