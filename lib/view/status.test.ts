// What the sets of a door hold → grants, progress, counters and the whole status.
import t from 'tap'
import type { DoorSummary } from '../automaton/language/summary.js'
import { type Listing, parseListing } from '../nft/listing.js'
import { EVERYONE, listedContents, rolesByDoor } from './contents.js'
import { viewBans, viewGrants, viewProgress, viewStatus } from './status.js'

/** A door with knocks of so many packets each. */
const door = (name: string, ...steps: number[]): DoorSummary => ({
  name,
  services: ['tcp/22'],
  knocks: [3, ...steps].map((steps, index) => {
    return { attempt: index === 0 ? 'open' : `open${index + 1}`, steps }
  }),
  grantTimeout: 30,
  connections: undefined,
  scope: 'source',
  established: 'keep',
})

const set = (name: string, members: Readonly<Record<string, number | undefined>> = {}) => ({
  set: {
    name,
    elem: Object.entries(members).map(([val, expires]) => ({
      elem: { val, timeout: 30, expires },
    })),
  },
})
/** The same with a capacity. */
const sized = (size: number, ...[name, members]: Parameters<typeof set>) => {
  return { set: { ...set(name, members).set, size } }
}
const counter = (name: string, packets: number) => ({ counter: { name, packets } })
const listing = (...nftables: readonly unknown[]): Listing => parseListing({ nftables })

t.test('grants of both families are shown, and no other elements', async (t) => {
  const contents = listedContents(
    listing(
      set('grants_ssh_4', { '10.0.0.1': 5 }),
      set('grants_ssh_6', { 'fd00::1': 0, 'fd00::2': undefined }),
      set('grants_web_4', { '10.0.0.9': 5 }),
      set('ruleset_0123', { '10.0.0.8': 5 }),
    ),
  )
  t.same(viewGrants(door('ssh'), contents), [
    { door: 'ssh', source: '10.0.0.1', expiresIn: 5 },
    { door: 'ssh', source: 'fd00::1', expiresIn: 0 },
    { door: 'ssh', source: 'fd00::2', expiresIn: 0 },
  ])
  t.same(viewGrants(door('mail'), contents), [])
})

t.test('progress has the stage, and the sooner end of step and knock', async (t) => {
  const sets = [
    set('stage1_ssh_4', { '10.0.0.1': 5, '10.0.0.3': 4 }),
    set('stage2_ssh_4', { '10.0.0.2': 5 }),
    set('close_stage1_ssh_4', { '10.0.0.4': 5 }),
    set('stage1_web_4', { '10.0.0.5': 5 }),
  ]
  const of3 = { door: 'ssh', of: 3 }
  const ssh = (objects: readonly unknown[]) =>
    viewProgress(door('ssh'), listedContents(listing(...objects)))
  t.same(ssh(sets), [
    { ...of3, source: '10.0.0.1', stage: 1, expiresIn: 5 },
    { ...of3, source: '10.0.0.3', stage: 1, expiresIn: 4 },
    { ...of3, source: '10.0.0.2', stage: 2, expiresIn: 5 },
  ])
  const whole = set('attempt_ssh_4', { '10.0.0.1': 2, '10.0.0.2': 9 })
  t.same(
    ssh([...sets, whole]),
    [
      { ...of3, source: '10.0.0.1', stage: 1, expiresIn: 2 },
      { ...of3, source: '10.0.0.2', stage: 2, expiresIn: 5 },
    ],
    'an attempt whose whole time has passed is over',
  )
})

t.test('a grant for everyone has no source', async (t) => {
  const contents = listedContents(listing(set('grants_ssh_0', { 0: 5 })))
  t.same(viewGrants(door('ssh'), contents), [{ door: 'ssh', source: EVERYONE, expiresIn: 5 }])
})

t.test('door names that end like a family are not confused with one', async (t) => {
  const contents = listedContents(
    listing(set('grants_a_4', { '10.0.0.1': 5 }), set('grants_a_4_0', { 0: 7 })),
  )
  t.same(viewGrants(door('a'), contents), [{ door: 'a', source: '10.0.0.1', expiresIn: 5 }])
  t.same(viewGrants(door('a_4'), contents), [{ door: 'a_4', source: EVERYONE, expiresIn: 7 }])
})

