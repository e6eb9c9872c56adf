// A door that is open as long as its source talks → the rule and set that renew a grant. Pure.
import type { ValidDoor } from '../../spec/model/model.js'
import { inSet, notInSet, type Rule, update } from '../language/automaton.js'
import { grantsSet, renewedSet } from '../language/names.js'
import type { TimedSet } from '../language/sets.js'

/** A grant is renewed at most so many times within `open.for`. */
const SHARE = 8

/** The seconds for which a renewed grant is not renewed again; 0: each packet renews it. */
const pauseOf = ({ open }: ValidDoor): number => Math.floor(open.for / SHARE)

export const isRenewedByTraffic = ({ open }: ValidDoor): boolean => open.refresh === 'traffic'

/** The rule for a packet of one of the door's connections. */
export function renewRule(door: ValidDoor): Rule {
  const [grants, renewed] = [grantsSet(door.name), renewedSet(door.name)]
  const pauses = pauseOf(door) > 0
  return {
    // The pause is asked first: it answers for nearly all packets of a connection.
    when: [...(pauses ? [notInSet(renewed)] : []), inSet(grants)],
    then: [grants, ...(pauses ? [renewed] : [])].map(update),
    comment: `${door.name} ${door.origin}/open/refresh`,
  }
}

/** The set of sources whose grant was renewed a moment ago. */
export function renewSets(door: ValidDoor, capacity: number): TimedSet[] {
  const timeout = pauseOf(door)
  if (!isRenewedByTraffic(door) || timeout === 0) return []
  return [{ name: renewedSet(door.name), key: ['source'], timeout, perElement: true, capacity }]
}
