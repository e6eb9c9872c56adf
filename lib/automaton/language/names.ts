// The roles of sets, counters and chains ↔ their names. Pure.
//
// The role comes first and the door's name last. No role is the beginning of another, so no two
// names are equal whatever the doors are called.
import { hexDigest } from '../../spec/model/digest.js'

/**
 * One of a door's knocks: `open` is the first that opens it, then `open2`, `open3` and so on;
 * `close` is the first that closes it, then `close2` and so on.
 */
export type Attempt = 'open' | 'close' | `open${number}` | `close${number}`

export const isClosing = (attempt: Attempt): boolean => attempt.startsWith('close')

/** The role of a set of a door. */
export type SetRole =
  | { readonly kind: 'grants' }
  /** Sources that have made so many connections with their grant. */
  | { readonly kind: 'used'; readonly connections: number }
  | { readonly kind: 'stage'; readonly attempt: Attempt; readonly stage: number }
  /** Sources whose attempt is within its whole timeout. */
  | { readonly kind: 'attempt'; readonly attempt: Attempt }
  /** Sources that have made all knocks and must connect next. */
  | { readonly kind: 'armed'; readonly attempt: Attempt }
  /** Used tokens, or a used one-time sequence, by its digest. */
  | { readonly kind: 'spent'; readonly digest?: string }
  /** Sources of which the connection of that number was counted; the last one leaves no grant. */
  | { readonly kind: 'claimed'; readonly connections: number }
  /**
   * Sources of which a moment ago a connection was counted, or was accepted as the end of a knock.
   */
  | { readonly kind: 'begun' }
  /** Sources whose grant was renewed by their traffic a moment ago. */
  | { readonly kind: 'renewed' }
  /** Sources that recently used a token of one user; by the digest of the user's name. */
  | { readonly kind: 'by-user'; readonly digest: string }
  /** Sources whose knocks count for nothing, since one was too fast or at the wrong time. */
  | { readonly kind: 'penalised'; readonly attempt: Attempt }
  /** All other sets of an attempt, which only the rules read. */
  | { readonly kind: 'inner'; readonly attempt: Attempt }

/** `open` has no prefix, since most doors have one knock. */
const prefix = (attempt: Attempt): string => (attempt === 'open' ? '' : `${attempt}_`)
const named =
  (role: string) =>
  (door: string, attempt: Attempt): string =>
    `${prefix(attempt)}${role}_${door}`

export const grantsSet = (door: string): string => `grants_${door}`
export const usedSet = (door: string, connections: number): string => `used${connections}_${door}`
export const stageSet = (door: string, attempt: Attempt, stage: number): string =>
  named(`stage${stage}`)(door, attempt)
export const attemptSet = named('attempt')
/** For a rate: sources whose next packet would be too fast. */
export const earlySet = named('early')
/** For rates and rhythms: sources that were too fast, or knocked too often. */
export const penaltySet = named('penalty')
/** For a rhythm: sources whose attempt is in this window or an earlier one. */
export const windowSet = (door: string, attempt: Attempt, window: number): string =>
  named(`window${window}`)(door, attempt)
export const armedSet = named('armed')
/** For tokens: sources that used one a moment ago. */
export const repeatingSet = named('repeating')
/** For tokens: those of one user that are loaded. */
export const tokensSet = (door: string, attempt: Attempt, user: number): string =>
  named(`tokens${user}`)(door, attempt)
/** For a rotation: the ports of one step, each with its period. */
export const portsSet = (door: string, attempt: Attempt, step: number): string =>
  named(`ports${step}`)(door, attempt)
/**
 * Claimed by the packet that completes a knock, so that of two at the same moment the second gets
 * nothing.
 */
export const lockSet = named('lock')
/** The same for each connection that is counted. */
export const connectionLockSet = (door: string, connection: number): string =>
  `lock${connection}_${door}`
/** Sources of which a connection was counted a moment ago. */
export const begunSet = (door: string): string => `begun_${door}`
/** Sources whose grant was renewed by their traffic a moment ago. */
export const renewedSet = (door: string): string => `renewed_${door}`
/**
 * Sources that used a token of one user. Named after the user and not numbered, so that the
 * elements stay that user's if the spec's list changes.
 */
export const byUserSet = (door: string, user: string): string => `by${hexDigest(user, 12)}_${door}`
/** The names that nft takes, so that they stand for themselves. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/
const USER_DIGITS = 12

/** A user in a log's prefix: by name if that is short and plain, or else by the name's digest. */
export const userWord = (user: string): string =>
  PLAIN.test(user) ? user : `@${hexDigest(user, USER_DIGITS)}`

/** The same in names of chains. */
export const userName = (user: string): string => userWord(user).replace('@', 'u')

/** The used tokens of a door. */
export const spentTokensSet = (door: string): string => `spent_${door}`
/**
 * Holds an element once a one-time sequence was used. Named after the sequence's digest, so that
 * the list around it can change.
 */
