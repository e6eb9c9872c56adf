// What a watcher knows → the frames of the live view, to the letter. Times of day are those of TZ,
// which is set here.
process.env['TZ'] = 'UTC'

import fc from 'fast-check'
import t from 'tap'
import type { KnockEvent, Status } from '../../index.js'
import { paintLine, UNPAINTED, widthOf } from '../draw/paint.js'
import { terminalOf } from '../draw/terminal.js'
import { addEvent, correctModel, emptyModel, failToRead, type LiveModel } from './live-model.js'
import { viewLive } from './live-view.js'

const NOW = Date.parse('2026-01-02T03:04:05.000Z')
const STATUS: Status = {
  table: 'knock',
  doors: [
    {
      ...{ name: 'ssh', service: ['tcp/22'], openFor: 30 },
      grants: [{ source: '2001:db8::7', expiresIn: 20 }],
      progress: [],
      counters: { knocks: 61, grants: 12, closes: 0, resets: 3, wrong: 0, denied: 1208 },
    },
    {
      ...{ name: 'mail', service: ['tcp/993'], openFor: 60, grants: [], progress: [] },
      counters: { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 },
    },
  ],
  bans: [],
  counters: { bans: 0, ignored: 0, repeated: 0, unlogged: 0 },
  fill: [],
}
const ana = { door: 'ssh', source: '203.0.113.7' }
const time = (second: number) => new Date(NOW + 1000 * second).toISOString()
const EVENTS: readonly KnockEvent[] = [
  { time: time(1), event: 'denied', door: 'ssh', source: '198.51.100.23', service: 'tcp/22' },
  { time: time(2), event: 'denied', door: 'ssh', source: '198.51.100.23', service: 'tcp/22' },
  { time: time(3), event: 'knock', ...ana, stage: 1, of: 3 },
  { time: time(4), event: 'banned', source: '2001:db8:1234:5678:9abc:def0:1234:5678' },
  { time: time(4), event: 'knock', ...ana, stage: 2, of: 3 },
]

const read = correctModel(emptyModel('knock'), STATUS, NOW)
const heard = EVENTS.reduce(addEvent, read)

const frame = (model: LiveModel, second: number, columns: number, rows: number, LANG = 'C.UTF-8') =>
  viewLive(model, NOW + 1000 * second, terminalOf({ isTTY: true, columns, rows }, { LANG }))
    .map((line) => `${paintLine(line, UNPAINTED)}\n`)
    .join('')

t.test('with 80 columns the doors, the events and the time of the reading are shown', async (t) => {
  t.equal(
    frame(heard, 5, 80, 26),
    `table inet knock                    2 doors · 1 let in · 1 on the way · 1 banned

ssh  tcp/22 ───────────────────────────────────────────────────── opens for 30 s
  2001:db8::7                             ━━━━━━╌╌╌╌╌╌  let in  15 s left
  203.0.113.7                             ●●○           2 of 3  next awaited

mail  tcp/993 ──────────────────────────────────────────────────── opens for 1 m
  nobody

guard ──────────────────────────────────────────────────────────────────────────
  2001:db8:1234:5678:9abc:def0:1234:5678                banned

counted ─────────────────────────────────────────────── since the table was made
  door  knocks  grants  resets  denied
  ssh       61      12       3    1208
  mail       0       0       0       0

events ─────────────────────────────────────────────────────────────────────────
  03:04:07  denied  ssh  198.51.100.23                           tcp/22  × 2
  03:04:08  knock   ssh  203.0.113.7                             1 of 3
  03:04:09  banned       2001:db8:1234:5678:9abc:def0:1234:5678
  03:04:09  knock   ssh  203.0.113.7                             2 of 3



q quits                                              the kernel was read 5 s ago
`,
  )
})

