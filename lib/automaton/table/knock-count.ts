// The programs at an endpoint → the rules that count a packet once for each door of which it is a
// step. Pure.
import type { ValidDoor } from '../../spec/model/model.js'
import { type Chain, count, jump, RETURN, type Rule } from '../language/automaton.js'
import { counterName } from '../language/names.js'
import type { Placed } from './endpoints.js'

/**
 * The counting rules of one program's chain. A packet counts once for its door, even if it matches
 * several steps, or also a step of the closing knock. The door's first program at the endpoint
 * counts for all of them.
 */
export function countKnocks(users: readonly Placed[], index: number, key: string): Rule[] {
  const door = firstOfDoor(users, index)
  if (!door) return []
  const rules = countRules(users, door)
  if (rules.length <= 1) return rules
  return [{ when: [], verdict: jump(chainName(door, key)), comment: commentOf(door) }]
}

/**
 * The chains to which `countKnocks` jumps. A packet leaves them with the first rule that counts it.
 */
export function countChains(users: readonly Placed[], key: string): Chain[] {
  return users.flatMap((_user, index) => {
    const door = firstOfDoor(users, index)
    const rules = door ? countRules(users, door) : []
    if (!door || rules.length <= 1) return []
    const once = rules.map((rule) => ({ ...rule, verdict: RETURN }))
    return [{ name: chainName(door, key), rules: once }]
  })
}

const chainName = ({ name }: ValidDoor, key: string): string => `knocks_${key}_${name}`

const commentOf = ({ name, origin }: ValidDoor): string => `${name} ${origin} knocks`

/** The program's door; undefined if an earlier program counts for it. */
function firstOfDoor(users: readonly Placed[], index: number): ValidDoor | undefined {
  const door = users[index]?.program.door
  return users.findIndex(({ program }) => program.door === door) === index ? door : undefined
}

/** Makes one rule for each kind of packet that is a step of the door. */
function countRules(users: readonly Placed[], door: ValidDoor): Rule[] {
  const packets = users
    .filter(({ program }) => program.door === door)
    .flatMap(({ endpoint }) => endpoint.packets)
  const distinct = new Map(packets.map((packet) => [JSON.stringify(packet), packet]))
  const then = [count(counterName('knocks', door.name))]
  return [...distinct.values()].map((packet) => ({ ...packet, then, comment: commentOf(door) }))
}
