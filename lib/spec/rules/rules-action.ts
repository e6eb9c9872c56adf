// Rejects actions at events that never come. Pure.
import { nearest } from '../../text/nearest.js'
import { at, type Findings } from '../model/findings.js'
import type { ActionOn, ReadSpec, ValidAction } from '../model/model.js'

/** Events of the table or of a source, which are at no door. */
const OF_NO_DOOR: ReadonlySet<ActionOn> = new Set(['banned', 'overrun', 'installed', 'removed'])

export function checkActions({ actions, doors, log }: ReadSpec, findings: Findings): void {
  if (actions.length === 0) return
  if (!log) findings.conflict('/actions', '/log', 'without a log no event of a packet is known')
  const names = doors.map(({ name }) => name)
  const known = new Set(names)
  for (const action of actions) checkDoors(action, names, known, findings)
}

function checkDoors(
  { doors, on, origin }: ValidAction,
  names: readonly string[],
  known: ReadonlySet<string>,
  findings: Findings,
): void {
  if (!doors) return
  for (const [index, name] of doors.entries()) {
    if (known.has(name)) continue
    findings.add(`${origin}/doors${at(index)}`, 'the name of a door', nearest(name, names))
  }
  for (const [index, event] of on.entries()) {
    if (!OF_NO_DOOR.has(event)) continue
    const reason = `${event} is at no door: give it an action of its own, without doors`
    findings.conflict(`${origin}/on${at(index)}`, `${origin}/doors`, reason)
  }
}
