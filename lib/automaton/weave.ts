// Programs and gates → the table's chains and maps: the way of each packet to the rules that judge it. Pure.
//
// A new packet costs one look-up of its protocol and port, and one that asks whether its source is knocking.
import type { ValidSpec } from '../spec/model.js'
import { SYN } from '../spec/step.js'
import {
  ACCEPT,
  add,
  type Chain,
  type DispatchEntry,
  type DispatchMap,
  DROP,
  dispatch,
  goTo,
  inSet,
  jump,
  type Match,
  RETURN,
  type Rule,
  stateIs,
  update,
} from './automaton.js'
import { type PortUsers, placeEndpoints } from './endpoints.js'
import { INVALID_STEPS, PORT_RANGES, PORTS, SEEN, STEPS } from './names.js'
import { ignoredEntries, knockEntries, serviceEntries, wholeProtocolRules } from './ports.js'
import type { KnockProgram } from './program.js'
import type { ResetDomain } from './reset.js'
import { echoChains, stepChains } from './steps.js'

const KNOCK = { tcp: 'knock_tcp', udp: 'knock_udp' } as const
const ECHO = 'echo'
const JUDGE = 'judge_step'
const JUDGE_INVALID = 'judge_invalid_step'
const ELSEWHERE = 'elsewhere'

const isSyn: Match = { kind: 'flags', flags: SYN }

export interface Woven {
  /** The base chain first. */
  readonly chains: readonly Chain[]
  readonly maps: readonly DispatchMap[]
}

export function weave(
  spec: ValidSpec,
  programs: readonly KnockProgram[],
  domains: readonly ResetDomain[],
): Woven {
  const { ports, echo } = placeEndpoints(programs)
  const gates = wholeProtocolRules(spec.doors)
  const whole = gates.length > 0 ? [RELATED, ...gates] : []
  const knocks = knockEntries(ports, KNOCK)
  const services = serviceEntries(spec.doors)
  const ignored = ignoredEntries(spec.guard.ignore, whole)
  const steps = stepChains(ports)
  const others = resetOthers(domains)

  const entries = [knocks, services, ignored].flatMap((part) => part.entries)
  const ranges = entries.filter(({ ports: { from, to } }) => from !== to)
  const anyDomain = domains.find(({ mode }) => mode === 'any')
  const base: Chain = {
    name: spec.hook,
    rules: [
      interfaceRule(spec.interfaces),
      ...(echo.length > 0 ? [ECHO_RULE] : []),
      ESTABLISHED,
      ...dispatchRules(ranges.length > 0),
      ...whole,
      ...(anyDomain ? [elsewhereRule(anyDomain)] : []),
    ],
  }
  return {
    chains: [
      base,
      ...[services, knocks, ignored].flatMap((part) => part.chains),
      ...knockChains(ports, others, steps.invalidEntries.length > 0),
      ...steps.chains,
      ...echoChains(ECHO, echo, others),
      ...(anyDomain ? [elsewhereChain(anyDomain)] : []),
    ],
    maps: [
      { name: PORTS, interval: false, entries: entries.filter((entry) => !ranges.includes(entry)) },
      ...optionalMap(PORT_RANGES, true, ranges),
      { name: STEPS, interval: false, entries: steps.entries },
      ...optionalMap(INVALID_STEPS, false, steps.invalidEntries),
    ],
  }
}

const optionalMap = (
  name: string,
  interval: boolean,
  entries: readonly DispatchEntry[],
): DispatchMap[] => (entries.length > 0 ? [{ name, interval, entries }] : [])

/** The host's own loopback needs no knock, unless the spec names it. */
function interfaceRule(names: readonly string[]): Rule {
  return names.length > 0
    ? { when: [{ kind: 'interface', names, not: true }], verdict: ACCEPT, comment: '/interfaces' }
    : { when: [{ kind: 'loopback' }], verdict: ACCEPT, comment: 'loopback' }
}

