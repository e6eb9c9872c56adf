// The doors as last read from a table → the current door for each call.
import type { Automaton } from '../automaton/language/automaton.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { ArgumentError, CapabilityError, isNotFound, NftError } from '../errors.js'
import type { Elements } from '../kernel/elements.js'
import type { Nft } from '../kernel/nft.js'
import {
  ABOUT_SET,
  type About,
  aboutComments,
  digestDoors,
  doorsSet,
  isOurs,
  parseAbout,
} from '../nft/about.js'
import { type Listing, parseListing } from '../nft/listing.js'
import type { Prefix } from '../spec/model/packet-model.js'
import { someOf } from '../text/some-of.js'
import type { Call } from './installation.js'

/** Times that a call starts over because another spec was installed meanwhile. */
const TRIES = 12

/** The doors that a table lists in its set `about`. */
export type KnownDoors = Pick<About, 'doors' | 'doorsDigest' | 'guardPrefix'>

/** The doors that a table will have. */
export const knownDoors = ({
  doors,
  guardPrefix,
}: Pick<Automaton, 'doors' | 'guardPrefix'>): KnownDoors => {
  const blocks = guardPrefix && { guardPrefix }
  return { doors, doorsDigest: digestDoors({ doors, ...blocks }), ...blocks }
}

interface StandingPlace {
  readonly table: string
  readonly nft: Nft
  readonly elements: Elements
}

/**
 * The doors of an installed table, kept current. Another process may install another spec at any
 * time. Therefore each change of elements also names a set whose name is a digest of the doors. If
 * the doors have changed, that set is missing, nothing is done, and the table is read again.
 */
export class StandingDoors {
  readonly #place: StandingPlace
  #doors: ReadonlyMap<string, DoorSummary> = new Map()
  #set = ''
  #guardPrefix: Prefix | undefined

  constructor(known: KnownDoors, place: StandingPlace) {
    this.#place = place
    this.#take(known)
  }

  /** The doors as last read, in the spec's order. */
  get all(): readonly DoorSummary[] {
    return [...this.#doors.values()]
  }

  /** The block that is one source for bans, as last read. */
  get guardPrefix(): Prefix | undefined {
    return this.#guardPrefix
  }

  find(name: string): DoorSummary | undefined {
    return this.#doors.get(name)
  }

  /** @throws NftError `not-found` if there is no such door; the message lists the doors. */
  require(name: string, operation: string): DoorSummary {
    const door = this.#doors.get(name)
    if (door) return door
    const known = [...this.#doors.keys()]
    throw this.#missing(operation, `no door ${JSON.stringify(name)}, there is ${someOf(known)}`)
  }

  /**
   * Takes the doors from a listing of the table or of its set `about`.
   *
   * @throws NftError `not-found` if another version of knocklib or somebody else made the table.
   */
  take(listing: Listing, operation: string): readonly DoorSummary[] {
    const comments = aboutComments(listing)
    const about = comments && parseAbout(comments)
    if (!about) throw this.#missing(operation, unreadable(comments))
    this.#take(about)
    return about.doors
  }

  /**
   * Returns the name of the set that exists as long as the doors are those of this listing.
   *
   * @throws NftError `not-found` if parts of the listing are from before and parts from after an
   * install.
   */
  requireSet(listing: Listing, operation: string): string {
    if (listing.sets.has(this.#set)) return this.#set
    throw this.#missing(operation, 'others changed it during the listing')
  }

  /**
   * Reads the doors again.
   *
   * @throws NftError `not-found` if the table is gone.
   */
  async read(call: Call): Promise<readonly DoorSummary[]> {
    const { nft, table } = this.#place
    return this.take(parseListing(await nft.list({ table, set: ABOUT_SET }, call)), call.operation)
  }

  /**
   * Runs `work` with one door. If it fails because the doors have changed, reads the table again
   * and repeats it with the door as it is then.
   *
   * @param work - gets the door, and the name of the set that exists as long as the doors are
   * these.
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

  /**
   * Runs `work` as `with` does, for all doors.
   *
   * @throws NftError `conflict` if the doors changed during each try.
   */
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
    const reason = `others installed other doors in each of ${TRIES} tries; nothing was changed`
    throw new NftError('conflict', `${call.operation}: table inet ${table}: ${reason}`)
  }

  /** Whether the table has other doors than those last read; if so, reads them. */
  async #isOther(error: unknown, call: Call): Promise<boolean> {
    const { table, elements } = this.#place
    try {
      await elements.require({ table, set: this.#set }, call)
      return false
    } catch (missing) {
      if (isNotFound(missing)) {
        await this.read(call).catch((gone: unknown) => {
          // If the arguments were wrong, that error comes first, even if the table is gone.
          throw isNotFound(error) ? gone : error
        })
        return true
      }
      throw isNotFound(error) ? missing : error
    }
  }

  #take({ doors, doorsDigest, guardPrefix }: KnownDoors): void {
    this.#guardPrefix = guardPrefix
    this.#doors = new Map(doors.map((door) => [door.name, door]))
    this.#set = doorsSet(doorsDigest)
  }

  #missing(operation: string, reason: string): NftError {
    return new NftError('not-found', `${operation}: table inet ${this.#place.table}: ${reason}`)
  }
}

/**
 * Errors that a change of the doors may explain: something is missing, or this door does not accept
 * the argument.
 */
const mayBeStale = (error: unknown): boolean =>
  isNotFound(error) || error instanceof ArgumentError || error instanceof CapabilityError

/** Says why a table's comments cannot be read. */
export const unreadable = (comments: readonly string[] | undefined): string =>
  isOurs(comments)
    ? 'made by another version of knocklib and only readable with that; install the spec again'
    : 'not there, or not made by knocklib'
