// Rejects a spec so large that checking its parts against each other would take minutes. Pure.
import type { Findings } from '../model/findings.js'
import type { ReadSpec } from '../model/model.js'

/** The most in all doors together. Larger specs take nft minutes, too. */
const MOST_SERVICES = 16_384
const MOST_ADDRESSES = 262_144
const MOST_INTERFACES = 4096
/** The sum over all doors of services times addresses. */
const MOST_PAIRS = 1_048_576

/** Reports the door at which the spec becomes too large; false if there is one. */
export function checkSizes({ doors }: ReadSpec, findings: Findings): boolean {
  let [services, addresses, interfaces, pairs] = [0, 0, 0, 0]
  for (const door of doors) {
    services += door.services.length
    addresses += door.addresses.length
    interfaces += door.interfaces.length
    pairs += door.services.length * door.addresses.length
    const [key, most] =
      services > MOST_SERVICES
        ? ['service', `${MOST_SERVICES} services`]
        : addresses > MOST_ADDRESSES
          ? ['address', `${MOST_ADDRESSES} addresses`]
          : interfaces > MOST_INTERFACES
            ? ['interfaces', `${MOST_INTERFACES} interfaces`]
            : pairs > MOST_PAIRS
              ? ['address', `${MOST_PAIRS} pairs of a service and an address`]
              : []
    if (key === undefined) continue
    findings.add(`${door.origin}/${key}`, `at most ${most} in all doors together, these are more`)
    return false
  }
  return true
}
