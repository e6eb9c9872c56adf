// Shared doors → the chains before their services. Pure.
import type { Hook } from '../../spec/model/model.js'
import { OWN_CONNECTION } from '../door/gate.js'
import { ACCEPT, type Chain, DROP, inSet, type Rule } from '../language/automaton.js'
import { TRUSTED } from '../language/names.js'
import type { DataMap } from '../language/sets.js'
import type { SharedDoor } from './choose.js'
import { counted } from './moves.js'
import { admittedSet, markOf, SERVED } from './names.js'

export const sharedGate = (protocol: 'tcp' | 'udp'): string => `admit_${protocol}`

interface GateContext {
  readonly hook: Hook
  readonly hasTrusted: boolean
}

/** One chain for each protocol. The key of a grant has the port to which the packet comes. */
export function sharedGates(
  doors: readonly SharedDoor[],
  { hook, hasTrusted }: GateContext,
): { chains: Chain[]; data: DataMap } {
  const protocols = [...new Set(doors.map(({ service }) => service.protocol))]
  const trusted: Rule = { when: [inSet(TRUSTED)], verdict: ACCEPT, comment: '/guard/trusted' }
  const own = { ...OWN_CONNECTION, comment: 'connections from before live on' }
  const deny: Rule = {
    when: [],
    then: [{ op: 'look-up', map: SERVED }, counted('denied')],
    verdict: DROP,
    logs: { event: 'denied', shared: true },
    comment: 'no grant of this door',
  }
  const chains = protocols.map((protocol): Chain => {
    const granted = inSet(admittedSet(protocol))
    return {
      name: sharedGate(protocol),
      rules: [
        ...(hasTrusted ? [trusted] : []),
        { when: [granted], verdict: ACCEPT, comment: 'granted' },
        ...(hook === 'input' ? [own] : []),
        deny,
        { when: [], verdict: DROP, comment: 'no room to count it' },
      ],
    }
  })
  const entries = doors.map(({ door, service, knocks: [first] }) => {
    return { ...service, mark: markOf(first?.number ?? 0, 0), comment: `${door.name} service` }
  })
  return { chains, data: { name: SERVED, from: 'port', entries } }
}
