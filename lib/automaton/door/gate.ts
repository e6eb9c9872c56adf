// A door's service → the chain that accepts packets of granted and trusted sources and no others.
// Pure.
import type { Hook, ValidDoor } from '../../spec/model/model.js'
import { stepMeetsService } from '../../spec/model/step.js'
import {
  ACCEPT,
  type Chain,
  count,
  DROP,
  goTo,
  inSet,
  onPort,
  RETURN,
  type Rule,
} from '../language/automaton.js'
import { counterName, TRUSTED } from '../language/names.js'
import type { KnockProgram } from '../language/program.js'
import { type Accept, acceptCounted, acceptGranted, countedChains } from './accept.js'
import { markActions } from './grant.js'
import { unlessAtDoor, unlessOnInterfaces } from './here.js'
import { redirectedTo } from './redirect.js'
import { serviceChains, serviceRules } from './service.js'

/** The bits of SYN and RST (RFC 9293). */
const SYN_RST = 0x02 | 0x04

export const gateChain = (door: string): string => `gate_${door}`

/** The chains for knock packets, by protocol. */
export const KNOCK = { tcp: 'knock_tcp', udp: 'knock_udp' } as const

/** The facts about the table that a gate depends on. */
interface GateContext {
  readonly hook: Hook
  readonly hasTrusted: boolean
  readonly bans: boolean
  /** The knocks of the door itself. */
  readonly programs: readonly KnockProgram[]
  /** Whether another door with the same service judges the packets that this one refuses. */
  readonly isFollowed: boolean
}

export function buildGate(door: ValidDoor, context: GateContext): Chain[] {
  const { name, origin } = door
  const { hasTrusted, hook, isFollowed } = context
  const rule = (part: string, rest: Omit<Rule, 'comment'>): Rule => {
    return { ...rest, comment: `${name} ${origin}/${part}` }
  }
  const mark = markActions(door)
  // A redirect changes the destination to one of the host's own addresses, so the target is closed
  // at all of them. The interface stays the one where the packet came in.
  const addresses = door.open.redirectTo === undefined ? door.addresses : []
  const trusted: Rule = {
    when: [inSet(TRUSTED)],
    then: mark,
    verdict: ACCEPT,
    comment: `${name} /guard/trusted`,
  }
  const denied = [count(counterName('denied', name))]
  const deny = rule('service', {
    when: [],
    then: denied,
    verdict: isFollowed ? RETURN : DROP,
    logs: { event: 'denied', door: name },
  })
  return [
    {
      name: gateChain(name),
      rules: [
        ...unlessOnInterfaces(door, `${name} ${origin}/interfaces`),
        ...unlessAtDoor({ interfaces: [], addresses }, `${name} ${origin}/address`),
        ...(hasTrusted ? [trusted] : []),
        ...acceptRules(door, hook).map((accept) => rule('open', accept)),
        ...(hook === 'input' && door.open.established === 'keep'
          ? [{ ...OWN_CONNECTION, comment: `${name} connections from before live on` }]
          : []),
        ...knockPorts(context.programs).map(({ protocol, port }) =>
          rule('knock', { when: [onPort(protocol, port)], verdict: goTo(KNOCK[protocol]) }),
        ),
        ...serviceRules(door, context.programs),
        deny,
      ],
    },
    ...countedChains(door, hook, deny),
    ...serviceChains(door, { ...context, deny }),
  ]
}

/**
 * The knock ports within the door's own service. Packets to them are knocks if nothing accepts
 * them.
 */
function knockPorts(programs: readonly KnockProgram[]) {
  return programs.flatMap(({ door, endpoints }) =>
    endpoints.flatMap(({ port }) => {
      const isServed = port && door.services.some((service) => stepMeetsService(port, service))
      return isServed ? [port] : []
    }),
  )
}

function acceptRules(door: ValidDoor, hook: Hook): Accept[] {
  const { connections, redirectTo } = door.open
  const mark = markActions(door)
  if (redirectTo) return redirectedTo(door).map((when) => ({ when, then: mark, verdict: ACCEPT }))
  if (connections !== undefined) return acceptCounted(door, hook)
  const accept = acceptGranted(door)
  return [{ ...accept, then: [...(accept.then ?? []), ...mark] }]
}

/**
 * Accepts packets of connections that conntrack does not know: those from before conntrack was
 * loaded (which these rules cause), flushed ones, and untracked ones. Without SYN, so that nothing
 * begins here. And only if the host has a socket for that connection: otherwise it would answer a
 * scanner.
 */
export const OWN_CONNECTION: Accept = {
  when: [{ kind: 'flags', flags: { mask: SYN_RST, value: 0 } }, { kind: 'own-connection' }],
  verdict: ACCEPT,
}
