// What a schema cannot say: the parts of a spec that contradict each other or that nft would misread. Pure.
import { cidrsIntersect } from './address.js'
import type { Findings } from './findings.js'
import { isKeyword } from './keywords.js'
import type { Family, Service, Step, ValidDoor, ValidKnock, ValidSpec } from './model.js'
import { formatService, formatStep, servicesOverlap, stepMeetsService, stepsMeet } from './step.js'

/** Reports every contradiction in a spec whose parts are each of the right form. */
export function checkSpec(spec: ValidSpec, findings: Findings): void {
  if (isKeyword(spec.table)) findings.add('/table', 'a name that is not a word of nft')
  checkNames(spec, findings)
  checkServices(spec, findings)
  const ownerOf = indexServices(spec.doors)
  for (const door of spec.doors) {
    for (const knock of attemptsOf(door)) {
      checkTimes(knock, findings)
      checkSteps(knock, ownerOf, findings)
      checkFamilies(knock, door, findings)
    }
    checkClose(door, findings)
    if (door.open.refresh && door.open.connections === 1) {
      findings.add(
        `${door.origin}/open/refresh`,
        'no refresh where one connection uses the grant up',
      )
    }
  }
  checkSharedPorts(spec, findings)
  checkIgnore(spec, findings)
}

/** The most knocks that one port may belong to: a packet to it is judged for each of them. */
const MOST_AT_ONE_PORT = 64

function checkSharedPorts({ doors }: ValidSpec, findings: Findings): void {
  const users = new Map<string, number>()
  for (const knock of doors.flatMap(attemptsOf)) {
    const seen = new Set<string>()
    for (const [index, step] of knock.steps.entries()) {
      const key = step.port === undefined ? 'icmp' : formatStep(step)
      if (seen.has(key) || !findings.isCleanBelow(`${knock.origin}/steps/${index}`)) continue
      seen.add(key)
      const count = (users.get(key) ?? 0) + 1
      users.set(key, count)
      if (count > MOST_AT_ONE_PORT) {
        findings.add(
          `${knock.origin}/steps/${index}`,
          `a step that at most ${MOST_AT_ONE_PORT} knocks share`,
        )
      }
    }
  }
}

/** The knocks of a door: the one that opens it and the one that closes it. */
export function attemptsOf(door: ValidDoor): ValidKnock[] {
  return door.close ? [door.knock, door.close] : [door.knock]
}

function checkNames({ doors }: ValidSpec, findings: Findings): void {
  const first = new Map<string, string>()
  for (const { name, origin } of doors) {
    if (!findings.isClean(`${origin}/name`)) continue
    const earlier = first.get(name)
    if (earlier === undefined) first.set(name, origin)
    else findings.add(`${origin}/name`, `a name of its own, ${earlier} has this one`)
  }
}

interface Placed {
  readonly service: Service
  readonly door: ValidDoor
  readonly path: string
}

/** Each service of each door with its JSON Pointer. A door that lists one service may write it without a list. */
function placedServices(doors: readonly ValidDoor[], findings: Findings): Placed[] {
  return doors.flatMap((door) => {
    const base = `${door.origin}/service`
    // Where one could not be read, the others' places in the list are not known any more.
    if (!findings.isCleanBelow(base)) return []
    const inList = findings.isList(base)
    return door.services.map((service, index) => {
      return { service, door, path: inList ? `${base}/${index}` : base }
    })
  })
}

function checkServices({ doors }: ValidSpec, findings: Findings): void {
  const placed = placedServices(doors, findings)
  // Only services that share a protocol and stand near each other can overlap: sort, then compare neighbours.
  const byStart = [...placed].sort((a, b) => startOf(a.service) - startOf(b.service))
  const open: Placed[] = []
  for (const current of byStart) {
    const start = startOf(current.service)
    for (let i = open.length - 1; i >= 0; i--) {
      const earlier = open[i] as Placed
      if (endOf(earlier.service) < start) {
        open.splice(i, 1)
      } else if (servicesOverlap(earlier.service, current.service)) {
        const [low, high] = byDocument(earlier, current)
        const other = `${low.path} is ${formatService(low.service)}`
        if (low.door === high.door || addressesMeet(low.door, high.door)) {
          findings.add(high.path, `a service of its own, ${other}`)
        } else if (!fitTogether(low.service, high.service)) {
          findings.add(high.path, `the same range at both addresses, or one apart, ${other}`)
        }
      }
    }
    open.push(current)
  }
}

const startOf = ({ ports }: Service): number => ports?.from ?? 0
const endOf = ({ ports }: Service): number => ports?.to ?? 65535

