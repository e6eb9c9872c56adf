// The handle of a table that stands: its doors, what it holds, and the calls that change and remove
// it. Touches the kernel.
import type { DoorSummary } from '../automaton/language/automaton.js'
import type { InstallOutcome } from '../change/change.js'
import { type RestoreReport, renderState } from '../change/saved-state.js'
import { ArgumentError, type Warning } from '../errors.js'
import { interfaceWarnings } from '../host/warnings.js'
import { DocumentElements, type Elements } from '../kernel/elements.js'
import type { Nft } from '../kernel/nft.js'
import { knowsTypeof } from '../kernel/process/capability.js'
import { foreignLogPackets } from '../kernel/readers/shared-reader.js'
import { listElements } from '../kernel/table-listing.js'
import { ABOUT_SET, aboutComments, digestDoors, parseAbout } from '../nft/about.js'
import { CONFIRM_SET } from '../nft/confirm.js'
import { parseListing } from '../nft/listing.js'
import { whileThere } from '../nft/transaction.js'
import { type ProcessCounts, renderMetrics } from '../service/metrics.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { requireTable, validateState } from '../spec/read-state.js'
import { endBan, listBans } from '../table/bans.js'
import { confirmTable } from '../table/confirm.js'
import { Door, type Place } from '../table/door.js'
import { readSource } from '../table/door-arguments.js'
import { type Call, ifFound } from '../table/installation.js'
import { removeAny } from '../table/remove.js'
import { type KnownDoors, StandingDoors } from '../table/standing-doors.js'
import { listedContents, mostOfStatus, type PendingConfirm, viewConfirm } from '../view/contents.js'
import { judgingWarnings } from '../view/judging.js'
import { isSaved, viewState } from '../view/state-of-table.js'
import { type Ban, type Counters, type Status, viewCounters, viewStatus } from '../view/status.js'
import type { TablePlace } from '../watch/table-source.js'
import { KnockWatcher, type Watcher, type WatchOptions } from '../watch/watcher.js'
import type { Installation } from './install.js'
import type { KeepOptions, SavedTable } from './keep-installed.js'

export interface HandleOptions {
  readonly signal?: AbortSignal | undefined
  readonly elements?: Elements | undefined
  readonly warnings?: readonly Warning[] | undefined
  /** How this process has installed the table, and what that did. */
  readonly installed?:
    | { readonly installation: Installation; readonly outcome: InstallOutcome }
    | undefined
  /** What the end of `await using` does to the table. Default: nothing. */
  readonly atEnd?: ((call: Call) => Promise<void>) | undefined
}

/**
 * A table that stands in the kernel. It holds no state of its own: each call asks the kernel, so
 * several handles, also in several processes, see the same. Calls reject with NftError `not-found`
 * once the table is gone.
 *
 * The end of `await using` ends the handle's watches and its `keepInstalled`. ATTENTION: a handle
 * of `installKnock` also removes the table, and everyone is let in: also if the block ends with an
 * error. A handle of `attachKnock` does not. To leave the doors standing, write `const knock =
 * await installKnock(spec)`.
 */
export class Knock implements AsyncDisposable {
  /** The table's name. */
  readonly table: string
  /** What `installKnock` found that is probably not meant; empty for a handle of `attachKnock`. */
  readonly warnings: readonly Warning[]
  /**
   * What `installKnock` did; undefined for a handle of `attachKnock`. A refill of tokens alone is
   * no change.
   */
  readonly outcome: InstallOutcome | undefined
  /** @internal How this process has installed the table. */
  readonly installation: Installation | undefined
  readonly #standing: StandingDoors
  readonly #doors = new Map<string, Door>()
  readonly #nft: Nft
  readonly #elements: Elements
  readonly #signal: AbortSignal | undefined
  readonly #atEnd: HandleOptions['atEnd']
  readonly #ended = new AbortController()
  /** One that has ended and that nobody holds any more need not be kept. */
  readonly #watchers = new Set<WeakRef<Watcher>>()
  #kept: Promise<unknown> | undefined

  /** @internal */
  constructor(table: string, known: KnownDoors, nft: Nft, options: HandleOptions = {}) {
    const {
      signal,
      elements = new DocumentElements(nft),
      atEnd,
      warnings = [],
      installed,
    } = options
    this.table = table
    this.warnings = warnings
    this.outcome = installed?.outcome
    this.installation = installed?.installation
    this.#nft = nft
    this.#elements = elements
    this.#signal = signal
    this.#atEnd = atEnd
    this.#standing = new StandingDoors(known, { table, nft, elements })
  }

  /**
   * The doors in the spec's order, as this handle last read them: each call but `open` and `close`
   * reads the table.
   */
  get doors(): readonly Door[] {
    return this.#standing.all.map((summary) => this.#doorOf(summary))
  }

  /**
   * A door by its name, as this handle last read the table.
   * @throws NftError `not-found` if the table has no such door; the message says which there are.
   */
  door(name: string): Door {
    return this.#doorOf(this.#standing.require(name, 'door'))
  }

