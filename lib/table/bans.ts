// The bans of a table that stands: listed, and ended before their time. Touches the kernel.
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

/** @throws NftError `not-found` if the table is gone. */
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
    // There is no such set in a table that bans nobody.
    await elements.require({ table, set: ABOUT_SET }, call)
    return []
  }
}

/**
 * @returns whether the address was banned.
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
    // The kernel says the same of a ban, of a table that bans nobody, and of one that is not there.
    await elements.require({ table, set: ABOUT_SET }, call)
    return false
  }
}
