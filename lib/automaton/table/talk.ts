// Doors that are open as long as their sources talk → the chain that renews the grant of a packet's
// source. Pure.
import type { Hook, ValidDoor } from '../../spec/model/model.js'
import { unlessAtDoor } from '../door/here.js'
import { isRenewedByTraffic, renewRule } from '../door/renew.js'
import { type Chain, jump, type Match, type Rule, stateIs } from '../language/automaton.js'
import { isStateful } from '../language/hook.js'
import { asksNothing } from '../language/once.js'
import { servedBy } from './ports.js'

const TALK = 'talk'
const talkChain = ({ name }: ValidDoor): string => `talk_${name}`

/**
 * The base chain's rules, before those that accept what begins nothing. Packets that begin
 * something come to the door itself.
 */
export function talkRules(doors: readonly ValidDoor[], hook: Hook): Rule[] {
  if (!doors.some(isRenewedByTraffic)) return []
  // Before conntrack nobody knows the directions of other protocols, and each packet comes to the
  // door.
  const when: Match[] = isStateful(hook)
    ? [stateIs('established'), { kind: 'original-direction' }]
    : [asksNothing]
  return [{ when, verdict: jump(TALK), comment: 'connections that renew a grant' }]
}

export function talkChains(doors: readonly ValidDoor[]): Chain[] {
  const talking = doors.filter(isRenewedByTraffic)
  if (talking.length === 0) return []
  const find = talking.flatMap((door) =>
    door.services.flatMap(servedBy).map((match): Rule => {
      const comment = `${door.name} ${door.origin}/service`
      return { when: [match], verdict: jump(talkChain(door)), comment }
    }),
  )
  return [{ name: TALK, rules: find }, ...talking.map(talkDoor)]
}

const talkDoor = (door: ValidDoor): Chain => ({
  name: talkChain(door),
  rules: [...unlessAtDoor(door, `${door.name} ${door.origin}/address`), renewRule(door)],
})
