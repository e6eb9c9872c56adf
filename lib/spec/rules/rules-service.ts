// Rejects services of doors that conflict with each other. Pure.
import { endsInService } from '../../automaton/kinds/kinds.js'
import { formatCidr } from '../model/address.js'
import type { Findings } from '../model/findings.js'
import { interfacesMeet } from '../model/interfaces.js'
import type { ReadSpec, ValidDoor } from '../model/model.js'
import type { Service, Step } from '../model/packet-model.js'
import { formatService, formatStep, servicesOverlap, stepMeetsService } from '../model/step.js'
import { AddressIndex, lengthsOf } from './address-index.js'

interface PlacedService {
  readonly service: Service
  readonly door: ValidDoor
  /** JSON Pointer of the service. */
  readonly path: string
}

/**
 * Finds each service of each door with its JSON Pointer. The pointer has no index if the door
 * writes its only service without a list.
 */
export function placeServices(doors: readonly ValidDoor[], findings: Findings): PlacedService[] {
  return doors.flatMap((door) => {
    const base = `${door.origin}/service`
    // If one could not be read, the indices of the others are unknown.
    if (!findings.isCleanBelow(base)) return []
    const inList = findings.isList(base)
    return door.services.map((service, index) => {
      return { service, door, path: inList ? `${base}/${index}` : base }
    })
  })
}

/** Services of the same protocol and ports, at any interfaces and addresses. */
interface Alike {
  readonly first: PlacedService
  /** By the interfaces of their doors. */
  readonly places: Map<string, Place>
}

interface Place {
  readonly interfaces: readonly string[]
  readonly byAddress: AddressIndex<PlacedService>
}

/** Finds services of doors whose interfaces and addresses meet those of a door. */
function meeting({ places }: Alike, { interfaces, addresses }: ValidDoor): PlacedService[] {
  return [...places.values()]
    .filter((place) => interfacesMeet(place.interfaces, interfaces))
    .flatMap(({ byAddress }) => [...byAddress.meeting(addresses)])
}

function addTo({ places }: Alike, service: PlacedService, lengths: Lengths): void {
  const { interfaces, addresses } = service.door
  const key = interfaces.join(' ')
  const place = places.get(key) ?? { interfaces, byAddress: new AddressIndex(lengths) }
  places.set(key, place)
  place.byAddress.add(addresses, service)
}

type Lengths = ReturnType<typeof lengthsOf>

/**
 * Up to this many overlapping services each one is reported. Beyond that, further services are
 * compared with one of them only.
 */
const MANY = 64

/**
 * Reports services that overlap, unless their interfaces or their addresses are apart, or their
 * doors share one service.
 */
export function checkServices({ doors }: ReadSpec, findings: Findings): void {
  const placed = placeServices(doors, findings)
  const lengths = lengthsOf(doors.flatMap(({ addresses }) => addresses))
  // Sorted by their first port, so that only neighbours must be compared.
  const byStart = [...placed].sort((a, b) => startOf(a.service) - startOf(b.service))
  const open = new Map<string, Alike>()
  for (const current of byStart) {
    const { service, door } = current
    let overlaps = false
    for (const [key, alike] of open) {
      const { first } = alike
      if (endOf(first.service) < startOf(service)) open.delete(key)
      else if (servicesOverlap(first.service, service)) {
        const met = meeting(alike, door)
        for (const earlier of met.length > 0 ? met : [first]) {
          const [low, high] = byDocument(earlier, current)
          overlaps = checkOverlap(low, high, findings) || overlaps
        }
      }
    }
    if (overlaps && open.size > MANY) continue
    const key = formatService(service)
    const alike: Alike = open.get(key) ?? { first: current, places: new Map() }
    open.set(key, alike)
    addTo(alike, current, lengths)
  }
}

const startOf = ({ ports }: Service): number => ports?.from ?? 0
const endOf = ({ ports }: Service): number => ports?.to ?? 65535

const byDocument = (a: PlacedService, b: PlacedService): [PlacedService, PlacedService] =>
  PLACES.compare(a.path, b.path) < 0 ? [a, b] : [b, a]

/** Made once: `localeCompare` makes one for each call. */
const PLACES = new Intl.Collator('en', { numeric: true })

