// Doors whose connections need a live grant → the chain for each packet of such a connection. Pure.
import type { ValidDoor } from '../../spec/model/model.js'
import { markActions } from '../door/grant.js'
import { unlessAtDoor } from '../door/here.js'
import {
  ACCEPT,
  type Chain,
  count,
  DROP,
  inSet,
  jump,
  type Match,
  RESET,
  type Rule,
  stateIs,
} from '../language/automaton.js'
import { counterName, grantsSet, TRUSTED } from '../language/names.js'
import { servedBy } from './ports.js'

const CUT = 'cut'
const cutChain = ({ name }: ValidDoor): string => `cut_${name}`
const isReset: Match = { kind: 'flags', flags: { mask: 0x04, value: 0x04 } }
const isTcp: Match = { kind: 'protocol', protocols: ['tcp'] }

/**
 * The base chain's rules, before the one that accepts established connections. Empty if no door
 * cuts.
 */
export function cutRules(doors: readonly ValidDoor[]): Rule[] {
  if (!doors.some(cuts)) return []
  // The original direction alone: replies belong to connections that the host itself began.
  const when: Match[] = [stateIs('established'), { kind: 'original-direction' }]
  return [{ when, verdict: jump(CUT), comment: 'connections that need a live grant' }]
}

export function cutChains(doors: readonly ValidDoor[], hasTrusted: boolean): Chain[] {
  const cutting = doors.filter(cuts)
  if (cutting.length === 0) return []
  const find = cutting.flatMap((door) =>
    door.services.flatMap(servedBy).map((match): Rule => {
      const comment = `${door.name} ${door.origin}/service`
      return { when: [match], verdict: jump(cutChain(door)), comment }
    }),
  )
  return [{ name: CUT, rules: find }, ...cutting.map((door) => cutDoor(door, hasTrusted))]
}

const cuts = ({ open }: ValidDoor): boolean => open.established === 'cut'

function cutDoor(door: ValidDoor, hasTrusted: boolean): Chain {
  const { name, origin } = door
  const then = markActions(door)
  const comment = `${name} ${origin}/open/established`
  const denied = [count(counterName('denied', name))]
  const logs = { event: 'denied', door: name } as const
  return {
    name: cutChain(door),
    rules: [
      ...unlessAtDoor(door, comment),
      ...(hasTrusted ? [{ when: [inSet(TRUSTED)], then, verdict: ACCEPT, comment }] : []),
      { when: [inSet(grantsSet(name))], then, verdict: ACCEPT, comment },
      // So that the host's own socket is closed too.
      { when: [isReset], verdict: ACCEPT, comment },
      { when: [isTcp], then: denied, verdict: RESET, logs, comment },
      { when: [], then: denied, verdict: DROP, logs, comment },
    ],
  }
}
