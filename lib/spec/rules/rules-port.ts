// Rejects knock ports and ignored ports that conflict with services or with each other. Pure.
import { endsInService, kindOf } from '../../automaton/kinds/kinds.js'
import type { Findings } from '../model/findings.js'
import type { ReadSpec, Service, ValidRotation } from '../model/model.js'
import { formatService, formatStep, servicesOverlap, stepMeetsService } from '../model/step.js'
import { type PlacedStep, rotationsOf } from './knock-ports.js'
import type { OwnersOf } from './rules-service.js'

/**
 * Reports knock ports that are services. Only a rate or a rhythm may be knocked on its own door's
 * service.
 */
export function checkOwners(
  placed: readonly PlacedStep[],
  ownersOf: OwnersOf,
  findings: Findings,
): void {
  for (const { step, path, knock, door } of placed) {
    const mayBeOwn = endsInService(knock)
    const owner = ownersOf(step).find((owner) => !mayBeOwn || owner !== door)
    if (!owner) continue
    const whose = mayBeOwn ? "other door's" : "door's"
    findings.add(path, `a port that is no ${whose} service, this one belongs to ${owner.name}`)
  }
}

/** The most knocks that may share one port: a packet to it is judged for each of them. */
const MOST_AT_ONE_PORT = 64

/** Reports ports that too many knocks share. */
export function checkCrowds(placed: readonly PlacedStep[], findings: Findings): void {
  const users = new Map<string, { count: number; last: unknown }>()
  for (const { step, path, knock } of placed) {
    if (!findings.isCleanBelow(path)) continue
    const key = step.port === undefined ? 'icmp' : formatStep(step)
    const user = users.get(key) ?? { count: 0, last: undefined }
    if (user.last === knock) continue
    users.set(key, { count: user.count + 1, last: knock })
    if (user.count < MOST_AT_ONE_PORT) continue
    const what = knock.type === 'sequence' ? 'step' : 'port'
    findings.add(path, `a ${what} that at most ${MOST_AT_ONE_PORT} knocks share`)
  }
}

/** Reports ports that must belong to one knock alone and that another knock has too. */
export function checkOwnPorts(placed: readonly PlacedStep[], findings: Findings): void {
  const users = new Map<number, { first: PlacedStep; other?: PlacedStep }>()
  for (const one of placed) {
    const { protocol, port } = one.step
    if (protocol !== 'udp' || port === undefined) continue
    const user = users.get(port)
    if (!user) users.set(port, { first: one })
    else if (!user.other && user.first.knock !== one.knock) user.other = one
  }
  for (const { step, path, knock } of placed.filter(({ knock }) => kindOf(knock).ownsPort)) {
    const user = users.get(step.port as number)
    // If both need the port alone, the second is reported.
    const isFirst = user?.first.knock === knock
    const other = isFirst ? user.other : user?.first
    if (!other || (isFirst && kindOf(other.knock).ownsPort)) continue
    findings.add(path, `a port of its own, ${other.path} has this one`)
  }
}

export interface PlacedRange {
  readonly service: Service
  /** JSON Pointer of the range. */
  readonly path: string
  readonly knockedDoor: string
}

/** Finds the port ranges of all rotations that could be read. */
export function placeRanges({ doors }: ReadSpec, findings: Findings): PlacedRange[] {
  const isRead = ({ origin }: ValidRotation) =>
    ['ports', 'protocol'].every((key) => findings.isClean(`${origin}/rotate/${key}`))
  return doors.flatMap((door) =>
    rotationsOf(door)
      .filter(isRead)
      .map(({ origin, protocol, ports }) => {
        const path = `${origin}/rotate/ports`
        return { service: { protocol, ports }, path, knockedDoor: door.name }
      }),
  )
}

/** Reports ranges of rotations that contain a port with another meaning. */
export function checkRanges(
  ranges: readonly PlacedRange[],
  placed: readonly PlacedStep[],
  spec: ReadSpec,
  findings: Findings,
): void {
  const apart: PlacedRange[] = []
  for (const range of ranges) {
    const twin = apart.find(({ service }) => servicesOverlap(service, range.service))
    if (twin) findings.add(range.path, `a range of its own, ${twin.path} has some of its ports`)
    if (twin) continue
    apart.push(range)
    const step = placed.find(({ step }) => stepMeetsService(step, range.service))
    if (step) {
      findings.add(
        range.path,
        `a range without knock ports, ${step.path} is ${formatStep(step.step)}`,
      )
    }
    checkRangeOutside(range, spec, findings)
  }
}

function checkRangeOutside(
  { service: range, path }: PlacedRange,
  { doors, guard }: ReadSpec,
  findings: Findings,
): void {
  const isIn = (service: Service) => service.ports && servicesOverlap(service, range)
  for (const { name, services } of doors) {
    const service = services.find(isIn)
    if (service) {
      findings.add(path, `a range without a door's service, ${name} has ${formatService(service)}`)
    }
  }
  const ignored = findings.isCleanBelow('/guard/ignore') ? guard.ignore.findIndex(isIn) : -1
  if (ignored !== -1) {
    findings.add(path, `a range without ignored ports, /guard/ignore/${ignored} has some of them`)
  }
}

/** Reports ignored ports that are services or knock ports, or that are listed twice. */
export function checkIgnore(
  { guard, doors }: ReadSpec,
  placed: readonly PlacedStep[],
  findings: Findings,
): void {
  if (!findings.isCleanBelow('/guard/ignore')) return
  for (const [index, ignored] of guard.ignore.entries()) {
    const path = `/guard/ignore/${index}`
    const twin = guard.ignore.findIndex((other) => servicesOverlap(other, ignored))
    if (twin < index) findings.add(path, `ports of its own, /guard/ignore/${twin} has some of them`)
    const owner = doors.find(({ services }) =>
      services.some((service) => service.ports && servicesOverlap(service, ignored)),
    )
    if (owner) {
      findings.add(path, `no service of a door: traffic to ${owner.name} never resets an attempt`)
    }
    const knocked = placed.find(({ step }) => stepMeetsService(step, ignored))
    if (knocked) findings.add(path, `no knock port: ${knocked.door.name} is knocked there`)
  }
}
