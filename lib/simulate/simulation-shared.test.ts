// Doors that share their sets, played through the simulator: each behaves as if it were alone.
import t from 'tap'
import { SHARE_FROM } from '../automaton/sharing/choose.js'
import type { KnockSpec } from '../spec/generated/knock-types.js'
import { simulateKnock } from './simulation.js'

const specOf = (guard: object = {}, steps: (door: number) => string[] = stepsOf): KnockSpec =>
  ({
    guard,
    doors: Array.from({ length: SHARE_FROM }, (_, index) => ({
      name: `d${index}`,
      service: `tcp/${100 + index}`,
      knock: { type: 'sequence', steps: steps(index), stepTimeout: 5 },
      open: { for: 30 },
    })),
  }) as KnockSpec

const stepsOf = (door: number): string[] =>
  [0, 1, 2].map((step) => `${step === 1 ? 'udp' : 'tcp'}/${20000 + 3 * door + step}`)

/** A packet a second, beginning at 0. */
const trace = (...packets: readonly (readonly [source: string, to: string])[]) =>
  packets.map(([source, to], at) => ({ at, source, to }))

const knocks = (source: string, door: number) =>
  stepsOf(door).map((step) => [source, step] as const)

function play(guard: object, ...packets: readonly (readonly [source: string, to: string])[]) {
  const { packets: judged, status, events } = simulateKnock(specOf(guard), trace(...packets))
  const doors = new Map(status.doors.map((door) => [door.name, door]))
  return { verdicts: judged.map(({ verdict }) => verdict), doors, status, events }
}

const [a, b, c] = ['10.0.0.1', 'fd00::2', '10.0.0.3'] as const

t.test('a knock opens only its own door, and only for its own source', async (t) => {
  const { verdicts, doors } = play(
    {},
    ...knocks(a, 7),
    [a, 'tcp/107'],
    [a, 'tcp/108'],
    [c, 'tcp/107'],
    [b, 'tcp/107'],
  )
  t.same(verdicts.slice(3), ['accept', 'drop', 'drop', 'drop'])
  t.match(doors.get('d7')?.grants, [{ source: a, expiresIn: 26 }])
  t.match(doors.get('d7')?.counters, { knocks: 3, grants: 1, denied: 2 })
  t.match(doors.get('d8'), { grants: [], counters: { knocks: 0, grants: 0, denied: 1 } })
})

t.test('an attempt belongs to one door, and a knock at another door ends it', async (t) => {
  const [first, second, third] = stepsOf(1) as [string, string, string]
  const wrong = play({}, [a, first], [a, second], [a, stepsOf(2)[2] as string], [a, third])
  t.same(wrong.doors.get('d1')?.grants, [])
  t.match(wrong.doors.get('d1')?.counters, { knocks: 3, resets: 1 })
  t.match(wrong.doors.get('d2')?.counters, { knocks: 1, resets: 0 })
  const begun = play({}, [a, first], [a, stepsOf(2)[0] as string])
  t.match(begun.doors.get('d2')?.progress, [{ source: a, stage: 1, of: 3 }])
  t.same(begun.doors.get('d1')?.progress, [])
})

t.test('a packet that fits no knock ends an attempt', async (t) => {
  const [first, second, third] = stepsOf(3) as [string, string, string]
  const { doors } = play({}, [b, first], [b, second], [b, 'tcp/9'], [b, third])
  t.same(doors.get('d3')?.grants, [])
  t.match(doors.get('d3')?.counters, { resets: 1 })
})

t.test('wrong knocks are strikes, whatever the door', async (t) => {
  const guard = { ban: { after: 2, within: 60, for: 600 } }
  const miss = (door: number) =>
    [
      [a, stepsOf(door)[0]],
      [a, stepsOf(door)[2]],
    ] as [string, string][]
  const { status, events } = play(guard, ...miss(4), ...miss(5), ...knocks(a, 6), [a, 'tcp/106'])
  t.match(status.bans, [{ source: a }])
  t.match(status.doors[6]?.grants, [], 'a banned source opens nothing')
  t.match(
    events.filter(({ event }) => event === 'reset').map(({ door }) => door),
    ['d4', 'd5'],
  )
})

t.test('a full set accepts no new attempt, and running attempts go on', async (t) => {
  // Without SYNs, which would need room to be remembered.
  const udp = (door: number) => stepsOf(door).map((step) => step.replace('tcp', 'udp'))
  const sources = ['10.0.1.1', '10.0.1.2', '10.0.1.3']
  const packets = udp(0).flatMap((to, at) => sources.map((source) => ({ at, source, to })))
  const { status } = simulateKnock(specOf({ capacity: 2 }, udp), packets)
  const [door] = status.doors
  t.same(door?.grants.map(({ source }) => source).toSorted(), ['10.0.1.1', '10.0.1.2'])
  t.match(door?.counters, { knocks: 9, grants: 2, resets: 0 }, 'the third attempt had no room')
})

t.test('a source counts as knocking from its last step on', async (t) => {
  const [first, second, third] = stepsOf(1) as [string, string, string]
  const other = [c, 'tcp/9'] as const
  // The mark of the first step alone would have ended when the packet that fits no knock comes.
  const later = [other, other, [a, 'tcp/9'], [a, third]] as const
  const { doors } = play({}, [a, first], other, other, other, [a, second], ...later)
  t.same(doors.get('d1')?.grants, [])
  t.match(doors.get('d1')?.counters, { grants: 0, resets: 1 })
})

t.test('a grant that comes again after its end stands behind the others', async (t) => {
  const at = (start: number, source: string) =>
    stepsOf(2).map((to, index) => ({ at: start + index, source, to }))
  const packets = [...at(0, a), ...at(20, c), ...at(40, a)]
  const { status } = simulateKnock(specOf(), packets)
  t.match(status.doors[2]?.grants, [{ source: c }, { source: a }])
})
