// What a watcher knows, the time and the size of the screen → the lines of the live view, exactly
// as many as fit. Pure.
import { formatSeconds } from '../draw/gauge.js'
import { clipLine, type Line, type Span, span, widthOf } from '../draw/paint.js'
import { type Limits, viewStatus } from '../draw/status-view.js'
import type { Terminal } from '../draw/terminal.js'
import { headingLine, wrapWords } from '../draw/words.js'
import { viewEvents } from './live-events.js'
import { type LiveModel, modelAt } from './live-model.js'

type Screen = Pick<Terminal, 'width' | 'height' | 'signs'>

/** Lines of events that are kept free below long lists. */
const LEAST_EVENTS = 5
/** So many lines leave one for the eye. */
const ROOMY = 24
/** A status is read every few seconds; older than this somebody should know. */
const STALE = 15_000

/** From all that there may be to the least that is of use. */
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
    const text = `!! table inet ${model.table} IS GONE: what stood behind its doors is open to everyone`
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
 * Lost events, and how old the last status is. Always there, since no news is only good where one
 * can see it.
 */
function viewFoot(model: LiveModel, now: number, { width }: Screen): Line[] {
  const { times, lost } = model.overruns
  const count = lost > 0 ? `${lost} events or more` : 'events'
  const overrun =
    times === 0
      ? []
      : wrapWords(
          `! ${count} were lost unread; the doors above are right all the same`,
          width,
          'alarm',
        )
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
