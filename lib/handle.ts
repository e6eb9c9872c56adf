// The handle of a table that stands: its doors, what they hold, and the calls that open, close and remove. Touches the kernel.
import type { DoorSummary } from './automaton/automaton.js'
import { COUNTED_AT_LEAST } from './automaton/gate.js'
import { grantsSet, usedSet } from './automaton/names.js'
import { ArgumentError, isNotFound, NftError } from './errors.js'
import type { CallOptions, Nft } from './kernel/nft.js'
import { type Listing, parseListing } from './nft/listing.js'
import { familySet } from './nft/names.js'
import { type GrantChange, renderClose, renderOpen, renderUninstall } from './nft/transaction.js'
import { type Address, parseAddress } from './spec/address.js'
import { MAX_DURATION, parseDuration } from './spec/duration.js'
import {
  type Counters,
  type Grant,
  listedContents,
  type Progress,
  type Status,
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
   * @param source IPv4 or IPv6; an IPv4-mapped address stands for its IPv4 one. No names, no blocks.
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
    return { door: this.name, source: change.source.address, expiresIn: seconds }
  }

  /**
   * Takes a source's grant away. Connections that are established live on.
   *
   * @returns whether there was a grant.
   * @throws ArgumentError where the address is none.
   * @throws NftError `not-found` where the table is gone.
   */
  async close(source: string): Promise<boolean> {
    const change = this.#change('close', source)
    try {
      await this.#nft.apply(renderClose(change), { ...this.#call(), operation: 'close' })
      return true
    } catch (error) {
      if (!isNotFound(error)) throw error
      // nft says the same of a grant and of a table that is not there.
      await this.#list('close', [familySet(change.grants, change.source.family)])
      return false
    }
  }

  /** The sources that this door lets in now. */
  async grants(): Promise<Grant[]> {
    const set = grantsSet(this.name)
    const listing = await this.#list('grants', [familySet(set, 4), familySet(set, 6)])
    return viewGrants(this.#summary, listedContents(listing))
  }

  /** The sources that this door lets in now, one by one. */
  async *eachGrant(): AsyncGenerator<Grant, void, undefined> {
    yield* await this.grants()
  }

  /** The sources that are on their way: who has made how many of the knocks that open this door. */
  async progress(): Promise<Progress[]> {
    return viewProgress(this.#summary, listedContents(await this.#list('progress')))
  }

  #change(operation: string, source: string): GrantChange {
    const { connections = 1 } = this.#summary
    const used = Array.from({ length: connections - 1 }, (_, index) =>
      usedSet(this.name, index + 1),
    )
    return {
      table: this.#table,
      source: readSource(operation, this.name, source),
      grants: grantsSet(this.name),
      used,
    }
  }
}

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
