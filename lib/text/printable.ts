// Text from files, tables and packets → text that a terminal shows and does not obey. Pure.

/**
 * C0 without the newline, DEL and C1; and what reorders text or breaks lines: U+200E, U+200F,
 * U+2028 to U+202E, U+2066 to U+2069. Built from numbers, so that no control character stands in a
 * source file.
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
 * Escapes what a terminal would obey, as JSON does (`\u009b`). Newlines stay: a message may have
 * several lines.
 */
export const printable = (text: string): string => text.replace(OBEYED, escaped)

/** Escapes newlines, too: for a value that stands within a line. */
export const printableLine = (text: string): string => printable(text).replaceAll('\n', '\\n')

/**
 * Writes a value as JSON that a terminal can show. JSON itself leaves C1 and what reorders text as
 * they are.
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
