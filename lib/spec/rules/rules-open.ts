// Rejects combinations of `hook`, `open` and knocks that cannot work. Pure.
import { endsInService } from '../../automaton/kinds/kinds.js'
import type { Findings } from '../model/findings.js'
import { isWithin } from '../model/interfaces.js'
import type { Hook, ReadSpec, ValidDoor } from '../model/model.js'
import type { RedirectTarget, Service, Step } from '../model/packet-model.js'
import { formatStep, isOdd, servicesOverlap, stepMeetsService } from '../model/step.js'
import { type PlacedStep, placeSteps } from './knock-ports.js'
import type { PlacedRange } from './rules-port.js'
import { type OwnersOf, placeServices } from './rules-service.js'

const isStateless = (hook: Hook): boolean => hook === 'prerouting' || hook === 'ingress'

/** Reports parts that a hook needs and that are missing, and parts that it cannot do. */
export function checkHook(spec: ReadSpec, findings: Findings): void {
  const { hook, doors } = spec
  checkInterfaces(spec, findings)
  checkDoorInterfaces(spec, findings)
  if (!isStateless(hook)) return
  for (const { origin, open, services } of doors) {
    if (open.established === 'cut') {
      const reason = `hook "${hook}" comes before conntrack, so no connection can be cut`
      findings.conflict(`${origin}/open/established`, '/hook', reason)
    }
    if (open.connections !== undefined && services.some(({ protocol }) => protocol === 'udp')) {
      const reason = `with hook "${hook}" each packet of UDP would count as a connection`
      findings.conflict(`${origin}/open/connections`, '/hook', reason)
    }
  }
  for (const { step, path, door } of placeSteps(spec, findings)) {
    if (isOdd(step)) findings.conflict(`${path}/flags`, '/hook', `"${hook}" judges only plain SYNs`)
    const most = longestPing(step, door)
    if (step.length === undefined || step.length <= most) continue
    const why = `hook "${hook}" sees longer pings in fragments, which do not have the whole length`
    findings.add(`${path}/length`, `at most ${most}, or hook "input": ${why}`)
  }
  for (const { service, path } of placeServices(doors, findings)) {
    if (service.ports || service.protocol === 'tcp') continue
    const refused = `"${hook}" comes before conntrack, and would refuse answers to this host`
    findings.conflict(path, '/hook', `${refused}; name ports`)
  }
}

/**
 * The bytes that fit into Ethernet's 1500 behind an IPv4 or IPv6 header and that of an echo
 * request.
 */
const [PING_4, PING_6] = [1500 - 20 - 8, 1500 - 40 - 8]

/**
 * The longest payload of a ping that is not fragmented. A UDP header gives the length of its
 * datagram, so there is no limit.
 */
function longestPing({ protocol }: Step, { addresses }: ValidDoor): number {
  if (protocol !== 'icmp' && protocol !== 'icmpv6') return Number.POSITIVE_INFINITY
  const isIpv6 = addresses.length > 0 && addresses.every(({ family }) => family === 6)
  return protocol === 'icmpv6' || isIpv6 ? PING_6 : PING_4
}

/** Reports interfaces of doors at which the table does not judge. */
function checkDoorInterfaces({ hook, interfaces, doors }: ReadSpec, findings: Findings): void {
  if (!findings.isCleanBelow('/interfaces')) return
  for (const door of doors) {
    for (const [index, name] of door.interfaces.entries()) {
      const path = `${door.origin}/interfaces/${index}`
      if (typeof name !== 'string' || !findings.isClean(path)) continue
      if (interfaces.length > 0 && !isWithin(name, interfaces)) {
        const reason = `the table does not judge what comes in on ${name}`
        findings.conflict(path, '/interfaces', reason)
      } else if (interfaces.length === 0 && hook !== 'ingress' && name === 'lo') {
        findings.add(path, 'another interface: loopback is judged only if /interfaces names it')
      }
    }
  }
}

function checkInterfaces({ hook, interfaces, doors }: ReadSpec, findings: Findings): void {
  if (hook === 'input' || !findings.isClean('/interfaces')) return
  if (hook === 'ingress') {
    if (interfaces.length === 0) {
      findings.add(
        '/interfaces',
        'a list of interfaces, since hook "ingress" works on each of them',
      )
    }
    for (const [index, name] of interfaces.entries()) {
      if (typeof name !== 'string' || !name.endsWith('*')) continue
      findings.add(
        `/interfaces/${index}`,
        'a whole name, since hook "ingress" works on each interface',
      )
    }
  } else if (interfaces.length === 0) {
    for (const { origin, interfaces: own, addresses } of doors) {
      const path = `${origin}/address`
      if (own.length > 0 || addresses.length > 0 || !findings.isCleanBelow(path)) continue
      if (!findings.isCleanBelow(`${origin}/interfaces`)) continue
      findings.add(
        path,
        'an address or interfaces, here or in the spec, ' +
          `since hook "${hook}" sees packets of all hosts`,
      )
    }
  }
}

