// The handle of a table that stands: its doors and what it holds. Touches the kernel.
import type { DoorSummary } from '../automaton/language/summary.js'
import type { InstallOutcome } from '../change/change.js'
import type { RestoreReport } from '../change/saved-state.js'
import { ArgumentError, type Warning } from '../errors.js'
import type { KeepOptions } from '../keep/keep-options.js'
import { DocumentElements, type Elements } from '../kernel/elements.js'
import type { Nft } from '../kernel/nft.js'
import { foreignLogPackets } from '../kernel/readers/shared-reader.js'
import { digestDoors } from '../nft/about.js'
import { type ProcessCounts, renderMetrics } from '../service/metrics.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { endBan, listBans } from '../table/bans.js'
import { confirmTable } from '../table/confirm.js'
import { Door } from '../table/door.js'
import { readSource } from '../table/door-arguments.js'
import type { Call } from '../table/installation.js'
import { removeAny } from '../table/remove.js'
import type { KnownDoors } from '../table/standing-doors.js'
import { listedContents, type PendingConfirm } from '../view/contents.js'
import { type Ban, type Counters, type Status, viewCounters } from '../view/status.js'
import { KnockWatcher, type Watcher, type WatchOptions } from '../watch/watcher.js'
import type { Installation } from './install.js'
import type { SavedTable } from './keep-installed.js'
import { pendingOf, readStatus, restoreTable, saveTable, TableReader } from './table-reader.js'

interface HandleOptions {
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
  /** What `installKnock` did; a refill alone is no change. Undefined after `attachKnock`. */
  readonly outcome: InstallOutcome | undefined
  /** @internal How this process has installed the table. */
  readonly installation: Installation | undefined
  readonly #reader: TableReader
  readonly #doors = new Map<string, Door>()
  readonly #signal: AbortSignal | undefined
  readonly #atEnd: HandleOptions['atEnd']
  readonly #ended = new AbortController()
  /** One that has ended and that nobody holds any more need not be kept. */
  readonly #watchers = new Set<WeakRef<Watcher>>()
  #kept: Promise<unknown> | undefined

  /** @internal */
  constructor(table: string, known: KnownDoors, nft: Nft, options: HandleOptions = {}) {
    const { signal, elements = new DocumentElements(nft), installed } = options
    this.table = table
    this.warnings = options.warnings ?? []
    this.outcome = installed?.outcome
    this.installation = installed?.installation
    this.#signal = signal
    this.#atEnd = options.atEnd
    this.#reader = new TableReader(known, { table, nft, elements }, signal)
  }

  /** The doors in the spec's order, as last read: each call but `open` and `close` reads them. */
  get doors(): readonly Door[] {
    return this.#reader.standing.all.map((summary) => this.#doorOf(summary))
  }

  /**
   * A door by its name, as this handle last read the table.
   * @throws NftError `not-found` if the table has no such door; the message says which there are.
   */
  door(name: string): Door {
    return this.#doorOf(this.#reader.standing.require(name, 'door'))
  }

  /**
   * Reads the doors anew: another process may have installed another spec.
   * @throws NftError `not-found` if the table is gone.
   */
  async readDoors(): Promise<readonly Door[]> {
    await this.#reader.standing.read(this.#reader.callOf('readDoors'))
    return this.doors
  }

  /** What happened at each door since the table was made, by the door's name. */
  async counters(): Promise<Record<string, Counters>> {
    const { doors, listing } = await this.#reader.read('counters', () => 0)
    const contents = listedContents(listing)
    return Object.fromEntries(doors.map((door) => [door.name, viewCounters(door, contents)]))
  }

