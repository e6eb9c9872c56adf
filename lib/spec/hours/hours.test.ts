// Hours and dates in the user's words → instants, also when the clocks of a zone change.
import t from 'tap'
import { hoursBetween, parseHours } from './hours.js'
import { parseUntil } from './until.js'
import { isZone, offsetAt, stretchesOf } from './zone.js'

const at = (text: string): number => Date.parse(text) / 1000

/** Whether each instant is inside the hours. */
function inside(zone: string, text: string, ...instants: readonly string[]): boolean[] {
  const times = instants.map(at)
  const ranges = parseHours(text) ?? []
  const isInside = hoursBetween({ zone, ranges }, Math.min(...times), Math.max(...times))
  return times.map(isInside)
}

t.test('days and times', async (t) => {
  const week = ['2027-01-15T07:59:59Z', '2027-01-15T08:00:00Z', '2027-01-15T17:59:59Z']
  const isInside = (text: string, ...more: string[]) => inside('UTC', text, ...week, ...more)
  t.same(isInside('mon-fri 08:00-18:00', '2027-01-15T18:00:00Z', '2027-01-16T09:00:00Z'), [
    ...[false, true, true],
    ...[false, false],
  ])
  t.same(isInside('08:00-18:00', '2027-01-16T09:00:00Z'), [false, true, true, true])
  t.same(isInside('fri 00:00-08:00,12:00-24:00'), [true, false, true])
  t.same(isInside('mon,wed 08:00-18:00'), [false, false, false])
  t.same(isInside('thu-mon 08:00-18:00'), [false, true, true], 'over the end of the week')
  t.same(isInside('mon-tue,fri 08:00-18:00'), [false, true, true])
})

t.test('a range over midnight belongs to the day on which it begins', async (t) => {
  const friday = ['2027-01-15T05:59:59Z', '2027-01-15T22:00:00Z', '2027-01-16T05:59:59Z']
  t.same(inside('UTC', 'fri 22:00-06:00', ...friday), [false, true, true])
  t.same(inside('UTC', 'thu 22:00-06:00', ...friday), [true, false, false])
  t.same(inside('UTC', 'fri 22:00-00:00', ...friday), [false, true, false])
  const midnight = ['2027-01-15T23:59:59Z', '2027-01-16T00:00:00Z']
  t.same(inside('UTC', 'fri 22:00-06:00', ...midnight), [true, true])
  t.same(inside('UTC', 'fri 22:00-24:00', ...midnight), [true, false])
  t.same(inside('UTC', 'sat 22:00-06:00', '2027-01-17T01:00:00Z'), [true], 'on a Sunday')
  t.equal(parseHours('mon 08:00-08:00'), undefined)
})

t.test('the clocks of a zone count', async (t) => {
  const eight = ['2027-01-15T06:59:59Z', '2027-01-15T07:00:00Z']
  t.same(inside('Europe/Berlin', 'mon-fri 08:00-18:00', ...eight), [false, true], 'in winter')
  const summer = ['2027-07-15T05:59:59Z', '2027-07-15T06:00:00Z']
  t.same(inside('Europe/Berlin', 'mon-fri 08:00-18:00', ...summer), [false, true], 'in summer')
  const nepal = ['2027-01-15T02:14:59Z', '2027-01-15T02:15:00Z']
  t.same(inside('Asia/Kathmandu', '08:00-18:00', ...nepal), [false, true], 'UTC+05:45')
  t.same(inside('America/Los_Angeles', 'thu 20:00-24:00', '2027-01-15T05:00:00Z'), [true])
})

t.test('an hour that the clocks leave out is in no range', async (t) => {
  // In Berlin 2027-03-28 has no 02:00 to 03:00: 01:00 UTC is 03:00.
  const spring = ['2027-03-28T00:59:59Z', '2027-03-28T01:00:00Z', '2027-03-28T01:59:59Z']
  t.same(inside('Europe/Berlin', 'sun 02:00-03:00', ...spring), [false, false, false])
  t.same(inside('Europe/Berlin', 'sun 01:30-03:30', ...spring), [true, true, false])
})

