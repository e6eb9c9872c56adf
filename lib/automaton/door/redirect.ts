// Doors that redirect granted sources → the chain of type nat that does it, and the matches for
// redirected connections. Pure.
import type { ValidDoor, ValidSpec } from '../../spec/model/model.js'
import type { PortRange } from '../../spec/model/packet-model.js'
import {
  ACCEPT,
  type Chain,
  inSet,
  type Match,
  notInSet,
  onPort,
  type Rule,
  stateIs,
  update,
  type Verdict,
} from '../language/automaton.js'
import { begunSet, grantsSet, TRUSTED } from '../language/names.js'
import { asks, asksNothing } from '../language/once.js'
import { acceptGranted, countingRules } from './accept.js'
import { atDoor } from './here.js'

/**
 * Before the host's own redirections at -100: a connection is redirected once, by the first rule.
 */
const PRIORITY = -110

const PROTOCOLS = ['tcp', 'udp'] as const

/** The ports of a protocol that a door's service names. */
const portsOf = ({ services }: ValidDoor, protocol: 'tcp' | 'udp'): PortRange[] =>
  services.flatMap((service) =>
    service.protocol === protocol && service.ports ? [service.ports] : [],
  )

/**
 * The matches for packets of connections that the door has redirected. conntrack redirects a SYN on
 * an existing entry without asking the nat chain again. So such a SYN also needs a grant, or must
 * belong to the connection that was counted a moment ago.
 */
export const redirectedTo = (door: ValidDoor): Match[][] =>
  PROTOCOLS.flatMap((protocol): Match[][] => {
    const from = portsOf(door, protocol)
    if (from.length === 0) return []
    const through: Match = { kind: 'redirected', from }
    if (protocol === 'udp') return [[{ kind: 'protocol', protocols: ['udp'] }, through]]
    const letIn =
      door.open.connections === undefined
        ? [inSet(grantsSet(door.name))]
        : [stateIs('new'), inSet(begunSet(door.name))]
    return [
      [asksNothing, through],
      [asks, through, ...letIn],
    ]
  })

/**
 * Makes the base chain that redirects; empty if no door does. It sees only the first packet of each
 * connection.
 */
export function redirectChains({ doors, interfaces, guard }: ValidSpec): Chain[] {
  const rules = doors.flatMap((door) => redirectRules(door, guard.trusted.length > 0))
  if (rules.length === 0) return []
  const outside: Rule =
    interfaces.length > 0
      ? {
          when: [{ kind: 'interface', names: interfaces, not: true }],
          verdict: ACCEPT,
          comment: '/interfaces',
        }
      : { when: [{ kind: 'loopback' }], verdict: ACCEPT, comment: 'loopback' }
  const base = { type: 'nat', hook: 'prerouting', priority: PRIORITY } as const
  return [{ name: 'redirected', base, rules: [outside, ...rules] }]
}

function redirectRules(door: ValidDoor, hasTrusted: boolean): Rule[] {
  const { name, origin, open } = door
  const { redirectTo } = open
  if (!redirectTo) return []
  const verdict: Verdict = { kind: 'redirect', to: redirectTo }
  // conntrack tracks it, so this is the first packet of a new connection.
  const counted = { when: [inSet(grantsSet(door.name))], then: [], verdict }
  const accepts =
    open.connections === undefined ? [acceptGranted(door)] : countingRules(door, counted)
  const begun =
    open.connections === undefined
      ? []
      : [{ when: [inSet(grantsSet(door.name))], then: [update(begunSet(door.name))] }]
  const here: Match[] = [...atDoor(door), ...(hasTrusted ? [notInSet(TRUSTED)] : [])]
  const comment = `${name} ${origin}/open/redirectTo`
  const { family } = redirectTo
  return PROTOCOLS.flatMap((protocol) =>
    portsOf(door, protocol).map((ports) => onPort(protocol, ports)),
  ).flatMap((port) =>
    // The last connection of a grant is not logged here, since chains of type nat are for nat
    // alone.
    [...begun, ...accepts.map(({ logs: _, ...accept }) => ({ ...accept, verdict }))].map(
      (accept) => ({
        ...accept,
        ...(family && { families: [family] }),
        when: [port, ...here, ...accept.when],
        comment,
      }),
    ),
  )
}
