// The handle of a table that stands: its doors, what they hold, and the calls that open, close and remove. Touches the kernel.
import type { DoorSummary } from './automaton/automaton.js'
import { COUNTED_AT_LEAST, countingSets } from './automaton/grant.js'
import { BANNED, grantsSet } from './automaton/names.js'
import { ArgumentError, CapabilityError, isNotFound, NftError } from './errors.js'
import type { CallOptions, Nft } from './kernel/nft.js'
import { type ProcessCounts, renderMetrics } from './metrics.js'
import { ABOUT_SET } from './nft/about.js'
import { type Listing, parseListing } from './nft/listing.js'
import { commonSet, familySet } from './nft/names.js'
import { type RestoreReport, renderState } from './nft/state.js'
import {
  type GrantChange,
  renderClose,
  renderOpen,
  renderUnban,
  renderUninstall,
} from './nft/transaction.js'
import { type Address, parseAddress } from './spec/address.js'
import { MAX_DURATION, parseDuration } from './spec/duration.js'
import type { KnockState } from './spec/generated/state-types.js'
import { validateState } from './spec/read-state.js'
import { viewState } from './view/state.js'
import {
  type Ban,
  type Counters,
  EVERYONE,
  type Grant,
  listedContents,
  type Progress,
  type Status,
  viewBans,
  viewCounters,
  viewGrants,
  viewProgress,
  viewStatus,
} from './view/status.js'

/** Lists several sets or the table as one listing. */
type List = (operation: string, sets?: readonly string[]) => Promise<Listing>

/**
 * A table that stands in the kernel. It holds no state of its own: each call asks the kernel, so several handles,
 * also in several processes, see the same. Calls reject with NftError `not-found` once the table is gone.
 */
export class Knock implements AsyncDisposable {
  /** The table's name. */
  readonly table: string
  readonly #doors: ReadonlyMap<string, Door>
  readonly #summaries: readonly DoorSummary[]
  readonly #nft: Nft
  readonly #signal: AbortSignal | undefined

