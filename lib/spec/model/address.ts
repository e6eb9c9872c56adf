// Addresses and CIDR blocks as text → canonical form. Pure; names are never looked up.
import { isIP, SocketAddress } from 'node:net'
import type { Findings } from './findings.js'
import type { Cidr, Family } from './packet-model.js'
import { readList } from './read-values.js'

export interface Address {
  readonly family: Family
  readonly address: string
}

/** Bits of an address. */
export const WIDTH: Readonly<Record<Family, number>> = { 4: 32, 6: 128 }

/**
 * Reads an IPv4 or IPv6 address. An IPv4-mapped one (`::ffff:192.0.2.1`) becomes IPv4, since that
 * is what the packet has. Undefined for anything else, also for names, zones (`fe80::1%eth0`) and
 * octal forms (`010.0.0.1`).
 */
export function parseAddress(text: unknown): Address | undefined {
  if (typeof text !== 'string' || text.includes('%')) return undefined
  const family = isIP(text)
  if (family === 0) return undefined
  if (family === 4) return { family: 4, address: text }
  const { address } = new SocketAddress({ address: text, family: 'ipv6' })
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)
  if (mapped) return { family: 4, address: mapped[1] as string }
  return { family: 6, address }
}

/** Writes an address or a block as listings have it. Any other text stays as it is. */
export function canonicalAddress(text: string): string {
  const read = parseCidr(text)
  return read && !read.hostBits ? formatCidr(read) : text
}

/**
 * Reads an address or a CIDR block; undefined if it is neither. `hostBits` is true if bits behind
 * the prefix are set: nft would silently drop them.
 */
export function parseCidr(text: unknown): (Cidr & { hostBits: boolean }) | undefined {
  if (typeof text !== 'string') return undefined
  const [head, tail, ...rest] = text.split('/')
  const parsed = parseAddress(head)
  if (!parsed || rest.length > 0) return undefined
  const width = WIDTH[parsed.family]
  if (tail === undefined) return { ...parsed, prefixLength: width, hostBits: false }
  if (!/^(0|[1-9]\d{0,2})$/.test(tail) || Number(tail) > width) return undefined
  // A prefix of a mapped address would have to be mapped as well. Nobody writes that.
  if (parsed.family === 4 && head?.includes(':')) return undefined
  const prefixLength = Number(tail)
  const hostMask = (1n << BigInt(width - prefixLength)) - 1n
  const value = toInteger(parsed)
  const network = fromInteger(parsed.family, value & ~hostMask)
  return {
    family: parsed.family,
    address: network,
    prefixLength,
    hostBits: (value & hostMask) !== 0n,
  }
}

/** Widens a block to a shorter prefix. */
export function networkOf({ family, address }: Cidr, prefixLength: number): Cidr {
  const shift = BigInt(WIDTH[family] - prefixLength)
  const network = fromInteger(family, (toInteger({ family, address }) >> shift) << shift)
  return { family, address: network, prefixLength }
}

/** Whether two blocks share an address. Blocks nest or are apart; they never overlap in part. */
export function cidrsIntersect(a: Cidr, b: Cidr): boolean {
  if (a.family !== b.family) return false
  const [wide, narrow] = a.prefixLength <= b.prefixLength ? [a, b] : [b, a]
  return cidrContains(wide, narrow.address)
}

/** Whether a canonical address lies in a block. */
export function cidrContains(block: Cidr, address: string): boolean {
  const family = address.includes(':') ? 6 : 4
  if (family !== block.family) return false
  const shift = BigInt(WIDTH[family] - block.prefixLength)
  return toInteger({ family, address }) >> shift === toInteger(block) >> shift
}

/** Leaves out blocks that lie in another one: nft 1.0.6 reports them as conflicting intervals. */
export function mergeCidrs(blocks: readonly Cidr[]): Cidr[] {
  const known = new Map(blocks.map((block) => [formatBlock(block, block.prefixLength), block]))
  const lengths = [...new Set(blocks.map(({ prefixLength }) => prefixLength))]
  return [...known.values()].filter((block) => {
    const wider = lengths.filter((length) => length < block.prefixLength)
    return !wider.some((length) => known.has(formatBlock(block, length)))
  })
}

/** Writes the block of that prefix length around an address, as text to compare. */
function formatBlock(address: Address, prefixLength: number): string {
  const network = toInteger(address) >> BigInt(WIDTH[address.family] - prefixLength)
  return `${address.family} ${network}/${prefixLength}`
}

/** Writes a block; a single address without its prefix. */
export function formatCidr({ family, address, prefixLength }: Cidr): string {
  return prefixLength === WIDTH[family] ? address : `${address}/${prefixLength}`
}

function toInteger({ family, address }: Address): bigint {
  if (family === 4) {
    return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
  }
  return groupsOf(address).reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
}

function groupsOf(address: string): number[] {
  // Some canonical texts end in dotted form (::1.2.3.4).
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const hex = (high: string | undefined, low: string | undefined) =>
    ((Number(high) << 8) | Number(low)).toString(16)
  const text = dotted
    ? `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
    : address
  const [head = '', tail] = text.split('::')
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((g) => Number(`0x${g}`)))
  if (tail === undefined) return parse(head)
  const [left, right] = [parse(head), parse(tail)]
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right]
}

function fromInteger(family: Family, value: bigint): string {
  if (family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.')
  }
  const groups = Array.from({ length: 8 }, (_, i) => (value >> BigInt(112 - 16 * i)) & 0xffffn)
  const { address } = new SocketAddress({
    address: groups.map((group) => group.toString(16)).join(':'),
    family: 'ipv6',
  })
  return address
}

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
