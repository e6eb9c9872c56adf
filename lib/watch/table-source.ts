// A table's place → what it says of itself and its grants, for a watcher. Asks the kernel.

import { parseSetName } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { NftError } from '../errors.js'
import type { Elements } from '../kernel/elements.js'
import { requireHere } from '../kernel/here.js'
import type { CallOptions, Nft } from '../kernel/nft.js'
import { listElements } from '../kernel/table-listing.js'
import { ABOUT_SET, type About, aboutComments, parseAbout } from '../nft/about.js'
import { type ListedElement, parseListing } from '../nft/listing.js'
import { addressIn, hasPort, parseFamilySet, sourceText } from '../nft/names.js'
import { grantKey, grantPlaceOf, grantSetsOf, withOwnSets } from '../nft/own-sets.js'
import { EVERYONE, listedContents } from '../view/contents.js'
import { type Grant, viewGrants } from '../view/status.js'
import type { DueGrant } from './clocks.js'

/** With more sets than this, lists the table first: most sets may be empty. */
const SET_BY_SET = 8

/** Where to find a table. */
export interface TablePlace {
  readonly table: string
  readonly nft: Nft
  readonly elements: Elements
}

export class TableSource {
  readonly table: string
  readonly #nft: Nft
  readonly #elements: Elements
  readonly #wanted: ReadonlySet<string> | undefined
  readonly #stop = new AbortController()
  readonly #call: CallOptions = { operation: 'watch', signal: this.#stop.signal }

  /** @param wanted - the doors whose grants are listed; absent: all. */
  constructor({ table, nft, elements }: TablePlace, wanted?: readonly string[]) {
    this.#wanted = wanted && new Set(wanted)
    this.table = table
    this.#nft = nft
    this.#elements = elements
  }

  get netns(): string | undefined {
    return this.#nft.netns
  }

  /** Aborts current and later calls: they reject with NftError `aborted`. */
  end(): void {
    this.#stop.abort()
  }

  /**
   * Reads what the table says of itself.
   *
   * @throws NftError `not-found` if there is no such table that this version can read.
   */
  async about(): Promise<About> {
    requireHere(this.#nft, 'watch')
    const { table } = this
    const listing = parseListing(await this.#nft.list({ table, set: ABOUT_SET }, this.#call))
    const about = parseAbout(aboutComments(listing) ?? [])
    if (about) return about
    const reason = 'not made by this version of knocklib'
    throw new NftError('not-found', `watch: table inet ${table}: ${reason}`)
  }

  /** Returns the milliseconds that a grant has left; undefined if there is none. */
  async find(door: DoorSummary, source: string): Promise<number | undefined> {
    const [first, second] = grantSetsOf(door)
    const set = second !== undefined && source.includes(':') ? second : (first as string)
    // A set for everyone has at most one element, whatever its key.
    const element =
      source === EVERYONE
        ? (await this.#listSet(set))[0]
        : (
            await this.#elements.find(
              { table: this.table, set },
              [grantKey(grantPlaceOf(door), addressIn(source))],
              this.#call,
            )
          )[0]
    return element && (element.expires ?? 0) * 1000
  }

  /** Lists the grants of the wanted doors with their ends. */
  async grants(all: readonly DoorSummary[]): Promise<DueGrant[]> {
    const doors = all.filter(({ name }) => this.#wanted?.has(name) ?? true)
    const now = performance.now()
    const dated = ({ door, source, expiresIn }: Grant): DueGrant => {
      return { door, source, due: now + expiresIn * 1000 }
    }
    if (new Set(doors.flatMap(grantSetsOf)).size > SET_BY_SET) {
      const isGrants = (name: string) =>
        hasPort(name) || parseSetName(parseFamilySet(name)?.set ?? name)?.role.kind === 'grants'
      const most = (name: string) => (isGrants(name) ? Number.POSITIVE_INFINITY : 0)
      const place = { nft: this.#nft, elements: this.#elements, table: this.table }
      const listing = await listElements(place, most, this.#call)
      const contents = listedContents(withOwnSets(listing, doors))
      return doors.flatMap((door) => viewGrants(door, contents)).map(dated)
    }
    const bySet = new Map<string, DoorSummary[]>()
    for (const door of doors) {
      for (const set of grantSetsOf(door)) {
        const own = bySet.get(set)
        if (own) own.push(door)
        else bySet.set(set, [door])
      }
    }
    const parts = await Promise.all([...bySet].map(([set, of]) => this.#grantsOf(set, of)))
    return parts.flat().map(dated)
  }

  /** @param doors - those whose grants the set has. */
  async #grantsOf(set: string, doors: readonly DoorSummary[]): Promise<Grant[]> {
    const byPort = new Map(doors.map((door) => [grantPlaceOf(door).port?.toString(), door]))
    const elements = await this.#listSet(set)
    const { family, prefix } = parseFamilySet(set) ?? {}
    return elements.flatMap(({ key: [first = '', port], expires = 0 }) => {
      const door = byPort.get(hasPort(set) ? port : undefined)
      if (!door) return []
      const source = family ? sourceText(first, family, prefix) : EVERYONE
      return [{ door: door.name, source, expiresIn: expires }]
    })
  }

  async #listSet(set: string): Promise<ListedElement[]> {
    const found: ListedElement[] = []
    const query = { table: this.table, set }
    for await (const part of this.#elements.list(query, this.#call)) found.push(...part)
    return found
  }
}