/** Reports parts of `open` that contradict each other. */
export function checkOpen({ origin, open }: ValidDoor, findings: Findings): void {
  const path = `${origin}/open`
  if (open.refresh && open.connections === 1) {
    const isDefault = !findings.isGiven(`${path}/connections`)
    const other = isDefault ? `${origin}/knock` : `${path}/connections`
    const remedy = isDefault ? '; set connections to allow more' : ''
    findings.conflict(`${path}/refresh`, other, `one connection uses the grant up${remedy}`)
  }
  if (open.refresh === 'traffic') {
    const [other, reason] = open.redirectTo
      ? ['redirectTo', 'the packets of a redirected connection do not name the door']
      : ['scope', 'a stranger who goes on talking would keep the door open for everyone']
    if (open.redirectTo || open.scope === 'everyone') {
      findings.conflict(`${path}/refresh`, `${path}/${other}`, reason)
    }
  }
  if (open.established === 'cut' && open.redirectTo) {
    findings.conflict(
      `${path}/established`,
      `${path}/redirectTo`,
      'redirected connections cannot be cut',
    )
  }
  if (open.prefix && open.scope === 'everyone') {
    findings.conflict(`${path}/prefix`, `${path}/scope`, 'a grant for everyone has no source')
  }
}

/** The parts of a spec that a redirect's target could conflict with. */
interface Surroundings {
  readonly spec: ReadSpec
  readonly placed: readonly PlacedStep[]
  readonly ranges: readonly PlacedRange[]
  readonly ownersOf: OwnersOf
}

/** Reports doors that cannot redirect, and targets that mean something else already. */
export function checkRedirects(around: Surroundings, findings: Findings): void {
  const taken = new Map<string, string>()
  for (const door of around.spec.doors) {
    const { redirectTo } = door.open
    if (!redirectTo) continue
    const path = `${door.origin}/open/redirectTo`
    const wrong =
      wrongWithDoor(door, around.spec.hook) ??
      (redirectTo.address === undefined
        ? wrongWithPort(door, redirectTo, around, taken, findings)
        : wrongWithHost(door, redirectTo))
    if (wrong) findings.conflict(path, ...wrong)
    if (redirectTo.address !== undefined) continue
    for (const { step } of targetsOf(door, redirectTo)) {
      if (!taken.has(formatStep(step))) taken.set(formatStep(step), path)
    }
  }
}

type Conflict = readonly [path: string, reason: string] | undefined

function wrongWithDoor({ origin, knocks, services }: ValidDoor, hook: Hook): Conflict {
  if (hook !== 'input') return ['/hook', 'only hook "input" can redirect']
  const rated = knocks.find(endsInService)
  if (rated) return [rated.origin, `the last packet of a ${rated.type} is already the connection`]
  if (services.every(({ ports }) => ports)) return undefined
  return [`${origin}/service`, 'a whole protocol cannot be redirected']
}

/** The target port, once for each protocol of the door's services. */
function targetsOf({ services }: ValidDoor, { port }: RedirectTarget) {
  return [...new Set(services.map(({ protocol }) => protocol))].map((protocol) => {
    const service: Service = { protocol, ports: { from: port, to: port } }
    return { service, step: { protocol, port } as Step }
  })
}

function wrongWithPort(
  door: ValidDoor,
  target: RedirectTarget,
  { spec, placed, ranges, ownersOf }: Surroundings,
  taken: ReadonlyMap<string, string>,
  findings: Findings,
): Conflict {
  for (const { service, step } of targetsOf(door, target)) {
    const isIn = (other: Service) => servicesOverlap(other, service)
    const owner = ownersOf(step)[0] ?? spec.doors.find(({ services }) => services.some(isIn))
    if (owner) return [`${owner.origin}/service`, `the target is a service of ${owner.name}`]
    const knocked =
      placed.find((one) => stepMeetsService(one.step, service)) ??
      ranges.find((range) => isIn(range.service))
    if (knocked) return [knocked.path, 'the target is a knock port']
    const ignored = findings.isCleanBelow('/guard/ignore') ? spec.guard.ignore.findIndex(isIn) : -1
    if (ignored !== -1) return [`/guard/ignore/${ignored}`, 'the target is an ignored port']
    const twin = taken.get(formatStep(step))
    if (twin !== undefined) return [twin, 'both have the same target']
  }
  return undefined
}

function wrongWithHost({ origin, addresses }: ValidDoor, { family }: RedirectTarget): Conflict {
  if (addresses.length === 0 || addresses.some((address) => address.family === family)) {
    return undefined
  }
  const other = family === 4 ? 'IPv6' : 'IPv4'
  return [`${origin}/address`, `the door has only ${other} addresses, the target is IPv${family}`]
}
