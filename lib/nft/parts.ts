// A document or a listing → the parts of its table by kind and name, and what of them can be
// compared. Pure.
import { NUMBER } from '../spec/model/protocol.js'

type PartKind = 'chain' | 'set' | 'map' | 'counter'

/** A chain, set, map or counter as nft's JSON has it; a map with all its elements. */
export interface Part {
  readonly kind: PartKind
  readonly name: string
  readonly content: Readonly<Record<string, unknown>>
  readonly elements: readonly unknown[]
}

type Content = Readonly<Record<string, unknown>>

/** Whether it is an object as JSON has them. */
export const isContent = (value: unknown): value is Content =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** By kind and name, parted by a blank, in the order in which they come. */
export function partsOf(objects: readonly unknown[]): Map<string, Part> {
  const parts = new Map<string, Part>()
  for (const object of objects) {
    const [kind, content] = Object.entries(isContent(object) ? object : {})[0] ?? []
    if (!isContent(content) || typeof content['name'] !== 'string') continue
    const { name, elem } = content
    if (kind === 'element') {
      const map = parts.get(`map ${name}`)
      if (map) parts.set(`map ${name}`, { ...map, elements: [...map.elements, ...listOf(elem)] })
    } else if (kind === 'chain' || kind === 'set' || kind === 'map' || kind === 'counter') {
      parts.set(`${kind} ${name}`, { kind, name, content, elements: listOf(elem) })
    }
  }
  return parts
}

/** The objects of a listing. */
export function listedObjects(listing: unknown): readonly unknown[] {
  return isContent(listing) ? listOf(listing['nftables']) : []
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/**
 * What cannot be changed of a part that stands. Sets' flags but one are left out: nft itself adds
 * to them.
 */
export function shapeOf({ kind, content }: Part, ignoresTimeout = false): string {
  const { type, timeout, size, map, flags, hook, prio, policy, dev } = content
  switch (kind) {
    case 'chain':
      return JSON.stringify([type, hook, prio, policy, dev])
    case 'counter':
      return ''
    default: {
      const isInterval = flags === 'interval' || listOf(flags).includes('interval')
      return JSON.stringify([type, ignoresTimeout ? null : timeout, size, map, isInterval])
    }
  }
}

/**
 * Whether nothing but an install changes what a set holds: no times, no packets, nothing that is
 * loaded ahead.
 */
export const isConstant = ({ content: { flags, type } }: Pick<Part, 'content'>): boolean =>
  !isContent(type) && flags !== 'timeout' && !listOf(flags).includes('timeout')

/** An element as text, with numbers where a listing has protocols' names. */
export function elementText(element: unknown): string {
  const numbers: Readonly<Record<string, number>> = NUMBER
  return JSON.stringify(element, (_key, value) =>
    typeof value === 'string' ? (numbers[value] ?? value) : value,
  )
}
