// Listings and events → what a table holds beyond its spec: grants, bans, used tokens and
// sequences. Pure: each call is given the time.
//
// Flushing a table deletes all of this, and packets change it without any notification but the log.
import type { Attempt } from '../automaton/language/names.js'
import type { KnockState, SavedGrant, UsedToken } from '../spec/generated/state-types.js'
import { holderOf, type KnockEvent, type Sent } from './event.js'

/** The facts about a table that come from its spec. */
interface KnownSpec {
  readonly table: string
  /** Seconds that a ban for strikes lasts, and one by a trap; undefined if there are none. */
  readonly banFor: number | undefined
  readonly trapFor?: number | undefined
  /** Seconds for which a used token is remembered. */
  readonly rememberTokens: number
  /** The digest of a one-time sequence; undefined if the attempt is none. */
  readonly digestOf: (door: string, attempt: Attempt) => string | undefined
}

/** An event, with facts that only the keeper of the table may know. */
export interface TableRecord {
  readonly event: KnockEvent
  readonly attempt?: Attempt
  /** The token that was used, in hex. */
  readonly token?: string
}

/**
 * Milliseconds before a listing in which events are applied to it once more: the kernel may have
 * read the set before the event.
 */
const OVERLAP = 2000
/** How many events are kept for the next listing at most. */
const MOST_HEARD = 100_000
/** The events that change the state. */
const CHANGING: readonly KnockEvent['event'][] = ['granted', 'closed', 'expired', 'banned']

/** Milliseconds to which times are rounded when two states are compared. */
const COARSE = 10_000

interface Heard extends TableRecord {
  /** Milliseconds since 1970. */
  readonly at: number
}

export class KnownState {
  readonly #spec: KnownSpec
  readonly #grants = new Map<string, SavedGrant>()
  readonly #bans = new Map<string, string>()
  readonly #tokens = new Map<string, UsedToken>()
  readonly #sequences = new Map<string, { readonly door: string; readonly digest: string }>()
  #heard: Heard[] = []
  #isComplete = false

  constructor(spec: KnownSpec) {
    this.#spec = spec
  }

  /** Whether a listing was read. Until then the state is incomplete. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** Takes over the used tokens and sequences of an earlier state, and nothing else of it. */
  remember(state: KnockState): void {
    this.#use(state)
  }

  /**
   * Shifts all times by so many milliseconds, after the clock was set forward by that much. Nothing
   * ends sooner or later because of it.
   */
  shift(milliseconds: number): void {
    const moved = <T extends { readonly until: string }>(timed: T): T => {
      return { ...timed, until: new Date(Date.parse(timed.until) + milliseconds).toISOString() }
    }
    for (const [key, grant] of this.#grants) this.#grants.set(key, moved(grant))
    for (const [key, until] of this.#bans) this.#bans.set(key, moved({ until }).until)
    for (const [key, used] of this.#tokens) this.#tokens.set(key, moved(used))
    this.#heard = this.#heard.map((heard) => ({ ...heard, at: heard.at + milliseconds }))
  }

  /**
   * Takes over what was listed at `state.saved`. Used tokens stay until their time, and used
   * sequences for ever, even if the listing lacks them. Events that came during the listing are
   * applied again.
   *
   * @param now - milliseconds since 1970, when the listing was complete.
   * @returns whether the state has changed by more than the rounding of times.
   */
  read(state: KnockState, now: number): boolean {
    const before = this.#outline()
    this.#isComplete = true
    this.#grants.clear()
    this.#bans.clear()
    for (const grant of state.grants) this.#grants.set(keyOf(grant), grant)
    for (const { source, until } of state.bans) this.#bans.set(source, until)
    for (const [key, { until }] of this.#tokens) if (until <= state.saved) this.#tokens.delete(key)
    this.#use(state)
    const saved = Date.parse(state.saved)
    // An event later than now was timed before the clock was set back.
    this.#heard = this.#heard.filter(({ at }) => at >= saved - OVERLAP && at <= now)
    for (const { at, ...record } of this.#heard) {
      // A grant that was listed after its event is newer, and has its count of connections.
      const { event } = record
      const isListed = at <= saved && event.event === 'granted'
      const grant = isListed ? this.#grants.get(keyOf(event)) : undefined
      this.#apply(record, at)
      if (grant) this.#grants.set(keyOf(grant), grant)
    }
    return this.#outline() !== before
  }

  /** A text that is equal for equal states, apart from the seconds to which listings round. */
  #outline(): string {
    const coarse = (until: string) => Math.round(Date.parse(until) / COARSE)
    return JSON.stringify([
      [...this.#grants].map(([key, { until, used }]) => [key, coarse(until), used]).sort(),
      [...this.#bans].map(([source, until]) => [source, coarse(until)]).sort(),
      this.#tokens.size,
      this.#sequences.size,
    ])
  }

  /**
   * Applies an event, and keeps it for the next listing. Events that change nothing are ignored.
   *
   * @param at - milliseconds since 1970.
   */
  hear(record: TableRecord, at: number): void {
    if (!CHANGING.includes(record.event.event)) return
    this.#heard.push({ ...record, at })
    // Bounds the memory if no listing succeeds.
    if (this.#heard.length > MOST_HEARD) this.#heard = this.#heard.slice(-MOST_HEARD / 2)
    this.#apply(record, at)
  }

  /** The state at a time, in milliseconds since 1970, without expired grants and bans. */
  state(now: number): KnockState {
    const saved = new Date(now).toISOString()
    const longest = new Date(now + 1000 * this.#spec.rememberTokens).toISOString()
    return {
      version: 1,
      table: this.#spec.table,
      saved,
      grants: [...this.#grants.values()].filter(({ until }) => until > saved),
      bans: [...this.#bans]
        .map(([source, until]) => ({ source, until }))
        .filter(({ until }) => until > saved),
      // Kept even past their time: a clock that was wrong for a moment must not make a token valid
      // again.
      tokens: [...this.#tokens.values()].map((used) => {
        return used.until > longest ? { ...used, until: longest } : used
      }),
      sequences: [...this.#sequences.values()],
    }
  }

  #use({ tokens, sequences }: Pick<KnockState, 'tokens' | 'sequences'>): void {
    for (const used of tokens) this.#tokens.set(`${used.door} ${used.token}`, used)
    for (const used of sequences) this.#sequences.set(`${used.door} ${used.digest}`, used)
  }

  #apply({ event, attempt, token }: TableRecord, at: number): void {
    const until = (seconds: number) => new Date(at + seconds * 1000).toISOString()
    switch (event.event) {
      case 'granted': {
        const { door, expiresIn } = event
        const source = holderOf(event)
        this.#grants.set(keyOf(event), { door, source, until: until(expiresIn) })
        if (token !== undefined) {
          const used = { door, token, until: until(this.#spec.rememberTokens) }
          this.#use({ tokens: [used], sequences: [] })
        }
        const digest = attempt && this.#spec.digestOf(door, attempt)
        if (digest !== undefined) this.#use({ tokens: [], sequences: [{ door, digest }] })
        break
      }
      case 'closed':
      case 'expired':
        this.#grants.delete(keyOf(event))
        break
      case 'banned': {
        const seconds = event.by === 'trap' ? this.#spec.trapFor : this.#spec.banFor
        if (seconds !== undefined) this.#bans.set(holderOf(event), until(seconds))
        break
      }
      default:
        break
    }
  }
}

const keyOf = (grant: Sent & { readonly door: string }): string =>
  `${grant.door} ${holderOf(grant)}`
