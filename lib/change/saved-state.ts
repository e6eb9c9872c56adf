// A saved state → nft JSON that puts it into a table's sets. Pure.

import { COUNTED_AT_LEAST } from '../automaton/door/grant.js'
import { BANNED, usedSet } from '../automaton/language/names.js'
import type { TimedSet } from '../automaton/language/sets.js'
import { spentSequence, spentTokens } from '../automaton/language/sets.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import type { ElementKey, NftCommand, NftDocument } from '../nft/document.js'
import type { ListedSet } from '../nft/listing.js'
import { commonSet, familySet } from '../nft/names.js'
import { grantKey, grantPlaceOf } from '../nft/own-sets.js'
import { renderTimedSet } from '../nft/render/timed-set.js'
import { LONGEST_TOKEN } from '../spec/derive/derivation.js'
import type { KnockState, SavedGrant } from '../spec/generated/state-types.js'
import { formatCidr, parseCidr, WIDTH } from '../spec/model/address.js'
import type { Cidr, Prefix } from '../spec/model/packet-model.js'
import { blockOf } from '../spec/model/prefix.js'
import { Additions, type HeldSets } from './additions.js'
import { isSpent } from './kept.js'

/**
 * Seconds by which the count of a grant's connections outlives the grant. If the count ended first,
 * the grant would allow all its connections again.
 */
const LONGER = 60

/**
 * The table into which a state is put: its doors, and its sets by nft's names with their elements.
 */
interface StatePlace {
  readonly table: string
  readonly doors: readonly DoorSummary[]
  /** The block that is one source for bans. Absent: the address. */
  readonly guardPrefix?: Prefix | undefined
  readonly sets: HeldSets
  /** Whether this nft supports sets of tokens. */
  readonly knowsTokens: boolean
}

/** What a restore did with the parts of a saved state. */
export interface RestoreReport {
  /** How many of each were added to the table's sets. */
  readonly restored: Readonly<Record<'grants' | 'bans' | 'tokens' | 'sequences', number>>
  /**
   * How many were left out. `over`: they have ended. `present`: the table has them already.
   * `unplaced`: no set can hold them, or the set is full.
   */
  readonly skipped: Readonly<Record<'over' | 'present' | 'unplaced', number>>
  /** Doors of the state that the table does not have. */
  readonly unknownDoors: readonly string[]
}

/**
 * The commands that restore a state, and what they do. They belong into the transaction that makes
 * the table.
 */
interface RenderedState {
  readonly commands: readonly NftCommand[]
  readonly report: RestoreReport
}

/**
 * Keeps only the used tokens and sequences of a state. If a table is installed, its own grants and
 * bans are newer.
 */
export const usedOnly = (state: KnockState): KnockState => ({ ...state, grants: [], bans: [] })

/**
 * Lists the sets that a document makes, each with the elements that it keeps from the installed
 * table; and the sets of used tokens and sequences of doors that are gone.
 */
export function setsOf({ nftables }: NftDocument, standing: HeldSets = new Map()): HeldSets {
  const sets = nftables.flatMap((command) =>
    'add' in command && 'set' in command.add ? [command.add.set] : [],
  )
  return new Map([
    ...[...standing].filter(([name]) => isSpent(name)),
    ...sets.map(
      ({ name, size }) => [name, { size, elements: standing.get(name)?.elements ?? [] }] as const,
    ),
  ])
}

/**
 * Renders a valid state. A grant or a ban ends at its time, but never lasts longer than it had left
 * when the state was saved, whatever the clock did since. A used token is remembered for as long as
 * it had left when the state was saved: the time between does not count, since a wrong clock could
 * forget it while the token is still valid. Elements that the table has already stay as they are.
 *
 * @param now - seconds since 1970.
 */
export function renderState(place: StatePlace, state: KnockState, now: number): RenderedState {
  const renderer = new StateRenderer(place, Date.parse(state.saved) / 1000, now)
  for (const grant of state.grants) renderer.grant(grant)
  for (const ban of state.bans) renderer.ban(ban)
  for (const { door, token, until } of state.tokens) {
    const timeout = renderer.remembered(until)
    renderer.use('tokens', door, spentTokens(door), `0x${token}`, timeout)
  }
  for (const { door, digest } of state.sequences) {
    renderer.use('sequences', door, spentSequence(door, digest), 0)
  }
  return renderer.end()
}

class StateRenderer {
  readonly #table: string
  readonly #doors: ReadonlyMap<string, DoorSummary>
  readonly #guardPrefix: Prefix | undefined
  readonly #saved: number
  readonly #now: number
  readonly #additions: Additions
  /** The sets of the table and those that are added here. */
  readonly #sets: Map<string, Pick<ListedSet, 'size' | 'elements'>>
  readonly #made: NftCommand[] = []
  readonly #knowsTokens: boolean
  readonly #restored = { grants: 0, bans: 0, tokens: 0, sequences: 0 }
  readonly #skipped = { over: 0, present: 0, unplaced: 0 }
  readonly #unknown = new Set<string>()

