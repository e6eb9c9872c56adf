// A door's grants → the rules that let a packet through by them, and use them up. Pure.
import type { Hook, ValidDoor } from '../spec/model.js'
import {
  ACCEPT,
  add,
  claim,
  count,
  DROP,
  inSet,
  type Match,
  notInSet,
  type Rule,
  remove,
  stateIs,
  update,
} from './automaton.js'
import { usedCounts } from './grant.js'
import { isStateful } from './hook.js'
import { connectionLockSet, counterName, grantsSet, SEEN, usedSet } from './names.js'
import { isSyn } from './once.js'

export type Accept = Omit<Rule, 'comment'>

/** Lets a source in that has a grant; with `refresh` the grant begins anew. */
export function acceptGranted({ name, open }: ValidDoor): Accept {
  const grants = grantsSet(name)
  return { when: [inSet(grants)], then: open.refresh ? [update(grants)] : [], verdict: ACCEPT }
}

/**
 * Counts connections: the last one takes the grant away. A connection is what conntrack calls new; its later packets
 * are established as soon as the host has answered, and don't come here. Before conntrack it is a SYN that has not
 * come before.
 */
export function acceptCounted({ name, open }: ValidDoor, hook: Hook): Accept[] {
  const connections = open.connections as number
  const grants = grantsSet(name)
  const counts = usedCounts(connections)
  const isNew: Match[] = isStateful(hook) ? [stateIs('new')] : []
  const again: Accept = {
    when: [inSet(grants), isSyn, inSet(SEEN)],
    then: [update(SEEN)],
    verdict: DROP,
  }
  const accepts = [0, ...counts].map((used): Accept => {
    const before = used > 0 ? [usedSet(name, used)] : []
    const fresh = used > 0 ? [] : counts.map((n) => notInSet(usedSet(name, n)))
    const isLast = used === connections - 1
    // What may come second or meet a full set comes first, so that nothing is let through uncounted.
    const next = [
      claim(connectionLockSet(name, used + 1)),
      ...(isStateful(hook) ? [] : [add(SEEN)]),
      ...(isLast ? [] : [update(usedSet(name, used + 1))]),
    ]
    const spent = isLast
      ? [remove(grants), count(counterName('closes', name))]
      : open.refresh
        ? [update(grants)]
        : []
    return {
      when: [inSet(grants), ...isNew, ...before.map(inSet), ...fresh],
      then: [...next, ...before.map(remove), ...spent],
      verdict: ACCEPT,
      ...(isLast && { tells: { event: 'closed', door: name } }),
    }
  })
  return isStateful(hook) ? accepts : [again, ...accepts]
}