t.test('progress is shown for each knock, and until the final connection', async (t) => {
  const contents = listedContents(
    listing(
      set('stage2_ssh_4', { '10.0.0.1': 5 }),
      set('open2_stage4_ssh_4', { '10.0.0.1': 9, '10.0.0.3': 9 }),
      set('open2_attempt_ssh_4', { '10.0.0.1': 8 }),
      set('open3_armed_ssh_6', { 'fd00::1': 2 }),
      set('open2_early_ssh_4', { '10.0.0.1': 1 }),
      set('open2_penalty_ssh_4', { '10.0.0.2': 1 }),
      set('open3_window1_ssh_4', { '10.0.0.2': 1 }),
    ),
  )
  const ssh = { door: 'ssh' }
  t.same(viewProgress(door('ssh', 4, 7), contents), [
    { ...ssh, source: '10.0.0.1', stage: 2, of: 3, expiresIn: 5 },
    { ...ssh, source: '10.0.0.1', stage: 4, of: 4, expiresIn: 8 },
    { ...ssh, source: 'fd00::1', stage: 7, of: 7, expiresIn: 2 },
  ])
})

t.test('banned sources are shown', async (t) => {
  const sets = [set('banned_4', { '10.0.0.1': 5 }), set('banned_6', { 'fd00::1': 0 })]
  t.same(viewBans(listedContents(listing(...sets, set('strikes_4', { '10.0.0.2': 5 })))), [
    { source: '10.0.0.1', expiresIn: 5 },
    { source: 'fd00::1', expiresIn: 0 },
  ])
})

t.test('set names are sorted by door', async (t) => {
  const names = [
    'grants_a',
    'stage2_a',
    'close_attempt_a',
    'used3_b',
    'used1_stage1_a',
    'trusted',
    'banned',
    'strike1',
    'spent_b',
    'open12_lock_b',
    'lock2_b',
    'begun_b',
    'open2_penalty_b',
    'by0123456789ab_b',
  ]
  t.same(
    [...rolesByDoor(names)],
    [
      [
        'a',
        [
          { set: 'grants_a', role: { kind: 'grants' } },
          { set: 'stage2_a', role: { kind: 'stage', attempt: 'open', stage: 2 } },
          { set: 'close_attempt_a', role: { kind: 'attempt', attempt: 'close' } },
        ],
      ],
      [
        'b',
        [
          { set: 'used3_b', role: { kind: 'used', connections: 3 } },
          { set: 'spent_b', role: { kind: 'spent' } },
          { set: 'open12_lock_b', role: { kind: 'inner', attempt: 'open12' } },
          { set: 'lock2_b', role: { kind: 'claimed', connections: 2 } },
          { set: 'begun_b', role: { kind: 'begun' } },
          { set: 'open2_penalty_b', role: { kind: 'penalised', attempt: 'open2' } },
          { set: 'by0123456789ab_b', role: { kind: 'by-user', digest: '0123456789ab' } },
        ],
      ],
      ['stage1_a', [{ set: 'used1_stage1_a', role: { kind: 'used', connections: 1 } }]],
    ],
  )
})

t.test('the whole status has its stable keys, in the order of the doors', async (t) => {
  const contents = listedContents(
    listing(
      sized(4, 'grants_web_4', { '10.0.0.1': 7 }),
      sized(4, 'grants_web_6'),
      sized(2, 'stage1_ssh_6', { 'fd00::1': 3 }),
      sized(2, 'banned_4', { '10.0.0.8': 3, '10.0.0.9': 4 }),
      counter('bans', 5),
      counter('ignored', 6),
      counter('repeated', 7),
      counter('knocks_ssh', 4),
      counter('denied_web', 2),
      counter('unlogged_denied_web', 30),
      counter('unlogged', 1),
      counter('theirs', 9),
      sized(2, 'quiet_sources_4', { '10.0.0.8': 3 }),
    ),
  )
  const none = { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 }
  t.strictSame(viewStatus('knock', [door('web'), door('ssh')], contents), {
    table: 'knock',
    doors: [
      {
        name: 'web',
        service: ['tcp/22'],
        openFor: 30,
        grants: [{ source: '10.0.0.1', expiresIn: 7 }],
        progress: [],
        counters: { ...none, denied: 32 },
      },
      {
        name: 'ssh',
        service: ['tcp/22'],
        openFor: 30,
        grants: [],
        progress: [{ source: 'fd00::1', stage: 1, of: 3, expiresIn: 3 }],
        counters: { ...none, knocks: 4 },
      },
    ],
    bans: [
      { source: '10.0.0.8', expiresIn: 3 },
      { source: '10.0.0.9', expiresIn: 4 },
    ],
    counters: { bans: 5, ignored: 6, repeated: 7, unlogged: 31 },
    fill: [
      { set: 'banned_4', elements: 2, capacity: 2 },
      { set: 'stage1_ssh_6', elements: 1, capacity: 2 },
      { set: 'grants_web_4', elements: 1, capacity: 4 },
    ],
  })
})
