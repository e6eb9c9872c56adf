// An event ↔ the prefix of the kernel's log message about it. Pure. The compiler writes it, the
// watch reads it.
import { type Attempt, userWord } from './names.js'
import type { DoorSummary } from './summary.js'

/** The kinds of events that rules log. */
type LoggedKind = 'knock' | 'granted' | 'reset' | 'wrong' | 'denied' | 'banned' | 'closed'

export interface Logged {
  readonly event: LoggedKind
  /** Absent for events of the whole table. */
  readonly door?: string
  readonly attempt?: Attempt
  /** How many packets of the knock have come, and how many it takes. */
  readonly stage?: number
  readonly of?: number
  /**
   * The user of the token. In a prefix that was read it may be a digest, of which `withUserName`
   * finds the name.
   */
  readonly user?: string
  /** What banned the source, if not its strikes. */
  readonly by?: 'trap'
  /** The packet's mark says which knock it is, and the stage. */
  readonly shared?: true
}

/** nft refuses prefixes of 128 bytes and more. The longest names give 125. */
const WORD = 'kl'
const NONE = '-'
/** In place of a user: what banned the source. */
const TRAP = { by: 'trap' } as const
/** In place of a door: the mark says which. */
const SHARED = '*'

export function renderPrefix(table: string, logged: Logged): string {
  const {
    event,
    shared,
    door = shared ? SHARED : NONE,
    attempt = NONE,
    stage,
    of,
    by = NONE,
    user,
  } = logged
  const place = stage === undefined ? NONE : `${stage}/${of}`
  const whose = user === undefined ? by : userWord(user)
  return [WORD, table, event, door, attempt, place, whose].join(' ')
}

/**
 * Replaces a digest by the user's name; leaves it out if none of the door's users has it.
 *
 * @param door - what the table says of the event's door.
 */
export function withUserName(logged: Logged, door: DoorSummary | undefined): Logged {
  const { user: word, ...rest } = logged
  if (!word?.startsWith('@')) return logged
  const users = door?.knocks.flatMap(({ users = [] }) => users) ?? []
  const user = users.find((name) => userWord(name) === word)
  return { ...rest, ...(user !== undefined && { user }) }
}

const NAME = '[A-Za-z_][A-Za-z0-9_]*'
/** It begins with no hyphen, so no door is called as `NONE`. */
const DOOR = '[A-Za-z_][A-Za-z0-9_-]*'
const PREFIX = new RegExp(
  `^${WORD} (${NAME}) (knock|granted|reset|wrong|denied|banned|closed) ` +
    `(${DOOR}|[-*]) (open\\d*|close\\d*|-) (\\d+/\\d+|-) (${NAME}|@[0-9a-f]{12}|-)$`,
)

/** Reads a prefix and the table's name in it; undefined if knocklib did not write it. */
export function parsePrefix(prefix: string): (Logged & { readonly table: string }) | undefined {
  const match = PREFIX.exec(prefix)
  if (!match) return undefined
  const [, table = '', event, door, attempt, place = NONE, user] = match
  const [stage, of] = place.split('/').map(Number)
  return {
    table,
    event: event as LoggedKind,
    ...(door === SHARED ? { shared: true } : door !== NONE && { door: door as string }),
    ...(attempt !== NONE && { attempt: attempt as Attempt }),
    ...(place !== NONE && { stage: stage as number, of: of as number }),
    ...(user !== NONE && (event === 'banned' ? TRAP : { user: user as string })),
  }
}
