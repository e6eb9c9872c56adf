// The doors of a table as it said of itself when it was read last → each call's door as the table
// has it now. Touches the kernel.
import type { DoorSummary } from '../automaton/language/summary.js'
import { ArgumentError, CapabilityError, isNotFound, NftError } from '../errors.js'
import type { Elements } from '../kernel/elements.js'
import type { Nft } from '../kernel/nft.js'
import { ABOUT_SET, type About, aboutComments, doorsSet, isOurs, parseAbout } from '../nft/about.js'
import { type Listing, parseListing } from '../nft/listing.js'
import type { Call } from './installation.js'

/** How often a call begins anew because another install came between. */
const TRIES = 12

/** What a table says of its doors. */
export type KnownDoors = Pick<About, 'doors' | 'doorsDigest'>

interface StandingPlace {
  readonly table: string
  readonly nft: Nft
  readonly elements: Elements
}

/**
 * Another process may install another spec at any moment. A change of elements names a set that is
 * called by a digest of the doors: if the doors are others by now, that set is not there, nothing
 * is done, and the table is read anew.
 */
export class StandingDoors {
  readonly #place: StandingPlace
  #doors: ReadonlyMap<string, DoorSummary> = new Map()
  #set = ''

  constructor(known: KnownDoors, place: StandingPlace) {
    this.#place = place
    this.#take(known)
  }

  /** In the spec's order. */
  get all(): readonly DoorSummary[] {
    return [...this.#doors.values()]
  }

  find(name: string): DoorSummary | undefined {
    return this.#doors.get(name)
  }

  /** @throws NftError `not-found` that says which doors there are. */
  require(name: string, operation: string): DoorSummary {
    const door = this.#doors.get(name)
    if (door) return door
    const known = [...this.#doors.keys()].join(', ')
    throw this.#missing(operation, `no door ${JSON.stringify(name)}, there is ${known}`)
  }

  /**
   * Takes the doors out of a listing of the table or of its set `about`.
   * @throws NftError `not-found` if it was made by another version of knocklib, or by somebody
   * else.
   */
  take(listing: Listing, operation: string): readonly DoorSummary[] {
    const comments = aboutComments(listing)
    const about = comments && parseAbout(comments)
    if (!about) throw this.#missing(operation, unreadable(comments))
    this.#take(about)
    return about.doors
  }

  /**
   * The set that is there as long as the doors are these, which were taken out of the listing.
   * @throws NftError `not-found` if its parts are of two tables, one before and one after an
   * install.
   */
  requireSet(listing: Listing, operation: string): string {
    if (listing.sets.has(this.#set)) return this.#set
    throw this.#missing(operation, 'others changed it while it was listed')
  }

  /** @throws NftError `not-found` if the table is gone. */
  async read(call: Call): Promise<readonly DoorSummary[]> {
    const { nft, table } = this.#place
    return this.take(parseListing(await nft.list({ table, set: ABOUT_SET }, call)), call.operation)
  }

  /**
   * Does something with one door. If that fails because the doors are others by now, the table is
   * read anew and it is done again, with the door as it is then.
   *
   * @param work - is given the door, and the set that is there as long as the doors are these.
   * @throws NftError `not-found` if the door or the table is gone.
   */
  with<T>(
    name: string,
    call: Call,
    work: (door: DoorSummary, doorsSet: string) => Promise<T>,
  ): Promise<T> {
    return this.current(call, async () => {
      if (!this.#doors.has(name)) await this.read(call)
      return work(this.require(name, call.operation), this.#set)
    })
  }

  /** The same with all of them. */
  async current<T>(call: Call, work: (doorsSet: string) => Promise<T>): Promise<T> {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const before = this.#set
      try {
        return await work(before)
      } catch (error) {
        if (!mayBeStale(error)) throw error
        if (before === this.#set && !(await this.#isOther(error, call))) throw error
      }
    }
    const { table } = this.#place
    const reason = `others installed other doors at each of ${TRIES} tries; nothing was changed`
    throw new NftError('conflict', `${call.operation}: table inet ${table}: ${reason}`)
  }

  /** Whether the table has other doors than those that were read; they are read by then. */
  async #isOther(error: unknown, call: Call): Promise<boolean> {
    const { table, elements } = this.#place
    try {
      await elements.require({ table, set: this.#set }, call)
      return false
    } catch (missing) {
      if (isNotFound(missing)) {
        await this.read(call).catch((gone: unknown) => {
          // A wrong question is answered as such, whatever has become of the table.
          throw isNotFound(error) ? gone : error
        })
        return true
      }
      throw isNotFound(error) ? missing : error
    }
  }

  #take({ doors, doorsDigest }: KnownDoors): void {
    this.#doors = new Map(doors.map((door) => [door.name, door]))
    this.#set = doorsSet(doorsDigest)
  }

  #missing(operation: string, reason: string): NftError {
    return new NftError('not-found', `${operation}: table inet ${this.#place.table}: ${reason}`)
  }
}

/**
 * What another spec's doors may be the reason of: what is not there, or what this door does not
 * take.
 */
const mayBeStale = (error: unknown): boolean =>
  isNotFound(error) || error instanceof ArgumentError || error instanceof CapabilityError

/** Why a table cannot be read. */
export const unreadable = (comments: readonly string[] | undefined): string =>
  isOurs(comments)
    ? 'made by another version of knocklib, which alone can read it; install the spec again'
    : 'not there, or not made by knocklib'
