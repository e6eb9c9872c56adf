// A table's place → its doors, status and state as read from the kernel; a saved state → the table.
import type { DoorSummary } from '../automaton/language/summary.js'
import { type RestoreReport, renderState } from '../change/saved-state.js'
import { readSynchronised } from '../clock/synchronised.js'
import { sourceWarnings } from '../host/gateways.js'
import { interfaceWarnings } from '../host/warnings.js'
import { knowsTypeof } from '../kernel/process/capability.js'
import { type ListedTable, listElements } from '../kernel/table-listing.js'
import { ABOUT_SET, aboutComments, parseAbout } from '../nft/about.js'
import { CONFIRM_SET } from '../nft/confirm.js'
import { parseListing } from '../nft/listing.js'
import { withOwnSets } from '../nft/own-sets.js'
import { whileThere } from '../nft/transaction.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { requireTable, validateState } from '../spec/read-state.js'
import { type ClosedGrant, renderCloseAll, requireCutting } from '../table/close-all.js'
import { type CloseOptions, Door } from '../table/door.js'
import { type Call, ifFound } from '../table/installation.js'
import type { Place } from '../table/place.js'
import { type KnownDoors, StandingDoors } from '../table/standing-doors.js'
import { clockWarnings } from '../view/clock-status.js'
import {
  EVERYONE,
  isOfDoors,
  listedContents,
  mostOfCounters,
  mostOfGrants,
  mostOfStatus,
  type PendingConfirm,
  viewConfirm,
} from '../view/contents.js'
import { judgingWarnings } from '../view/judging.js'
import { isSaved, viewState } from '../view/state-of-table.js'
import { type Counters, type Status, viewCounters, viewGrants, viewStatus } from '../view/status.js'
import type { TablePlace } from '../watch/table-source.js'

export interface StatusOptions {
  /**
   * The names of the doors that are shown. The sets of other doors are not listed. Default: all
   * doors. NftError `not-found` if there is no door of such a name.
   */
  readonly doors?: readonly string[] | undefined
}

/**
 * A table's state, whether it is waiting to be confirmed, its ruleset's digest, and its listing.
 */
export interface SavedTable {
  readonly state: KnockState
  readonly confirm: PendingConfirm | undefined
  readonly digest: string | undefined
  readonly objects: readonly unknown[]
}

interface Read {
  readonly listing: ListedTable
  readonly doors: readonly DoorSummary[]
  readonly doorsSet: string
}

export class TableReader {
  readonly place: TablePlace
  readonly standing: StandingDoors
  readonly #signal: AbortSignal | undefined
  readonly #doors = new Map<string, Door>()

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

  /** The calls of a door: the same object for the same name. */
  doorOf(summary: DoorSummary): Door {
    const known = this.#doors.get(summary.name)
    if (known) return known
    const { table, elements } = this.place
    const place = { table, elements, doors: this.standing, list: this.list, call: this.callOf }
    const door = new Door(summary, place)
    this.#doors.set(summary.name, door)
    return door
  }

  /**
   * Lists the table with its current doors. The parts are listed one after the other; if others
   * change the doors meanwhile, all is listed again.
   *
   * @param most - the number of elements that are wanted of a set.
   */
  readonly read = (operation: string, most: (set: string) => number): Promise<Read> => {
    const call = this.callOf(operation)
    const wanted = (set: string) => (set === ABOUT_SET ? Number.POSITIVE_INFINITY : most(set))
    return this.standing.current(call, async () => {
      const listing = await listElements(this.place, wanted, call)
      const doors = this.standing.take(listing, operation)
      const doorsSet = this.standing.requireSet(listing, operation)
      return { listing: { ...listing, ...withOwnSets(listing, doors) }, doors, doorsSet }
    })
  }

