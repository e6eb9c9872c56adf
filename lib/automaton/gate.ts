// A door's service → the chain that lets granted and trusted sources through and nobody else. Pure.
import type { ValidDoor } from '../spec/model.js'
import {
  ACCEPT,
  type Action,
  type Chain,
  count,
  DROP,
  inSet,
  type Match,
  notInSet,
  RETURN,
  type Rule,
  remove,
  stateIs,
  type TimedSet,
  update,
} from './automaton.js'
import { counterName, grantsSet, TRUSTED, usedSet } from './names.js'

/** Seconds for which connections are counted at least, so that a grant made by hand can last longer than the door's. */
export const COUNTED_AT_LEAST = 86400

/** RFC 9293's bits. */
const SYN_RST = 0x02 | 0x04

export const gateChain = (door: string): string => `gate_${door}`

/** What a completed knock does: the source gets its grant, with none of its connections used. */
export function grantActions({ name, open }: ValidDoor): Action[] {
  const used = usedCounts(open.connections).map((connections) => remove(usedSet(name, connections)))
  return [update(grantsSet(name)), ...used, count(counterName('grants', name))]
}

/** What a completed closing knock does. */
export function closeActions({ name }: ValidDoor): Action[] {
  return [remove(grantsSet(name))]
}

export function gateSets(door: ValidDoor, capacity: number): TimedSet[] {
  const { name, open } = door
  const bySource = (set: string, timeout: number): TimedSet => {
    return { name: set, key: ['source'], timeout, capacity }
  }
  const grants = bySource(grantsSet(name), open.for)
  if (open.connections === undefined) return [grants]
  return [
    grants,
    ...usedCounts(open.connections).map((connections) =>
      bySource(usedSet(name, connections), Math.max(open.for, COUNTED_AT_LEAST)),
    ),
  ]
}

/** The numbers of connections that can be used while the grant still stands. */
function usedCounts(connections = 1): number[] {
  return Array.from({ length: connections - 1 }, (_, index) => index + 1)
}

export function buildGate(door: ValidDoor, trusted: boolean): Chain {
  const { name, addresses, origin, open } = door
  const rule = (part: string, rest: Omit<Rule, 'comment'>): Rule => {
    return { ...rest, comment: `${name} ${origin}/${part}` }
  }
  const elsewhere: Match = { kind: 'destination', addresses, not: true }
  const { connections } = open
  const accepts = connections === undefined ? acceptGranted(door) : acceptCounted(door, connections)
  return {
    name: gateChain(name),
    rules: [
      ...(addresses.length > 0 ? [rule('address', { when: [elsewhere], verdict: RETURN })] : []),
      ...(trusted
        ? [{ when: [inSet(TRUSTED)], verdict: ACCEPT, comment: `${name} /guard/trusted` }]
        : []),
      ...accepts.map((accept) => rule('open', accept)),
      { ...OWN_CONNECTION, comment: `${name} connections from before live on` },
      rule('service', { when: [], then: [count(counterName('denied', name))], verdict: DROP }),
    ],
  }
}

type Accept = Omit<Rule, 'comment'>

function acceptGranted({ name, open }: ValidDoor): Accept[] {
  const grants = grantsSet(name)
  const then = open.refresh ? [update(grants)] : []
  return [{ when: [inSet(grants)], then, verdict: ACCEPT }]
}

/**
 * Counts connections: the last one takes the grant away. A connection is what conntrack calls new; its later packets
 * are established as soon as the host has answered, and don't come here.
 */
function acceptCounted({ name, open }: ValidDoor, connections: number): Accept[] {
  const grants = grantsSet(name)
  const refresh = open.refresh ? [update(grants)] : []
  const counts = usedCounts(connections)
  return [0, ...counts].map((used): Accept => {
    const before = used > 0 ? [usedSet(name, used)] : []
    const fresh = used > 0 ? [] : counts.map((n) => notInSet(usedSet(name, n)))
    const isLast = used === connections - 1
    // What may meet a full set comes first, so that nothing is let through uncounted.
    const next = isLast ? [] : [update(usedSet(name, used + 1))]
    const spent = isLast ? [remove(grants)] : refresh
    return {
      when: [inSet(grants), stateIs('new'), ...before.map(inSet), ...fresh],
      then: [...next, ...before.map(remove), ...spent],
      verdict: ACCEPT,
    }
  })
}

/**
 * Connections that conntrack does not know: those from before it was switched on (our own rules do that), flushed
 * ones, untracked ones. No SYN, so that nothing begins here; and a socket of their own, so that a prober's packets, to
 * which the host would answer, still meet silence.
 */
const OWN_CONNECTION: Accept = {
  when: [{ kind: 'flags', flags: { mask: SYN_RST, value: 0 } }, { kind: 'own-connection' }],
  verdict: ACCEPT,
}