  /**
   * Reads the doors anew: another process may have installed another spec.
   * @throws NftError `not-found` if the table is gone.
   */
  async readDoors(): Promise<readonly Door[]> {
    await this.#standing.read(this.#callOf('readDoors'))
    return this.doors
  }

  /** What happened at each door since the table was made, by the door's name. */
  async counters(): Promise<Record<string, Counters>> {
    const { doors, listing } = await this.#read('counters', () => 0)
    const contents = listedContents(listing)
    return Object.fromEntries(doors.map((door) => [door.name, viewCounters(door, contents)]))
  }

  /**
   * Everything at once: doors, grants, progress, counters. Of the sets that strangers can fill it
   * shows 4,096 sources each, and 65,536 bans of each family; `cut` names the sets that hold more.
   */
  async status(): Promise<Status> {
    const { doors, listing } = await this.#read('status', mostOfStatus)
    const { place } = parseAbout(aboutComments(listing) ?? []) ?? {}
    const ofHost = await interfaceWarnings(place, this.#nft.netns, 'status')
    const warnings = [...judgingWarnings(listing.objects, place), ...ofHost]
    const status = viewStatus(this.table, doors, listedContents(listing))
    return warnings.length > 0 ? { ...status, warnings } : status
  }

  /**
   * The status as OpenMetrics text for Prometheus; sources are not in it.
   *
   * @param counts - what this process has counted itself.
   */
  async metrics(counts: ProcessCounts = {}): Promise<string> {
    const { netns } = this.#nft
    const foreign = netns === undefined ? undefined : foreignLogPackets(netns)
    return renderMetrics(await this.status(), { foreignLogPackets: foreign, ...counts })
  }

  /** The sources whose knocks are ignored. */
  async bans(): Promise<readonly Ban[]> {
    return listBans(this.#place, this.#callOf('bans'))
  }

  /**
   * Ends a source's ban before its time.
   *
   * @returns whether there was one.
   * @throws ArgumentError where the address is none.
   * @throws NftError `not-found` where the table is gone.
   */
  async unban(source: string): Promise<boolean> {
    const address = readSource('unban', this.table, source)
    return endBan(this.#place, address, this.#callOf('unban'))
  }

  /**
   * Takes down what a reboot would lose: grants and bans with their ends, and what has been used.
   * `saveState` writes it to a file.
   *
   * @throws NftError `not-found` where the table is gone.
   */
  async save(): Promise<KnockState> {
    return (await this.saveWithConfirm()).state
  }

  /**
   * @internal The state, whether the table awaits to be confirmed, which ruleset it is then, and
   * what was listed of it.
   */
  async saveWithConfirm(): Promise<SavedTable> {
    // Of before the listing: nothing that lasts gets longer by it.
    const now = Date.now()
    const { doors, listing } = await this.#read('save', ALL_SAVED)
    const state = viewState(this.table, doors, listing, now)
    const { digest } = parseAbout(aboutComments(listing) ?? []) ?? {}
    return { state, confirm: viewConfirm(listing), digest, objects: listing.objects }
  }

  /** @internal Whether the table awaits to be confirmed: only the set that says so is listed. */
  async pending(): Promise<PendingConfirm | undefined> {
    const { table } = this
    const call = this.#callOf('trial')
    const listing = await ifFound(() => this.#nft.list({ table, set: CONFIRM_SET }, call))
    return listing === undefined ? undefined : viewConfirm(parseListing(listing))
  }

  /**
   * Puts a saved state back, in one transaction. Grants and bans end at their time, and last no
   * longer than they still had when they were saved, whatever the clock did since; what has been
   * used stays used. What the table holds already stays as it is, and so do grants and bans that
   * the state does not have. To have it in place before the first packet, give it to
   * `installKnock`.
   *
   * @throws StateError with every problem of the state, or where it is that of another table.
   * @throws NftError `not-found` where the table is gone.
   */
  async restore(state: KnockState): Promise<RestoreReport> {
    const { table } = this
    const valid = requireTable(validateState(state, 'restore'), table, 'restore')
    const call = this.#callOf('restore')
    const knowsTokens = knowsTypeof(await this.#nft.version(call))
    return this.#standing.current(call, async () => {
      const { doors, listing, doorsSet } = await this.#read('restore', ALL_SAVED)
      const place = { table, doors, sets: listing.sets, knowsTokens }
      const { commands, report } = renderState(place, valid, Date.now() / 1000)
      // Another install may have come since the table was listed.
      const nftables = [...whileThere({ table, while: doorsSet }), ...commands]
      if (commands.length > 0) await this.#nft.apply({ nftables }, call)
      return report
    })
  }

  /**
   * Watches what happens at the doors: knocks, grants, attempts that end, packets that are turned
   * away, bans, grants that are closed or run out, and what is opened or closed by calls of any
   * process. The watch begins with this call and goes on while the table is installed anew or
   * removed, which are events as well.
   *
   * Events come in the order in which they were read, of packets as many in a second as `log.rate`
   * in the spec allows. What is lost on the way, because nobody iterates fast enough or the
   * kernel's buffer is full, is an `overrun` in its place. A child process reads the NFLOG group of
   * the table for all watchers of this process. While a keeper (`keepInstalled`, `knocklib run`)
   * has the group, its events come through a socket of that; no other process can watch the same
   * group meanwhile.
   *
   * @throws ArgumentError at once, where the queue's length is none. The iteration rejects, and
   * `ready` with it, with CapabilityError where the spec has `log: false`, NetlinkError `EBUSY`
   * where somebody else has the group, and NftError `not-found` where the table is gone when the
   * watch begins.
   */
  watch(options: WatchOptions = {}): Watcher {
    const watcher = new KnockWatcher(this.#place, {
      ...options,
      signal: this.#until(options.signal),
    })
    this.#watchers.add(new WeakRef(watcher))
    return watcher
  }

  /**
   * Keeps the table standing until the signal is aborted: where it is flushed or altered, it is put
   * back at once with the grants, bans and used tokens that were known; tokens and rotating
   * sequences are loaded ahead in time. What it holds is known from its events and from a listing
   * each second, less often where that takes longer than 100 ms: with `log: false`, or while
   * another process watches its group, what packets did since the last listing is lost with a table
   * that is flushed. Waits to be confirmed go on.
   *
   * @returns when it has ended, and the state's file, where one is asked for, is written.
   * @throws ArgumentError where the handle is one of `attachKnock`, which does not know the spec.
   */
  async keepInstalled(options: KeepOptions): Promise<void> {
    const installation = this.installation
    if (!installation) {
      const expected = 'a handle of installKnock, which knows the spec'
      throw new ArgumentError(`keepInstalled: expected ${expected}, got one of attachKnock`)
    }
    const { keepInstalled } = await import('./keep-installed.js')
    const { doors } = installation.automaton
    const known = { doors, doorsDigest: digestDoors(doors) }
    const own = new Knock(this.table, known, this.#nft, { elements: this.#elements })
    const signal = this.#until(options.signal)
    const installed = { installation, own, warnings: this.warnings }
    const kept = keepInstalled(installed, this.#place, { ...options, signal })
    this.#kept = kept.catch(() => {})
    await kept
  }

  /**
   * Confirms a table that was installed with `confirmWithin`, from this process or another: its
   * doors stay.
   *
   * @throws NftError `not-found` where nothing awaits to be confirmed; `timed-out` where the time
   * has run out and the doors have fallen open: then the spec must be installed again.
   */
  async confirm(): Promise<void> {
    await confirmTable(this.#nft, this.table, this.#callOf('confirm'))
  }

  /**
   * Removes the table with all that is in it; nothing is left behind. One that is gone already is
   * no error.
   */
  async uninstall(): Promise<void> {
    await removeAny(this.#nft, this.table, this.#callOf('uninstall'))
  }

  /** See the class: only a handle of `installKnock` removes its table. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    const watchers = [...this.#watchers].map(async (watcher) => watcher.deref()?.return())
    // What keeps the table would put it back.
    await Promise.allSettled([...watchers, this.#kept])
    await this.#atEnd?.(this.#callOf('uninstall'))
  }

  #doorOf(summary: DoorSummary): Door {
    const known = this.#doors.get(summary.name)
    if (known) return known
    const { table } = this
    const place = { table, elements: this.#elements, doors: this.#standing }
    const door = new Door(summary, { ...place, list: this.#list, call: this.#callOf })
    this.#doors.set(summary.name, door)
    return door
  }

  /** Until the handle ends, or one of the signals is aborted. */
  #until(...given: readonly (AbortSignal | undefined)[]): AbortSignal {
    const signals = [this.#signal, ...given].filter((signal) => signal !== undefined)
    return AbortSignal.any([this.#ended.signal, ...signals])
  }

  get #place(): TablePlace {
    return { table: this.table, nft: this.#nft, elements: this.#elements }
  }

  readonly #callOf = (operation: string) => {
    return { operation, ...(this.#signal && { signal: this.#signal }) }
  }

  readonly #list: Place['list'] = async (operation, most) =>
    (await this.#read(operation, most)).listing

  /**
   * The table, with its doors as they are in it. Its parts are listed one after the other: if
   * others change the doors meanwhile, it is listed anew.
   *
   * @param most - how many elements of a set are wanted.
   */
  #read(operation: string, most: (set: string) => number) {
    const call = this.#callOf(operation)
    const wanted = (set: string) => (set === ABOUT_SET ? Number.POSITIVE_INFINITY : most(set))
    return this.#standing.current(call, async () => {
      const listing = await listElements(this.#place, wanted, call)
      const doors = this.#standing.take(listing, operation)
      return { listing, doors, doorsSet: this.#standing.requireSet(listing, operation) }
    })
  }
}

/**
 * What a state saves, what the table says of itself, and whether it waits to be confirmed; nothing
 * that strangers fill.
 */
const ALL_SAVED = (set: string): number =>
  isSaved(set) || set === CONFIRM_SET || set === ABOUT_SET ? Number.POSITIVE_INFINITY : 0
