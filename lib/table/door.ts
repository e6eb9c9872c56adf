// One door of a table that stands: opens, closes and lists. Touches the kernel.
import { countingSets } from '../automaton/door/grant.js'
import { grantsSet, parseSetName } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { CapabilityError } from '../errors.js'
import type { Elements } from '../kernel/elements.js'
import type { CallOptions } from '../kernel/nft.js'
import type { ListedElement, Listing } from '../nft/listing.js'
import { commonSet, familySet, parseFamilySet, sourceSet } from '../nft/names.js'
import { type GrantChange, renderOpen } from '../nft/transaction.js'
import { EVERYONE, listedContents } from '../view/contents.js'
import { type Grant, type Progress, viewProgress } from '../view/status.js'
import { closeGrants } from './close-grants.js'
import { readSeconds, readSources, type Source } from './door-arguments.js'
import type { StandingDoors } from './standing-doors.js'

/** The table that a door stands in. */
export interface Place {
  readonly table: string
  readonly elements: Elements
  readonly doors: StandingDoors
  /** Lists the table, with so many elements of each set, by nft's name of it. */
  list(operation: string, most: (set: string) => number): Promise<Listing>
  call(operation: string): CallOptions & { readonly operation: string }
}

export interface CloseOptions {
  /** Insist that established connections end, too. Default: as the spec has it. */
  readonly cut?: boolean
}

export interface OpenOptions {
  /** How long the grant lasts, as in the spec or in seconds. Default: the door's own `open.for`. */
  readonly for?: string | number
}

/** Sources in one transaction, for a netlink socket's buffers; at a door that counts: 15 sets more. */
const [TOGETHER, TOGETHER_COUNTED] = [1000, 60]

/**
 * One door of a table that stands. Another spec may change it at any moment, from any process: each
 * call does what the door is then, and rejects with NftError `not-found` that says which doors
 * there are if it is gone.
 */
export class Door {
  readonly name: string
  readonly #place: Place
  /** As the table had it when the door was last there. */
  #summary: DoorSummary

  /** @internal */
  constructor(summary: DoorSummary, place: Place) {
    this.name = summary.name
    this.#summary = summary
    this.#place = place
  }

  /** What stands behind it, as in the spec; as it was when this handle last read the table. */
  get services(): readonly string[] {
    this.#summary = this.#place.doors.find(this.name) ?? this.#summary
    return this.#summary.services
  }

  /**
   * Grants a source, without a knock. Where it has a grant, that is renewed: its time starts anew.
   *
   * @param source IPv4 or IPv6; an IPv4-mapped address stands for its IPv4 one. No names, no
   * blocks. Of a door for everyone: `everyone`.
   * @returns the grant, its source in canonical form.
   * @throws ArgumentError if the address or the duration is none.
   * @throws NftError
   */
  async open(source: string, options: OpenOptions = {}): Promise<Grant> {
    const [grant] = await this.#open('open', [source], options)
    return grant as Grant
  }

  /**
   * Grants many sources, as `open` does each. Up to 1,000 are let in at once or not at all (60
   * where the door counts connections); more go in several such transactions, in order: where one
   * fails, those before it stand, and the same call again does the rest.
   *
   * @returns their grants, each source once.
   * @throws ArgumentError if one of the addresses is none, before any is let in.
   * @throws NftError
   */
  openMany(sources: Iterable<string>, options: OpenOptions = {}): Promise<Grant[]> {
    return this.#open('openMany', sources, options)
  }

