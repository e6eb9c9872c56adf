// The live model, the time and the screen's size → exactly the lines that fill the screen. Pure.
import { formatSeconds } from '../draw/gauge.js'
import { clipLine, type Line, type Span, span, widthOf } from '../draw/paint.js'
import { type Limits, viewStatus } from '../draw/status-view.js'
import type { Terminal } from '../draw/terminal.js'
import { headingLine, wrapWords } from '../draw/words.js'
import { viewEvents } from './live-events.js'
import { type LiveModel, modelAt } from './live-model.js'

type Screen = Pick<Terminal, 'width' | 'height' | 'signs'>

/** Lines that are kept for events below long lists. */
const LEAST_EVENTS = 5
/** From this height on, there is an empty line above the foot. */
const ROOMY = 24
/** A status is read every few seconds; the age in milliseconds that needs a warning. */
const STALE = 15_000

/** From everything to the least that is useful. */
const LIMITS: readonly Limits[] = [
  { rows: 20, doors: 12, counters: 12 },
  { rows: 10, doors: 12, counters: 6 },
  { rows: 6, doors: 6, counters: 3 },
  { rows: 6, doors: 6, counters: 0 },
  { rows: 6, doors: 6, counters: 0, isDense: true },
  { rows: 4, doors: 4, counters: 0, isDense: true },
  { rows: 2, doors: 3, counters: 0, isDense: true },
  { rows: 1, doors: 2, counters: 0, isDense: true },
  { rows: 1, doors: 1, counters: 0, isDense: true },
]

export function viewLive(model: LiveModel, now: number, screen: Screen): Line[] {
  const { width, height, signs } = screen
  const foot = [...(height < ROOMY ? [] : [[]]), ...viewFoot(model, now, screen)]
  const room = Math.max(height - foot.length, 1)
  const top = viewTop(model, now, screen, Math.max(room - LEAST_EVENTS - 2, Math.floor(room / 2)))
  const events = viewEvents(model.events, width, room - top.length - 2, signs)
  const lines = [...top, [], headingLine('events', '', '', width, signs), ...events].slice(0, room)
  const filled = [...lines, ...Array.from({ length: room - lines.length }, (): Line => [])]
  return [...filled, ...foot].slice(-height).map((line) => clipLine(line, width, signs.ellipsis))
}

function viewTop(model: LiveModel, now: number, screen: Screen, room: number): Line[] {
  const { width, signs } = screen
  if (model.isGone) {
    const text = `!! table inet ${model.table} IS GONE: its services are open to everyone`
    return wrapWords(text, width, 'alarm')
  }
  if (model.readAt === undefined && model.doors.length === 0) {
    return [[span(`table inet ${model.table}`, 'name')], [], [span('  is being read', 'faint')]]
  }
  const status = modelAt(model, now)
  let lines: Line[] = []
  for (const limits of LIMITS) {
    lines = viewStatus(status, screen, limits)
    if (lines.length <= room) return lines
  }
  const more = lines.length - room + 1
  return [...lines.slice(0, room - 1), [span(`${signs.ellipsis} and ${more} more lines`, 'faint')]]
}

/**
 * Says which events were lost, and how old the last status is. The age is always shown, so that a
 * quiet screen is known to be current.
 */
function viewFoot(model: LiveModel, now: number, { width }: Screen): Line[] {
  const { times, lost } = model.overruns
  const count = lost > 0 ? `${lost} events or more` : 'events'
  const overrun =
    times === 0
      ? []
      : wrapWords(`! ${count} were lost; the doors above are still right`, width, 'alarm')
  const age = model.readAt === undefined ? undefined : now - model.readAt
  const isOld = age === undefined ? model.problem !== undefined : age > STALE
  const problem = isOld && model.problem ? `: ${model.problem}` : ''
  const seconds = formatSeconds(Math.max(Math.floor((age ?? 0) / 1000), 0))
  const read =
    age === undefined ? 'the kernel was not read yet' : `the kernel was read ${seconds} ago`
  const state = isOld ? span(`! ${read}${problem}`, 'alarm') : span(read, 'faint')
  const keys: Span = span('q quits', 'faint')
  const gap = width - widthOf([keys, state])
  const line = gap < 2 ? [state] : [keys, span(' '.repeat(gap)), state]
  return [...overrun, line]
}
