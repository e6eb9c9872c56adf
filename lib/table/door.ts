// A door's name and its table → the door's calls: open, close, list grants and progress.
import { countingSets } from '../automaton/door/grant.js'
import { parseSetName } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { isShared } from '../automaton/sharing/names.js'
import { CapabilityError } from '../errors.js'
import type { ListedElement } from '../nft/listing.js'
import { parseFamilySet, sourceSet, sourceText } from '../nft/names.js'
import { grantKey, grantPlaceOf, grantSetsOf, isAt } from '../nft/own-sets.js'
import { type GrantChange, renderOpen } from '../nft/transaction.js'
import { EVERYONE, listedContents } from '../view/contents.js'
import { type Grant, type Progress, viewProgress } from '../view/status.js'
import { closeGrants } from './close-grants.js'
import { readSeconds, readSources, type Source } from './door-arguments.js'
import type { Place } from './place.js'

export interface CloseOptions {
  /** Requires that established connections end, too. Default: as in the spec. */
  readonly cut?: boolean
}

export interface OpenOptions {
  /** How long the grant lasts, as in the spec or in seconds. Default: the door's `open.for`. */
  readonly for?: string | number
}

/** Sources in one transaction: a netlink socket's buffer holds no more. Counting adds 15 sets. */
const [TOGETHER, TOGETHER_COUNTED] = [1000, 60]

/**
 * A door of an installed table. Any process may install another spec at any time: each call uses
 * the door as it is then. It rejects with NftError `not-found` if the door is gone; the message
 * lists the doors that exist.
 */
export class Door {
  readonly name: string
  readonly #place: Place
  /** As last read while the door existed. */
  #summary: DoorSummary

  /** @internal */
  constructor(summary: DoorSummary, place: Place) {
    this.name = summary.name
    this.#summary = summary
    this.#place = place
  }

  /** Its services as in the spec, as this handle last read the table. */
  get services(): readonly string[] {
    this.#summary = this.#place.doors.find(this.name) ?? this.#summary
    return this.#summary.services
  }

  /**
   * Grants a source access without a knock. An existing grant is renewed: its time starts over.
   *
   * @param source IPv4 or IPv6, not a name; an IPv4-mapped address means the IPv4 one. If the door
   * has a prefix: the block around the address; the block itself can be given, too. If the door is
   * for everyone: `everyone`.
   * @returns the grant, its source in canonical form.
   * @throws ArgumentError if the address or the duration is invalid.
   * @throws NftError
   */
  async open(source: string, options: OpenOptions = {}): Promise<Grant> {
    const [grant] = await this.#open('open', [source], options)
    return grant as Grant
  }

  /**
   * Grants many sources, as `open` does. Up to 1,000 (60 if the door counts connections) form one
   * transaction. More make several in order: if one fails, earlier ones stand, and the same call
   * again does the rest.
   *
   * @returns the grants, each source once.
   * @throws ArgumentError if an address is invalid, before anything changes.
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
    // An iterable can be read only once, and a call may start over.
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
   * Deletes a source's grant. Established connections go on, unless the door cuts them
   * (`open.established`).
   *
   * @param source as in `open`.
   * @returns whether there was a grant.
   * @throws ArgumentError if the address is invalid.
   * @throws CapabilityError if `cut` is required and the door keeps connections.
   * @throws NftError `not-found` if the table is gone.
   */
  async close(source: string, options: CloseOptions = {}): Promise<boolean> {
    const closed = await this.#close('close', [source], options)
    return closed.length > 0
  }

  /**
   * Deletes the grants of many sources, as `close` does, in transactions as in `openMany`.
   *
   * @returns the sources that had one, in canonical form.
   * @throws ArgumentError if an address is invalid, before anything changes.
   * @throws CapabilityError if `cut` is required and the door keeps connections.
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
        const provider = "write open.established: 'cut' in its spec to end them with the grant"
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
   * Finds a source's grant; undefined if it has none.
   *
   * @param source as in `open`.
   * @throws ArgumentError if the address is invalid.
   * @throws NftError `not-found` if the table is gone.
   */
  async grantOf(source: string): Promise<Grant | undefined> {
    const { elements, table, doors } = this.#place
    const call = this.#place.call('grantOf')
    return doors.with(this.name, call, async (door) => {
      const [address] = readSources(door, 'grantOf', [source])
      const place = grantPlaceOf(door)
      const query = { table, set: sourceSet(place.set, address, place.prefix) }
      const [found] = await elements.find(query, [grantKey(place, address?.address)], call)
      return found && grantOf(door, found, query.set)
    })
  }

  /** Returns the source of an address's grant: the block around it, if the door has a prefix. */
  sourceFor(address: string): string {
    const door = this.#place.doors.find(this.name) ?? this.#summary
    return sourceOf(readSources(door, 'sourceFor', [address])[0])
  }

  /** Lists all grants of this door. */
  async grants(): Promise<Grant[]> {
    const grants: Grant[] = []
    for await (const part of this.#parts('grants')) for (const grant of part) grants.push(grant)
    return grants
  }

  /**
   * Yields the grants as the kernel lists them, each once. A grant that begins or ends meanwhile
   * may be missing.
   *
   * @throws NetlinkError `interrupted` if the ruleset kept changing while a long list was read.
   */
  async *eachGrant(): AsyncGenerator<Grant, void, undefined> {
    for await (const part of this.#parts('eachGrant')) yield* part
  }

  async *#parts(operation: string): AsyncGenerator<Grant[], void, undefined> {
    const { elements, table, doors } = this.#place
    const call = this.#place.call(operation)
    const door = await doors.with(this.name, call, async (door, doorsSet) => {
      // So that its sets are those that the table has now.
      await elements.require({ table, set: doorsSet }, call)
      return door
    })
    const place = grantPlaceOf(door)
    for (const own of grantSetsOf(door)) {
      for await (const part of elements.list({ table, set: own }, call)) {
        const grants = part.filter((element) => isAt(place, element))
        yield grants.map((element) => grantOf(door, element, own))
      }
    }
  }

  /** Lists the sources with an attempt under way, and how many knocks each has made. */
  async progress(): Promise<Progress[]> {
    const isOwn = (name: string) => {
      const set = parseFamilySet(name)?.set ?? name
      return parseSetName(set)?.door === this.name || isShared(set)
    }
    const most = (name: string) => (isOwn(name) ? Number.POSITIVE_INFINITY : 0)
    const listing = await this.#place.list('progress', most)
    const door = this.#place.doors.require(this.name, 'progress')
    return viewProgress(door, listedContents(listing))
  }

  /** One change for each transaction. */
  *#changes(
    door: DoorSummary,
    doorsSet: string,
    sources: readonly Source[],
  ): Generator<GrantChange & { readonly sources: readonly Source[] }> {
    const used = countingSets(this.name, door.connections)
    const { set: grants, ...place } = grantPlaceOf(door)
    const together = used.length > 0 ? TOGETHER_COUNTED : TOGETHER
    const { table } = this.#place
    for (let at = 0; at < sources.length; at += together) {
      const some = sources.slice(at, at + together)
      yield { table, while: doorsSet, sources: some, grants, used, ...place }
    }
  }
}

function grantOf(
  { name, scope }: DoorSummary,
  { key: [address = ''], expires = 0 }: ListedElement,
  set: string,
): Grant {
  const { family, prefix } = parseFamilySet(set) ?? {}
  const source = family && scope !== 'everyone' ? sourceText(address, family, prefix) : EVERYONE
  return { door: name, source, expiresIn: expires }
}

const sourceOf = (source: Source): string => source?.text ?? EVERYONE
