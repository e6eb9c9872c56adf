// A status → its problems, and when they begin.
import t from 'tap'
import { endsSoon } from './ahead.js'
import { checkStatus, warnOfAhead } from './check-status.js'
import type { DoorStatus, Status } from './status.js'

const counters = { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 }
const door = (parts: Partial<DoorStatus> = {}): DoorStatus => {
  return { name: 'ssh', service: [], openFor: 30, grants: [], progress: [], counters, ...parts }
}
const ids = (status: Partial<Status>): string[] =>
  checkStatus({ doors: [], fill: [], ...status }).map(({ id }) => id)

const WEEK = 604_800
const DAY = 86_400

t.test('a warning comes when a tenth of the loaded time or a day is left', async (t) => {
  t.notOk(endsSoon({ expiresIn: WEEK / 10, loadedFor: WEEK }))
  t.ok(endsSoon({ expiresIn: WEEK / 10 - 1, loadedFor: WEEK }))
  t.ok(endsSoon({ expiresIn: DAY - 1, loadedFor: 100 * DAY }))
  t.notOk(endsSoon({ expiresIn: DAY, loadedFor: 100 * DAY }))
  t.ok(endsSoon({ expiresIn: 0 }))
})

t.test('the warning has the same words each time', async (t) => {
  const steps = { attempt: 'open' as const, steps: 1 }
  const summary = {
    ...{ name: 'ssh', services: [], grantTimeout: 30, connections: undefined },
    ...{ scope: 'source' as const, established: 'keep' as const },
    knocks: [{ ...steps, users: ['ann'] }],
  }
  const warn = (...left: number[]) => {
    const loaded = left.map((expiresIn) => ['tokens1_ssh', { expiresIn, loadedFor: WEEK }] as const)
    return warnOfAhead([summary], { roles: new Map(), loaded: new Map(loaded) })
  }
  t.same(warn(WEEK), [])
  t.match(warn(60), [{ id: 'tokens-end-soon', path: '/doors/0', message: /of ann run out soon;/ }])
  t.strictSame(warn(60), warn(50))
  t.match(warn(), [{ id: 'tokens-ended' }])
  t.same(
    warnOfAhead([summary], { roles: new Map() }),
    [],
    'a table without loaded times gives no warning',
  )
})

t.test('a healthy status has no problem', async (t) => {
  const tokens = [{ user: 'ann', expiresIn: WEEK, loadedFor: WEEK }]
  const rotations = [{ knock: 'open' as const, expiresIn: WEEK, loadedFor: WEEK }]
  const fill = [
    { set: 'syns_4', elements: 99, capacity: 100 },
    { set: 'spent_ssh_0', elements: 1, capacity: 1 },
  ]
  t.same(ids({ doors: [door(), door({ tokens, rotations })], fill }), [])
})

t.test('every problem is found, the worst first', async (t) => {
  const tokens = [
    { user: 'ann', expiresIn: 60, loadedFor: WEEK },
    { user: 'bob', expiresIn: 0 },
    { user: 'eve', expiresIn: WEEK, loadedFor: WEEK },
  ]
  const rotations = [
    { knock: 'open' as const, expiresIn: 60, loadedFor: WEEK },
    { knock: 'close' as const, expiresIn: 0 },
  ]
  const warnings = [
    { id: 'interface-missing', path: '/interfaces/0', message: 'wan0 is not there' },
  ]
  const fill = [{ set: 'syns_4', elements: 100, capacity: 100 }]
  const found = checkStatus({
    confirm: { fallenOpen: true },
    doors: [door({ tokens, rotations })],
    fill,
    warnings,
  })
  t.same(
    found.map(({ id }) => id),
    [
      ...['fallen-open', 'tokens-end-soon', 'tokens-ended', 'rotation-ends-soon'],
      ...['rotation-ended', 'set-full', 'interface-missing'],
    ],
  )
  const said = [/everyone is let in/, /ann run out in 60 s/, /bob have run out/, /in 60 s/]
  for (const [index, expected] of said.entries()) t.match(found[index]?.message, expected)
  t.same(ids({ confirm: { expiresIn: 5 } }), ['unconfirmed'])
  t.match(found.at(-1)?.message, /wan0 is not there/)
})
