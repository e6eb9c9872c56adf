// A spec's doors, and this host's routes to their addresses → warnings of doors that receive no
// packets. Pure.
import type { ValidDoor, ValidSpec } from '../spec/model/model.js'
import type { Cidr } from '../spec/model/packet-model.js'
import type { Host, Route } from './host.js'
import type { Found, HostWarning } from './host-warning.js'

/** The most addresses that are looked up. */
const MOST_ADDRESSES = 256

/** Lists the single addresses that doors name, each once. */
export function addressesOf({ doors }: ValidSpec): string[] {
  const named = doors
    .flatMap((door) => door.addresses.filter(isWhole))
    .map(({ address }) => address)
  return [...new Set(named)].slice(0, MOST_ADDRESSES)
}

const isWhole = ({ family, prefixLength }: Cidr): boolean =>
  prefixLength === (family === 4 ? 32 : 128)

export function judgeDoors(spec: ValidSpec, host: Host): HostWarning[] {
  return [
    ...judgeForwarding(spec, host),
    ...spec.doors.flatMap((door) =>
      door.addresses.filter(isWhole).flatMap((cidr): HostWarning[] => {
        const route = host.routes.get(cidr.address)
        const found = route && judgeAddress(cidr.address, route, spec, host)
        return found ? [{ ...found, path: pathOf(door) }] : []
      }),
    ),
  ]
}

/** The path has no index: addresses are merged and sorted. The message names the address. */
const pathOf = ({ origin }: ValidDoor): string => `${origin}/address`

function judgeAddress(
  address: string,
  route: Route,
  { hook, interfaces }: ValidSpec,
  host: Host,
): Found | undefined {
  if (hook === 'input') {
    if (route.to === 'local' || route.to === 'group') return undefined
    const instead = 'write the address that packets have when they arrive, or use hook "forward"'
    return {
      id: 'address-elsewhere',
      message:
        `${address} is not an address of this host now, so packets to it do not reach input; ` +
        `${instead} for a host behind this one`,
    }
  }
  if (hook === 'forward' && route.to === 'local') {
    return {
      id: 'address-own',
      message:
        `${address} is this host's own address, so packets to it never reach forward; ` +
        'use hook "input"',
    }
  }
  if (route.to !== 'interface') return undefined
  return judgeGuest(address, route.name, { hook, interfaces }, host)
}

/** Warns of a guest that packets reach over this host's bridge without routing. */
function judgeGuest(
  address: string,
  out: string,
  { hook, interfaces }: Pick<ValidSpec, 'hook' | 'interfaces'>,
  host: Host,
): Found | undefined {
  const bridge = host.interfaces.find(({ name, kind }) => name === out && kind === 'bridge')
  const family = address.includes(':') ? 6 : 4
  // At ingress of a port, bridged packets are seen anyway.
  const isFiltered = hook !== 'ingress' && host.filtersBridges?.[family] !== false
  if (!bridge || interfaces.length === 0 || isFiltered) return undefined
  // Packets from an interface outside the bridge are routed to it, and judged.
  const isPart = (name: string) =>
    name === out || host.interfaces.some((port) => port.name === name && port.master?.name === out)
  const isBridged = interfaces.every(isPart)
  const isSeen = hook === 'ingress' ? interfaces.some((name) => name !== out) : false
  if (!isBridged || isSeen) return undefined
  const ports = host.interfaces.filter(({ master }) => master?.name === out).map(({ name }) => name)
  const list = ports.length > 0 ? ` (${ports.join(', ')})` : ''
  return {
    id: 'address-bridged',
    message:
      `${address} is reached over the bridge ${out}, and bridged packets are not judged ` +
      `at ${hook} of ${interfaces.join(', ')}; use hook "ingress" and name ` +
      `the port${list} where they come in`,
  }
}

function judgeForwarding({ hook, doors }: ValidSpec, host: Host): HostWarning[] {
  const { forwards, filtersBridges } = host
  if (hook !== 'forward' || !forwards || !filtersBridges) return []
  if (filtersBridges[4] || filtersBridges[6]) return []
  const families = new Set(doors.flatMap(({ addresses }) => addresses.map(({ family }) => family)))
  const wanted = families.size === 0 || doors.some(({ addresses }) => addresses.length === 0)
  const isOn = wanted
    ? forwards[4] || forwards[6]
    : [...families].some((family) => forwards[family])
  if (isOn) return []
  return [
    {
      id: 'not-forwarding',
      path: '/hook',
      message:
        'this host does not forward now (net.ipv4.ip_forward and ' +
        'net.ipv6.conf.all.forwarding are off), so no packet reaches forward; for its ' +
        'own services use hook "input"',
    },
  ]
}
