// Rejects knock ports and ignored ports that conflict with services or with each other. Pure.
import { endsInService, kindOf } from '../../automaton/kinds/kinds.js'
import type { Findings } from '../model/findings.js'
import type { ReadSpec, ValidRotation } from '../model/model.js'
import type { Service } from '../model/packet-model.js'
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
    const reason = `${formatStep(step)} is a service of ${owner.name}`
    findings.conflict(path, `${owner.origin}/service`, reason)
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
    findings.conflict(path, other.path, 'no other knock may have the port of a token')
  }
}

export interface PlacedRange {
  readonly service: Service
  /** JSON Pointer of the range. */
  readonly path: string
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
        return { service: { protocol, ports }, path }
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
    if (twin) findings.conflict(range.path, twin.path, 'the ranges overlap')
    if (twin) continue
    apart.push(range)
    const step = placed.find(({ step }) => stepMeetsService(step, range.service))
    if (step) {
      const reason = `the range contains the knock port ${formatStep(step.step)}`
      findings.conflict(range.path, step.path, reason)
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
  for (const { name, origin, services } of doors) {
    const service = services.find(isIn)
    if (service) {
      const reason = `the range contains ${formatService(service)}, a service of ${name}`
      findings.conflict(path, `${origin}/service`, reason)
    }
  }
  const ignored = findings.isCleanBelow('/guard/ignore') ? guard.ignore.findIndex(isIn) : -1
  if (ignored !== -1) {
    findings.conflict(path, `/guard/ignore/${ignored}`, 'the range contains ignored ports')
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
    if (twin < index) findings.conflict(path, `/guard/ignore/${twin}`, 'the ports overlap')
    const owner = doors.find(({ services }) =>
      services.some((service) => service.ports && servicesOverlap(service, ignored)),
    )
    if (owner) {
      const reason = 'packets to a service never reset an attempt'
      findings.conflict(path, `${owner.origin}/service`, reason)
    }
    const knocked = placed.find(({ step }) => stepMeetsService(step, ignored))
    if (knocked) findings.conflict(path, knocked.path, 'a knock port cannot be ignored')
  }
}