/** Reports the second of two services that conflict; false if they do not. */
function checkOverlap(low: PlacedService, high: PlacedService, findings: Findings): boolean {
  const [lower, higher] = [formatService(low.service), formatService(high.service)]
  const isOwn = low.door === high.door
  if (isOwn || placesMeet(low.door, high.door)) {
    if (!isOwn && standTogether(low.door, high.door, findings)) return false
    const reason = lower === higher ? `both are ${lower}` : `${higher} and ${lower} overlap`
    findings.conflict(high.path, low.path, reason)
    return true
  }
  if (fitTogether(low.service, high.service)) return false
  const overlap = `${higher} and ${lower} overlap in part`
  const reason = `${overlap}, which nft cannot have even at two addresses or interfaces`
  findings.conflict(high.path, low.path, reason)
  return true
}

/**
 * Reports a door before AH that has IPv6 addresses. In IPv6 nft looks through that header and
 * matches the protocol behind it.
 */
export function checkProtocols({ doors }: ReadSpec, findings: Findings): void {
  for (const { service, door, path } of placeServices(doors, findings)) {
    if (service.protocol !== AH) continue
    const { origin, addresses } = door
    const isIpv4 = addresses.length > 0 && addresses.every(({ family }) => family === 4)
    if (isIpv4 || !findings.isCleanBelow(`${origin}/address`)) continue
    const reason = 'over IPv6 nft judges the protocol behind AH; give the door IPv4 addresses only'
    findings.conflict(path, `${origin}/address`, reason)
  }
}

/** AH (RFC 4302) is an extension header in IPv6 (ipv6_ext_hdr() in the kernel). */
const AH = 51

/**
 * Whether nft's maps can have two services at different places. Ranges that overlap in part
 * cannot be in one map.
 */
function fitTogether({ ports: a }: Service, { ports: b }: Service): boolean {
  if (!a || !b) return true
  const isSame = a.from === b.from && a.to === b.to
  return isSame || a.from === a.to || b.from === b.to
}

function placesMeet(a: ValidDoor, b: ValidDoor): boolean {
  if (!interfacesMeet(a.interfaces, b.interfaces)) return false
  if (a.addresses.length === 0 || b.addresses.length === 0) return true
  const index = new AddressIndex<ValidDoor>(lengthsOf([...a.addresses, ...b.addresses]))
  index.add(a.addresses, a)
  return index.meeting(b.addresses).size > 0
}

/**
 * Whether two doors may share one service: one lets in its source, the other everyone. There are
 * never three of these.
 */
function standTogether(a: ValidDoor, b: ValidDoor, findings: Findings): boolean {
  const isRead = [a, b].every(({ origin }) => findings.isClean(`${origin}/open/scope`))
  return (
    (!isRead || a.open.scope !== b.open.scope) &&
    // A door that redirects lets all other packets pass to its service.
    !a.open.redirectTo &&
    !b.open.redirectTo &&
    [a, b].every(canShare) &&
    haveSame(a.services.map(formatService), b.services.map(formatService)) &&
    haveSame(a.interfaces, b.interfaces) &&
    haveSame(a.addresses.map(formatCidr), b.addresses.map(formatCidr))
  )
}

/** Whether another door can judge the packets that this door does not let in. */
const canShare = ({ services, knocks, open }: ValidDoor): boolean =>
  services.every(({ ports }) => ports) && open.established === 'keep' && !knocks.some(endsInService)

const haveSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && new Set([...a, ...b]).size === new Set(a).size

/** Finds the doors whose named services contain the port of a step. */
export type OwnersOf = (step: Step) => readonly ValidDoor[]

/** Builds an index for `OwnersOf`, so that not all doors are compared with each step. */
export function indexServices(doors: readonly ValidDoor[]): OwnersOf {
  const single = new Map<string, ValidDoor[]>()
  const ranges: { service: Service; door: ValidDoor }[] = []
  for (const door of doors) {
    for (const service of door.services) {
      const { ports } = service
      if (!ports) continue
      if (ports.from === ports.to) pushTo(single, formatService(service), door)
      else ranges.push({ service, door })
    }
  }
  const known = new Map<string, readonly ValidDoor[]>()
  const find = (step: Step, key: string) => [
    ...(single.get(key) ?? []).toReversed(),
    ...ranges.filter(({ service }) => stepMeetsService(step, service)).map(({ door }) => door),
  ]
  return (step) => {
    const key = formatStep(step)
    const found = known.get(key) ?? find(step, key)
    known.set(key, found)
    return found
  }
}

function pushTo<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
