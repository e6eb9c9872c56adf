// Doors that send granted sources elsewhere → the chain of type nat that does it, and how such connections are known. Pure.
import type { PortRange, ValidDoor, ValidSpec } from '../spec/model.js'
import { acceptCounted, acceptGranted } from './accept.js'
import {
  ACCEPT,
  type Chain,
  type Match,
  notInSet,
  onPort,
  type Rule,
  type Verdict,
} from './automaton.js'
import { TRUSTED } from './names.js'

/** Before the host's own redirections at -100: a connection is redirected once. */
const PRIORITY = -110

const PROTOCOLS = ['tcp', 'udp'] as const

/** The ports of a protocol that a door's service names. */
const portsOf = ({ services }: ValidDoor, protocol: 'tcp' | 'udp'): PortRange[] =>
  services.flatMap((service) =>
    service.protocol === protocol && service.ports ? [service.ports] : [],
  )

/** How a connection is known that came through the door's redirect; one list for each protocol. */
export const redirectedTo = (door: ValidDoor): Match[][] =>
  PROTOCOLS.flatMap((protocol) => {
    const from = portsOf(door, protocol)
    if (from.length === 0) return []
    return [
      [
        { kind: 'protocol', protocols: [protocol] },
        { kind: 'redirected', from },
      ],
    ]
  })

/** The base chain that redirects, where a door asks for it. It sees the first packet of each connection alone. */
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
  const { name, origin, addresses, open } = door
  const { redirectTo } = open
  if (!redirectTo) return []
  const verdict: Verdict = { kind: 'redirect', to: redirectTo }
  const accepts =
    open.connections === undefined ? [acceptGranted(door)] : acceptCounted(door, 'input')
  const here: Match[] = [
    ...(addresses.length > 0 ? [{ kind: 'destination', addresses } as const] : []),
    ...(hasTrusted ? [notInSet(TRUSTED)] : []),
  ]
  const comment = `${name} ${origin}/open/redirectTo`
  const { family } = redirectTo
  return PROTOCOLS.flatMap((protocol) =>
    portsOf(door, protocol).map((ports) => onPort(protocol, ports)),
  ).flatMap((port) =>
    // The last connection of a grant is not told of here: chains of type nat are for nat.
    accepts.map(({ tells: _, ...accept }) => ({
      ...accept,
      ...(family && { families: [family] }),
      when: [port, ...here, ...accept.when],
      verdict,
      comment,
    })),
  )
}
