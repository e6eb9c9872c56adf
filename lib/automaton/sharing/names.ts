// The names of what shared doors have in common, and the numbers of their knocks. Pure.
//
// A packet's mark holds the number of a knock and the stage of its source. The rules set marks only
// on packets that they drop, and on those without one, which lose it again.
import { hexDigest } from '../../spec/model/digest.js'

/** Sources that have made the first knock, and those that have made more: their mark. */
export const STARTED = 'started'
export const ADVANCED = 'advanced'

/** Sources with a grant, and the port of the service that lets them in. */
export const admittedSet = (protocol: 'tcp' | 'udp'): string => `admitted_${protocol}`

/** Whether a name, without its family, is one of these. The door is in the key. */
export function parseAdmitted(set: string): 'tcp' | 'udp' | undefined {
  const [, protocol] = /^admitted_(tcp|udp)$/.exec(set) ?? []
  return protocol as 'tcp' | 'udp' | undefined
}

/** What is counted for each knock, in the order of a door's counters. */
const COUNTED = ['knocks', 'grants', 'closes', 'resets', 'denied'] as const
export type CountedKind = (typeof COUNTED)[number]

/** Packets by the number of a knock. */
export const countSet = (kind: CountedKind): string => `count_${kind}`

export function parseCountSet(set: string): CountedKind | undefined {
  const [, kind] = /^count_([a-z]+)$/.exec(set) ?? []
  return COUNTED.find((counted) => counted === kind)
}

/** Whether a name, without its family, is of a set that shared doors have in common. */
export const isShared = (set: string): boolean =>
  set === STARTED ||
  set === ADVANCED ||
  parseAdmitted(set) !== undefined ||
  parseCountSet(set) !== undefined

/** The map from a knock port to its knock, and the one from a service to its door's first knock. */
export const KNOCKED = 'knocked'
export const SERVED = 'served'
/** The map from a knock to the port of its door's service. */
export const SERVICES = 'services'
/** The map from a mark and a knock port to what becomes of the packet. */
export const MOVES = 'moves'

/** Whether a name is of a map that only an install changes. */
export const isSharedMap = (name: string): boolean =>
  [KNOCKED, SERVED, SERVICES, MOVES].includes(name)

const STAGE_BITS = 6
const STAGES = 2 ** STAGE_BITS
const NUMBERS = 2 ** (32 - STAGE_BITS)

/** The bits of a mark that are the number. */
export const NUMBER_MASK = 2 ** 32 - STAGES

export const markOf = (number: number, stage: number): number => number * STAGES + stage

export const numberIn = (mark: number): number => Math.floor(mark / STAGES)
export const stageIn = (mark: number): number => mark % STAGES

/**
 * Gives each name a number other than 0. It comes from the name itself, so that the others keep
 * theirs if one comes or goes. Of two that would share a number the later takes the next one.
 */
export function numbered(names: readonly string[]): Map<string, number> {
  const taken = new Set<number>([0])
  const numbers = new Map<string, number>()
  for (const name of names.toSorted()) {
    let number = Number.parseInt(hexDigest(name, 13), 16) % NUMBERS
    while (taken.has(number)) number = (number + 1) % NUMBERS
    taken.add(number)
    numbers.set(name, number)
  }
  return numbers
}