export const spentSequenceSet = (door: string, digest: string): string => `spent${digest}_${door}`

const OF_DOOR =
  '(grants)|used(\\d+)|(spent)([0-9a-f]{12})?|lock(\\d+)|(begun)|by([0-9a-f]{12})|(renewed)'
const OF_ATTEMPT =
  '(attempt)|(armed)|(penalty)|stage(\\d+)|early|lock|repeating|window\\d+|tokens\\d+|ports\\d+'
const NAME = new RegExp(`^(?:${OF_DOOR}|((?:open\\d+|close\\d*)_)?(?:${OF_ATTEMPT}))_([\\w-]+)$`)

/**
 * Reads the name of a set, without its family, into door and role; undefined for the sets that all
 * doors share.
 */
export function parseSetName(name: string): { door: string; role: SetRole } | undefined {
  const match = NAME.exec(name)
  if (!match) return undefined
  const [, grants, used, spent, digest, lock, begun, by, renewed, head, ...rest] = match
  const [whole, armed, penalty, stage, door = ''] = rest
  const attempt = (head?.slice(0, -1) ?? 'open') as Attempt
  if (grants) return { door, role: { kind: 'grants' } }
  if (used) return { door, role: { kind: 'used', connections: Number(used) } }
  if (spent) return { door, role: { kind: 'spent', ...(digest && { digest }) } }
  if (lock) return { door, role: { kind: 'claimed', connections: Number(lock) } }
  if (begun) return { door, role: { kind: 'begun' } }
  if (renewed) return { door, role: { kind: 'renewed' } }
  if (by) return { door, role: { kind: 'by-user', digest: by } }
  if (whole) return { door, role: { kind: 'attempt', attempt } }
  if (armed) return { door, role: { kind: 'armed', attempt } }
  if (penalty) return { door, role: { kind: 'penalised', attempt } }
  if (stage) return { door, role: { kind: 'stage', attempt, stage: Number(stage) } }
  return { door, role: { kind: 'inner', attempt } }
}

/** Recent SYNs to knock ports, by which retransmissions are recognised. */
export const SYNS = 'syns'
/** Recent SYNs that were counted as connections. Only sources with a grant add to it. */
export const COUNTED = 'counted'
/** Source addresses that need no knock. */
export const TRUSTED = 'trusted'
/** Sources whose knocks are ignored. */
export const BANNED = 'banned'
/** Sources with a recent first strike; `strikeSet` says how many they have. */
export const STRIKES = 'strikes'
export const strikeSet = (strikes: number): string => `strike${strikes}`

/** The counters of each door. */
export const COUNTERS = ['knocks', 'grants', 'closes', 'resets', 'wrong', 'denied'] as const
export type CounterKind = (typeof COUNTERS)[number]

export const counterName = (kind: CounterKind, door: string): string => `${kind}_${door}`

/**
 * The table's counter of SYNs to knock ports that were retransmitted, or could not be remembered.
 * Only in tables with TCP knock ports.
 */
export const REPEATED_COUNTER = 'repeated'

/**
 * The table's counters of bans made and of packets from banned sources. Only if the spec has a ban.
 */
export const BANS_COUNTER = 'bans'
export const IGNORED_COUNTER = 'ignored'

/**
 * The table's counter of events that were not logged, because they were above the rate. Refused
 * packets are not in it: `unloggedCounter` counts those.
 */
export const UNLOGGED_COUNTER = 'unlogged'
/** The counter of a door's packets that are not in its `denied` or `wrong`, and were not logged. */
export const unloggedCounter = (counter: string): string => `${UNLOGGED_COUNTER}_${counter}`

/** The events that are not logged now, since they come from too many sources. */
export const QUIET = 'quiet'
/** The events and sources that are not logged now, since such a source sent more than is logged. */
export const QUIET_SOURCES = 'quiet_sources'
/** The events of which more came within the last minute than are logged. */
export const FLOODED = 'flooded'
/** Whether a set, by its name without the family, is one of the log's own. */
export const isOfLog = (name: string): boolean => [QUIET, QUIET_SOURCES, FLOODED].includes(name)

/**
 * The map from a port to its verdict, and the set of its ports, which saves the look-up in the map
 * for other ports. Named after a digest of their contents, so that none ever changes under the
 * rules that name it.
 */
export const portsMap = (digest: string): string => `ports_${digest}`
export const namedSet = (digest: string): string => `named_${digest}`

/** Whether a name, without its family, is one of these two. */
export const isOfPorts = (name: string): boolean => /^(?:ports|named)_[0-9a-f]{8}$/.test(name)

/** The map from a knock port to the chains of the doors that have it. */
export const STEPS = 'steps'
/**
 * The same for packets that conntrack calls invalid. Only steps with flags of their own match
 * those.
 */
export const INVALID_STEPS = 'invalid_steps'
