// A date or a time of RFC 3339, and a time zone → the instant at which it ends. Pure.
import { stretchesOf } from './zone.js'

const DAY = 86_400
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
/** RFC 3339, section 5.6. */
const TIME = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/**
 * Reads a date, which ends with its last second in the zone, or a time. Returns whole seconds since
 * 1970; undefined if there is no such day or time.
 */
export function parseUntil(text: string, zone: string): number | undefined {
  const date = dayOf(text)
  if (date !== undefined) return endOf(date + DAY, zone)
  const [, day = ''] = TIME.exec(text) ?? []
  const instant = dayOf(day) === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(instant) ? undefined : Math.floor(instant / 1000)
}

/** Reads a date as its midnight in UTC; undefined if there is no such day. */
function dayOf(text: string): number | undefined {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number)
  if (year === undefined || month === undefined || day === undefined) return undefined
  const midnight = new Date(Date.UTC(year, month - 1, day))
  const isSame = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day
  return isSame && midnight.getUTCFullYear() === year ? midnight.getTime() / 1000 : undefined
}

/**
 * The instant from which on the clocks of a zone never again show a time before a midnight: they
 * may leave midnight out, or show the hour before it twice.
 */
function endOf(midnight: number, zone: string): number {
  const ends = stretchesOf(zone, midnight - 2 * DAY, midnight + 2 * DAY)
    .filter(({ from, offset }) => from + offset < midnight)
    .map(({ to, offset }) => Math.min(to, midnight - offset))
  return Math.max(...ends)
}
