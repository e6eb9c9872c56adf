// Pieces of text with the part that each plays → lines for a terminal, in colour or without. Pure.
import { styleText } from 'node:util'

/** What a piece of text is to the reader. No colour says what the words do not say as well. */
export type Role =
  /** Names of tables, doors and parts. */
  | 'name'
  /** Who is let in. */
  | 'open'
  /** Attempts on their way. */
  | 'stage'
  /** Who is kept out. */
  | 'shut'
  /** What somebody must act on. */
  | 'alarm'
  /** What is only there to lead the eye. */
  | 'faint'

type Format = Parameters<typeof styleText>[0]

const FORMATS: Readonly<Record<Role, Format>> = {
  name: 'bold',
  open: 'green',
  stage: 'yellow',
  shut: 'red',
  alarm: ['bold', 'red'],
  faint: 'dim',
}

/** Text in the colour of its role. */
export type Paint = (role: Role, text: string) => string

export const UNPAINTED: Paint = (_role, text) => text
export const PAINTED: Paint = (role, text) =>
  // Whoever calls has asked already whether the stream takes colours.
  text === '' ? '' : styleText(FORMATS[role], text, { validateStream: false })

/** A piece of a line. */
export interface Span {
  readonly text: string
  readonly role?: Role
}

/** One line of the screen. */
export type Line = readonly Span[]

export const span = (text: string, role?: Role): Span => (role ? { text, role } : { text })

export const widthOf = (line: Line): number =>
  line.reduce((width, { text }) => width + text.length, 0)

/** Cuts what is longer than the width, and says so by its last character. */
export function clipText(text: string, width: number, ellipsis: string): string {
  if (text.length <= width) return text
  return width <= ellipsis.length
    ? ellipsis.slice(0, Math.max(width, 0))
    : `${text.slice(0, width - ellipsis.length)}${ellipsis}`
}

/** The same for a line: no line is ever broken by the terminal. */
export function clipLine(line: Line, width: number, ellipsis: string): Line {
  if (widthOf(line) <= width) return line
  const spans: Span[] = []
  let room = width - ellipsis.length
  for (const { text, role } of line) {
    if (room <= 0) break
    spans.push(span(text.slice(0, room), role))
    room -= text.length
  }
  return [...spans, span(ellipsis, 'faint')]
}

/** A line as the terminal gets it, without blanks at its end. */
export function paintLine(line: Line, paint: Paint): string {
  const joined: Span[] = []
  for (const { text, role } of line) {
    const last = joined.at(-1)
    if (last && last.role === role) joined[joined.length - 1] = span(last.text + text, role)
    else if (text !== '') joined.push(span(text, role))
  }
  while (joined.at(-1)?.text.trimEnd() === '') joined.pop()
  return joined
    .map(({ text, role }, index) => {
      const shown = index === joined.length - 1 ? text.trimEnd() : text
      return role ? paint(role, shown) : shown
    })
    .join('')
}
