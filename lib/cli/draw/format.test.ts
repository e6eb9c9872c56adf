// A status → the text that people read, to the letter.
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { checked } from '../commands/views/status.js'
import { formatStatus } from './format.js'
import { PAINTED } from './paint.js'

const counters = { knocks: 6, grants: 1, closes: 0, resets: 2, wrong: 0, denied: 3 }
const guard = { bans: [], counters: { bans: 0, ignored: 0, repeated: 0, unlogged: 0 }, fill: [] }

t.test('the text shows doors, grants and attempts', async (t) => {
  const text = formatStatus({
    ...guard,
    table: 'knock',
    doors: [
      {
        name: 'ssh',
        service: ['tcp/22', 'tcp/2222-2230'],
        openFor: 30,
        grants: [
          { source: '10.0.0.1', expiresIn: 28 },
          { source: '2001:db8::7', expiresIn: 0, token: { user: 'ann', ago: 12 } },
        ],
        progress: [
          { source: '10.0.0.9', stage: 1, of: 3, expiresIn: 4 },
          { source: '10.0.0.8', stage: 3, of: 3, expiresIn: 4 },
        ],
        counters,
      },
      {
        ...{ name: 'web', service: ['any'], interfaces: ['eth0', 'wg*'], openFor: 30 },
        ...{ grants: [], progress: [], counters },
      },
    ],
  })
  t.equal(
    text,
    `table inet knock

ssh  tcp/22, tcp/2222-2230
  knocks 6, grants 1, resets 2, denied 3, wrong 0
  10.0.0.1     let in        28 s left
  2001:db8::7  let in        0 s left, token of ann 12 s ago
  10.0.0.9     knock 1 of 3  4 s for the next
  10.0.0.8     knock 3 of 3  4 s to connect

web  any on eth0, wg*
  knocks 6, grants 1, resets 2, denied 3, wrong 0
  nobody is let in or on the way
`,
  )
})

t.test('the text shows grants of everyone, wrong tokens, bans, and the fullest sets', async (t) => {
  const grants = [{ source: 'everyone', expiresIn: 28 }]
  const door = { name: 'ssh', service: ['tcp/22'], openFor: 30, grants, progress: [] }
  const fill = [
    { set: 'grants_web', elements: 1, capacity: 1 },
    { set: 'banned_4', elements: 66, capacity: 100 },
    { set: 'syns_4', elements: 1, capacity: 2 },
    { set: 'stage1_ssh_4', elements: 1, capacity: 200 },
    { set: 'stage2_ssh_4', elements: 1, capacity: 1000 },
  ]
  const text = formatStatus({
    table: 'knock',
    doors: [{ ...door, counters: { ...counters, wrong: 7 } }],
    bans: [{ source: '10.0.0.66', expiresIn: 540 }],
    counters: { bans: 2, ignored: 0, repeated: 0, unlogged: 0 },
    fill,
  })
  t.equal(
    text,
    `table inet knock

ssh  tcp/22
  knocks 6, grants 1, resets 2, denied 3, wrong 7
  everyone  let in  28 s left

guard  bans 2
  10.0.0.66  banned  540 s left

the fullest sets
  banned_4      66 of 100  66% full
  syns_4        1 of 2     50% full
  stage1_ssh_4  1 of 200   under 1% full
`,
  )
  const ignored = {
    ...guard,
    counters: { bans: 0, ignored: 5, repeated: 0, unlogged: 0 },
    table: 'knock',
    doors: [],
  }
  t.equal(formatStatus(ignored), 'table inet knock\n\nguard  ignored 5\n')
})