  /** @internal */
  constructor(table: string, doors: readonly DoorSummary[], nft: Nft, signal?: AbortSignal) {
    this.table = table
    this.#summaries = doors
    this.#nft = nft
    this.#signal = signal
    this.#doors = new Map(
      doors.map((summary) => [
        summary.name,
        new Door(table, summary, nft, this.#list, () => this.#call),
      ]),
    )
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
    const contents = listedContents(await this.#list('counters'))
    const entries = this.#summaries.map((door) => [door.name, viewCounters(door, contents)])
    return Object.fromEntries(entries)
  }

  /** Everything at once, from one listing: doors, grants, progress, counters. */
  async status(): Promise<Status> {
    const contents = listedContents(await this.#list('status'))
    return viewStatus(this.table, this.#summaries, contents)
  }

  /**
   * The status as OpenMetrics text for Prometheus, from one listing; sources are not in it.
   *
   * @param counts - what this process has counted itself.
   */
  async metrics(counts: ProcessCounts = {}): Promise<string> {
    return renderMetrics(await this.status(), counts)
  }

  /** The sources whose knocks are ignored. */
  async bans(): Promise<readonly Ban[]> {
    if (!(await this.#hasBans('bans'))) return []
    const sets = [familySet(BANNED, 4), familySet(BANNED, 6)]
    return viewBans(listedContents(await this.#list('bans', sets)))
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
    try {
      const document = renderUnban(this.table, address, BANNED)
      await this.#nft.apply(document, { ...this.#call, operation: 'unban' })
      return true
    } catch (error) {
      if (!isNotFound(error)) throw error
      // nft says the same of a ban, of a table that bans nobody, and of one that is not there.
      await this.#list('unban', [ABOUT_SET])
      return false
    }
  }

  /** Whether the table bans at all; rejects where there is no table. */
  async #hasBans(operation: string): Promise<boolean> {
    try {
      await this.#list(operation, [familySet(BANNED, 4)])
      return true
    } catch (error) {
      if (!isNotFound(error)) throw error
      await this.#list(operation, [ABOUT_SET])
      return false
    }
  }

  /**
   * Takes down, from one listing, what a reboot would lose: grants and bans with their ends, and what has been used.
   * `saveState` writes it to a file.
   *
   * @throws NftError `not-found` where the table is gone.
   */
  async save(): Promise<KnockState> {
    // Of before the listing: nothing that lasts gets longer by it.
    const now = Date.now()
    return viewState(this.table, this.#summaries, await this.#list('save'), now)
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
    const { sets } = await this.#list('restore')
    const place = { table: this.table, doors: this.#summaries, sets }
    const { commands, report } = renderState(place, valid, Date.now() / 1000)
    if (commands.length > 0) {
      await this.#nft.apply({ nftables: [...commands] }, { ...this.#call, operation: 'restore' })
    }
    return report
  }

  /** Removes the table with all that is in it; nothing is left behind. One that is gone already is no error. */
  async uninstall(): Promise<void> {
    try {
      await this.#nft.apply(renderUninstall(this.table), { ...this.#call, operation: 'uninstall' })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uninstall()
  }

  get #call(): CallOptions {
    return this.#signal ? { signal: this.#signal } : {}
  }

  readonly #list: List = async (operation, sets) => {
    const { table } = this
    const options = { ...this.#call, operation }
    if (!sets) return parseListing(await this.#nft.list({ table }, options))
    const parts = await Promise.all(sets.map((set) => this.#nft.list({ table, set }, options)))
    const listings = parts.map(parseListing)
    const merged = listings.flatMap((listing) => [...listing.sets])
    return { sets: new Map(merged), counters: new Map() }
  }
}

export interface CloseOptions {
  /** Insist that established connections end, too. Default: as the spec has it. */
  readonly cut?: boolean
}

export interface OpenOptions {
  /** How long the grant lasts, as in the spec or in seconds. Default: the door's own `open.for`. */
  readonly for?: string | number
}

/** One door of a table that stands. */
export class Door {
  readonly name: string
  /** What stands behind it, as in the spec. */
  readonly services: readonly string[]
  readonly #table: string
  readonly #summary: DoorSummary
  readonly #nft: Nft
  readonly #list: List
  readonly #call: () => CallOptions

  /** @internal */
  constructor(table: string, summary: DoorSummary, nft: Nft, list: List, call: () => CallOptions) {
    this.name = summary.name
    this.services = summary.services
    this.#table = table
    this.#summary = summary
    this.#nft = nft
    this.#list = list
    this.#call = call
  }

  /**
   * Grants a source, without a knock. Where it has a grant, that is renewed: its time starts anew.
   *
   * @param source IPv4 or IPv6; an IPv4-mapped address stands for its IPv4 one. No names, no blocks. Of a door for
   * everyone: `everyone`.
   * @returns the grant, its source in canonical form.
   * @throws ArgumentError where the address or the duration is none.
   * @throws NftError
   */
  async open(source: string, options: OpenOptions = {}): Promise<Grant> {
    const change = this.#change('open', source)
    const { grantTimeout, connections } = this.#summary
    const seconds = readSeconds(options.for ?? grantTimeout)
    const longest =
      connections === undefined ? MAX_DURATION : Math.max(grantTimeout, COUNTED_AT_LEAST)
    if (seconds > longest) {
      const limit = `at most ${longest} s, for which this door counts connections`
      throw new ArgumentError(`open: ${this.name}: expected ${limit}, got ${options.for}`)
    }
    await this.#nft.apply(renderOpen(change, seconds), { ...this.#call(), operation: 'open' })
    const granted = change.source?.address ?? EVERYONE
    return { door: this.name, source: granted, expiresIn: seconds }
  }

  /**
   * Takes a source's grant away. Connections that are established live on, or end where the door cuts them
   * (`open.established`).
   *
   * @param source as `open` takes it.
   * @returns whether there was a grant.
   * @throws ArgumentError where the address is none.
   * @throws CapabilityError where connections shall be cut and the door keeps them.
   * @throws NftError `not-found` where the table is gone.
   */
  async close(source: string, { cut = false }: CloseOptions = {}): Promise<boolean> {
    const change = this.#change('close', source)
    if (cut && this.#summary.established !== 'cut') {
      const provider = "open.established: 'cut' in its spec makes them need a live grant"
      throw new CapabilityError('close', `${this.name} keeps established connections`, provider)
    }
    try {
      await this.#nft.apply(renderClose(change), { ...this.#call(), operation: 'close' })
      return true
    } catch (error) {
      if (!isNotFound(error)) throw error
      // nft says the same of a grant and of a table that is not there.
      await this.#list('close', [this.#grantSets[0] as string])
      return false
    }
  }

  /** The sources that this door lets in now. */
  async grants(): Promise<Grant[]> {
    const listing = await this.#list('grants', this.#grantSets)
    return viewGrants(this.#summary, listedContents(listing))
  }

  /** nft's names of the sets of grants. */
  get #grantSets(): string[] {
    const set = grantsSet(this.name)
    return this.#summary.scope === 'everyone'
      ? [commonSet(set)]
      : [familySet(set, 4), familySet(set, 6)]
  }

  /** The sources that this door lets in now, one by one. */
  async *eachGrant(): AsyncGenerator<Grant, void, undefined> {
    yield* await this.grants()
  }

  /** The sources that are on their way: who has made how many of the knocks that open this door. */
  async progress(): Promise<Progress[]> {
    return viewProgress(this.#summary, listedContents(await this.#list('progress')))
  }

  /** Undefined: everyone. */
  #readSource(operation: string, source: string): Address | undefined {
    if (this.#summary.scope === 'source') return readSource(operation, this.name, source)
    if (source === EVERYONE) return undefined
    const expected = `"${EVERYONE}", whom this door is for`
    throw new ArgumentError(
      `${operation}: ${this.name}: expected ${expected}, got ${JSON.stringify(source)}`,
    )
  }

  #change(operation: string, source: string): GrantChange {
    return {
      table: this.#table,
      source: this.#readSource(operation, source),
      grants: grantsSet(this.name),
      used: countingSets(this.name, this.#summary.connections),
    }
  }
}

/** Reads an address. */
function readSource(operation: string, door: string, source: string): Address {
  const address = parseAddress(source)
  if (address) return address
  throw new ArgumentError(
    `${operation}: ${door}: expected an IPv4 or IPv6 address, got ${JSON.stringify(source)}`,
  )
}

function readSeconds(value: string | number): number {
  const seconds = parseDuration(value)
  if (seconds !== undefined) return seconds
  throw new ArgumentError(
    `open: expected a duration in whole seconds such as 30, "30s" or "10m", got ${JSON.stringify(value)}`,
  )
}
