// Hours in the user's words, such as `mon-fri 08:00-18:00` → ranges of the week; those and a time
// zone → whether an instant is inside. Pure.
import type { HoursRange, ValidHours } from '../model/model.js'
import { type Stretch, stretchesOf } from './zone.js'

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const ALL_DAYS = [0, 1, 2, 3, 4, 5, 6] as const
/** Seconds of a day, and the weekday of 1970-01-01: a Thursday. */
const DAY = 86_400
const FIRST = 4

/**
 * Reads hours that have the schema's form: days, if any, and times. A range that ends before it
 * begins goes over midnight: it belongs to the day on which it begins. Undefined if a range ends
 * when it begins.
 */
export function parseHours(text: string): HoursRange[] | undefined {
  const words = text.split(' ')
  const days = words.length > 1 ? daysOf(words[0] as string) : [...ALL_DAYS]
  const ranges = (words.at(-1) as string).split(',').map((range) => {
    const [from = 0, to = 0] = range.split('-').map(secondsOf)
    return { from, to }
  })
  if (ranges.some(({ from, to }) => from === to)) return undefined
  return ranges.flatMap(({ from, to }): HoursRange[] => {
    if (from < to) return [{ days, from, to }]
    const next = days.map((day) => (day + 1) % DAYS.length)
    return [{ days, from, to: DAY }, ...(to > 0 ? [{ days: next, from: 0, to }] : [])]
  })
}

/** Reads `mon-fri`, `sat,sun` or `mon-wed,fri`; `fri-mon` goes over the end of the week. */
function daysOf(text: string): number[] {
  const days = text.split(',').flatMap((range) => {
    const [from = 0, to = from] = range
      .split('-')
      .map((day) => (DAYS as readonly string[]).indexOf(day))
    const count = ((to - from + DAYS.length) % DAYS.length) + 1
    return Array.from({ length: count }, (_, index) => (from + index) % DAYS.length)
  })
  return [...new Set(days)].sort()
}

function secondsOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return 3600 * hours + 60 * minutes
}

/**
 * Returns a function that says whether an instant is inside the hours, by what the clocks of the
 * zone show then. So an hour that the clocks leave out is in no range, and one that they show twice
 * is inside both times.
 *
 * @param from - the first instant to ask for, in whole seconds since 1970.
 * @param to - the last one.
 */
export function hoursBetween(
  { zone, ranges }: ValidHours,
  from: number,
  to: number,
): (at: number) => boolean {
  const stretches = stretchesOf(zone, from, to + 1)
  return (at) => {
    const { offset } = stretches.find((stretch) => at < stretch.to) as Stretch
    const shown = at + offset
    const day = (Math.floor(shown / DAY) + FIRST) % DAYS.length
    const second = shown % DAY
    return ranges.some(({ days, from, to }) => from <= second && second < to && days.includes(day))
  }
}