t.test('a grant is shown in the second after the last knock', async (t) => {
  const granted: KnockEvent = {
    ...{ time: time(6), event: 'granted', ...ana, by: 'knock', expiresIn: 30, stage: 3, of: 3 },
  }
  const lines = frame(addEvent(heard, granted), 7, 80, 26).split('\n')
  t.same(lines.slice(3, 6), [
    '  203.0.113.7                             ━━━━━━━━━━━━  let in  29 s left',
    '  2001:db8::7                             ━━━━━━╌╌╌╌╌╌  let in  13 s left',
    '',
  ])
})

t.test('parts are left out of a small ASCII terminal of 40 columns', async (t) => {
  t.equal(
    frame(heard, 5, 40, 20, 'C'),
    `table inet knock
2 doors - 1 let in - 1 on the way
1 banned
ssh  tcp/22 ------------- opens for 30 s
  2001:db8::7
    #####.....  let in  15 s left
  203.0.113.7
    **o         2 of 3  next awaited
nobody at mail
guard ----------------------------------
  2001:db8:1234:5678:9abc:def0:1234:5678
                banned

events ---------------------------------
  03:04:09  banned
  2001:db8:1234:5678:9abc:def0:1234:5678
  03:04:09  knock   ssh  2 of 3
            203.0.113.7

q quits      the kernel was read 5 s ago
`,
  )
})

t.test('the view is complete before the first status and without any event', async (t) => {
  t.equal(
    frame(emptyModel('knock'), 0, 60, 8),
    `table inet knock

  is being read

events ─────────────────────────────────────────────────────
  none yet

q quits                          the kernel was not read yet
`,
  )
})

t.test('lost events, an old reading and a missing table are shown', async (t) => {
  const lost = addEvent(read, { time: time(1), event: 'overrun', lost: 12 })
  const unknown = addEvent(read, { time: time(1), event: 'overrun' })
  const foot = (model: LiveModel, second: number) =>
    frame(model, second, 80, 20).trimEnd().split('\n').slice(-2)
  t.same(foot(lost, 2), [
    '! 12 events or more were lost; the doors above are still right',
    'q quits                                              the kernel was read 2 s ago',
  ])
  t.match(foot(unknown, 2)[0], /^! events were lost; /)
  t.match(
    foot(failToRead(read, 'nft: timed out'), 10)[1],
    /^q quits +the kernel was read 10 s ago$/,
  )
  t.match(
    foot(failToRead(read, 'nft: timed out'), 80)[1],
    / {2}! the kernel was read 1 m 20 s ago: nft: timed out$/,
  )
  const gone = frame(addEvent(read, { time: time(1), event: 'removed' }), 2, 80, 8)
  t.match(gone, /^!! table inet knock IS GONE: its services are open to everyone\n/)
  const never = frame(failToRead(emptyModel('knock'), 'nft is missing'), 2, 80, 8)
  t.match(never, / {2}! the kernel was not read yet: nft is missing\n$/)
})

t.test('a frame has as many lines as the screen, and none is wider', async (t) => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  const member = fc.record({ source: address, expiresIn: fc.nat({ max: 100_000 }) })
  const doors = fc.array(
    fc.record({
      ...{ name: fc.stringMatching(/^[a-z]{1,32}$/), service: fc.constant(['tcp/22']) },
      ...{ openFor: fc.constant(30), grants: fc.array(member), progress: fc.constant([]) },
      counters: fc.constant(STATUS.doors[0]?.counters as Status['doors'][number]['counters']),
    }),
    { maxLength: 20 },
  )
  const sources = fc.array(address, { maxLength: 60 })
  const columns = fc.integer({ min: 40, max: 120 })
  const rows = fc.integer({ min: 3, max: 70 })
  fc.assert(
    fc.property(doors, sources, columns, rows, (doors, sources, columns, rows) => {
      const model = sources
        .map(
          (source): KnockEvent => ({ ...{ time: time(1), event: 'wrong', door: 'ssh' }, source }),
        )
        .reduce(addEvent, correctModel(emptyModel('knock'), { ...STATUS, doors }, NOW))
      const lines = viewLive(model, NOW + 2000, terminalOf({ columns, rows }, {}))
      return lines.length === rows && lines.every((line) => widthOf(line) <= columns)
    }),
  )
  t.pass()
})
