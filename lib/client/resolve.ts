// A host's name or address → the address that is sent to. Asks the resolver.
import { SendError } from '../errors.js'
import { type Address, parseAddress } from '../spec/model/address.js'
import type { Family } from '../spec/model/model.js'

/** @throws SendError if the host has no address, or none of the family. */
export async function resolveHost(
  host: string,
  family: Family | undefined,
  needsIpv6: boolean,
): Promise<Address> {
  const address = await findAddress(host, family ?? (needsIpv6 ? 6 : undefined))
  if (address.family === 6 || !needsIpv6) return address
  throw new SendError(`sendKnock: ${host}: not an IPv6 address, which icmpv6 needs`)
}

async function findAddress(host: string, family: Family | undefined): Promise<Address> {
  const address = parseAddress(host)
  const kind = family === undefined ? 'address' : `IPv${family} address`
  if (address) {
    if ((family ?? address.family) === address.family) return address
    throw new SendError(`sendKnock: ${host}: not an ${kind}`)
  }
  try {
    const { lookup } = await import('node:dns/promises')
    const found = await lookup(host, { family: family ?? 0 })
    return { address: found.address, family: found.family === 6 ? 6 : 4 }
  } catch (cause) {
    throw new SendError(`sendKnock: ${host}: no ${kind} found`, { cause })
  }
}
