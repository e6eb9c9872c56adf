// The doors of a table → the commands that delete every grant at once. Pure.
import type { DoorSummary } from '../automaton/language/summary.js'
import { CapabilityError } from '../errors.js'
import type { NftCommand } from '../nft/document.js'
import { grantSetsOf } from '../nft/own-sets.js'
import { whileThere } from '../nft/transaction.js'
import { someOf } from '../text/some-of.js'
import type { Grant } from '../view/status.js'

/** A grant that was deleted. */
export type ClosedGrant = Pick<Grant, 'door' | 'source'>

/**
 * Requires that each door ends established connections with the grant.
 *
 * @throws CapabilityError with the doors that keep connections.
 */
export function requireCutting(doors: readonly DoorSummary[], operation: string): void {
  const keeping = doors.filter(({ established }) => established !== 'cut').map(({ name }) => name)
  if (keeping.length === 0) return
  const provider = "write open.established: 'cut' in its spec to end them with the grant"
  const keep = keeping.length === 1 ? 'keeps' : 'keep'
  throw new CapabilityError(
    operation,
    `${someOf(keeping)} ${keep} established connections`,
    provider,
  )
}

/**
 * Renders one transaction for all doors. The sets of grants are flushed as a whole, so that it
 * neither fails for a grant that has expired nor leaves one that has just been made. The counts of
 * connections stay: the next grant deletes them.
 *
 * @param doorsSet - a set that exists as long as the table has these doors. If it is missing,
 * nothing is deleted, and nft answers "not found".
 */
export function renderCloseAll(
  table: string,
  doors: readonly DoorSummary[],
  doorsSet: string,
): NftCommand[] {
  const names = doors.flatMap(grantSetsOf)
  return [
    ...whileThere({ table, while: doorsSet }),
    ...[...new Set(names)].map(
      (name): NftCommand => ({ flush: { set: { family: 'inet', table, name } } }),
    ),
  ]
}
