// A document or a listing → the parts of its table by kind and name, in a form that can be
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

/** Whether a value is a JSON object. */
export const isContent = (value: unknown): value is Content =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Maps "KIND NAME" to the part, in the order of the objects. Elements of maps are joined to their
 * map.
 */
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

/** The objects of a listing; empty if it has another form. */
export function listedObjects(listing: unknown): readonly unknown[] {
  return isContent(listing) ? listOf(listing['nftables']) : []
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/**
 * Writes what cannot be changed of an installed part as a text. Of a set's flags it has only
 * `interval`, since nft itself adds others.
 */
export function shapeOf({ kind, content }: Part, ignoresTimeout = false): string {
  const { type, timeout, size, map, flags, stmt, hook, prio, policy, dev } = content
  switch (kind) {
    case 'chain':
      return JSON.stringify([type, hook, prio, policy, dev])
    case 'counter':
      return ''
    default: {
      const isInterval = flags === 'interval' || listOf(flags).includes('interval')
      return JSON.stringify([type, ignoresTimeout ? null : timeout, size, map, isInterval, stmt])
    }
  }
}

/**
 * Whether only an install changes the elements of a set: it has no timeouts, packets do not change
 * it, and nothing is loaded into it.
 */
export const isConstant = ({ content: { flags, type } }: Pick<Part, 'content'>): boolean =>
  !isContent(type) && flags !== 'timeout' && !listOf(flags).includes('timeout')

const PROTOCOL = new RegExp(`"(${Object.keys(NUMBER).join('|')})"(?!:)`, 'g')

/**
 * Writes an element as text, with numbers for the names of protocols that a listing has. They are
 * replaced in the text, since a table may have a hundred thousand elements.
 */
export const elementText = (element: unknown): string =>
  JSON.stringify(element).replace(PROTOCOL, (_, name: keyof typeof NUMBER) => String(NUMBER[name]))
