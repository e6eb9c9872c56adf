// The sets of a door → the penalised sources, and those whose grant is used up; from listings and
// from simulated packets.
import t from 'tap'
import type { DoorSummary } from '../automaton/language/summary.js'
import { parseListing } from '../nft/listing.js'
import { simulateKnock } from '../simulate/simulation.js'
import type { KnockSpec } from '../spec/generated/knock-types.js'
import { listedContents } from './contents.js'
import { viewStatus } from './status.js'

const door = (connections?: number, scope: DoorSummary['scope'] = 'source'): DoorSummary => ({
  name: 'ssh',
  services: ['tcp/22'],
  knocks: [{ attempt: 'open', steps: 3 }],
  grantTimeout: 30,
  connections,
  scope,
  established: 'keep',
})

const DAY = 86_400

/** A set that was declared with a time, and the seconds that its members still have. */
const set = (name: string, timeout: number, members: Readonly<Record<string, number>> = {}) => {
  const elem = Object.entries(members).map(([val, expires]) => ({ elem: { val, expires } }))
  return { set: { name, timeout, size: 100, elem } }
}

const statusOf = (door: DoorSummary, ...nftables: readonly unknown[]) =>
  viewStatus('knock', [door], listedContents(parseListing({ nftables }))).doors[0]

t.test('a source is shown if its last connection used up its grant', async (t) => {
  const sets = [
    set('grants_ssh_4', 30, { '10.0.0.3': 20 }),
    set('used1_ssh_4', DAY, { '10.0.0.4': DAY - 3 }),
    set('lock1_ssh_4', DAY, { '10.0.0.1': DAY - 20, '10.0.0.4': DAY - 3 }),
    set('lock2_ssh_4', DAY, {
      ...{ '10.0.0.1': DAY - 13, '10.0.0.2': DAY - 4000, '10.0.0.3': DAY - 5 },
    }),
    set('lock2_ssh_6', DAY, { 'fd00::1': DAY - 1 }),
    set('begun_ssh_4', 60, { '10.0.0.5': 50 }),
  ]
  t.same(
    statusOf(door(2), ...sets)?.usedUp,
    [
      { source: '10.0.0.1', ago: 12 },
      { source: 'fd00::1', ago: 0 },
    ],
    'not an hour later, with another grant, or with a connection left',
  )
  t.notOk(
    'usedUp' in (statusOf(door(), ...sets) ?? {}),
    'a door that does not count connections has no used-up grants',
  )
  t.same(statusOf(door(3), ...sets)?.usedUp, [])
})

t.test('the timeout of the element counts if it has one', async (t) => {
  const elem = [{ elem: { val: '10.0.0.1', timeout: 100, expires: 89 } }]
  const lock = { set: { name: 'lock1_ssh_4', timeout: DAY, size: 100, elem } }
  t.same(statusOf(door(1), lock)?.usedUp, [{ source: '10.0.0.1', ago: 10 }])
})

t.test('a source is shown if the connection was the last packet of its knock', async (t) => {
  const begun = set('begun_ssh_4', 60, { '10.0.0.1': 49, '10.0.0.2': 55 })
  const granted = set('grants_ssh_4', 30, { '10.0.0.2': 20 })
  const penalty = set('penalty_ssh_4', 30)
  const usedUp = [{ source: '10.0.0.1', ago: 10 }]
  t.same(statusOf(door(1), begun, granted, penalty)?.usedUp, usedUp)
  t.same(
    statusOf(door(1), begun, granted)?.usedUp,
    [],
    'a knock without a penalty set does not end with the connection',
  )
  t.same(
    statusOf(door(2), begun, granted, penalty)?.usedUp,
    [],
    'a source with a connection left is not shown',
  )
})

t.test('a used-up grant of everyone is shown', async (t) => {
  const lock = set('lock1_ssh_0', DAY, { 0: DAY - 13 })
  const all = door(1, 'everyone')
  t.same(statusOf(all, lock)?.usedUp, [{ source: 'everyone', ago: 12 }])
  const granted = set('grants_ssh_0', 30, { 0: 5 })
  const own = [set('begun_ssh_4', 60, { '10.0.0.1': 49 }), set('penalty_ssh_4', 30)]
  t.same(statusOf(all, lock, granted, ...own)?.usedUp, [], 'a new grant of everyone ends it')
})

