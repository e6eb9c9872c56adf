// A table's name and doors → the handle `Knock`, whose calls read and change the kernel's table.
import type { InstallOutcome } from '../change/change.js'
import type { RestoreReport } from '../change/saved-state.js'
import { ArgumentError } from '../errors.js'
import type { KeepOptions } from '../keep/keep-options.js'
import { DocumentElements, type Elements } from '../kernel/elements.js'
import type { Nft } from '../kernel/nft.js'
import { foreignLogPackets } from '../kernel/readers/shared-reader.js'
import { type ProcessCounts, renderMetrics } from '../service/metrics.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { endBan, listBans } from '../table/bans.js'
import type { ClosedGrant } from '../table/close-all.js'
import { confirmTable } from '../table/confirm.js'
import type { CloseOptions, Door } from '../table/door.js'
import type { Call } from '../table/installation.js'
import { removeAny } from '../table/remove.js'
import { type KnownDoors, knownDoors } from '../table/standing-doors.js'
import type { Warning } from '../text/warning.js'
import type { PendingConfirm } from '../view/contents.js'
import type { Ban, Counters, Status } from '../view/status.js'
import { KnockWatcher, type Watcher, type WatchOptions } from '../watch/watcher.js'
import type { Installation } from './install.js'
import { type SavedTable, type StatusOptions, TableReader } from './table-reader.js'

type Installed = { readonly installation: Installation; readonly outcome: InstallOutcome }
interface HandleOptions {
  readonly signal?: AbortSignal | undefined
  readonly elements?: Elements | undefined
  readonly warnings?: readonly Warning[] | undefined
  /** How this process installed the table, and what that changed. */
  readonly installed?: Installed | undefined
  /** What the end of `await using` does to the table. Default: nothing. */
  readonly atEnd?: ((call: Call) => Promise<void>) | undefined
}

/**
 * An installed table. The handle holds no state: each call asks the kernel, so that several
 * handles, also of several processes, see the same. Calls reject with NftError `not-found` once the
 * table is gone.
 *
 * The end of `await using` ends the handle's watches and its `keepInstalled`. ATTENTION: it also
 * removes the table if the handle is one of `installKnock`, even if the block ends with an error.
 * Then everyone is let in. A handle of `attachKnock` leaves the table. To keep the doors, write
 * `const knock = await installKnock(spec)`.
 */
export class Knock implements AsyncDisposable {
  readonly table: string
  /** What `installKnock` warned of; empty for a handle of `attachKnock`. */
  readonly warnings: readonly Warning[]
  /** What `installKnock` did; `unchanged` also after a refill. Undefined after `attachKnock`. */
  readonly outcome: InstallOutcome | undefined
  /** @internal How this process installed the table. */
  readonly installation: Installation | undefined
  readonly #reader: TableReader
  readonly #signal: AbortSignal | undefined
  readonly #atEnd: HandleOptions['atEnd']
  readonly #ended = new AbortController()
  /** Weak: a watcher that ended and is no longer used can be collected. */
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

  /** The doors as last read, in the spec's order. All calls but `open` and `close` read them. */
  get doors(): readonly Door[] {
    return this.#reader.standing.all.map((summary) => this.#reader.doorOf(summary))
  }

  /**
   * Returns a door by its name, as this handle last read the table.
   * @throws NftError `not-found` if the table has no such door; the message lists the doors.
   */
  door(name: string): Door {
    return this.#reader.doorOf(this.#reader.standing.require(name, 'door'))
  }

  /**
   * Reads the doors again: another process may have installed another spec.
   * @throws NftError `not-found` if the table is gone.
   */
  async readDoors(): Promise<readonly Door[]> {
    await this.#reader.standing.read(this.#reader.callOf('readDoors'))
    return this.doors
  }

  /** Counts what happened at each door since the table was made, by the door's name. */
  async counters(): Promise<Record<string, Counters>> {
    return this.#reader.counters()
  }

  /**
   * Returns doors, grants, progress and counters at once, or those of some doors. Of each set that
   * strangers can fill it has at most 4,096 sources, and 65,536 bans of each family; `cut` names
   * the sets that hold more.
   */
  async status({ doors }: StatusOptions = {}): Promise<Status> {
    return this.#reader.status(doors)
  }

  /** Renders the status as OpenMetrics text, without sources; `counts` are of this process. */
  async metrics(counts: ProcessCounts = {}): Promise<string> {
    const { netns } = this.#reader.place.nft
    const foreign = netns === undefined ? undefined : foreignLogPackets(netns)
    return renderMetrics(await this.status(), { foreignLogPackets: foreign, ...counts })
  }

