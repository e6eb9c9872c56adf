// What a table holds beyond its spec: as it was listed last, and by the events since. Pure; each
// call is given the time.
//
// A table that is flushed takes all of this with it, and packets change it without a word to
// anybody but the log.
import type { Attempt } from '../automaton/language/names.js'
import type { KnockState, SavedGrant, UsedToken } from '../spec/generated/state-types.js'
import type { KnockEvent } from './event.js'

/** What is known of a table from its spec. */
interface KnownSpec {
  readonly table: string
  /** Seconds that a ban lasts. */
  readonly banFor: number | undefined
  /** Seconds that a used token is remembered. */
  readonly rememberTokens: number
  /** Identifies a one-time sequence among those of its door. */
  readonly digestOf: (door: string, attempt: Attempt) => string | undefined
}

/** An event, with what only the keeper of a table may know of it. */
export interface TableRecord {
  readonly event: KnockEvent
  readonly attempt?: Attempt
  /** The token that was used, in hex. */
  readonly token?: string
}

/**
 * Milliseconds for which an event is applied again to a listing: it may have come while that was
 * made.
 */
const OVERLAP = 2000
/** The most events that wait for a listing. */
const MOST_HEARD = 100_000
/** What changes a state. */
const CHANGING: readonly KnockEvent['event'][] = ['granted', 'closed', 'expired', 'banned']

/** Milliseconds within which two times are the same, mostly. */
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

  /** Whether a listing was read: until then not all that the table holds is known. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** What has been used stays so, whatever else of an old state still holds. */
  remember(state: KnockState): void {
    this.#use(state)
  }

  /**
   * The clock was put forward by so many milliseconds: what ends does so no sooner and no later for
   * that.
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
   * Takes over what was listed at `state.saved`; what has been used stays so, whatever the listing
   * says, until its time.
   *
   * @param now - milliseconds since 1970, when the listing was there.
   * @returns whether that is news.
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
    // One that is later than now came before the clock was put back.
    this.#heard = this.#heard.filter(({ at }) => at >= saved - OVERLAP && at <= now)
    for (const { at, ...record } of this.#heard) {
      // What was listed after it knows better, and how often it has been used.
      const { event } = record
      const isListed = at <= saved && event.event === 'granted'
      const grant = isListed ? this.#grants.get(keyOf(event)) : undefined
      this.#apply(record, at)
      if (grant) this.#grants.set(keyOf(grant), grant)
    }
    return this.#outline() !== before
  }

  /** The same for the same state, give or take the seconds that listings are rounded to. */
  #outline(): string {
    const coarse = (until: string) => Math.round(Date.parse(until) / COARSE)
    return JSON.stringify([
      [...this.#grants].map(([key, { until, used }]) => [key, coarse(until), used]).sort(),
      [...this.#bans].map(([source, until]) => [source, coarse(until)]).sort(),
      this.#tokens.size,
      this.#sequences.size,
    ])
  }

  /** @param at - milliseconds since 1970. */
  hear(record: TableRecord, at: number): void {
    if (!CHANGING.includes(record.event.event)) return
    this.#heard.push({ ...record, at })
    // Where no listing comes to an end.
    if (this.#heard.length > MOST_HEARD) this.#heard = this.#heard.slice(-MOST_HEARD / 2)
    this.#apply(record, at)
  }

  /** All that still holds at a time, in milliseconds since 1970. */
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
      // Whatever the clock says: one that was wrong for a moment must not make a token good again.
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
        const { door, source, expiresIn } = event
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
      case 'banned':
        if (this.#spec.banFor !== undefined) this.#bans.set(event.source, until(this.#spec.banFor))
        break
      default:
        break
    }
  }
}

const keyOf = ({ door, source }: { readonly door: string; readonly source: string }): string =>
  `${door} ${source}`
