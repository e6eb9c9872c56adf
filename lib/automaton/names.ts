// The names of sets, counters and chains, and back from a name to what it stands for. Pure.
//
// A role comes first and the door's name last: no role is the beginning of another, so no two names meet
// whatever the doors are called.

/** What a set holds for a door. */
export type SetRole =
  | { readonly kind: 'grants' }
  /** Connections made with a grant so far. */
  | { readonly kind: 'used'; readonly connections: number }
  | { readonly kind: 'stage'; readonly attempt: Attempt; readonly stage: number }
  /** Sources whose attempt has not run out of its whole time. */
  | { readonly kind: 'attempt'; readonly attempt: Attempt }

/** Which of a door's knocks: the one that opens it or the one that closes it. */
export type Attempt = 'open' | 'close'

const prefix = (attempt: Attempt): string => (attempt === 'close' ? 'close_' : '')

export const grantsSet = (door: string): string => `grants_${door}`
export const usedSet = (door: string, connections: number): string => `used${connections}_${door}`
export const stageSet = (door: string, attempt: Attempt, stage: number): string =>
  `${prefix(attempt)}stage${stage}_${door}`
export const attemptSet = (door: string, attempt: Attempt): string =>
  `${prefix(attempt)}attempt_${door}`

/** Reads the name of a set, without its family, back into door and role; undefined for the sets that all doors share. */
export function parseSetName(name: string): { door: string; role: SetRole } | undefined {
  const match = /^(grants|used(\d)|(close_)?(?:attempt|stage(\d+)))_(\w+)$/.exec(name)
  if (!match) return undefined
  const [, head, used, close, stage, door = ''] = match
  const attempt: Attempt = close ? 'close' : 'open'
  if (head === 'grants') return { door, role: { kind: head } }
  if (used) return { door, role: { kind: 'used', connections: Number(used) } }
  if (stage) return { door, role: { kind: 'stage', attempt, stage: Number(stage) } }
  return { door, role: { kind: 'attempt', attempt } }
}

/** SYNs of late, by source, source port and port: the same one again is a retransmission. */
export const SEEN = 'seen'
/** Source addresses that need no knock. */
export const TRUSTED = 'trusted'

/** What is counted for each door. */
export const COUNTERS = ['knocks', 'grants', 'resets', 'denied'] as const
export type CounterKind = (typeof COUNTERS)[number]

export const counterName = (kind: CounterKind, door: string): string => `${kind}_${door}`

/** Reads a counter's name back; undefined where it is none of ours. */
export function parseCounterName(name: string): { kind: CounterKind; door: string } | undefined {
  const match = /^([a-z]+)_(\w+)$/.exec(name)
  const kind = COUNTERS.find((word) => word === match?.[1])
  return kind && match?.[2] ? { kind, door: match[2] } : undefined
}

/** The map from a port to what becomes of its packets, and the same for ranges of ports. */
export const PORTS = 'ports'
export const PORT_RANGES = 'port_ranges'
/** The map from a knock port to the rules of the doors that are knocked there. */
export const STEPS = 'steps'
/** The same for packets that conntrack calls invalid: only steps with flags of their own match those. */
export const INVALID_STEPS = 'invalid_steps'
