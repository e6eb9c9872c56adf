// How a handle reads its table: its doors, what it holds, its state, and back. Touches the kernel.
import type { DoorSummary } from '../automaton/language/summary.js'
import { type RestoreReport, renderState } from '../change/saved-state.js'
import { interfaceWarnings } from '../host/warnings.js'
import { knowsTypeof } from '../kernel/process/capability.js'
import { type ListedTable, listElements } from '../kernel/table-listing.js'
import { ABOUT_SET, aboutComments, parseAbout } from '../nft/about.js'
import { CONFIRM_SET } from '../nft/confirm.js'
import { parseListing } from '../nft/listing.js'
import { whileThere } from '../nft/transaction.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { requireTable, validateState } from '../spec/read-state.js'
import type { Place } from '../table/door.js'
import { type Call, ifFound } from '../table/installation.js'
import { type KnownDoors, StandingDoors } from '../table/standing-doors.js'
import { listedContents, mostOfStatus, type PendingConfirm, viewConfirm } from '../view/contents.js'
import { judgingWarnings } from '../view/judging.js'
import { isSaved, viewState } from '../view/state-of-table.js'
import { type Status, viewStatus } from '../view/status.js'
import type { TablePlace } from '../watch/table-source.js'
import type { SavedTable } from './keep-installed.js'

interface Read {
  readonly listing: ListedTable
  readonly doors: readonly DoorSummary[]
  readonly doorsSet: string
}

export class TableReader {
  readonly place: TablePlace
  readonly standing: StandingDoors
  readonly #signal: AbortSignal | undefined

  constructor(known: KnownDoors, place: TablePlace, signal: AbortSignal | undefined) {
    this.place = place
    this.standing = new StandingDoors(known, place)
    this.#signal = signal
  }

  readonly callOf = (operation: string): Call => {
    return { operation, ...(this.#signal && { signal: this.#signal }) }
  }

  readonly list: Place['list'] = async (operation, most) =>
    (await this.read(operation, most)).listing

  /**
   * The table, with its doors as they are in it. Its parts are listed one after the other: if
   * others change the doors meanwhile, it is listed anew.
   *
   * @param most - how many elements of a set are wanted.
   */
  readonly read = (operation: string, most: (set: string) => number): Promise<Read> => {
    const call = this.callOf(operation)
    const wanted = (set: string) => (set === ABOUT_SET ? Number.POSITIVE_INFINITY : most(set))
    return this.standing.current(call, async () => {
      const listing = await listElements(this.place, wanted, call)
      const doors = this.standing.take(listing, operation)
      return { listing, doors, doorsSet: this.standing.requireSet(listing, operation) }
    })
  }
}

/** Everything at once; of what strangers can fill only a part. */
export async function readStatus({ place: { table, nft }, read }: TableReader): Promise<Status> {
  const { doors, listing } = await read('status', mostOfStatus)
  const { place } = parseAbout(aboutComments(listing) ?? []) ?? {}
  const ofHost = await interfaceWarnings(place, nft.netns, 'status')
  const warnings = [...judgingWarnings(listing.objects, place), ...ofHost]
  const status = viewStatus(table, doors, listedContents(listing))
  return warnings.length > 0 ? { ...status, warnings } : status
}

/** The state, whether the table awaits to be confirmed, its digest, and what was listed of it. */
export async function saveTable(reader: TableReader): Promise<SavedTable> {
  // Of before the listing: nothing that lasts gets longer by it.
  const now = Date.now()
  const { doors, listing } = await reader.read('save', ALL_SAVED)
  const state = viewState(reader.place.table, doors, listing, now)
  const { digest } = parseAbout(aboutComments(listing) ?? []) ?? {}
  return { state, confirm: viewConfirm(listing), digest, objects: listing.objects }
}

/** Whether the table awaits to be confirmed: only the set that says so is listed. */
export async function pendingOf({
  place: { table, nft },
  callOf,
}: TableReader): Promise<PendingConfirm | undefined> {
  const listing = await ifFound(() => nft.list({ table, set: CONFIRM_SET }, callOf('confirm')))
  return listing === undefined ? undefined : viewConfirm(parseListing(listing))
}

/** Puts a saved state into the table, in one transaction. */
export async function restoreTable(reader: TableReader, state: KnockState): Promise<RestoreReport> {
  const { table, nft } = reader.place
  const valid = requireTable(validateState(state, 'restore'), table, 'restore')
  const call = reader.callOf('restore')
  const knowsTokens = knowsTypeof(await nft.version(call))
  return reader.standing.current(call, async () => {
    const { doors, listing, doorsSet } = await reader.read('restore', ALL_SAVED)
    const place = { table, doors, sets: listing.sets, knowsTokens }
    const { commands, report } = renderState(place, valid, Date.now() / 1000)
    // Another install may have come since the table was listed.
    const nftables = [...whileThere({ table, while: doorsSet }), ...commands]
    if (commands.length > 0) await nft.apply({ nftables }, call)
    return report
  })
}

/**
 * What a state saves, what the table says of itself, and whether it waits to be confirmed; nothing
 * that strangers fill.
 */
const ALL_SAVED = (set: string): number =>
  isSaved(set) || set === CONFIRM_SET || set === ABOUT_SET ? Number.POSITIVE_INFINITY : 0