t.test('an hour that the clocks show twice is inside both times', async (t) => {
  // In Berlin 2027-10-31 has 02:00 to 03:00 twice: from 00:00 to 02:00 UTC.
  const autumn = [
    ...['2027-10-30T23:59:59Z', '2027-10-31T00:00:00Z', '2027-10-31T00:59:59Z'],
    ...['2027-10-31T01:00:00Z', '2027-10-31T01:59:59Z', '2027-10-31T02:00:00Z'],
  ]
  t.same(inside('Europe/Berlin', 'sun 02:00-03:00', ...autumn), [
    ...[false, true, true],
    ...[true, true, false],
  ])
})

t.test('the time is divided where the clocks change', async (t) => {
  const [from, to] = [at('2027-01-01T00:00:00Z'), at('2028-01-01T00:00:00Z')]
  t.strictSame(stretchesOf('Europe/Berlin', from, to), [
    { from, to: at('2027-03-28T01:00:00Z'), offset: 3600 },
    { from: at('2027-03-28T01:00:00Z'), to: at('2027-10-31T01:00:00Z'), offset: 7200 },
    { from: at('2027-10-31T01:00:00Z'), to, offset: 3600 },
  ])
  t.strictSame(stretchesOf('UTC', from, to), [{ from, to, offset: 0 }])
  t.equal(offsetAt('Australia/Lord_Howe', from), 11 * 3600, 'clocks that change by half an hour')
  t.equal(offsetAt('Australia/Lord_Howe', at('2027-07-01T00:00:00Z')), 10.5 * 3600)
  t.equal(isZone('Europe/Berlin'), true)
  t.equal(isZone('Europe/Bonn'), false)
})

t.test('a date ends with its day in the zone', async (t) => {
  t.equal(parseUntil('2027-01-31', 'UTC'), at('2027-02-01T00:00:00Z'))
  t.equal(parseUntil('2027-01-31', 'Europe/Berlin'), at('2027-01-31T23:00:00Z'))
  t.equal(parseUntil('2027-12-31', 'America/New_York'), at('2028-01-01T05:00:00Z'))
  t.equal(parseUntil('2028-02-29', 'UTC'), at('2028-03-01T00:00:00Z'))
  // In Cairo the clocks went from 23:59:59 of 2024-04-25 to 01:00, so that day had no midnight.
  t.equal(parseUntil('2024-04-25', 'Africa/Cairo'), at('2024-04-25T22:00:00Z'))
  // And on 2024-10-31 from 23:59:59 back to 23:00: the day has 25 hours.
  t.equal(parseUntil('2024-10-31', 'Africa/Cairo'), at('2024-10-31T22:00:00Z'))
  // In Havana they go from 01:00 of 2027-11-07 back to 00:00: the day before has ended by then.
  t.equal(parseUntil('2027-11-06', 'America/Havana'), at('2027-11-07T04:00:00Z'))
})

t.test('a time is what it says, in any zone', async (t) => {
  t.equal(parseUntil('2027-01-31T12:00:00Z', 'Europe/Berlin'), at('2027-01-31T12:00:00Z'))
  t.equal(parseUntil('2027-01-31T12:00:00.9+01:00', 'UTC'), at('2027-01-31T11:00:00Z'))
})

t.test('days and times that do not exist are refused', async (t) => {
  const wrong = [
    ...['2027-02-29', '2027-13-01', '2027-00-10', '2027-01-32', '27-01-01', 'tomorrow', ''],
    ...['2027-02-30T00:00:00Z', '2027-01-31T24:00:00Z', '2027-01-31T12:00:00', '2027-01-31T12:00Z'],
    ...['2027-01-31T12:00:00+25:00', '2027-01-31 12:00:00Z'],
  ]
  for (const text of wrong) t.equal(parseUntil(text, 'UTC'), undefined, text)
})
