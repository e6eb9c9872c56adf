// The last events → lines with their time of day, the newest at the bottom. Pure.
import { ROLE_OF, wordsOf } from '../draw/event-line.js'
import { clipText, type Line, type Span, span, widthOf } from '../draw/paint.js'
import type { Signs } from '../draw/terminal.js'
import type { LiveModel } from './live-model.js'

type Heard = LiveModel['events'][number]

interface EventColumns {
  readonly event: number
  readonly door: number
  readonly source: number
}

/** In a narrower terminal, long addresses get their own line. */
const NARROW = 70
const INDENT = 2
const GAP = 2
const TIME = 'hh:mm:ss'.length

/** Draws as many events as fit. */
export function viewEvents(
  events: readonly Heard[],
  width: number,
  room: number,
  signs: Signs,
): Line[] {
  if (room <= 0) return []
  if (events.length === 0) return [[span('  none yet', 'faint')]]
  const shown = events.slice(-room)
  const columns = columnsOf(shown, width)
  const lines: Line[] = []
  for (const heard of shown.toReversed()) {
    const drawn = viewEvent(heard, columns, width, signs)
    if (lines.length + drawn.length > room) break
    lines.unshift(...drawn)
  }
  return lines
}

function columnsOf(events: readonly Heard[], width: number): EventColumns {
  const words = events.map(({ event }) => wordsOf(event))
  const [doors, sources] = width < NARROW ? [8, 15] : [20, 39]
  const widest = (cells: readonly (string | undefined)[], limit: number) =>
    Math.min(Math.max(0, ...cells.map((cell = '') => cell.length)), limit)
  return {
    event: Math.max(...events.map(({ event }) => event.event.length)),
    door: widest(
      words.map(({ door }) => door),
      doors,
    ),
    source: widest(
      words.map(({ source }) => source),
      sources,
    ),
  }
}

function viewEvent(
  { event, times }: Heard,
  columns: EventColumns,
  width: number,
  signs: Signs,
): Line[] {
  const { door = '', source = '', details } = wordsOf(event)
  const cell = (text: string, width: number): Span[] =>
    width === 0 ? [] : [span(text.padEnd(width + GAP))]
  const start = [
    span(`${' '.repeat(INDENT)}${timeOfDay(event.time)}${' '.repeat(GAP)}`, 'faint'),
    span(event.event.padEnd(columns.event + GAP), ROLE_OF[event.event]),
    ...cell(clipText(door, columns.door, signs.ellipsis), columns.door),
  ]
  const end = [
    span(details),
    ...(times > 1 ? [span(`${details === '' ? '' : '  '}${signs.times} ${times}`, 'faint')] : []),
  ]
  const line = [...start, ...cell(source, columns.source), ...end]
  if (source.length <= columns.source && widthOf(line) <= width) return [line]
  const apart = [...start, ...end]
  if (source === '') return [apart]
  const indent = Math.max(Math.min(INDENT + TIME + GAP, width - source.length), 0)
  return [apart, [span(' '.repeat(indent) + source)]]
}

/** Local time: it is for the person at the terminal. */
function timeOfDay(time: string): string {
  const date = new Date(time)
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}
