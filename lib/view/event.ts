// The types of the events that a watch yields, and whose they are. Pure.

export interface Happened {
  /** When the event was read: ISO 8601 in UTC, with milliseconds. */
  readonly time: string
}

export interface AtDoor extends Happened {
  readonly door: string
  /**
   * The address that sent the packet. If no packet did, the grant's source: an address, a block, or
   * `everyone`.
   */
  readonly source: string
  /**
   * The block around that address which counts as the source, if the spec has a prefix: that of the
   * grant (`granted`, `closed`) or of the attempt (`knock`, `reset`).
   */
  readonly block?: string
}

/**
 * What caused it: a packet (`knock`), or a call of some process, such as `open`, `close` or nft
 * itself (`call`).
 */
export type By = { readonly by: 'knock' | 'call' }

/** A packet was a step of a knock: the source is now at `stage` of `of`. */
export interface KnockedEvent extends AtDoor {
  readonly event: 'knock'
  readonly stage: number
  readonly of: number
}

/** The source has a grant from now on. */
export interface GrantedEvent extends AtDoor, By {
  readonly event: 'granted'
  /** Whole seconds that the grant lasts. */
  readonly expiresIn: number
  /** The length of the knock; absent if a call made the grant. */
  readonly stage?: number
  readonly of?: number
  /** The user of the token; absent if no token made the grant. */
  readonly user?: string
}

/**
 * A wrong packet ended an attempt at `stage` of `of`. Both are absent for a rhythm that is out of
 * time.
 */
export interface ResetEvent extends AtDoor {
  readonly event: 'reset'
  readonly stage?: number
  readonly of?: number
}

/** A packet to a token's port had no valid token, or one that was used before. */
export interface WrongEvent extends AtDoor {
  readonly event: 'wrong'
  /** The user whose valid, unused token came from a source that is not in the user's `from`. */
  readonly user?: string
}

/** A source without a grant sent a packet to the service. */
export interface DeniedEvent extends AtDoor {
  readonly event: 'denied'
  /** Such as `tcp/22`; absent if the packet has no port. */
  readonly service?: string
}

/** The source is banned: its knocks are ignored from now on. */
export interface BannedEvent extends Happened {
  readonly event: 'banned'
  /** The address that sent the packet. */
  readonly source: string
  /** The block around it, if the spec bans blocks. */
  readonly block?: string
  /** A packet to a trap port banned it. Absent: its strikes did. */
  readonly by?: 'trap'
}

/** A grant was deleted: by a closing knock, by a call, or by its last connection (`use`). */
export interface ClosedEvent extends AtDoor {
  readonly event: 'closed'
  readonly by: 'knock' | 'call' | 'use'
}

/**
 * A grant expired. The kernel does not notify of that, so the table was asked when the grant was
 * due.
 */
export interface ExpiredEvent extends AtDoor {
  readonly event: 'expired'
}

/**
 * Events are missing here: they came faster than they were read, or the reading process died.
 * `lost` is absent if their number is unknown.
 */
export interface OverrunEvent extends Happened {
  readonly event: 'overrun'
  readonly lost?: number
}

/**
 * The table was made (`installed`) or removed, or some process changed its rules, its constant sets
 * or what it says of itself (`installed`). The watch goes on with the new table, or waits until
 * there is one.
 */
export interface TableEvent extends Happened {
  readonly event: 'installed' | 'removed'
}

/** An action of the spec did not succeed. Only the table's keeper does actions. */
export interface ActionFailedEvent extends Happened {
  readonly event: 'action-failed'
  /** The action's index in the spec's `actions`. */
  readonly action: number
  /** The event that it was for, and its door and source if it has them. */
  readonly on: string
  readonly door?: string
  readonly source?: string
  /** Such as `exit code 1`, with the last line that the program wrote to stderr. */
  readonly reason: string
  /**
   * How many failures of the action, since the last such event, have no event of their own. Absent:
   * none.
   */
  readonly more?: number
}

/** More events waited for an action than its queue holds. `lost` of them were left out. */
export interface ActionOverrunEvent extends Happened {
  readonly event: 'action-overrun'
  readonly action: number
  readonly lost: number
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
  | ActionFailedEvent
  | ActionOverrunEvent

/** Whose an event is. */
export type Sent = Pick<AtDoor, 'source' | 'block'>

/** The source of the grant, the attempt or the ban that an event is about. */
export const holderOf = ({ source, block = source }: Sent): string => block
