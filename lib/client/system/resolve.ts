// A host's name or address → the addresses that are knocked at. Asks the resolver.
import { isIP } from 'node:net'
import { SendError } from '../../errors.js'
import { type Address, parseAddress } from '../../spec/model/address.js'
import type { Family } from '../../spec/model/packet-model.js'

/** The most addresses of a name: more are a mistake, or somebody else's servers. */
const MOST_ADDRESSES = 16

/**
 * Finds every address of a host, in the resolver's order; an address is its own. A link-local one
 * may have a zone, as in `fe80::1%eth0`.
 *
 * @param families - which are of use.
 * @throws SendError if the host has no address of these families.
 */
export async function resolveHost(host: string, families: readonly Family[]): Promise<Address[]> {
  const [only] = families
  const kind = families.length === 1 ? `IPv${only} address` : 'address'
  const own = readAddress(host)
  if (own) {
    if (families.includes(own.family)) return [own]
    throw new SendError(`sendKnock: ${host}: not an ${kind}`)
  }
  const found = await lookUp(host, kind)
  const fitting = found.filter(({ family }) => families.includes(family))
  if (fitting.length === 0) throw new SendError(`sendKnock: ${host}: no ${kind} found`)
  return fitting.slice(0, MOST_ADDRESSES)
}

function readAddress(host: string): Address | undefined {
  const isLinkLocal = /^fe[89ab][0-9a-f]:.*%[^%]+$/i.test(host) && isIP(host) === 6
  return isLinkLocal ? { family: 6, address: host } : parseAddress(host)
}

async function lookUp(host: string, kind: string): Promise<Address[]> {
  try {
    const { lookup } = await import('node:dns/promises')
    const found = await lookup(host, { all: true, verbatim: true })
    const addresses = new Map<string, Address>()
    for (const { address, family } of found) {
      addresses.set(address, { address, family: family === 6 ? 6 : 4 })
    }
    return [...addresses.values()]
  } catch (cause) {
    throw new SendError(`sendKnock: ${host}: no ${kind} found`, { cause })
  }
}
