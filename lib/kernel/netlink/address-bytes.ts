// Addresses as text ↔ as the bytes of a packet. Pure; the text is as inet_ntop(3) and nft write it.
import type { Family } from '../../spec/model/packet-model.js'

/** Bytes of an address of each family. */
export const ADDRESS_BYTES: Readonly<Record<Family, number>> = { 4: 4, 6: 16 }

/** Returns the bytes of a canonical address, as `parseAddress` returns it. */
export function addressBytes(address: string): Uint8Array {
  return address.includes(':') ? bytesOf6(address) : bytesOf4(address)
}

function bytesOf4(address: string): Uint8Array {
  const bytes = new Uint8Array(4)
  let part = 0
  for (let i = 0; i < address.length; i += 1) {
    const code = address.charCodeAt(i)
    if (code === 46) part += 1
    else bytes[part] = (bytes[part] as number) * 10 + code - 48
  }
  return bytes
}

function bytesOf6(address: string): Uint8Array {
  const bytes = new Uint8Array(16)
  const [head = '', tail] = address.split('::')
  writeGroups(bytes, 0, head)
  if (tail) writeGroups(bytes, 16 - lengthOf(tail), tail)
  return bytes
}

/** Counts the bytes of groups; the last group may be an IPv4 address. */
const lengthOf = (groups: string): number =>
  2 * groups.split(':').length + (groups.includes('.') ? 2 : 0)

function writeGroups(bytes: Uint8Array, at: number, groups: string): void {
  if (groups === '') return
  let to = at
  for (const group of groups.split(':')) {
    if (group.includes('.')) {
      bytes.set(bytesOf4(group), to)
      return
    }
    const value = Number.parseInt(group, 16)
    bytes[to] = value >> 8
    bytes[to + 1] = value & 0xff
    to += 2
  }
}

/** Returns the text of the address that begins at `at`. */
export function addressText(family: Family, bytes: Uint8Array, at = 0): string {
  return family === 4 ? text4(bytes, at) : text6(bytes, at)
}

const text4 = (b: Uint8Array, at: number): string =>
  `${b[at]}.${b[at + 1]}.${b[at + 2]}.${b[at + 3]}`

function text6(bytes: Uint8Array, at: number): string {
  const groups: number[] = []
  for (let i = at; i < at + 16; i += 2)
    groups.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number))
  const { start, length } = longestZeros(groups)
  if (start === 0 && length === 6) return `::${text4(bytes, at + 12)}`
  if (start === 0 && length === 5 && groups[5] === 0xffff) {
    return `::ffff:${text4(bytes, at + 12)}`
  }
  const hex = groups.map((group) => group.toString(16))
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

/** Finds the first of the longest runs of zero groups; `start` is -1 if no group is zero. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: -1, length: 0 }
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0
    while (groups[start + length] === 0) length += 1
    if (length > best.length) best = { start, length }
    start += length
  }
  return best
}
