// JSON text → the first key that an object has twice. JSON.parse keeps the last one silently. Pure.
import { at } from '../spec/model/findings.js'

/** A place in a text; line and column are counted from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** A key that occurs twice in one object. */
export interface Twice {
  /** The JSON Pointer of the key. */
  readonly path: string
  readonly key: string
  /** Where it occurs the second time. */
  readonly place: Place
}

/** Counts the lines up to an offset. */
function placeAt(text: string, offset: number): Place {
  let line = 1
  let start = 0
  for (let end = text.indexOf('\n'); end !== -1 && end < offset; end = text.indexOf('\n', start)) {
    line += 1
    start = end + 1
  }
  return { line, column: offset - start + 1 }
}

/** An object or list that is open at the current offset. */
interface Level {
  /** The keys so far, if it is an object. */
  readonly keys?: Set<string>
  /** The current key, or the index of the current item. */
  at: string | number
}

/**
 * Finds the first key that an object has twice; undefined if there is none. The text must have
 * passed JSON.parse.
 */
export function findTwice(text: string): Twice | undefined {
  const levels: Level[] = []
  let isKey = false
  for (let offset = 0; offset < text.length; offset += 1) {
    const level = levels.at(-1)
    switch (text[offset]) {
      case '{':
        levels.push({ keys: new Set(), at: '' })
        isKey = true
        break
      case '[':
        levels.push({ at: 0 })
        isKey = false
        break
      case '}':
      case ']':
        levels.pop()
        isKey = false
        break
      case ',':
        isKey = level?.keys !== undefined
        if (level && typeof level.at === 'number') level.at += 1
        break
      case '"': {
        const end = endOfString(text, offset)
        if (isKey && level?.keys) {
          const key = JSON.parse(text.slice(offset, end + 1)) as string
          level.at = key
          if (level.keys.has(key)) {
            const path = levels.map((one) => at(one.at)).join('')
            return { path, key, place: placeAt(text, offset) }
          }
          level.keys.add(key)
          isKey = false
        }
        offset = end
        break
      }
      default:
        break
    }
  }
  return undefined
}

/** Returns the offset of the quote that closes the string which starts at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, offset: number): boolean {
  let before = offset - 1
  while (text[before] === '\\') before -= 1
  return (offset - before) % 2 === 0
}