const byDocument = (a: Placed, b: Placed): [Placed, Placed] =>
  a.path.localeCompare(b.path, 'en', { numeric: true }) < 0 ? [a, b] : [b, a]

/** Whether two services at different addresses can stand in nft's maps: ranges that overlap in part cannot. */
function fitTogether({ ports: a }: Service, { ports: b }: Service): boolean {
  if (!a || !b) return true
  const isSame = a.from === b.from && a.to === b.to
  return isSame || a.from === a.to || b.from === b.to
}

function addressesMeet(a: ValidDoor, b: ValidDoor): boolean {
  if (a.addresses.length === 0 || b.addresses.length === 0) return true
  return a.addresses.some((left) => b.addresses.some((right) => cidrsIntersect(left, right)))
}

function checkTimes({ stepTimeout, timeout, origin }: ValidKnock, findings: Findings): void {
  const isRead = ['stepTimeout', 'timeout'].every((key) => findings.isClean(`${origin}/${key}`))
  if (isRead && timeout !== undefined && stepTimeout > timeout) {
    findings.add(`${origin}/stepTimeout`, `at most timeout, ${timeout} s`)
  }
}

type OwnerOf = (step: Step) => ValidDoor | undefined

/** Finds the door whose service a step would knock on, without walking all doors for each step. */
function indexServices(doors: readonly ValidDoor[]): OwnerOf {
  const single = new Map<string, ValidDoor>()
  const ranges: { service: Service; door: ValidDoor }[] = []
  for (const door of doors) {
    for (const service of door.services) {
      if (service.ports?.from === service.ports?.to) single.set(formatService(service), door)
      else ranges.push({ service, door })
    }
  }
  return (step) =>
    single.get(formatStep(step)) ??
    ranges.find(({ service }) => stepMeetsService(step, service))?.door
}

function checkSteps(knock: ValidKnock, ownerOf: OwnerOf, findings: Findings): void {
  for (const [index, step] of knock.steps.entries()) {
    const owner = ownerOf(step)
    if (owner) {
      findings.add(
        `${knock.origin}/steps/${index}`,
        `a port that is no door's service, this one belongs to ${owner.name}`,
      )
    }
  }
}

/** The address families over which every step can be sent. */
export function familiesOf(steps: readonly Step[]): Family[] {
  return steps.some((step) => step.protocol === 'icmpv6') ? [6] : [4, 6]
}

function checkFamilies(knock: ValidKnock, door: ValidDoor, findings: Findings): void {
  if (door.addresses.length === 0) return
  const reachable = familiesOf(knock.steps)
  if (!door.addresses.some(({ family }) => reachable.includes(family))) {
    const index = knock.steps.findIndex((step) => step.protocol === 'icmpv6')
    findings.add(
      `${knock.origin}/steps/${index}`,
      'a step that can reach the door, which has IPv4 addresses alone',
    )
  }
}

/** One packet must not both open and close: neither sequence may end with the whole of the other. */
function checkClose({ knock, close, origin }: ValidDoor, findings: Findings): void {
  if (!close) return
  // A step that could not be read has another in its place.
  if (!findings.isCleanBelow(knock.origin) || !findings.isCleanBelow(close.origin)) return
  const [short, long] =
    knock.steps.length <= close.steps.length
      ? [knock.steps, close.steps]
      : [close.steps, knock.steps]
  const tail = long.slice(long.length - short.length)
  if (short.every((step, index) => stepsMeet(step, tail[index] as Step))) {
    findings.add(`${origin}/close/steps`, 'steps that do not complete the opening knock as well')
  }
}

function checkIgnore({ guard, doors }: ValidSpec, findings: Findings): void {
  if (!findings.isCleanBelow('/guard/ignore')) return
  for (const [index, ignored] of guard.ignore.entries()) {
    const path = `/guard/ignore/${index}`
    const twin = guard.ignore.findIndex((other) => servicesOverlap(other, ignored))
    if (twin < index) findings.add(path, `ports of its own, /guard/ignore/${twin} has some of them`)
    for (const door of doors) {
      if (door.services.some((service) => service.ports && servicesOverlap(service, ignored))) {
        findings.add(path, `no service of a door: traffic to ${door.name} never resets an attempt`)
      }
      const knocks = attemptsOf(door).flatMap(({ steps }) => steps)
      if (knocks.some((step) => stepMeetsService(step, ignored))) {
        findings.add(path, `no knock port: ${door.name} is knocked there`)
      }
    }
  }
}
