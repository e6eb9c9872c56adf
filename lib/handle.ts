// The handle of a table that stands: its doors, what it holds, and the calls that change and remove it. Touches the kernel.
import type { DoorSummary } from './automaton/automaton.js'
import { BANNED } from './automaton/names.js'
import { confirmTable } from './confirm.js'
import { Door } from './door.js'
import { readSource } from './door-arguments.js'
import { isNotFound, NftError, type Warning } from './errors.js'
import type { KeepOptions } from './keep-installed.js'
import { knowsTypeof } from './kernel/capability.js'
import { DocumentElements, type Elements } from './kernel/elements.js'
import type { Nft } from './kernel/nft.js'
import { listElements } from './kernel/table-listing.js'
import { type ProcessCounts, renderMetrics } from './metrics.js'
import { ABOUT_SET, aboutComments, parseAbout } from './nft/about.js'
import { type Listing, parseListing } from './nft/listing.js'
import { familySet } from './nft/names.js'
import { type RestoreReport, renderState } from './nft/state.js'
import { renderUnban, renderUninstall } from './nft/transaction.js'
import { TRIAL_SET } from './nft/trial.js'
import type { KnockState } from './spec/generated/state-types.js'
import { validateState } from './spec/read-state.js'
import { ifFound } from './table.js'
import { isSaved, viewState } from './view/state.js'
import {
  type Ban,
  type Counters,
  listedContents,
  mostOfStatus,
  type Status,
  type Trial,
  viewCounters,
  viewStatus,
  viewTrial,
} from './view/status.js'
import type { TablePlace } from './watch/table-source.js'
import { KnockWatcher, type Watcher, type WatchOptions } from './watch/watcher.js'

/**
 * A table that stands in the kernel. It holds no state of its own: each call asks the kernel, so several handles,
 * also in several processes, see the same. Calls reject with NftError `not-found` once the table is gone.
 */
export class Knock implements AsyncDisposable {
  /** The table's name. */
  readonly table: string
  /** What `installKnock` found that is probably not meant; empty for a handle of `attachKnock`. */
  readonly warnings: readonly Warning[]
  readonly #doors: ReadonlyMap<string, Door>
  readonly #summaries: readonly DoorSummary[]
  readonly #nft: Nft
  readonly #elements: Elements
  readonly #signal: AbortSignal | undefined

