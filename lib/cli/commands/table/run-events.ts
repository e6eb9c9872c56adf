// What `run --events` and `--before` say → the events that are written, and when warnings come.
// Pure.
import { ArgumentError, type KeepEvent } from '../../../index.js'
import { EXPECTED_DURATION, parseDuration } from '../../../spec/model/duration.js'

/** What is written where nobody says which: a flood of knocks must not fill a journal. */
export const USUAL: readonly KeepEvent['event'][] = [
  ...(['granted', 'closed', 'expired', 'banned', 'wrong'] as const),
  ...([
    'installed',
    'removed',
    'restored',
    'failed',
    'overrun',
    'watching',
    'unconfirmed',
    'warning',
    'action-failed',
    'action-overrun',
  ] as const),
]
const ALL = [...USUAL, 'knock', 'reset', 'denied'] as const

/** @throws ArgumentError if there is no such event. */
export function readEvents(text: string | undefined): ReadonlySet<string> {
  if (text === undefined) return new Set(USUAL)
  if (text === 'all') return new Set(ALL)
  const names = text.split(',')
  const unknown = names.find((name) => !(ALL as readonly string[]).includes(name))
  if (unknown === undefined) return new Set(names)
  const expected = `all, or some of ${ALL.join(',')}`
  throw new ArgumentError(`run: --events: expected ${expected}, got ${JSON.stringify(unknown)}`)
}

/**
 * Reads the seconds of `--before`; undefined if it is not given.
 *
 * @throws ArgumentError if it is no duration.
 */
export function readBefore(value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined
  const seconds = parseDuration(value)
  if (seconds !== undefined) return seconds
  const got = JSON.stringify(value)
  throw new ArgumentError(`run: --before: expected ${EXPECTED_DURATION}, got ${got}`)
}
