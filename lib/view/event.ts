// The types of a watcher's events.

export interface Happened {
  /** ISO 8601, in UTC, with milliseconds: when it was read. */
  readonly time: string
}

export interface AtDoor extends Happened {
  readonly door: string
  /** An address, or `everyone`. */
  readonly source: string
}

/** Who did it: a packet, or a call of some process (`open`, `close`, nft itself). */
export type By = { readonly by: 'knock' | 'call' }

/** A packet was a step of a knock: `stage` of `of` have come. */
export interface KnockedEvent extends AtDoor {
  readonly event: 'knock'
  readonly stage: number
  readonly of: number
}

/** The source is let in. */
export interface GrantedEvent extends AtDoor, By {
  readonly event: 'granted'
  /** Whole seconds that the grant lasts. */
  readonly expiresIn: number
  /** Of knocks. */
  readonly stage?: number
  readonly of?: number
  /** Of tokens: whose it was. */
  readonly user?: string
}

/**
 * An attempt was ended by a wrong packet, at `stage` of `of`; of a rhythm that is out of step
 * nobody knows where.
 */
export interface ResetEvent extends AtDoor {
  readonly event: 'reset'
  readonly stage?: number
  readonly of?: number
}

/** A token that was none, or used already. */
export interface WrongEvent extends AtDoor {
  readonly event: 'wrong'
}

/** A packet to the service of a source that is not let in. */
export interface DeniedEvent extends AtDoor {
  readonly event: 'denied'
  /** Such as `tcp/22`; undefined where the packet has no port. */
  readonly service?: string
}

/** A source's knocks are ignored from now on. */
export interface BannedEvent extends Happened {
  readonly event: 'banned'
  readonly source: string
}

/** A grant was taken away: by a closing knock, by a call, or by its last connection (`use`). */
export interface ClosedEvent extends AtDoor {
  readonly event: 'closed'
  readonly by: 'knock' | 'call' | 'use'
}

/** A grant ran out: the kernel does not say so, the table was asked when it was due. */
export interface ExpiredEvent extends AtDoor {
  readonly event: 'expired'
}

/**
 * Events are missing in this place: they came faster than they were asked for or could be read, or
 * who read them has died. Without a count nobody knows how many.
 */
export interface OverrunEvent extends Happened {
  readonly event: 'overrun'
  readonly lost?: number
}

/**
 * The table was made or removed, or its rules, its constant sets or what it says of itself were
 * changed, by whatever process. The watch goes on: with what is there then, or until there is
 * something again.
 */
export interface TableEvent extends Happened {
  readonly event: 'installed' | 'removed'
}

export type KnockEvent =
  | KnockedEvent
  | GrantedEvent
  | ResetEvent
  | WrongEvent
  | DeniedEvent
  | BannedEvent
  | ClosedEvent
  | ExpiredEvent
  | OverrunEvent
  | TableEvent