  constructor(place: StatePlace, saved: number, now: number) {
    const { table, doors, guardPrefix, sets, knowsTokens } = place
    this.#table = table
    this.#guardPrefix = guardPrefix
    this.#doors = new Map(doors.map((door) => [door.name, door]))
    this.#sets = new Map(sets)
    this.#knowsTokens = knowsTokens
    this.#additions = new Additions(this.#sets)
    this.#saved = saved
    this.#now = now
  }

  grant({ door: name, source, until, used = 0 }: SavedGrant): void {
    const door = this.#doors.get(name)
    if (!door) {
      this.#unknown.add(name)
      return
    }
    const { connections, grantTimeout } = door
    // A grant that counts connections must not outlive the count.
    const longest = connections === undefined ? undefined : Math.max(grantTimeout, COUNTED_AT_LEAST)
    const timeout = Math.min(this.#remaining(until), longest ?? Number.POSITIVE_INFINITY)
    if (timeout < 1 || (connections !== undefined && used >= connections)) {
      this.#skipped.over += 1
      return
    }
    const grants = grantPlaceOf(door)
    const place = placeOf(source, door.scope, grants.prefix)
    const key = place && grantKey(grants, place.key === 0 ? undefined : place.key)
    const added = place && key !== undefined && this.#put(place.set(grants.set), key, timeout)
    if (!place) this.#skipped.unplaced += 1
    if (!place || !added) return
    this.#restored.grants += 1
    if (connections === undefined || used === 0) return
    this.#additions.put(place.set(usedSet(name, used)), place.key, timeout + LONGER)
  }

  ban({ source, until }: KnockState['bans'][number]): void {
    const timeout = this.#remaining(until)
    // An address that was banned stays so if blocks are banned now. No ban gets narrower.
    const banned = parseCidr(source)
    const widened = banned && blockOf(banned, { [banned.family]: this.#banLength(banned) })
    const place = placeOf(widened ? formatCidr(widened) : source, 'source', this.#guardPrefix)
    if (timeout < 1) this.#skipped.over += 1
    else if (!place) this.#skipped.unplaced += 1
    else if (this.#put(place.set(BANNED), place.key, timeout)) this.#restored.bans += 1
  }

  #banLength({ family, prefixLength }: Cidr): number {
    return Math.min(this.#guardPrefix?.[family] ?? prefixLength, prefixLength)
  }

  /** Restores a used token or sequence, also of a door that is gone: the door may come back. */
  use(
    kind: 'tokens' | 'sequences',
    door: string,
    set: TimedSet,
    key: string | number,
    timeout?: number,
  ): void {
    if (!this.#doors.has(door)) this.#unknown.add(door)
    if (timeout !== undefined && timeout < 1) this.#skipped.over += 1
    else {
      if (kind === 'sequences' || this.#knowsTokens) this.#make(set)
      if (this.#put(commonSet(set.name), key, timeout)) this.#restored[kind] += 1
    }
  }

  #make(timed: TimedSet): void {
    for (const set of renderTimedSet(this.#table, timed)) {
      if (this.#sets.has(set.name)) continue
      this.#sets.set(set.name, { size: set.size, elements: [] })
      this.#made.push({ add: { set } })
    }
  }

  /** Seconds for which a used token is still remembered. */
  remembered(until: string): number {
    return Math.min(Math.ceil(Date.parse(until) / 1000 - this.#saved), LONGEST_TOKEN)
  }

  end(): RenderedState {
    const restored = this.#restored
    const skipped = this.#skipped
    return {
      commands: [...this.#made, ...this.#additions.render(this.#table)],
      report: { restored, skipped, unknownDoors: [...this.#unknown] },
    }
  }

  #put(set: string, key: ElementKey, timeout: number | undefined): boolean {
    const outcome = this.#additions.put(set, key, timeout)
    if (outcome === 'added') return true
    this.#skipped[outcome] += 1
    return false
  }

  #remaining(until: string): number {
    const end = Date.parse(until) / 1000
    return Math.floor(Math.min(end - this.#now, end - this.#saved))
  }
}

interface ElementPlace {
  /** An address, or 0 for everyone. */
  readonly key: string | 0
  /** nft's name of a set. */
  readonly set: (name: string) => string
}

/** Undefined if the door's scope, or its prefix, is not that of the grant. */
function placeOf(
  source: string,
  scope: DoorSummary['scope'],
  prefix: Prefix | undefined,
): ElementPlace | undefined {
  const block = parseCidr(source)
  if (scope === 'everyone') return block ? undefined : { key: 0, set: commonSet }
  if (!block || block.prefixLength !== (prefix ?? WIDTH)[block.family]) return undefined
  return { key: block.address, set: (name) => familySet(name, block.family, prefix) }
}