t.test('the text shows penalised sources and used-up grants', async (t) => {
  const text = formatStatus({
    ...guard,
    table: 'knock',
    doors: [
      {
        ...{ name: 'ssh', service: ['tcp/22'], openFor: 30, grants: [], progress: [], counters },
        penalised: [
          { source: '10.0.0.9', knock: 'open2', expiresIn: 7 },
          { source: '10.0.0.1', knock: 'open', expiresIn: 28 },
        ],
        usedUp: [
          { source: '10.0.0.2', ago: 90 },
          { source: '2001:db8::7', ago: 0 },
        ],
      },
    ],
  })
  t.equal(
    text,
    `table inet knock

ssh  tcp/22
  knocks 6, grants 1, resets 2, denied 3, wrong 0
  nobody is let in or on the way
  10.0.0.1     penalised  28 s left
  10.0.0.9     penalised  7 s left at open2
  2001:db8::7  used up    0 s ago, must knock again
  10.0.0.2     used up    90 s ago, must knock again
`,
  )
})

t.test('the text shows that a table is not confirmed', async (t) => {
  const status = { ...guard, table: 'knock', doors: [] }
  t.equal(
    formatStatus({ ...status, confirm: { expiresIn: 42 } }),
    'table inet knock\nnot confirmed: open to everyone in 42 s\n',
  )
  t.equal(
    formatStatus({ ...status, confirm: { fallenOpen: true } }),
    'table inet knock\nnot confirmed in time: open to everyone\n',
  )
})

t.test('colours only add to the text', async (t) => {
  const status = {
    table: 'knock',
    confirm: { expiresIn: 42 },
    doors: [
      {
        name: 'ssh',
        service: ['tcp/22'],
        openFor: 30,
        grants: [{ source: '10.0.0.1', expiresIn: 28 }],
        progress: [{ source: '10.0.0.9', stage: 1, of: 3, expiresIn: 4 }],
        counters,
      },
    ],
    bans: [{ source: '10.0.0.66', expiresIn: 540 }],
    counters: { bans: 2, ignored: 0, repeated: 0, unlogged: 0 },
    fill: [],
  }
  const painted = formatStatus(status, PAINTED)
  t.equal(stripVTControlCharacters(painted), formatStatus(status))
  t.match(painted, '\u001b[32m  10.0.0.1  let in        28 s left\u001b[39m')
})

t.test('addresses are sorted by number, and the last second is shown', async (t) => {
  const grants = ['10.0.0.10', '10.0.0.9'].map((source) => ({ source, expiresIn: 1 }))
  const door = { name: 'ssh', service: [], openFor: 30, grants, progress: [], counters }
  const text = formatStatus({ ...guard, table: 'k', confirm: { expiresIn: 0 }, doors: [door] })
  t.match(text, /10\.0\.0\.9 .*\n +10\.0\.0\.10 /)
  t.match(text, 'not confirmed: open to everyone within a second')
})

const loaded = {
  tokens: [
    { user: 'ann', expiresIn: 604_790, loadedFor: 604_800 },
    { user: 'bob', expiresIn: 0 },
  ],
  rotations: [{ knock: 'open' as const, expiresIn: 60, loadedFor: 604_800 }],
}
const withLoaded = {
  ...guard,
  table: 'knock',
  doors: [
    {
      ...{ name: 'ssh', service: ['tcp/22'], openFor: 30, grants: [], progress: [], counters },
      ...loaded,
    },
  ],
}

t.test('the text shows until when tokens and sequences are loaded', async (t) => {
  const text = formatStatus(withLoaded)
  t.match(
    text,
    `denied 3, wrong 0
  tokens of ann      loaded   604790 s left
  tokens of bob      run out  none opens
  sequences of open  loaded   60 s left
  nobody is let in`,
  )
  t.equal(stripVTControlCharacters(formatStatus(withLoaded, PAINTED)), text)
})

t.test('--check gives the reasons and exit code 1, or 0 if nothing needs to be done', async (t) => {
  const { text, exitCode, json } = checked(withLoaded)
  t.equal(exitCode, 1)
  t.match(text, /^table inet knock: door ssh: the tokens of bob have run out.* \(tokens-ended\)\n/)
  t.equal(text.split('\n').length, 3)
  t.match(json, { table: 'knock', check: [{ id: 'tokens-ended' }, { id: 'rotation-ends-soon' }] })
  const well = checked({ ...withLoaded, doors: [] })
  t.match(well, { exitCode: 0, json: { check: [] } })
  t.match(well.text, /nothing needs to be done/)
})
