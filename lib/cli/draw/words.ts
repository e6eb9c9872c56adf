// Words → headings, lists and paragraphs that fit a width. Pure.
import { clipText, type Line, type Role, type Span, span, widthOf } from './paint.js'
import type { Signs } from './terminal.js'

/**
 * Draws `name  about ──────── note`. If it does not fit, leaves out the note and then cuts `about`.
 */
export function headingLine(
  name: string,
  about: string,
  note: string,
  width: number,
  signs: Signs,
): Line {
  const room = width - name.length - '   '.length
  const start = about === '' ? '' : `  ${clipText(about, room, signs.ellipsis)}`
  const left = [span(name, 'name'), span(`${start} `)]
  const rest = width - widthOf(left)
  const end = note === '' || rest < note.length + SHORTEST_RULE + 1 ? '' : ` ${note}`
  return [...left, span(signs.rule.repeat(Math.max(rest - end.length, 0)), 'faint'), span(end)]
}

const SHORTEST_RULE = 2

/** Says what a door protects, and where its packets come in if not everywhere. */
export const placeText = ({
  service,
  interfaces = [],
}: {
  readonly service: readonly string[]
  readonly interfaces?: readonly string[]
}): string => `${service.join(', ')}${interfaces.length > 0 ? ` on ${interfaces.join(', ')}` : ''}`

/** Draws as many names as fit in one line, and the number of the others. */
export function listLine(word: string, names: readonly string[], width: number): Line {
  let shown = names.length
  while (shown > 1 && textOf(word, names, shown).length > width) shown -= 1
  return [span(textOf(word, names, shown), 'faint')]
}

function textOf(word: string, names: readonly string[], shown: number): string {
  const rest = names.length - shown
  const listed = names.slice(0, shown).join(', ')
  return `${word} ${listed}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** Puts pieces into as few lines as possible, with a separator between them. */
export function wrapSpans(pieces: readonly Span[], separator: Span, width: number): Line[] {
  const lines: Span[][] = []
  for (const piece of pieces) {
    const line = lines.at(-1)
    const taken = line && widthOf(line) + separator.text.length + piece.text.length
    if (line && taken !== undefined && taken <= width) line.push(separator, piece)
    else lines.push([piece])
  }
  return lines
}

/** Wraps between words. A non-breaking space keeps two words together and is drawn as a space. */
export function wrapWords(text: string, width: number, role: Role): Line[] {
  const words = text.split(' ').map((word) => span(word.replaceAll('\u00a0', ' '), role))
  return wrapSpans(words, span(' ', role), width)
}
