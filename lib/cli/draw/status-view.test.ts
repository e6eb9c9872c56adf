// A status → the frames of a terminal, to the letter, at several widths.
import t from 'tap'
import type { DoorStatus } from '../../index.js'
import { PAINTED, paintLine, UNPAINTED } from './paint.js'
import { viewStatus } from './status-view.js'
import { terminalOf } from './terminal.js'
import type { Viewed } from './viewed.js'

const EMPTY = { bans: 0, ignored: 0, repeated: 0, unlogged: 0 }
const none = { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 }

const doorOf = (name: string, more: Partial<DoorStatus> = {}): DoorStatus => ({
  ...{ name, service: ['tcp/22'], openFor: 30, grants: [], progress: [], counters: none },
  ...more,
})

const BUSY: Viewed = {
  table: 'knock',
  doors: [
    doorOf('ssh', {
      grants: [
        { source: '2001:db8::7', expiresIn: 6 },
        { source: '203.0.113.7', expiresIn: 28 },
      ],
      progress: [
        { source: '198.51.100.4', stage: 2, of: 3, expiresIn: 4 },
        { source: '198.51.100.9', stage: 3, of: 3, expiresIn: 2 },
      ],
      counters: { knocks: 61, grants: 12, closes: 0, resets: 3, wrong: 0, denied: 1208 },
    }),
    doorOf('web', {
      service: ['tcp/80', 'tcp/443', 'udp/5000-5010'],
      openFor: 600,
      grants: [{ source: '2001:db8:1234:5678:9abc:def0:1234:5678', expiresIn: 560 }],
      counters: { ...none, knocks: 9, grants: 3, wrong: 7 },
    }),
    doorOf('maintenance_window', {
      service: ['any'],
      openFor: 86400,
      grants: [{ source: 'everyone', expiresIn: 4320 }],
    }),
    doorOf('mail', { service: ['tcp/993'] }),
  ],
  bans: [{ source: '192.0.2.66', expiresIn: 540 }],
  counters: { bans: 2, ignored: 31, repeated: 0, unlogged: 0 },
  fill: [
    { set: 'grants_maintenance_window', elements: 1, capacity: 1 },
    { set: 'banned_4', elements: 66, capacity: 100 },
    { set: 'syns_4', elements: 2, capacity: 100 },
  ],
}

const frame = (status: Viewed, columns: number, LANG = 'C.UTF-8', paint = UNPAINTED): string =>
  viewStatus(status, terminalOf({ isTTY: true, columns }, { LANG }))
    .map((line) => `${paintLine(line, paint)}\n`)
    .join('')

t.test('the view fits 80 columns', async (t) => {
  t.equal(
    frame(BUSY, 80),
    `table inet knock                    4 doors · 4 let in · 2 on the way · 1 banned

ssh  tcp/22 ───────────────────────────────────────────────────── opens for 30 s
  203.0.113.7                             ━━━━━━━━━━  let in  28 s left
  2001:db8::7                             ━━╌╌╌╌╌╌╌╌  let in  6 s left
  198.51.100.9                            ●●●         3 of 3  connect within 2 s
  198.51.100.4                            ●●○         2 of 3  next within 4 s

web  tcp/80, tcp/443, udp/5000-5010 ───────────────────────────── opens for 10 m
  2001:db8:1234:5678:9abc:def0:1234:5678  ━━━━━━━━━━  let in  9 m 20 s left

maintenance_window  any ────────────────────────────────────────── opens for 1 d
  everyone                                ━╌╌╌╌╌╌╌╌╌  let in  1 h 12 m left

mail  tcp/993 ─────────────────────────────────────────────────── opens for 30 s
  nobody

guard ─────────────────────────────────────────────────────── bans 2, ignored 31
  192.0.2.66                                          banned  9 m left

filling up ──────────────────────────────────────── full sets refuse new sources
  banned_4                                ━━━━━━━╌╌╌  66 %    66 of 100

counted ─────────────────────────────────────────────── since the table was made
  door                knocks  grants  resets  wrong  denied
  ssh                     61      12       3      0    1208
  web                      9       3       0      7       0
  maintenance_window       0       0       0      0       0
  mail                     0       0       0      0       0
`,
  )
})

