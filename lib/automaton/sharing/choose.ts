// Doors → those that share sets and rules, so that a door is a few elements of maps. Pure.
import type { ValidDoor, ValidSpec } from '../../spec/model/model.js'
import type { KnockPort, Service } from '../../spec/model/packet-model.js'
import { servicesOverlap } from '../../spec/model/step.js'
import type { PlacedKnock, SharedSteps } from '../language/kind.js'
import type { Attempt } from '../language/names.js'
import { numbered } from './names.js'

export interface SharedKnock extends SharedSteps {
  readonly door: ValidDoor
  readonly attempt: Attempt
  readonly number: number
}

export interface SharedDoor {
  readonly door: ValidDoor
  readonly service: KnockPort
  /** The knocks that open it in order, then those that close it. */
  readonly knocks: readonly SharedKnock[]
}

/** What is asked of a knock to decide whether it is shared. */
export interface Offer extends PlacedKnock {
  /** Its steps, if its kind can share their rules. */
  readonly shared: SharedSteps | undefined
  /** Its ports, and the ranges in which they may be. */
  readonly ports: readonly Service[]
}

/** With fewer doors each has sets and chains of its own, which are easier to read. */
export const SHARE_FROM = 33

/**
 * Chooses the doors that share sets and rules; none if there are fewer than `from`. Such a door has
 * one port as its service, and all its knocks have plain steps to ports that nothing else has. Of
 * doors with several prefixes, those with the commonest share.
 */
export function chooseShared(
  { doors, guard }: ValidSpec,
  offers: readonly Offer[],
  from = SHARE_FROM,
): SharedDoor[] {
  if (doors.length < from) return []
  const owners = new Owners()
  for (const { door, attempt, ports } of offers) {
    for (const port of ports) owners.take(port, `${door.name} ${attempt}`)
  }
  for (const { name, services, open } of doors) {
    const target = open.redirectTo?.port
    for (const service of services) {
      owners.take(service, name)
      if (target !== undefined) {
        owners.take({ ...service, ports: { from: target, to: target } }, name)
      }
    }
  }
  for (const service of guard.ignore) owners.take(service, '')
  const byDoor = new Map<ValidDoor, Offer[]>(doors.map((door) => [door, []]))
  for (const offer of offers) byDoor.get(offer.door)?.push(offer)
  const chosen = doors.flatMap((door) => {
    const own = byDoor.get(door) ?? []
    const service = plainService(door)
    const isOwn = (port: KnockPort, owner: string) => owners.isOnly(port, owner)
    const fits =
      service !== undefined &&
      isOwn(service, door.name) &&
      own.every(({ shared, attempt }) =>
        shared?.steps.every((step) => isOwn(step, `${door.name} ${attempt}`)),
      )
    return fits ? [{ door, service, own }] : []
  })
  const alike = largest(chosen, ({ door }) => JSON.stringify(door.open.prefix))
  return alike.length < from ? [] : withNumbers(alike)
}

/** The largest group of items with the same key; the first of several. */
function largest<T>(items: readonly T[], keyOf: (item: T) => string | undefined): readonly T[] {
  const groups = new Map<string | undefined, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return [...groups.values()].reduce((best, own) => (own.length > best.length ? own : best), [])
}

interface Chosen {
  readonly door: ValidDoor
  readonly service: KnockPort
  readonly own: readonly Offer[]
}

function withNumbers(chosen: readonly Chosen[]): SharedDoor[] {
  const numbers = numbered(
    chosen.flatMap(({ door, own }) => own.map(({ attempt }) => `${door.name} ${attempt}`)),
  )
  return chosen.map(({ door, service, own }) => ({
    door,
    service,
    knocks: own.flatMap(({ attempt, shared }) => {
      const number = numbers.get(`${door.name} ${attempt}`)
      return shared && number !== undefined ? [{ ...shared, door, attempt, number }] : []
    }),
  }))
}

/** A door's only service, if it is one port, and nothing about the door needs rules of its own. */
function plainService({ services, interfaces, addresses, open }: ValidDoor): KnockPort | undefined {
  const [service, ...others] = services
  const { connections, refresh, scope, established, redirectTo, mark } = open
  const isPlain =
    others.length === 0 &&
    interfaces.length === 0 &&
    addresses.length === 0 &&
    [connections, redirectTo, mark].every((part) => part === undefined) &&
    !refresh &&
    scope === 'source' &&
    established === 'keep'
  if (!isPlain || (service?.protocol !== 'tcp' && service?.protocol !== 'udp')) return undefined
  const { protocol, ports } = service
  return ports?.from === ports?.to && ports ? { protocol, port: ports.from } : undefined
}

/** Which knocks and doors have which ports. */
class Owners {
  readonly #single = new Map<string, Set<string>>()
  readonly #ranges: Service[] = []

  take(service: Service, owner: string): void {
    const { protocol, ports } = service
    // Doors before a whole protocol get only the packets that no port's entry leads elsewhere.
    if (!ports) return
    if (ports.from !== ports.to) {
      this.#ranges.push(service)
      return
    }
    const key = `${protocol}/${ports.from}`
    this.#single.set(key, (this.#single.get(key) ?? new Set()).add(owner))
  }

  isOnly({ protocol, port }: KnockPort, owner: string): boolean {
    const owners = this.#single.get(`${protocol}/${port}`)
    const service = { protocol, ports: { from: port, to: port } }
    return (
      owners?.size === 1 &&
      owners.has(owner) &&
      !this.#ranges.some((range) => servicesOverlap(range, service))
    )
  }
}