  /** @internal */
  constructor(
    table: string,
    doors: readonly DoorSummary[],
    nft: Nft,
    signal?: AbortSignal,
    elements: Elements = new DocumentElements(nft),
    warnings: readonly Warning[] = [],
  ) {
    this.table = table
    this.warnings = warnings
    this.#summaries = doors
    this.#nft = nft
    this.#elements = elements
    this.#signal = signal
    const place = { table, elements, list: this.#list, call: this.#callOf }
    this.#doors = new Map(doors.map((summary) => [summary.name, new Door(summary, place)]))
  }

  /** All doors, in the spec's order. */
  get doors(): readonly Door[] {
    return [...this.#doors.values()]
  }

  /** @throws NftError `not-found` where the table has no such door. */
  door(name: string): Door {
    const door = this.#doors.get(name)
    if (door) return door
    const known = [...this.#doors.keys()].join(', ')
    throw new NftError(
      'not-found',
      `door: table inet ${this.table}: no door ${JSON.stringify(name)}, there is ${known}`,
    )
  }

  /** What happened at each door since the table was made, by the door's name. */
  async counters(): Promise<Record<string, Counters>> {
    const contents = listedContents(await this.#list('counters', () => 0))
    const entries = this.#summaries.map((door) => [door.name, viewCounters(door, contents)])
    return Object.fromEntries(entries)
  }

  /**
   * Everything at once: doors, grants, progress, counters. Of the sets that strangers can fill it shows 4,096 sources each,
   * and 65,536 bans of each family; `cut` names the sets that hold more.
   */
  async status(): Promise<Status> {
    const contents = listedContents(await this.#list('status', mostOfStatus))
    return viewStatus(this.table, this.#summaries, contents)
  }

  /**
   * The status as OpenMetrics text for Prometheus; sources are not in it.
   *
   * @param counts - what this process has counted itself.
   */
  async metrics(counts: ProcessCounts = {}): Promise<string> {
    return renderMetrics(await this.status(), counts)
  }

  /** The sources whose knocks are ignored. */
  async bans(): Promise<readonly Ban[]> {
    const bans: Ban[] = []
    const { table } = this
    const call = this.#callOf('bans')
    try {
      for (const family of [4, 6] as const) {
        for await (const part of this.#elements.list(
          { table, set: familySet(BANNED, family) },
          call,
        ))
          for (const { key, expires = 0 } of part) {
            bans.push({ source: key[0] as string, expiresIn: expires })
          }
      }
      return bans
    } catch (error) {
      if (!isNotFound(error)) throw error
      // There is no such set in a table that bans nobody.
      await this.#elements.require({ table, set: ABOUT_SET }, call)
      return []
    }
  }

  /**
   * Ends a source's ban before its time.
   *
   * @returns whether there was one.
   * @throws ArgumentError where the address is none.
   * @throws NftError `not-found` where the table is gone.
   */
  async unban(source: string): Promise<boolean> {
    const { table } = this
    const address = readSource('unban', table, source)
    const call = this.#callOf('unban')
    try {
      await this.#elements.change(renderUnban(table, address, BANNED), call)
      return true
    } catch (error) {
      if (!isNotFound(error)) throw error
      // The kernel says the same of a ban, of a table that bans nobody, and of one that is not there.
      await this.#elements.require({ table, set: ABOUT_SET }, call)
      return false
    }
  }

  /**
   * Takes down what a reboot would lose: grants and bans with their ends, and what has been used.
   * `saveState` writes it to a file.
   *
   * @throws NftError `not-found` where the table is gone.
   */
  async save(): Promise<KnockState> {
    return (await this.saveWithTrial()).state
  }

  /** @internal The state, whether the table awaits to be confirmed, and which ruleset it is then. */
  async saveWithTrial() {
    // Of before the listing: nothing that lasts gets longer by it.
    const now = Date.now()
    const listing = await this.#list('save', ALL_SAVED)
    const state = viewState(this.table, this.#summaries, listing, now)
    const { digest } = parseAbout(aboutComments(listing) ?? []) ?? {}
    return { state, confirm: viewTrial(listing), digest }
  }

  /** @internal Whether the table awaits to be confirmed: only the set that says so is listed. */
  async trial(): Promise<Trial | undefined> {
    const { table } = this
    const call = this.#callOf('trial')
    const listing = await ifFound(() => this.#nft.list({ table, set: TRIAL_SET }, call))
    return listing === undefined ? undefined : viewTrial(parseListing(listing))
  }

  /**
   * Puts a saved state back, in one transaction. Grants and bans end at their time, and last no longer than they still had
   * when they were saved, whatever the clock did since; what has been used stays used. What the table holds already stays
   * as it is, and so do grants and bans that the state does not have. To have it in place before the first packet, give it
   * to `installKnock`.
   *
   * @throws StateError with every problem of the state.
   * @throws NftError `not-found` where the table is gone.
   */
  async restore(state: KnockState): Promise<RestoreReport> {
    const valid = validateState(state, 'restore')
    const [{ sets }, version] = await Promise.all([
      this.#list('restore', ALL_SAVED),
      this.#nft.version(this.#callOf('restore')),
    ])
    const knowsTokens = knowsTypeof(version)
    const place = { table: this.table, doors: this.#summaries, sets, knowsTokens }
    const { commands, report } = renderState(place, valid, Date.now() / 1000)
    if (commands.length > 0) {
      await this.#nft.apply({ nftables: [...commands] }, this.#callOf('restore'))
    }
    return report
  }

  /**
   * Watches what happens at the doors: knocks, grants, attempts that end, packets that are turned away, bans, grants
   * that are closed or run out, and what is opened or closed by calls of any process. The watch begins with this call
   * and goes on while the table is installed anew or removed, which are events as well.
   *
   * Events come in the order in which they were read, of packets as many in a second as `log.rate` in the spec allows.
   * What is lost on the way, because nobody iterates fast enough or the kernel's buffer is full, is an `overrun` in
   * its place. A child process reads the NFLOG group of the table for all watchers of this process; another process
   * cannot watch the same group meanwhile.
   *
   * @throws ArgumentError at once, where the queue's length is none. The iteration rejects, and `ready` with it, with
   * CapabilityError where the spec has `log: false`, NetlinkError `EBUSY` where somebody else has the group, and
   * NftError `not-found` where the table is gone when the watch begins.
   */
  watch(options: WatchOptions = {}): Watcher {
    const signals = [this.#signal, options.signal].filter((signal) => signal !== undefined)
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0]
    return new KnockWatcher(this.#place, { ...options, ...(signal && { signal }) })
  }

  /**
   * Keeps the table standing until the signal is aborted: where it is flushed or altered, it is put back at once with the
   * grants, bans and used tokens that were known; tokens and rotating sequences are loaded ahead in time. What it holds is
   * known from its events and from a listing each second, less often where that takes longer than 100 ms: with `log: false`, or while another process watches its
   * group, what packets did since the last listing is lost with a table that is flushed. Waits to be confirmed go on.
   *
   * @returns when it has ended, and the state's file, where one is asked for, is written.
   * @throws ArgumentError where the handle is one of `attachKnock`, which does not know the spec.
   */
  async keepInstalled(options: KeepOptions): Promise<void> {
    const { keepInstalled } = await import('./keep-installed.js')
    const signal = this.#signal ? AbortSignal.any([this.#signal, options.signal]) : options.signal
    await keepInstalled(this, this.#place, { ...options, signal })
  }

  /**
   * Confirms a table that was installed with `confirmWithin`, from this process or another: its doors stay.
   *
   * @throws NftError `not-found` where nothing awaits to be confirmed; `timed-out` where the time has run out and the doors
   * have fallen open: then the spec must be installed again.
   */
  async confirm(): Promise<void> {
    await confirmTable(this.#nft, this.table, this.#callOf('confirm'))
  }

  /** Removes the table with all that is in it; nothing is left behind. One that is gone already is no error. */
  async uninstall(): Promise<void> {
    try {
      await this.#nft.apply(renderUninstall(this.table), this.#callOf('uninstall'))
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uninstall()
  }

  get #place(): TablePlace {
    return { table: this.table, nft: this.#nft, elements: this.#elements }
  }

  readonly #callOf = (operation: string) => {
    return { operation, ...(this.#signal && { signal: this.#signal }) }
  }

  /** @param most - how many elements of a set are wanted. */
  readonly #list = (operation: string, most: (set: string) => number): Promise<Listing> =>
    listElements(this.#place, most, this.#callOf(operation))
}

/** What a state saves, what the table says of itself, and whether it waits to be confirmed; nothing that strangers fill. */
const ALL_SAVED = (set: string): number =>
  isSaved(set) || set === TRIAL_SET || set === ABOUT_SET ? Number.POSITIVE_INFINITY : 0
