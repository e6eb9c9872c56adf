// Addresses and prefixes → the blocks that count as one source. Pure.
import { type Address, networkOf, WIDTH } from './address.js'
import type { Cidr, Family, Prefix } from './packet-model.js'

/** Finds the block around an address. Without a prefix it is the address alone. */
export function blockOf({ family, address }: Address, prefix?: Partial<Prefix>): Cidr {
  const prefixLength = prefix?.[family] ?? WIDTH[family]
  const alone = { family, address, prefixLength }
  return prefixLength === WIDTH[family] ? alone : networkOf(alone, prefixLength)
}

/** The length of a prefix in a family; undefined if the address itself counts. */
export function lengthIn(prefix: Partial<Prefix> | undefined, family: Family): number | undefined {
  const length = prefix?.[family]
  return length === WIDTH[family] ? undefined : length
}

const ONES: Readonly<Record<Family, string>> = {
  4: '255.255.255.255',
  6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
}

/** Writes the address that has so many leading ones, and zeros behind them. */
export const maskOf = (family: Family, prefixLength: number): string =>
  networkOf({ family, address: ONES[family], prefixLength }, prefixLength).address

/** Writes the lengths for IPv4 and IPv6 as two words. */
export const formatPrefix = (prefix: Prefix): string => `${prefix[4]} ${prefix[6]}`

/** Reads the two words; undefined if they are no lengths. */
export function parsePrefix(words: readonly string[]): Prefix | undefined {
  const [ipv4 = Number.NaN, ipv6 = Number.NaN] = words.map((word) =>
    /^\d{1,3}$/.test(word) ? Number(word) : Number.NaN,
  )
  const isPrefix = words.length === 2 && ipv4 <= WIDTH[4] && ipv6 <= WIDTH[6]
  return isPrefix ? { 4: ipv4, 6: ipv6 } : undefined
}