  /**
   * Reads the status. Of sets that strangers can fill it reads only a part.
   *
   * @param names - the doors that are wanted; absent: all.
   * @throws NftError `not-found` if there is no such door.
   */
  async status(names?: readonly string[]): Promise<Status> {
    const { table, nft } = this.place
    const isWanted = (set: string) => isOfDoors(set, names)
    const most = (set: string) => (isWanted(set) ? mostOfStatus(set) : 0)
    const { doors, listing } = await this.standing.current(this.callOf('status'), async () => {
      const { doors: all, listing } = await this.read('status', most)
      const chosen = names?.map((name) => this.standing.require(name, 'status')) ?? all
      return { doors: all.filter((door) => chosen.includes(door)), listing }
    })
    const { place, doors: standing = [] } = parseAbout(aboutComments(listing) ?? []) ?? {}
    const places = standing.map((door) => door.place)
    const ofHost = await interfaceWarnings({ table: place, doors: places }, nft.netns, 'status')
    const sets = new Map([...listing.sets].filter(([name]) => isWanted(name)))
    const status = viewStatus(table, doors, listedContents({ ...listing, sets }))
    const isTimed = status.doors.some(({ tokens, rotations }) => tokens ?? rotations)
    // The clock of another machine is not known here.
    const clock =
      isTimed && nft.host === undefined
        ? { time: new Date().toISOString(), ...(await readSynchronised()) }
        : undefined
    const warnings = [
      ...judgingWarnings(listing.objects, place),
      ...ofHost,
      ...(clock ? clockWarnings(clock) : []),
      ...(names || status.cut ? [] : await sourceWarnings(sourcesOf(status), nft.netns)),
    ]
    return {
      ...status,
      ...(warnings.length > 0 && { warnings }),
      ...(clock && { clock }),
    }
  }

  /** Reads the counters of each door, by its name. */
  async counters(): Promise<Record<string, Counters>> {
    const { doors, listing } = await this.read('counters', mostOfCounters)
    const contents = listedContents(listing)
    return Object.fromEntries(doors.map((door) => [door.name, viewCounters(door, contents)]))
  }

  /** Reads the state, whether the table is waiting to be confirmed, its digest, and its listing. */
  async save(): Promise<SavedTable> {
    // The time before the listing, so that no grant lasts longer after a restore.
    const now = Date.now()
    const { doors, listing } = await this.read('save', ALL_SAVED)
    const state = viewState(this.place.table, doors, listing, now)
    const { digest } = parseAbout(aboutComments(listing) ?? []) ?? {}
    return { state, confirm: viewConfirm(listing), digest, objects: listing.objects }
  }

  /** Reads whether the table is waiting to be confirmed. Lists only the set that says so. */
  async pending(): Promise<PendingConfirm | undefined> {
    const { table, nft } = this.place
    const call = this.callOf('confirm')
    const listing = await ifFound(() => nft.list({ table, set: CONFIRM_SET }, call))
    return listing === undefined ? undefined : viewConfirm(parseListing(listing))
  }

  /** Deletes every grant of every door, in one transaction. Returns those listed just before. */
  async closeAll({ cut = false }: CloseOptions): Promise<ClosedGrant[]> {
    const { table, nft } = this.place
    const call = this.callOf('closeAll')
    return this.standing.current(call, async () => {
      const { doors, listing, doorsSet } = await this.read('closeAll', mostOfGrants)
      if (cut) requireCutting(doors, 'closeAll')
      const contents = listedContents(listing)
      const grants = doors.flatMap((door) => viewGrants(door, contents))
      await nft.apply({ nftables: renderCloseAll(table, doors, doorsSet) }, call)
      return grants.map(({ door, source }) => ({ door, source }))
    })
  }

  /** Adds a saved state to the table, in one transaction. */
  async restore(state: KnockState): Promise<RestoreReport> {
    const { table, nft } = this.place
    const valid = requireTable(validateState(state, 'restore'), table, 'restore')
    const call = this.callOf('restore')
    const knowsTokens = knowsTypeof(await nft.version(call))
    return this.standing.current(call, async () => {
      const { doors, listing, doorsSet } = await this.read('restore', ALL_SAVED)
      const { guardPrefix } = this.standing
      const place = { table, doors, guardPrefix, sets: listing.sets, knowsTokens }
      const { commands, report } = renderState(place, valid, Date.now() / 1000)
      // Fails if another spec was installed since the table was listed.
      const nftables = [...whileThere({ table, while: doorsSet }), ...commands]
      if (commands.length > 0) await nft.apply({ nftables }, call)
      return report
    })
  }
}

/**
 * The sets that are listed for a state: what it saves, what the table says of itself, and whether
 * it is waiting to be confirmed. No set that strangers fill.
 */
const ALL_SAVED = (set: string): number =>
  isSaved(set) || set === CONFIRM_SET || set === ABOUT_SET ? Number.POSITIVE_INFINITY : 0

/** The addresses of everybody who has a grant, an attempt or a ban. */
const sourcesOf = ({ doors, bans }: Status): ReadonlySet<string> =>
  new Set(
    [...doors.flatMap(({ grants, progress }) => [...grants, ...progress]), ...bans]
      .map(({ source }) => source)
      .filter((source) => source !== EVERYONE),
  )
