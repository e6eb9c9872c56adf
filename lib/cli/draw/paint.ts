// Pieces of text with roles → lines for a terminal, with or without colours. Pure.
import { styleText } from 'node:util'

/** What a piece of text means. Colours only repeat what the words say. */
export type Role =
  /** A name of a table, a door or a part. */
  | 'name'
  /** Sources with a grant. */
  | 'open'
  /** Attempts under way. */
  | 'stage'
  /** Sources that are kept out. */
  | 'shut'
  /** What an administrator must act on. */
  | 'alarm'
  /** Less important text. */
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

/** Adds the colour of a role to a text. */
export type Paint = (role: Role, text: string) => string

export const UNPAINTED: Paint = (_role, text) => text
export const PAINTED: Paint = (role, text) =>
  // The caller has already checked whether the stream shows colours.
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

/** Cuts a text that is longer than the width, and ends it with the ellipsis. */
export function clipText(text: string, width: number, ellipsis: string): string {
  if (text.length <= width) return text
  return width <= ellipsis.length
    ? ellipsis.slice(0, Math.max(width, 0))
    : `${text.slice(0, width - ellipsis.length)}${ellipsis}`
}

/** Cuts a line in the same way, so that the terminal never wraps it. */
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

/** Renders a line for the terminal, without blanks at its end. */
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
