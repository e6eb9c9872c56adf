// An interface or an address of this machine → the address that packets of a family leave from.
// Asks the system for its interfaces.
import { networkInterfaces } from 'node:os'
import { ArgumentError } from '../../errors.js'
import { parseAddress } from '../../spec/model/address.js'
import type { Family } from '../../spec/model/packet-model.js'

export interface OutletOptions {
  /** An address of this machine. */
  readonly source?: string | undefined
  /** The name of an interface: its first address of the family is the source. */
  readonly interface?: string | undefined
}

/** The source address of each family's packets; a family that it lacks cannot be sent. */
export type Outlet = ReadonlyMap<Family, string>

/**
 * Chooses where packets leave from. The routes of the system still choose the interface: an address
 * decides only if a rule asks for the source.
 *
 * @returns undefined if nothing is asked for: the system chooses.
 * @throws ArgumentError if it is no address, or the machine has no such interface.
 */
export function chooseOutlet(options: OutletOptions, operation: string): Outlet | undefined {
  const { source, interface: name } = options
  if (source !== undefined && name !== undefined) {
    throw new ArgumentError(`${operation}: expected a source or an interface, got both`)
  }
  if (source !== undefined) {
    const address = parseAddress(source)
    if (address) return new Map([[address.family, address.address]])
    throw new ArgumentError(`${operation}: expected a source's address, got ${source}`)
  }
  return name === undefined ? undefined : outletOf(name, operation)
}

function outletOf(name: string, operation: string): Outlet {
  const interfaces = networkInterfaces()
  const addresses = interfaces[name]
  if (!addresses) {
    const known = Object.keys(interfaces).join(', ')
    const expected = `an interface that has an address (${known})`
    throw new ArgumentError(`${operation}: expected ${expected}, got ${name}`)
  }
  // A link-local address reaches nothing beyond the link: another one comes first.
  const sorted = addresses.toSorted((a, b) => Number(isLocal(a)) - Number(isLocal(b)))
  const outlet = new Map<Family, string>()
  for (const { family, address } of sorted) {
    const number = family === 'IPv6' ? 6 : 4
    if (!outlet.has(number)) outlet.set(number, address)
  }
  return outlet
}

const isLocal = ({ address }: { readonly address: string }): boolean => /^fe[89ab]/i.test(address)
