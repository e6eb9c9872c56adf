// A status → its problems, and when they begin.
import t from 'tap'
import { endsSoon, viewAhead } from './ahead.js'
import { checkStatus, warnOfAhead } from './check-status.js'
import { clockWarnings } from './clock-status.js'
import { rolesByDoor } from './contents.js'
import type { DoorStatus, Status } from './status.js'

const counters = { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 }
const door = (parts: Partial<DoorStatus> = {}): DoorStatus => {
  return { name: 'ssh', service: [], openFor: 30, grants: [], progress: [], counters, ...parts }
}
const ids = (status: Partial<Status>): string[] =>
  checkStatus({ doors: [], fill: [], ...status }).map(({ id }) => id)

const WEEK = 604_800
const DAY = 86_400
const NOW = Date.parse('2027-01-15T08:00:00.000Z')

t.test('a warning comes when a tenth of the loaded time or a day is left', async (t) => {
  t.notOk(endsSoon({ expiresIn: WEEK / 10, loadedFor: WEEK }))
  t.ok(endsSoon({ expiresIn: WEEK / 10 - 1, loadedFor: WEEK }))
  t.ok(endsSoon({ expiresIn: DAY - 1, loadedFor: 100 * DAY }))
  t.notOk(endsSoon({ expiresIn: DAY, loadedFor: 100 * DAY }))
  t.ok(endsSoon({ expiresIn: 0 }))
})

const summaryOf = (name: string, ...users: string[]) => ({
  ...{ name, services: [], grantTimeout: 30, connections: undefined },
  ...{ scope: 'source' as const, established: 'keep' as const },
  knocks: [{ attempt: 'open' as const, steps: 1, users }],
})

t.test('each user has a set of tokens, and each warning the place of its door', async (t) => {
  const loaded = new Map([
    ['tokens1_web', { expiresIn: WEEK, loadedFor: WEEK }],
    ['tokens2_web', { expiresIn: 60, loadedFor: WEEK }],
  ])
  const doors = [summaryOf('ssh'), summaryOf('web', 'ann', 'bob')]
  t.match(warnOfAhead(doors, { roles: new Map(), loaded }, NOW), [
    { id: 'tokens-end-soon', path: '/doors/1', message: /of bob / },
  ])
})

t.test('a rotating sequence opens as long as the ports of all its steps are loaded', async (t) => {
  const names = ['ports1_ssh', 'ports2_ssh', 'ports3_ssh']
  const loaded = new Map(
    [60, 30, 90].map((expiresIn, index) => [`${names[index]}`, { expiresIn, loadedFor: WEEK }]),
  )
  t.strictSame(viewAhead(summaryOf('ssh'), { roles: rolesByDoor(names), loaded }), {
    rotations: [{ knock: 'open', expiresIn: 30, loadedFor: WEEK }],
  })
})

t.test('the warning has the same words each time', async (t) => {
  const summary = summaryOf('ssh', 'ann')
  const warn = (...left: number[]) => {
    const loaded = left.map((expiresIn) => ['tokens1_ssh', { expiresIn, loadedFor: WEEK }] as const)
    return warnOfAhead([summary], { roles: new Map(), loaded: new Map(loaded) }, NOW)
  }
  t.same(warn(WEEK), [])
  t.match(warn(60), [{ id: 'tokens-end-soon', path: '/doors/0', message: /of ann run out soon;/ }])
  t.strictSame(warn(60), warn(50))
  t.match(warn(), [{ id: 'tokens-ended' }])
  t.same(
    warnOfAhead([summary], { roles: new Map() }, NOW),
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

t.test('a user comes to an end in time, and not without a word', async (t) => {
  const clock = { time: new Date(NOW).toISOString(), synchronised: 'yes' as const }
  const isoIn = (seconds: number) => new Date(NOW + 1000 * seconds).toISOString()
  const judged = (until: number, expiresIn: number, options = {}) => {
    const tokens = [{ user: 'ann', expiresIn, loadedFor: WEEK, until: isoIn(until) }]
    return checkStatus({ doors: [door({ tokens })], fill: [], clock }, options)
  }
  const idsOf = (...of: Parameters<typeof judged>) => judged(...of).map(({ id }) => id)
  t.same(idsOf(WEEK, WEEK), [], 'a week is not soon')
  t.same(idsOf(WEEK - 1, WEEK - 2), ['user-ends-soon'])
  t.same(idsOf(60, 59), ['user-ends-soon'], 'what there is of tokens is loaded')
  t.same(idsOf(DAY / 2, DAY / 2 - 1), ['user-ends-soon'], 'nor is it half a day before')
  t.same(idsOf(DAY, 60), ['tokens-end-soon', 'user-ends-soon'], 'it is not')
  t.same(idsOf(0, 0), ['user-ended'])
  t.same(idsOf(-WEEK, 0), ['user-ended'])
  t.match(judged(0, 0), [{ message: /ann ended at 2027-01-15T08:00:00.000Z: no token opens/ }])
  t.same(idsOf(10 * DAY, WEEK, { before: '14d' }), ['user-ends-soon'])
  t.same(idsOf(2 * DAY, 2 * DAY, { before: DAY }), [])
  const unknown = [door({ tokens: [{ user: 'ann', expiresIn: 60, until: isoIn(-1) }] })]
  t.same(ids({ doors: unknown }), [], 'without the time nothing is said of it')
})

t.test('somebody can say how long before an end it is soon', async (t) => {
  const tokens = [{ user: 'ann', expiresIn: 3 * DAY, loadedFor: WEEK }]
  const idsOf = (before: string | number) =>
    checkStatus({ doors: [door({ tokens })], fill: [] }, { before }).map(({ id }) => id)
  t.same(idsOf('3d'), [])
  t.same(idsOf(3 * DAY + 1), ['tokens-end-soon'])
  const rotations = [{ knock: 'open' as const, expiresIn: 3 * DAY, loadedFor: WEEK }]
  const rotating = { doors: [door({ rotations })], fill: [] }
  t.same(checkStatus(rotating, { before: '3d' }), [])
  t.match(checkStatus(rotating, { before: 3 * DAY + 1 }), [{ id: 'rotation-ends-soon' }])
  tokens[0] = { user: 'ann', expiresIn: 4 * DAY, loadedFor: WEEK }
  t.same(idsOf('30d'), [], 'what is loaded ends soon in its second half at the earliest')
  t.throws(() => idsOf('soon'), {
    code: 'invalid-argument',
    message: /^checkStatus: before: expected a duration .*, got "soon"$/,
  })
})

t.test(
  'a clock that is not synchronised is a warning, and one of which nothing is known is not',
  async (t) => {
    t.match(clockWarnings({ synchronised: 'no', by: 'chronyd' }), [
      { id: 'clock-unsynchronised', message: /not synchronised, says chronyd:/ },
    ])
    t.same(clockWarnings({ synchronised: 'yes', by: 'chronyd' }), [])
    t.same(clockWarnings({ synchronised: 'unknown' }), [])
  },
)
