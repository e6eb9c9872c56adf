// A door's grants → the rules that accept packets because of them, and that count connections.
// Pure.
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

/** Accepts packets of a source with a grant. With `refresh` each restarts the grant. */
export function acceptGranted({ name, open }: ValidDoor): Accept {
  const grants = grantsSet(name)
  return { when: [inSet(grants)], then: open.refresh ? [update(grants)] : [], verdict: ACCEPT }
}

const countedChain = ({ name }: ValidDoor): string => `counted_${name}`

const servesTcp = ({ services }: ValidDoor): boolean =>
  services.some(({ protocol }) => protocol === 'tcp' || protocol === 'any')

/**
 * The gate's rules of a door that counts connections. A connection begins with a SYN that has not
 * come before, whatever conntrack calls it; in other protocols with what conntrack calls new, and
 * each untracked packet. Later packets of a connection that conntrack does not know are accepted if
 * the source has a grant or a connection was counted a moment ago.
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
 * The chain that counts connections; empty if the door counts none or redirects.
 *
 * @param deny - the rule for a packet that comes at the same moment as the last connection.
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
        // This SYN was not accepted, so its retransmission must not be taken for known.
        ...forget,
        deny,
      ],
    },
  ]
}

interface Counting {
  readonly when: readonly Match[]
  /** The actions on a packet that is accepted. */
  readonly then: readonly Action[]
  readonly verdict: Verdict
}

/**
 * The rules that count a connection of a source with a grant, one for each count so far. The last
 * connection deletes the grant.
 */
export function countingRules({ name, open }: ValidDoor, { when, then, verdict }: Counting) {
  const connections = open.connections as number
  const grants = grantsSet(name)
  const counts = usedCounts(connections)
  return [0, ...counts].map((used): Accept => {
    const before = used > 0 ? [usedSet(name, used)] : []
    const fresh = used > 0 ? [] : counts.map((n) => notInSet(usedSet(name, n)))
    const isLast = used === connections - 1
    // Actions that may find a set full come before the claim, which nothing takes back.
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
