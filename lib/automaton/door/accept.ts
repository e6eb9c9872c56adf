// A door's grants → the rules that let a packet through by them, and use them up. Pure.
import type { Hook, ValidDoor } from '../../spec/model/model.js'
import {
  ACCEPT,
  type Action,
  type Chain,
  claim,
  count,
  DROP,
  goTo,
  inSet,
  type Match,
  meet,
  notInSet,
  type Rule,
  remove,
  stateIs,
  update,
  type Verdict,
} from '../language/automaton.js'
import { isStateful } from '../language/hook.js'
import {
  begunSet,
  COUNTED,
  connectionLockSet,
  counterName,
  grantsSet,
  usedSet,
} from '../language/names.js'
import { isLater, isSyn } from '../language/once.js'
import { markActions, usedCounts } from './grant.js'

export type Accept = Omit<Rule, 'comment'>

/** Lets a source in that has a grant; with `refresh` the grant begins anew. */
export function acceptGranted({ name, open }: ValidDoor): Accept {
  const grants = grantsSet(name)
  return { when: [inSet(grants)], then: open.refresh ? [update(grants)] : [], verdict: ACCEPT }
}

const countedChain = ({ name }: ValidDoor): string => `counted_${name}`

const servesTcp = ({ services }: ValidDoor): boolean =>
  services.some(({ protocol }) => protocol === 'tcp' || protocol === 'any')

/**
 * Of the gate of a door that counts connections. What begins one is counted: over TCP a SYN that
 * has not come before, whatever conntrack calls it, else what conntrack calls new and each packet
 * that it does not track. The later packets of a connection that conntrack does not know pass for a
 * granted source, and for one whose connection has just been counted.
 */
export function acceptCounted(door: ValidDoor, hook: Hook): Accept[] {
  const granted = inSet(grantsSet(door.name))
  const stateful = isStateful(hook)
  const counted = goTo(countedChain(door))
  const mark = markActions(door)
  const isTcp = servesTcp(door)
  const tcp: Accept[] = [
    { when: [granted, isSyn], then: [meet(COUNTED)], verdict: counted },
    { when: [granted, isSyn], verdict: DROP },
    ...(stateful ? [granted, inSet(begunSet(door.name))] : []).map((known): Accept => {
      return { when: [isLater, known], then: mark, verdict: ACCEPT }
    }),
  ]
  const noTcp: Match[] = isTcp ? [{ kind: 'protocol', protocols: ['tcp'], not: true }] : []
  const begins: Match[] = stateful ? [stateIs('new', 'untracked')] : []
  const others: Accept = { when: [...noTcp, granted, ...begins], verdict: counted }
  const isTcpAlone = door.services.every(({ protocol }) => protocol === 'tcp')
  return [...(isTcp ? tcp : []), ...(isTcpAlone ? [] : [others])]
}

/**
 * Where what begins a connection is counted; `deny` is for one that comes at the same moment as the
 * last.
 */
export function countedChains(door: ValidDoor, hook: Hook, deny: Rule): Chain[] {
  const { name, origin, open } = door
  if (open.connections === undefined || open.redirectTo) return []
  const comment = `${name} ${origin}/open`
  const rules = countingRules(door, { verdict: ACCEPT, when: [], then: markActions(door) })
  const forget = servesTcp(door) ? [{ when: [isSyn], then: [remove(COUNTED)], comment }] : []
  const begun = { when: [], then: [update(begunSet(name))], comment }
  return [
    {
      name: countedChain(door),
      rules: [
        ...(isStateful(hook) ? [begun] : []),
        ...rules.map((rule) => ({ ...rule, comment })),
        // It was not let through, and its repetition can be.
        ...forget,
        deny,
      ],
    },
  ]
}

interface Counting {
  readonly when: readonly Match[]
  /** Done to what is let through. */
  readonly then: readonly Action[]
  readonly verdict: Verdict
}

/** Counts a connection of a granted source: the last one takes the grant away. */
export function countingRules({ name, open }: ValidDoor, { when, then, verdict }: Counting) {
  const connections = open.connections as number
  const grants = grantsSet(name)
  const counts = usedCounts(connections)
  return [0, ...counts].map((used): Accept => {
    const before = used > 0 ? [usedSet(name, used)] : []
    const fresh = used > 0 ? [] : counts.map((n) => notInSet(usedSet(name, n)))
    const isLast = used === connections - 1
    // What may meet a full set comes before the claim, which nothing takes back.
    const room = isLast ? [] : [usedSet(name, used + 1), ...(open.refresh ? [grants] : [])]
    const spent = isLast ? [remove(grants), count(counterName('closes', name))] : []
    return {
      when: [...when, ...before.map(inSet), ...fresh],
      then: [
        ...room.map(update),
        claim(connectionLockSet(name, used + 1)),
        ...before.map(remove),
        ...spent,
        ...then,
      ],
      verdict,
      ...(isLast && { logs: { event: 'closed', door: name } }),
    }
  })
}