t.test('the penalised sources of each knock are shown', async (t) => {
  const sets = [
    set('penalty_ssh_4', 30, { '10.0.0.1': 5 }),
    set('open2_penalty_ssh_6', 30, { 'fd00::1': 0 }),
  ]
  t.same(statusOf(door(), ...sets)?.penalised, [
    { source: '10.0.0.1', knock: 'open', expiresIn: 5 },
    { source: 'fd00::1', knock: 'open2', expiresIn: 0 },
  ])
  t.notOk('penalised' in (statusOf(door()) ?? {}), 'a door without penalties has no such list')
})

t.test('the sets that are not shown completely are named', async (t) => {
  const names = ['lock1_ssh_4', 'lock2_ssh_4', 'begun_ssh_4', 'penalty_ssh_4']
  const listing = parseListing({ nftables: names.map((name) => set(name, 60)) })
  const sets = new Map([...listing.sets].map(([name, own]) => [name, { ...own, isCut: true }]))
  const cutOf = (connections: number) =>
    viewStatus('knock', [door(connections)], listedContents({ ...listing, sets })).cut
  t.same(cutOf(2), ['lock2_ssh_4', 'penalty_ssh_4'])
  t.same(cutOf(1), ['lock1_ssh_4', 'penalty_ssh_4'])
})

t.test('the view agrees with the simulated rules', async (t) => {
  const me = '203.0.113.5'
  const syn = (at: number, port: number) => {
    return { at, source: me, to: `tcp/${port}` as const, sourcePort: 1000 + at, sequence: at }
  }
  type Packets = readonly ReturnType<typeof syn>[]
  const play = (knock: object, connections: number, ...packets: Packets) =>
    playOpen(knock, { for: 60, connections }, packets)
  const playOpen = (knock: object, open: object, packets: Packets) => {
    const doors = [{ name: 'ssh', service: 'tcp/22', knock, open }]
    const { status } = simulateKnock({ doors } as unknown as KnockSpec, packets)
    const [{ grants = [], usedUp, penalised } = {}] = status.doors
    return { grants: grants.length, usedUp, penalised }
  }
  const steps = { type: 'sequence', steps: ['tcp/7000'] }
  const last = [{ source: me, ago: 12 }]
  for (const connections of [1, 2, 3]) {
    const used = Array.from({ length: connections }, (_, index) => syn(2 + index, 22))
    const end = 1 + connections + 12
    const after = play(steps, connections, syn(0, 7000), ...used, syn(end, 80))
    t.same(
      after,
      { grants: 0, usedUp: last, penalised: undefined },
      `${connections} connections use the grant up`,
    )
    const again = play(steps, connections, syn(0, 7000), ...used, syn(end, 7000))
    t.same(again.usedUp, [], `${connections}: knocked again`)
    const expired = play(steps, connections, syn(0, 7000), ...used.slice(1), syn(90, 80))
    t.same([expired.grants, expired.usedUp], [0, []], `${connections}: expired with one left`)
  }
  const everyone = { for: 60, connections: 1, scope: 'everyone' }
  const { usedUp } = playOpen(steps, everyone, [syn(0, 7000), syn(2, 22), syn(14, 80)])
  t.same(usedUp, [{ source: 'everyone', ago: 12 }])
  const rate = { type: 'rate', port: 'tcp/7000', hits: 2, min: 2, max: 9, penalty: 20 }
  const hits = [syn(0, 7000), syn(1, 7000)]
  const inTime = play(rate, 1, ...hits, syn(4, 22), syn(16, 80))
  t.same(inTime, { grants: 0, usedUp: last, penalised: [] })
  const tooFast = play(rate, 1, ...hits, syn(2, 7000), syn(10, 80))
  const penalty = { source: me, knock: 'open', expiresIn: 12 }
  t.same(tooFast, { grants: 0, usedUp: [], penalised: [penalty] })
})
