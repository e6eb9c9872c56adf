// The names of sets, counters and chains, and back from a name to what it stands for. Pure.
//
// A role comes first and the door's name last: no role is the beginning of another, so no two names
// meet whatever the doors are called.
import { hexDigest } from '../../spec/model/digest.js'

/**
 * Which of a door's knocks: the first that opens it is `open`, the others `open2`, `open3` and so
 * on; `close` is the one that closes it.
 */
export type Attempt = 'open' | 'close' | `open${number}`

/** What a set holds for a door. */
export type SetRole =
  | { readonly kind: 'grants' }
  /** Connections made with a grant so far. */
  | { readonly kind: 'used'; readonly connections: number }
  | { readonly kind: 'stage'; readonly attempt: Attempt; readonly stage: number }
  /** Sources whose attempt has not run out of its whole time. */
  | { readonly kind: 'attempt'; readonly attempt: Attempt }
  /** Sources that have done all knocks and have yet to connect. */
  | { readonly kind: 'armed'; readonly attempt: Attempt }
  /** What has been used once and is never taken again: tokens, or a sequence by its digest. */
  | { readonly kind: 'spent'; readonly digest?: string }
  /**
   * Sources whose so-manieth connection of a grant has been counted: the last one leaves no grant.
   */
  | { readonly kind: 'claimed'; readonly connections: number }
  /**
   * Sources of which a connection was counted, or let through as the end of a knock, a moment ago.
   */
  | { readonly kind: 'begun' }
  /** Sources that a token of one user has let in of late; by the digest of the user's name. */
  | { readonly kind: 'by-user'; readonly digest: string }
  /** Sources whose knocks count for nothing, since one was too fast or out of its time. */
  | { readonly kind: 'penalised'; readonly attempt: Attempt }
  /** All else of an attempt, which only the rules read. */
  | { readonly kind: 'inner'; readonly attempt: Attempt }

/** `open` is left out: most doors have one knock. */
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
/** Of a rate: sources that would be too fast. */
export const earlySet = named('early')
/** Of rates and rhythms: sources that were too fast, or knocked too often. */
export const penaltySet = named('penalty')
/** Of a rhythm: sources in the first windows of their attempt, up to this one. */
export const windowSet = (door: string, attempt: Attempt, window: number): string =>
  named(`window${window}`)(door, attempt)
export const armedSet = named('armed')
/** Of tokens: those of one user that can be used. */
export const tokensSet = (door: string, attempt: Attempt, user: number): string =>
  named(`tokens${user}`)(door, attempt)
/** Of a rotation: the ports of one step, each with its period. */
export const portsSet = (door: string, attempt: Attempt, step: number): string =>
  named(`ports${step}`)(door, attempt)
/**
 * What is claimed by the packet that completes a knock: of two at the same moment the second gets
 * nothing.
 */
export const lockSet = named('lock')
/** The same for each connection that is counted. */
export const connectionLockSet = (door: string, connection: number): string =>
  `lock${connection}_${door}`
/** Sources of which a connection was counted a moment ago. */
export const begunSet = (door: string): string => `begun_${door}`
/**
 * Sources that a token of one user has let in; by the name and not by a number, so that the
 * elements stay the user's where the spec lists others.
 */
export const byUserSet = (door: string, user: string): string => `by${hexDigest(user, 12)}_${door}`
/** The tokens that a door has accepted. */
export const spentTokensSet = (door: string): string => `spent_${door}`
/**
 * Whether a one-time sequence has opened the door; by its digest, so that the list can be changed
 * around it.
 */
export const spentSequenceSet = (door: string, digest: string): string => `spent${digest}_${door}`

const OF_DOOR = '(grants)|used(\\d+)|(spent)([0-9a-f]{12})?|lock(\\d+)|(begun)|by([0-9a-f]{12})'
const OF_ATTEMPT =
  '(attempt)|(armed)|(penalty)|stage(\\d+)|early|lock|window\\d+|tokens\\d+|ports\\d+'
const NAME = new RegExp(`^(?:${OF_DOOR}|((?:open\\d+|close)_)?(?:${OF_ATTEMPT}))_(\\w+)$`)

/**
 * Reads the name of a set, without its family, back into door and role; undefined for the sets that
 * all doors share.
 */
export function parseSetName(name: string): { door: string; role: SetRole } | undefined {
  const match = NAME.exec(name)
  if (!match) return undefined
  const [, grants, used, spent, digest, lock, begun, by, head, ...rest] = match
  const [whole, armed, penalty, stage, door = ''] = rest
  const attempt = (head?.slice(0, -1) ?? 'open') as Attempt
  if (grants) return { door, role: { kind: 'grants' } }
  if (used) return { door, role: { kind: 'used', connections: Number(used) } }
  if (spent) return { door, role: { kind: 'spent', ...(digest && { digest }) } }
  if (lock) return { door, role: { kind: 'claimed', connections: Number(lock) } }
  if (begun) return { door, role: { kind: 'begun' } }
  if (by) return { door, role: { kind: 'by-user', digest: by } }
  if (whole) return { door, role: { kind: 'attempt', attempt } }
  if (armed) return { door, role: { kind: 'armed', attempt } }
  if (penalty) return { door, role: { kind: 'penalised', attempt } }
  if (stage) return { door, role: { kind: 'stage', attempt, stage: Number(stage) } }
  return { door, role: { kind: 'inner', attempt } }
}

/** SYNs of late to knock ports: the same one again is a retransmission. */
export const SYNS = 'syns'
/** SYNs of late that were counted as a connection. Only sources with a grant add to it. */
export const COUNTED = 'counted'
/** Source addresses that need no knock. */
export const TRUSTED = 'trusted'
/** Sources whose knocks are ignored. */
export const BANNED = 'banned'
/** Sources with a first strike of late, and how many they have. */
export const STRIKES = 'strikes'
export const strikeSet = (strikes: number): string => `strike${strikes}`

/** What is counted for each door. */
export const COUNTERS = ['knocks', 'grants', 'closes', 'resets', 'wrong', 'denied'] as const
export type CounterKind = (typeof COUNTERS)[number]

export const counterName = (kind: CounterKind, door: string): string => `${kind}_${door}`

/**
 * What is counted for the table where a TCP port is knocked: SYNs that came again, or could not be
 * remembered.
 */
export const REPEATED_COUNTER = 'repeated'

/** What is counted for the table where it bans: bans made, and packets of banned sources. */
export const BANS_COUNTER = 'bans'
export const IGNORED_COUNTER = 'ignored'

/**
 * Counts the events of a table with a log that were not logged, because they were above the rate.
 */
export const UNLOGGED_COUNTER = 'unlogged'

/**
 * The map from a port to what becomes of its packets, and the ports that it has: a packet to
 * another costs no look-up in it. Named by a digest of what they hold, so that none ever changes
 * under the rules that name it.
 */
export const portsMap = (digest: string): string => `ports_${digest}`
export const namedSet = (digest: string): string => `named_${digest}`

/** Whether a name, without its family, is one of these. */
export const isOfPorts = (name: string): boolean => /^(?:ports|named)_[0-9a-f]{8}$/.test(name)

/** The map from a knock port to the rules of the doors that are knocked there. */
export const STEPS = 'steps'
/**
 * The same for packets that conntrack calls invalid: only steps with flags of their own match
 * those.
 */
export const INVALID_STEPS = 'invalid_steps'
