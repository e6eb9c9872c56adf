// A door's service → the chain that lets granted and trusted sources through and nobody else. Pure.
import type { Hook, ValidDoor } from '../../spec/model/model.js'
import { stepMeetsService } from '../../spec/model/step.js'
import {
  ACCEPT,
  type Chain,
  count,
  DROP,
  goTo,
  inSet,
  type Match,
  onPort,
  RETURN,
  type Rule,
} from '../language/automaton.js'
import { counterName, TRUSTED } from '../language/names.js'
import type { KnockProgram } from '../language/program.js'
import { type Accept, acceptCounted, acceptGranted, countedChains } from './accept.js'
import { markActions } from './grant.js'
import { redirectedTo } from './redirect.js'
import { serviceChains, serviceRules } from './service.js'

/** RFC 9293's bits. */
const SYN_RST = 0x02 | 0x04

export const gateChain = (door: string): string => `gate_${door}`

/** Where a packet goes that is a knock, by its protocol. */
export const KNOCK = { tcp: 'knock_tcp', udp: 'knock_udp' } as const

/** What a gate needs to know of its table. */
interface GateContext {
  readonly hook: Hook
  readonly hasTrusted: boolean
  readonly bans: boolean
  /** The knocks of the gate's own door. */
  readonly programs: readonly KnockProgram[]
  /** Whether another door has the same service, and judges what this one refuses. */
  readonly isFollowed: boolean
}

export function buildGate(door: ValidDoor, context: GateContext): Chain[] {
  const { name, addresses, origin } = door
  const { hasTrusted, hook, isFollowed } = context
  const rule = (part: string, rest: Omit<Rule, 'comment'>): Rule => {
    return { ...rest, comment: `${name} ${origin}/${part}` }
  }
  const mark = markActions(door)
  const elsewhere: Match = { kind: 'destination', addresses, not: true }
  // A redirect changes the destination to whichever of the host's own addresses; the target is
  // closed at all of them.
  const isHere = addresses.length === 0 || door.open.redirectTo !== undefined
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
        ...(isHere ? [] : [rule('address', { when: [elsewhere], verdict: RETURN })]),
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
 * The knock ports that the door's own service names: their packets are knocks where nothing lets
 * them through.
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
 * Connections that conntrack does not know: those from before it was switched on (our own rules do
 * that), flushed ones, untracked ones. No SYN, so that nothing begins here; and a socket of their
 * own, so that a prober's packets, to which the host would answer, still meet silence.
 */
const OWN_CONNECTION: Accept = {
  when: [{ kind: 'flags', flags: { mask: SYN_RST, value: 0 } }, { kind: 'own-connection' }],
  verdict: ACCEPT,
}