t.test('with 40 columns each source has a line of its own', async (t) => {
  t.equal(
    frame(BUSY, 40),
    `table inet knock
4 doors · 4 let in · 2 on the way
1 banned

ssh  tcp/22 ───────────── opens for 30 s
  203.0.113.7
    ━━━━━━━━  let in  28 s left
  2001:db8::7
    ━━╌╌╌╌╌╌  let in  6 s left
  198.51.100.9
    ●●●       3 of 3  connect within 2 s
  198.51.100.4
    ●●○       2 of 3  next within 4 s

web  tcp/80, tcp/443, udp/5000-5010 ────
  2001:db8:1234:5678:9abc:def0:1234:5678
    ━━━━━━━━  let in  9 m 20 s left

maintenance_window  any ── opens for 1 d
  everyone
    ━╌╌╌╌╌╌╌  let in  1 h 12 m left

mail  tcp/993 ─────────── opens for 30 s
  nobody

guard ─────────────── bans 2, ignored 31
  192.0.2.66
              banned  9 m left

filling up ─────────────────────────────
  banned_4
    ━━━━━━╌╌  66 %    66 of 100

counted ─────── since the table was made
  door knocks grants resets wrong denied
  ssh      61     12      3     0   1208
  web       9      3      0     7      0
  maintenance_window
            0      0      0     0      0
  mail      0      0      0     0      0
`,
  )
})

t.test('the view fits 120 columns, in ASCII', async (t) => {
  t.equal(
    frame(BUSY, 120, 'C'),
    `table inet knock${' '.repeat(60)}4 doors - 4 let in - 2 on the way - 1 banned

ssh  tcp/22 ${'-'.repeat(93)} opens for 30 s
  203.0.113.7                             ###################.  let in  28 s left
  2001:db8::7                             ####................  let in  6 s left
  198.51.100.9                            ***                   3 of 3  connect within 2 s
  198.51.100.4                            **o                   2 of 3  next within 4 s

web  tcp/80, tcp/443, udp/5000-5010 ${'-'.repeat(69)} opens for 10 m
  2001:db8:1234:5678:9abc:def0:1234:5678  ###################.  let in  9 m 20 s left

maintenance_window  any ${'-'.repeat(82)} opens for 1 d
  everyone                                #...................  let in  1 h 12 m left

mail  tcp/993 ${'-'.repeat(91)} opens for 30 s
  nobody

guard ${'-'.repeat(95)} bans 2, ignored 31
  192.0.2.66                                                    banned  9 m left

filling up ${'-'.repeat(80)} full sets refuse new sources
  banned_4                                ##############......  66 %    66 of 100

counted ${'-'.repeat(87)} since the table was made
  door                knocks  grants  resets  wrong  denied
  ssh                     61      12       3      0    1208
  web                      9       3       0      7       0
  maintenance_window       0       0       0      0       0
  mail                     0       0       0      0       0
`,
  )
  t.match(frame(BUSY, 120, 'C'), /^[\x20-\x7e\n]*$/)
})

t.test('the view shows penalised sources and used-up grants', async (t) => {
  const door = doorOf('ssh', {
    grants: [{ source: '203.0.113.9', expiresIn: 7, token: { user: 'ann', ago: 23 } }],
    penalised: [
      { source: '203.0.113.7', knock: 'open2', expiresIn: 3 },
      { source: '203.0.113.8', knock: 'open', expiresIn: 28 },
    ],
    usedUp: [
      { source: '198.51.100.4', ago: 70 },
      { source: '198.51.100.9', ago: 4 },
    ],
  })
  const status = { ...BUSY, doors: [door], bans: [], fill: [], counters: EMPTY }
  t.equal(
    frame(status, 70).split('\n\ncounted')[0],
    `table inet knock                       1 door · 1 let in · 2 penalised

ssh  tcp/22 ─────────────────────────────────────────── opens for 30 s
  203.0.113.9      ━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  let in     7 s left (ann)
  203.0.113.8                            penalised  28 s left
  203.0.113.7                            penalised  3 s left at open2
  198.51.100.9                           used up    4 s ago
  198.51.100.4                           used up    1 m 10 s ago`,
  )
  const quiet = Array.from({ length: 20 }, (_, index) => doorOf(`d${index}`))
  t.match(
    frame({ ...status, doors: [...quiet, door] }, 70),
    /\nssh {2}tcp/,
    'the door with them is shown among many doors',
  )
})

t.test('each colour stands beside a word or a sign of the same meaning', async (t) => {
  const status = { ...BUSY, doors: BUSY.doors.slice(0, 1), fill: [] }
  const shown = frame(status, 60, 'C', PAINTED).replaceAll('\u001b[', '<').split('\n')
  t.same(shown.slice(3, 7), [
    '<1mssh<22m  tcp/22 <2m---------------------------------<22m opens for 30 s',
    '  203.0.113.7      <32m#############<39m  <32mlet in  <39m28 s left',
    '  2001:db8::7      <32m###<39m<2m..........<22m  <32mlet in  <39m6 s left',
    '  198.51.100.9     <33m***<39m            <33m3 of 3  <39mconnect within 2 s',
  ])
})
