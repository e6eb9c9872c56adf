// Statuses with nothing, waiting to be confirmed, with too much, and any at all → frames that fit.
import fc from 'fast-check'
import t from 'tap'
import type { DoorStatus } from '../../index.js'
import { paintLine, UNPAINTED, widthOf } from './paint.js'
import { STATUS_LIMITS, viewStatus } from './status-view.js'
import { terminalOf } from './terminal.js'
import type { Viewed } from './viewed.js'

const none = { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 }
const guard = { bans: [], counters: { bans: 0, ignored: 0, repeated: 0, unlogged: 0 }, fill: [] }

const doorOf = (name: string, grants: DoorStatus['grants'] = []): DoorStatus => {
  return { name, service: ['tcp/22'], openFor: 30, grants, progress: [], counters: none }
}

const frame = (status: Viewed, columns: number): string =>
  viewStatus(status, terminalOf({ isTTY: true, columns }, { LANG: 'C.UTF-8' }))
    .map((line) => `${paintLine(line, UNPAINTED)}\n`)
    .join('')

t.test('an empty table and unused doors are shown', async (t) => {
  t.equal(
    frame({ ...guard, table: 'knock', doors: [] }, 80),
    `table inet knock                                              0 doors · 0 let in
`,
  )
  t.equal(
    frame({ ...guard, table: 'knock', doors: [doorOf('ssh')] }, 60),
    `table inet knock                           1 door · 0 let in

ssh  tcp/22 ───────────────────────────────── opens for 30 s
  nobody

counted ─────────────────────────── since the table was made
  door  knocks  grants  resets  denied
  ssh        0       0       0       0
`,
  )
})

t.test('an unconfirmed table and one that opened to everyone are shown', async (t) => {
  const status = { ...guard, table: 'knock', doors: [] }
  t.equal(
    frame({ ...status, confirm: { expiresIn: 42 } }, 40),
    `table inet knock      0 doors · 0 let in

! NOT CONFIRMED: open to everyone in
42 s, unless knocklib confirm comes
first
`,
  )
  t.match(
    frame({ ...status, confirm: { fallenOpen: true } }, 80),
    `table inet knock                                              0 doors · 0 let in

!! OPEN TO EVERYONE: nobody confirmed the table in time
`,
  )
})

t.test('rare counters are shown if not 0, and in words if a table does not fit', async (t) => {
  const counters = { knocks: 61, grants: 12, closes: 2, resets: 3, wrong: 7, denied: 4_123_456 }
  const status = { ...guard, table: 'knock', doors: [{ ...doorOf('ssh'), counters }] }
  t.same(frame(status, 60).split('\n').slice(-4, -1), [
    'counted ─────────────────────────── since the table was made',
    '  door  knocks  grants  closes  resets  wrong  denied',
    '  ssh       61      12       2       3      7    4.1M',
  ])
  t.same(frame(status, 40).split('\n').slice(-5, -1), [
    'counted ─────── since the table was made',
    '  ssh',
    '    knocks 61, grants 12, closes 2',
    '    resets 3, wrong 7, denied 4.1M',
  ])
})

t.test('long lists of doors and sources are cut, with the number left out', async (t) => {
  const grants = Array.from({ length: 140 }, (_, n) => ({ source: `10.0.0.${n}`, expiresIn: 20 }))
  const doors = Array.from({ length: 300 }, (_, n) => doorOf(`door${n}`))
  const busy = [doorOf('ssh', grants), doorOf('web', grants.slice(0, 21))]
  const shown = frame({ ...guard, table: 'knock', doors: [...busy, ...doors] }, 60).split('\n')
  t.equal(shown.filter((line) => line === '  and 120 more let in').length, 1)
  t.equal(shown.filter((line) => / let in {2}20 s left$/.test(line)).length, 20 + 21)
  t.ok(shown.includes('nobody at door0, door1, door2, door3, door4 and 295 more'))
  t.ok(shown.includes('  and 282 more'), 'the number of counters left out is shown')
  const crowd = doors.map((door) => ({ ...door, grants: grants.slice(0, 1) }))
  t.match(
    frame({ ...guard, table: 'knock', doors: crowd }, 60),
    '\nand 288 more doors with sources\n',
  )
})

const word = fc.stringMatching(/^[a-z_]{1,32}$/)
const count = fc.nat({ max: 10_000_000_000 })
/** As nft lists them: the longest has eight groups of four digits. */
const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter((text) => text.length <= LONGEST),
)
const LONGEST = 39
const memberFields = {
  source: fc.oneof(address, fc.constant('everyone')),
  expiresIn: fc.nat({ max: 1_000_000 }),
}
const member = fc.record(memberFields)
const granted = fc.record(
  { ...memberFields, token: fc.record({ user: word, ago: fc.nat({ max: 86_400 }) }) },
  { requiredKeys: ['source', 'expiresIn'] },
)
const attempt = fc.nat({ max: 31 }).chain((rest) =>
  fc.record({
    source: address,
    stage: fc.integer({ min: 1, max: 32 - rest }),
    of: fc.integer({ min: 32 - rest, max: 32 }),
    expiresIn: fc.nat({ max: 1_000_000 }),
  }),
)
const someDoor = fc.record({
  name: word,
  service: fc.array(word, { minLength: 1, maxLength: 20 }),
  openFor: fc.integer({ min: 1, max: 10_000_000 }),
  grants: fc.array(granted, { maxLength: 4 }),
  penalised: fc.array(
    fc.record({ ...memberFields, knock: fc.constantFrom('open' as const, 'open2' as const) }),
    { maxLength: 3 },
  ),
  usedUp: fc.array(fc.record({ source: address, ago: fc.nat({ max: 3600 }) }), { maxLength: 3 }),
  progress: fc.array(attempt, { maxLength: 4 }),
  counters: fc.record({
    knocks: count,
    grants: count,
    closes: count,
    resets: count,
    wrong: count,
    denied: count,
  }),
})
const someStatus = fc.record({
  table: word,
  doors: fc.array(someDoor, { maxLength: 15 }),
  bans: fc.array(member, { maxLength: 4 }),
  counters: fc.record({ bans: count, ignored: count, repeated: count, unlogged: count }),
  fill: fc.array(fc.record({ set: word, elements: count, capacity: fc.constant(4_000_000_000) })),
  confirm: fc.record({ expiresIn: fc.nat({ max: 1_000_000 }) }),
})

t.test(
  'no line is wider than the terminal, and every source of a short list is whole',
  async (t) => {
    // In 40 columns the longest address loses its last digit.
    const anyWidth = fc.integer({ min: LONGEST + 2, max: 120 })
    fc.assert(
      fc.property(someStatus, anyWidth, (status, columns) => {
        const lines = viewStatus(status, terminalOf({ columns }, {}), STATUS_LIMITS)
        const text = lines.map((line) => paintLine(line, UNPAINTED)).join('\n')
        const [first] = status.doors
        const whole = first?.grants.every(({ source }) => text.includes(`  ${source}`)) ?? true
        return whole && lines.every((line) => widthOf(line) <= columns)
      }),
    )
    t.pass()
  },
)