  /**
   * Everything at once: doors, grants, progress, counters. Of the sets that strangers can fill it
   * shows 4,096 sources each, and 65,536 bans of each family; `cut` names the sets that hold more.
   */
  async status(): Promise<Status> {
    return readStatus(this.#reader)
  }

  /** The status as OpenMetrics text, without sources; `counts` are this process's own. */
  async metrics(counts: ProcessCounts = {}): Promise<string> {
    const { netns } = this.#reader.place.nft
    const foreign = netns === undefined ? undefined : foreignLogPackets(netns)
    return renderMetrics(await this.status(), { foreignLogPackets: foreign, ...counts })
  }

  /** The sources whose knocks are ignored. */
  async bans(): Promise<readonly Ban[]> {
    return listBans(this.#reader.place, this.#reader.callOf('bans'))
  }

  /**
   * Ends a source's ban before its time; false if there was none.
   * @throws ArgumentError if the address is none; NftError `not-found` if the table is gone.
   */
  async unban(source: string): Promise<boolean> {
    const address = readSource('unban', this.table, source)
    return endBan(this.#reader.place, address, this.#reader.callOf('unban'))
  }

  /**
   * Takes down what a reboot would lose: grants and bans with their ends, and what has been used.
   * `saveState` writes it to a file.
   * @throws NftError `not-found` if the table is gone.
   */
  async save(): Promise<KnockState> {
    return (await this.saveWithConfirm()).state
  }

  /** @internal The state, and whether the table awaits to be confirmed. */
  async saveWithConfirm(): Promise<SavedTable> {
    return saveTable(this.#reader)
  }

  /** @internal Whether the table awaits to be confirmed: only the set that says so is listed. */
  async pending(): Promise<PendingConfirm | undefined> {
    return pendingOf(this.#reader)
  }

  /**
   * Puts a saved state back, in one transaction. Grants and bans end at their time, and last no
   * longer than they still had when they were saved, whatever the clock did since; what has been
   * used stays used. What the table holds already stays as it is, and so do grants and bans that
   * the state does not have. To have it in place before the first packet, give it to
   * `installKnock`.
   *
   * @throws StateError with every problem of the state, or if it is that of another table.
   * @throws NftError `not-found` if the table is gone.
   */
  async restore(state: KnockState): Promise<RestoreReport> {
    return restoreTable(this.#reader, state)
  }

  /**
   * Watches what happens at the doors, from this call on, as `Watcher` says. The watch goes on
   * while the table is installed anew or removed.
   *
   * @throws ArgumentError at once, if the queue's length is none. The iteration rejects, and
   * `ready` with it, with CapabilityError if the spec has `log: false`, NetlinkError `EBUSY` if
   * another process has the group, and NftError `not-found` if the table is gone when it begins.
   */
  watch(options: WatchOptions = {}): Watcher {
    const watcher = new KnockWatcher(this.#reader.place, {
      ...options,
      signal: this.#until(options.signal),
    })
    this.#watchers.add(new WeakRef(watcher))
    return watcher
  }

  /**
   * Keeps the table standing until the signal is aborted, as `KeepOptions` says.
   *
   * @returns when it has ended, and the state's file, if one is asked for, is written.
   * @throws ArgumentError if the handle is one of `attachKnock`, which does not know the spec.
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
    const own = new Knock(this.table, known, this.#reader.place.nft, {
      elements: this.#reader.place.elements,
    })
    const signal = this.#until(options.signal)
    const installed = { installation, own, warnings: this.warnings }
    const kept = keepInstalled(installed, this.#reader.place, { ...options, signal })
    this.#kept = kept.catch(() => {})
    await kept
  }

  /**
   * Confirms a table that was installed with `confirmWithin`, by any process: its doors stay.
   * @throws NftError `not-found` if nothing awaits to be confirmed; `timed-out` if the time
   * has run out and the doors have fallen open: then the spec must be installed again.
   */
  async confirm(): Promise<void> {
    await confirmTable(this.#reader.place.nft, this.table, this.#reader.callOf('confirm'))
  }

  /** Removes the table; nothing is left behind. One that is gone already is no error. */
  async uninstall(): Promise<void> {
    await removeAny(this.#reader.place.nft, this.table, this.#reader.callOf('uninstall'))
  }

  /** See the class: only a handle of `installKnock` removes its table. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    const watchers = [...this.#watchers].map(async (watcher) => watcher.deref()?.return())
    // What keeps the table would put it back.
    await Promise.allSettled([...watchers, this.#kept])
    await this.#atEnd?.(this.#reader.callOf('uninstall'))
  }

  #doorOf(summary: DoorSummary): Door {
    const known = this.#doors.get(summary.name)
    if (known) return known
    const { table } = this
    const place = { table, elements: this.#reader.place.elements, doors: this.#reader.standing }
    const door = new Door(summary, { ...place, list: this.#reader.list, call: this.#reader.callOf })
    this.#doors.set(summary.name, door)
    return door
  }

  /** Until the handle ends, or one of the signals is aborted. */
  #until(...given: readonly (AbortSignal | undefined)[]): AbortSignal {
    const signals = [this.#signal, ...given].filter((signal) => signal !== undefined)
    return AbortSignal.any([this.#ended.signal, ...signals])
  }
}