const ECHO_RULE: Rule = {
  when: [{ kind: 'echo-request' }],
  verdict: jump(ECHO),
  comment: 'echo requests: a knock even where established',
}

const ESTABLISHED: Rule = {
  when: [stateIs('established')],
  verdict: ACCEPT,
  comment: 'connections live on',
}

/**
 * Behind the named ports: what a conntrack helper expects could name a door's own. ICMP errors and the data
 * connections of the host's own FTP must not end at a door before a whole protocol.
 */
const RELATED: Rule = {
  when: [stateIs('related')],
  verdict: ACCEPT,
  comment: 'what belongs to connections',
}

function dispatchRules(hasRanges: boolean): Rule[] {
  const single: Rule = { when: [], verdict: dispatch(PORTS), comment: 'knocks, services, ignored' }
  const ranges: Rule = { when: [], verdict: dispatch(PORT_RANGES), comment: 'ranges of ports' }
  return hasRanges ? [single, ranges] : [single]
}

/** A knock resets the attempts of which it is no step, and then goes to the doors that are knocked there. */
const resetOthers = (domains: readonly ResetDomain[]): Rule[] =>
  domains.map(({ knocking, chain }) => ({
    when: [inSet(knocking)],
    verdict: jump(chain),
    comment: 'a knock resets the attempts of other doors',
  }))

function knockChains(
  ports: readonly PortUsers[],
  others: readonly Rule[],
  hasInvalid: boolean,
): Chain[] {
  const invalid = (verdict: Rule['verdict']): Rule => {
    return { when: [stateIs('invalid')], ...(verdict && { verdict }), comment: 'starts nothing' }
  }
  const judge: Rule = { when: [], verdict: goTo(JUDGE), comment: 'to the doors knocked here' }
  const drop: Rule = { when: [], verdict: DROP, comment: 'knocks are never answered' }
  const tcp: Chain = {
    name: KNOCK.tcp,
    rules: [invalid(hasInvalid ? goTo(JUDGE_INVALID) : DROP), ...onceEach(JUDGE, DROP), judge],
  }
  const udp: Chain = { name: KNOCK.udp, rules: [invalid(DROP), judge] }
  const uses = (protocol: 'tcp' | 'udp') => ports.some(({ port }) => port.protocol === protocol)
  const look = (map: string): Rule => {
    return { when: [], verdict: dispatch(map), comment: 'the doors knocked here' }
  }
  return [
    ...(uses('tcp') ? [tcp] : []),
    ...(uses('udp') ? [udp] : []),
    ...(ports.length > 0 ? [{ name: JUDGE, rules: [...others, look(STEPS), drop] }] : []),
    ...(hasInvalid ? [{ name: JUDGE_INVALID, rules: [look(INVALID_STEPS), drop] }] : []),
  ]
}

/** A SYN goes on to a chain the first time it is seen; what a full memory cannot hold is not let on. */
function onceEach(chain: string, otherwise: typeof DROP): Rule[] {
  return [
    {
      when: [isSyn, inSet(SEEN)],
      then: [update(SEEN)],
      verdict: otherwise,
      comment: 'retransmitted SYN',
    },
    {
      when: [isSyn],
      then: [add(SEEN)],
      verdict: goTo(chain),
      comment: 'first SYN of its connection',
    },
    { when: [isSyn], verdict: otherwise, comment: 'no room to remember the SYN' },
  ]
}

const elsewhereRule = ({ knocking }: ResetDomain): Rule => ({
  when: [inSet(knocking), stateIs('new')],
  verdict: jump(ELSEWHERE),
  comment: 'new packets elsewhere reset attempts',
})

/** A new packet that is no knock, of a source that is knocking. */
function elsewhereChain({ chain }: ResetDomain): Chain {
  const [retransmitted, first] = onceEach(chain, RETURN)
  // Where there is no room to remember a SYN the attempt ends all the same: the safe side.
  const reset: Rule = { when: [], verdict: goTo(chain), comment: 'resets' }
  return { name: ELSEWHERE, rules: [retransmitted as Rule, first as Rule, reset] }
}
