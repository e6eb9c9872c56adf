// Addresses and CIDR blocks as text → canonical text. Pure; never a name look-up.
import { isIP, SocketAddress } from 'node:net'
import type { Cidr, Family } from './model.js'

export interface Address {
  readonly family: Family
  readonly address: string
}

const WIDTH: Readonly<Record<Family, number>> = { 4: 32, 6: 128 }

/**
 * Reads an IPv4 or IPv6 address. An IPv4-mapped one (`::ffff:192.0.2.1`) becomes IPv4: that is what
 * the packet bears. Returns undefined for anything else, also for names, zones (`fe80::1%eth0`) and
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

/** The address as the kernel and every listing have it; any other text as it is. */
export const canonicalAddress = (text: string): string => parseAddress(text)?.address ?? text

/**
 * Reads an address or a CIDR block. Returns undefined where it is neither, and a block with
 * `hostBits` where bits behind the prefix are set, which nft would silently drop.
 */
export function parseCidr(text: unknown): (Cidr & { hostBits: boolean }) | undefined {
  if (typeof text !== 'string') return undefined
  const [head, tail, ...rest] = text.split('/')
  const parsed = parseAddress(head)
  if (!parsed || rest.length > 0) return undefined
  const width = WIDTH[parsed.family]
  if (tail === undefined) return { ...parsed, prefixLength: width, hostBits: false }
  if (!/^(0|[1-9]\d{0,2})$/.test(tail) || Number(tail) > width) return undefined
  // A mapped address with a prefix would need the prefix mapped as well: nobody writes that.
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

/** The block of a prefix length around another one. */
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

/**
 * Leaves out the blocks that lie in another one: nft 1.0.6 takes them for conflicting intervals.
 */
export function mergeCidrs(blocks: readonly Cidr[]): Cidr[] {
  const known = new Map(blocks.map((block) => [formatBlock(block, block.prefixLength), block]))
  const lengths = [...new Set(blocks.map(({ prefixLength }) => prefixLength))]
  return [...known.values()].filter((block) => {
    const wider = lengths.filter((length) => length < block.prefixLength)
    return !wider.some((length) => known.has(formatBlock(block, length)))
  })
}

/** The block of a prefix length that an address begins with, as text to compare. */
function formatBlock(address: Address, prefixLength: number): string {
  const network = toInteger(address) >> BigInt(WIDTH[address.family] - prefixLength)
  return `${address.family} ${network}/${prefixLength}`
}

/** Writes a block: an address alone where the prefix is the whole of it. */
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
  // The canonical text ends in dotted form for some addresses (::1.2.3.4).
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