  async #open(
    operation: string,
    sources: Iterable<string>,
    options: OpenOptions,
  ): Promise<Grant[]> {
    const { elements, doors } = this.#place
    const call = this.#place.call(operation)
    // An iterable can be read once, and a call that others come before begins anew.
    const given = [...sources]
    return doors.with(this.name, call, async (door, doorsSet) => {
      const addresses = readSources(door, operation, given)
      const expiresIn = readSeconds(door, operation, options.for)
      for (const change of this.#changes(door, doorsSet, addresses)) {
        await elements.change(renderOpen(change, expiresIn), call)
      }
      return addresses.map((address) => ({ door: this.name, source: sourceOf(address), expiresIn }))
    })
  }

  /**
   * Takes a source's grant away. Connections that are established live on, or end where the door
   * cuts them (`open.established`).
   *
   * @param source as `open` takes it.
   * @returns whether there was a grant.
   * @throws ArgumentError if the address is none.
   * @throws CapabilityError if connections shall be cut and the door keeps them.
   * @throws NftError `not-found` if the table is gone.
   */
  async close(source: string, options: CloseOptions = {}): Promise<boolean> {
    const closed = await this.#close('close', [source], options)
    return closed.length > 0
  }

  /**
   * Takes the grants of many sources away, as `close` does each, in transactions as `openMany`
   * makes them.
   *
   * @returns the sources that had one, in canonical form.
   * @throws ArgumentError if one of the addresses is none, before any grant is taken away.
   * @throws CapabilityError if connections shall be cut and the door keeps them.
   * @throws NftError `not-found` if the table is gone.
   */
  closeMany(sources: Iterable<string>, options: CloseOptions = {}): Promise<string[]> {
    return this.#close('closeMany', sources, options)
  }

  async #close(
    operation: string,
    sources: Iterable<string>,
    { cut = false }: CloseOptions,
  ): Promise<string[]> {
    const { elements, doors } = this.#place
    const call = this.#place.call(operation)
    const given = [...sources]
    const closed = new Set<string>()
    const close = async (door: DoorSummary, doorsSet: string) => {
      const addresses = readSources(door, operation, given)
      if (cut && door.established !== 'cut') {
        const provider = "open.established: 'cut' in its spec makes them need a live grant"
        throw new CapabilityError(operation, `${this.name} keeps established connections`, provider)
      }
      for (const change of this.#changes(door, doorsSet, addresses)) {
        const found = await closeGrants(elements, change, call)
        for (const source of found) closed.add(sourceOf(source))
      }
    }
    await doors.with(this.name, call, close)
    return [...closed]
  }

  /**
   * Finds a source's grant: undefined where it has none.
   *
   * @param source as `open` takes it.
   * @throws ArgumentError if the address is none.
   * @throws NftError `not-found` if the table is gone.
   */
  async grantOf(source: string): Promise<Grant | undefined> {
    const { elements, table, doors } = this.#place
    const call = this.#place.call('grantOf')
    return doors.with(this.name, call, async (door) => {
      const [address] = readSources(door, 'grantOf', [source])
      const query = { table, set: sourceSet(grantsSet(this.name), address) }
      const [found] = await elements.find(query, [address?.address ?? 0], call)
      return found && grantOf(door, found)
    })
  }

  /** The sources that this door lets in now. */
  async grants(): Promise<Grant[]> {
    const grants: Grant[] = []
    for await (const part of this.#parts('grants')) for (const grant of part) grants.push(grant)
    return grants
  }

  /**
   * The sources that this door lets in, one by one as the kernel lists them: all that it lets in
   * from the beginning to the end, each once. Whose grant begins or ends meanwhile may be among
   * them or not.
   *
   * @throws NetlinkError `interrupted` if the ruleset was changed again and again while a long
   * list was read.
   */
  async *eachGrant(): AsyncGenerator<Grant, void, undefined> {
    for await (const part of this.#parts('eachGrant')) yield* part
  }

  async *#parts(operation: string): AsyncGenerator<Grant[], void, undefined> {
    const { elements, table, doors } = this.#place
    const call = this.#place.call(operation)
    const set = grantsSet(this.name)
    // Whose door is gone, or for others now, has no such set any more.
    const { door, sets } = await doors.with(this.name, call, async (door) => {
      const sets =
        door.scope === 'everyone' ? [commonSet(set)] : [familySet(set, 4), familySet(set, 6)]
      await elements.require({ table, set: sets[0] as string }, call)
      return { door, sets }
    })
    for (const own of sets) {
      for await (const part of elements.list({ table, set: own }, call)) {
        yield part.map((element) => grantOf(door, element))
      }
    }
  }

  /** The sources that are on their way: who has made how many of the knocks that open this door. */
  async progress(): Promise<Progress[]> {
    const isOwn = (name: string) =>
      parseSetName(parseFamilySet(name)?.set ?? name)?.door === this.name
    const most = (name: string) => (isOwn(name) ? Number.POSITIVE_INFINITY : 0)
    const listing = await this.#place.list('progress', most)
    const door = this.#place.doors.require(this.name, 'progress')
    return viewProgress(door, listedContents(listing))
  }

  /** One for each transaction. */
  *#changes(
    { connections }: DoorSummary,
    doorsSet: string,
    sources: readonly Source[],
  ): Generator<GrantChange> {
    const used = countingSets(this.name, connections)
    const together = used.length > 0 ? TOGETHER_COUNTED : TOGETHER
    const { table } = this.#place
    for (let at = 0; at < sources.length; at += together) {
      const some = sources.slice(at, at + together)
      yield { table, while: doorsSet, sources: some, grants: grantsSet(this.name), used }
    }
  }
}

function grantOf(
  { name, scope }: DoorSummary,
  { key: [source = ''], expires = 0 }: ListedElement,
): Grant {
  return { door: name, source: scope === 'everyone' ? EVERYONE : source, expiresIn: expires }
}

const sourceOf = (source: Source): string => source?.address ?? EVERYONE
