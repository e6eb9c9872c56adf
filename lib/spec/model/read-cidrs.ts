// Addresses and blocks in the user's words → blocks, in their order. Pure.
import { parseCidr } from './address.js'
import type { Findings } from './findings.js'
import type { Cidr } from './model.js'
import { readList } from './read-values.js'

/** Reads a list of addresses and blocks, or one. Reports those that are none. */
export function readCidrs(
  values: string | readonly string[],
  path: string,
  findings: Findings,
): Cidr[] {
  return readList(values, path, findings, (value, where) => {
    const cidr = parseCidr(value)
    if (!cidr) {
      findings.add(where, 'an IPv4 or IPv6 address or a CIDR block')
      return undefined
    }
    const { hostBits, ...block } = cidr
    if (hostBits) findings.add(where, `${block.address}/${block.prefixLength} (no host bits)`)
    return block
  })
}
