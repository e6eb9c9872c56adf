// Text from files, tables and packets → text that cannot control a terminal. Pure.

/**
 * C0 without the newline, DEL and C1; and the characters that reorder text or break lines: U+200E,
 * U+200F, U+2028 to U+202E, U+2066 to U+2069. Built from numbers, so that this file has no control
 * character in it.
 */
const OBEYED = classOf([
  [0x00, 0x09],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
])

/**
 * Escapes the characters that control a terminal as JSON does (`\u009b`). Newlines stay: a message
 * may have several lines.
 */
export const printable = (text: string): string => text.replace(OBEYED, escaped)

/** Escapes newlines as well, for a value within a line. */
export const printableLine = (text: string): string => printable(text).replaceAll('\n', '\\n')

/**
 * Writes a value as JSON that is safe on a terminal. `JSON.stringify` alone leaves C1 and the
 * characters that reorder text as they are. `undefined` is written as "nothing".
 */
export const quoted = (value: unknown): string => printableLine(JSON.stringify(value) ?? 'nothing')

function classOf(ranges: readonly (readonly [from: number, to: number])[]): RegExp {
  const parts = ranges.map(([from, to]) => `\\u${hex(from)}-\\u${hex(to)}`)
  return new RegExp(`[${parts.join('')}]`, 'g')
}

function escaped(character: string): string {
  return `\\u${hex(character.charCodeAt(0))}`
}

function hex(code: number): string {
  return code.toString(16).padStart(4, '0')
}
