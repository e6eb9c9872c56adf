// A door → its sets of grants and of their use, and the actions of a completed knock. Pure.
import type { ValidDoor } from '../../spec/model/model.js'
import { type Action, count, remove, update } from '../language/automaton.js'
import { begunSet, connectionLockSet, counterName, grantsSet, usedSet } from '../language/names.js'
import { AT_ONCE, type LetThrough } from '../language/program.js'
import type { TimedSet } from '../language/sets.js'
import { byUserSets } from './by-user.js'
import { renewSets } from './renew.js'

/**
 * The least seconds for which connections are counted, so that a grant made by hand can last longer
 * than the door's.
 */
export const COUNTED_AT_LEAST = 86400

/** The numbers of used connections that a source with a grant can have. */
export function usedCounts(connections = 1): number[] {
  return Array.from({ length: connections - 1 }, (_, index) => index + 1)
}

/** The sets that count the use of a grant. A new grant deletes its source from all of them. */
export const countingSets = (door: string, connections: number | undefined): string[] =>
  connections === undefined
    ? []
    : [
        ...usedCounts(connections).map((number) => usedSet(door, number)),
        ...[...usedCounts(connections), connections].map((n) => connectionLockSet(door, n)),
      ]

/**
 * The capacity of a set with a constant key: one element, and recently expired ones, which keep
 * their places for a while.
 */
export const ROOM_FOR_ALL = 16

export function grantSets(door: ValidDoor, capacity: number): TimedSet[] {
  const { name, open } = door
  const isOpenToAll = open.scope === 'everyone'
  const timed = (set: string, timeout: number): TimedSet => ({
    name: set,
    key: [isOpenToAll ? 'all' : 'source'],
    timeout,
    perElement: true,
    capacity: isOpenToAll ? ROOM_FOR_ALL : capacity,
  })
  const counted = Math.max(open.for, COUNTED_AT_LEAST)
  const used = countingSets(name, open.connections).map((set) => timed(set, counted))
  const begun: TimedSet = {
    name: begunSet(name),
    key: ['source'],
    timeout: AT_ONCE,
    perElement: true,
    capacity,
  }
  const granted = [timed(grantsSet(name), open.for), ...byUserSets(door)]
  const renewed = renewSets(door, capacity)
  return [...granted, ...renewed, ...used, ...(open.connections ? [begun] : [])]
}

/** The actions of a completed knock: the source gets a grant with no connection used. */
export function grantActions({ name, open }: ValidDoor): Action[] {
  const used = countingSets(name, open.connections).map(remove)
  return [update(grantsSet(name)), ...used, count(counterName('grants', name))]
}

/**
 * The actions on a packet that completes a knock and is itself the first connection of the grant.
 * The grant is the last that may find its set full, so that there is no grant whose connections
 * cannot be counted.
 */
export function letThroughActions(door: ValidDoor): LetThrough {
  const { name, open } = door
  const { connections } = open
  const first = connections !== undefined && connections > 1 ? [usedSet(name, 1)] : []
  const begun = connections === undefined ? [] : [begunSet(name)]
  const grants = connections === 1 ? [] : [grantsSet(name)]
  const stale =
    connections === 1 ? [] : countingSets(name, connections).filter((set) => !first.includes(set))
  return {
    room: [...first, ...begun, ...grants].map(update),
    then: [...stale.map(remove), count(counterName('grants', name)), ...markActions(door)],
  }
}

/** The actions of a completed closing knock. */
export const closeActions = ({ name }: ValidDoor): Action[] => [
  remove(grantsSet(name)),
  count(counterName('closes', name)),
]

/** The actions on each packet that a door accepts. */
export const markActions = ({ open: { mark } }: ValidDoor): Action[] =>
  mark === undefined ? [] : [{ op: 'mark', value: mark }]