  /** Lists the sources whose knocks are ignored. */
  async bans(): Promise<readonly Ban[]> {
    return listBans(this.#banned, this.#reader.callOf('bans'))
  }

  /**
   * Ends a source's ban early, or that of the block around it if `guard.prefix` bans blocks.
   * Returns false if the source was not banned.
   * @throws ArgumentError if it is no address.
   * @throws NftError `not-found` if the table is gone.
   */
  async unban(source: string): Promise<boolean> {
    return endBan(this.#banned, source, this.#reader.callOf('unban'))
  }

  /**
   * Deletes every grant of every door in one transaction, as `Door.close` does for one. Attempts
   * under way go on.
   *
   * @returns the grants that were listed just before.
   * @throws CapabilityError if `cut` is required and a door keeps connections: nothing is deleted.
   */
  async closeAll(options: CloseOptions = {}): Promise<readonly ClosedGrant[]> {
    return this.#reader.closeAll(options)
  }

  /**
   * Returns what a reboot would lose: grants and bans with their ends, and what has been used.
   * `saveState` writes it to a file.
   *
   * @throws NftError `not-found` if the table is gone.
   */
  async save(): Promise<KnockState> {
    return (await this.saveWithConfirm()).state
  }

  /** @internal The state, and whether the table is waiting to be confirmed. */
  async saveWithConfirm(): Promise<SavedTable> {
    return this.#reader.save()
  }

  /** @internal Whether the table is waiting to be confirmed. Lists only the set that says so. */
  async pending(): Promise<PendingConfirm | undefined> {
    return this.#reader.pending()
  }

  /**
   * Adds a saved state to the table, in one transaction. Grants and bans end at their time, and
   * never later than the time left when they were saved, even if the clock was set back. What has
   * been used stays used. Everything that the table already has stays. To restore before the first
   * packet, pass the state to `installKnock` instead.
   *
   * @throws StateError with every problem of the state, or if it belongs to another table.
   * @throws NftError `not-found` if the table is gone.
   */
  async restore(state: KnockState): Promise<RestoreReport> {
    return this.#reader.restore(state)
  }

  /**
   * Watches the doors' events from this call on, as `Watcher` says. The watch goes on if the table
   * is installed again or removed.
   *
   * @throws ArgumentError at once, if `queue` is invalid. The iteration and `ready` reject with
   * CapabilityError if the spec has `log: false`, NetlinkError `EBUSY` if another process has the
   * group, and NftError `not-found` if the table is gone at the start.
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
   * Keeps the table installed until the signal is aborted, as `KeepOptions` says. Resolves when it
   * has ended and the state's file, if any, is written.
   *
   * @throws ArgumentError if the handle is one of `attachKnock`, which does not know the spec.
   */
  async keepInstalled(options: KeepOptions): Promise<void> {
    const installation = this.installation
    if (!installation) {
      const expected = 'a handle of installKnock, which knows the spec'
      throw new ArgumentError(`keepInstalled: expected ${expected}, got one of attachKnock`)
    }
    const { keepInstalled } = await import('./keep-installed.js')
    const known = knownDoors(installation.automaton)
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
   * Confirms a table that any process installed with `confirmWithin`: its doors stay.
   * @throws NftError `not-found` if it is not waiting to be confirmed; `timed-out` if the doors
   * have fallen open: then the spec must be installed again.
   */
  async confirm(): Promise<void> {
    await confirmTable(this.#reader.place, this.#reader.callOf('confirm'))
  }

  /** Removes the table and everything of it. Does nothing if it is gone already. */
  async uninstall(): Promise<void> {
    await removeAny(this.#reader.place.nft, this.table, this.#reader.callOf('uninstall'))
  }

  /** Removes the table only if the handle is one of `installKnock`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    const watchers = [...this.#watchers].map(async (watcher) => watcher.deref()?.return())
    // First: the keeper would put the table back.
    await Promise.allSettled([...watchers, this.#kept])
    await this.#atEnd?.(this.#reader.callOf('uninstall'))
  }

  get #banned() {
    return { ...this.#reader.place, doors: this.#reader.standing }
  }

  /** A signal that is aborted with the handle or with one of the given signals. */
  #until(...given: readonly (AbortSignal | undefined)[]): AbortSignal {
    const signals = [this.#signal, ...given].filter((signal) => signal !== undefined)
    return AbortSignal.any([this.#ended.signal, ...signals])
  }
}
