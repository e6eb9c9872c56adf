// The endpoints of all programs → the chains that judge the packets of each knock port, range, and
// of echo requests. Pure.

import type { KnockPort } from '../../spec/model/packet-model.js'
import { atDoor, unlessAtDoor } from '../door/here.js'
import {
  type Chain,
  type DispatchEntry,
  DROP,
  entryOf,
  goTo,
  jump,
  onPort,
  RETURN,
  type Rule,
  stateIs,
} from '../language/automaton.js'
import { originOf } from '../language/program.js'
import type { Placed, PortUsers } from './endpoints.js'
import { countChains, countKnocks } from './knock-count.js'
import { wipeChain } from './reset.js'

interface StepChains {
  readonly chains: readonly Chain[]
  readonly entries: readonly DispatchEntry[]
  /** For packets that conntrack calls invalid. */
  readonly invalidEntries: readonly DispatchEntry[]
}

/** Makes the chains of each knock port, one for each knock there. */
export function stepChains(ports: readonly PortUsers[]): StepChains {
  const chains: Chain[] = []
  const place = (key: string, { protocol, port }: KnockPort, users: readonly Visited[]) => {
    chains.push(...users.map(({ chain }) => chain), ...countChains(users, key))
    const [only, ...others] = users
    if (only && others.length === 0) return entryOf(protocol, port, jump(only.chain.name))
    chains.push({ name: key, rules: users.map(visit) })
    return entryOf(protocol, port, jump(key))
  }
  const entries = ports.map(({ key, port, users }) => place(key, port, userChains(users, key)))
  const invalidEntries = ports.flatMap(({ key, port, users }) => {
    const odd = users.map(ofInvalid).filter(({ endpoint }) => endpoint.rules.length > 0)
    const name = `invalid_${key}`
    return odd.length > 0 ? [place(name, port, invalidChains(odd, name))] : []
  })
  return { chains, entries, invalidEntries }
}

/** A program's endpoint with the chain that judges its packets. */
interface Visited extends Placed {
  readonly chain: Chain
}

const visit = (user: Visited): Rule => ({
  when: [],
  verdict: jump(user.chain.name),
  comment: commentOf(user),
})

const commentOf = ({ program }: Placed): string => originOf(program)

const chainName = ({ program: { door, attempt } }: Placed, key: string): string =>
  `${key}_${attempt}_${door.name}`

/** Leaves the chain if the packet does not come to the door. */
const atDoorOnly = (user: Placed): Rule[] => unlessAtDoor(user.program.door, commentOf(user))

/**
 * Makes the chains of the programs that share an endpoint. A knock that no rule of a program
 * matches ends that program's attempt.
 */
function userChains(users: readonly Placed[], key: string): Visited[] {
  return users.map((user, index) => {
    const { program, endpoint } = user
    const neverEnds = program.reset === 'never' || program.wipe.length === 0
    const outOfOrder: Rule = {
      when: [],
      verdict: goTo(wipeChain(program)),
      comment: `${commentOf(user)} out of order`,
    }
    const rules = [
      ...atDoorOnly(user),
      ...countKnocks(users, index, key),
      ...endpoint.rules,
      ...(neverEnds ? [] : [outOfOrder]),
    ]
    return { ...user, chain: { name: chainName(user, key), rules } }
  })
}

/** The part of an endpoint for packets that conntrack calls invalid. */
const ofInvalid = ({ program, endpoint }: Placed): Placed => {
  const { invalidPackets: packets, invalidRules: rules } = endpoint
  return { program, endpoint: { ...endpoint, packets, rules } }
}

/** The same for invalid packets, which end no attempt. */
const invalidChains = (users: readonly Placed[], key: string): Visited[] =>
  users.map((user, index) => {
    const counting = countKnocks(users, index, key)
    const rules = [...atDoorOnly(user), ...counting, ...user.endpoint.rules]
    return { ...user, chain: { name: chainName(user, key), rules } }
  })

/**
 * Makes the chains of knocks whose ports depend on the time: those that find a step among the
 * packets of the range, and those that judge it.
 */
export function rangeChains(
  placed: readonly Placed[],
  knock: Readonly<Record<'tcp' | 'udp', string>>,
): RangeChains {
  const keyOf = ({ program }: Placed) => `range_${program.attempt}`
  const visited = placed.flatMap((user) => userChains([user], keyOf(user)))
  const ranged = visited.flatMap((user) =>
    user.endpoint.range ? [{ user, range: user.endpoint.range }] : [],
  )
  const findName = ({ program: { attempt, door } }: Placed) => `find_${attempt}_${door.name}`
  return {
    find: ranged.map(({ user, range: { protocol, ports } }) => ({
      when: [onPort(protocol, ports), ...atDoor(user.program.door)],
      verdict: jump(findName(user)),
      comment: commentOf(user),
    })),
    judge: ranged.map(({ user, range: { protocol, ports } }) => ({
      ...visit(user),
      when: [onPort(protocol, ports)],
    })),
    chains: ranged.flatMap(({ user, range }) => [
      {
        name: findName(user),
        rules: user.endpoint.packets.map((packet) => ({
          ...packet,
          verdict: goTo(knock[range.protocol]),
          comment: commentOf(user),
        })),
      },
      user.chain,
      ...countChains([user], keyOf(user)),
    ]),
  }
}

export interface RangeChains {
  /** Rules of the base chain: packets that are a step now are knocks. */
  readonly find: readonly Rule[]
  /** Rules of the chain that judges knocks. */
  readonly judge: readonly Rule[]
  readonly chains: readonly Chain[]
}

const KNOCK_ECHO = 'knock_echo'

interface EchoContext {
  /** The first rules for every knock packet. */
  readonly first: readonly Rule[]
  readonly resetOthers: readonly Rule[]
  readonly isStateful: boolean
}

/**
 * Makes the chains of echo requests. Those that are a step are judged whatever conntrack calls
 * them: an accepted ping makes all later ones of its id established. Others go on.
 */
export function echoChains(
  name: string,
  users: readonly Placed[],
  { first, resetOthers, isStateful }: EchoContext,
): Chain[] {
  if (users.length === 0) return []
  const select = users.flatMap(({ program, endpoint }): Rule[] => {
    return endpoint.packets.map((packet) => ({
      ...packet,
      when: [...packet.when, ...atDoor(program.door)],
      verdict: goTo(KNOCK_ECHO),
      comment: 'echo requests that are a step',
    }))
  })
  const distinct = new Map(select.map((rule) => [JSON.stringify(rule), rule]))
  const invalid: Rule = {
    when: [stateIs('invalid')],
    verdict: RETURN,
    comment: 'starts nothing',
  }
  const drop: Rule = { when: [], verdict: DROP, comment: 'knocks are never answered' }
  const visited = userChains(users, 'echo')
  return [
    { name, rules: [...(isStateful ? [invalid] : []), ...distinct.values()] },
    { name: KNOCK_ECHO, rules: [...first, ...resetOthers, ...visited.map(visit), drop] },
    ...visited.map(({ chain }) => chain),
    ...countChains(users, 'echo'),
  ]
}
