// Duplicates, full sets and conntrack's states: the kernel and the simulator agree on what they do
// to a knock.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Packet } from '../../lib/simulate/packet.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { missing } from '../machine/capabilities.js'
import { apply, listTable, SERVER, sweep } from '../machine/namespaces.js'
import { stateOf } from '../random/arbitrary-run.js'
import { runModel, same, simulatorOf } from '../replay/models.js'
import { arrivalKey, PlaybackSetup } from '../replay/playback.js'
import { placesOf } from '../replay/state.js'
import { CORNERS } from '../traces/corners.js'
import { now } from '../wire/inject.js'

const skip = missing()
if (!skip) sweep()

const FAMILIES = [4, 6] as const
type Family = (typeof FAMILIES)[number]

const host = (family: Family, number: number): string =>
  family === 4 ? `10.99.1.${number}` : `fd00:99::1:${number}`

const document = (steps: readonly unknown[], parts: object = {}, guard: object = {}) =>
  validateSpec({
    guard,
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: { type: 'sequence', steps, stepTimeout: 30 },
        open: { for: 60 },
        ...parts,
      },
    ],
  })

/**
 * Plays packets that follow each other at once in the kernel. Compares everything that the kernel
 * shows with the simulator.
 */
async function playAndCompare(
  t: Test,
  spec: ReturnType<typeof document>,
  packets: readonly Omit<Packet, 'at'>[],
) {
  await using setup = await PlaybackSetup.open(spec)
  const timed = packets.map((packet, index) => ({
    destination: SERVER[packet.source.includes(':') ? 6 : 4],
    ...packet,
    at: index / 500,
  }))
  const { arrivals, end } = await setup.play(timed, [], { start: now(), margin: 0 })
  const outcome = runModel(simulatorOf(spec), timed, [timed.length / 500])
  const [kernel, simulator] = [end, outcome.states[0] ?? {}]
  const sources = [...new Set(packets.map(({ source }) => source))]
  t.same(placesOf(kernel, sources), placesOf(simulator, sources), 'stages and grants')
  const countersOf = (state: typeof kernel) => Object.values(state).map((door) => door.counters)
  t.same(countersOf(kernel), countersOf(simulator), 'counters')
  const passed = timed.map((packet) => (arrivals.has(arrivalKey(packet)) ? 'accept' : 'drop'))
  t.same(passed, outcome.verdicts, 'verdicts')
  const [first] = Object.values(kernel)
  return { ...(first as NonNullable<typeof first>), passed }
}

t.test('the corners of the meaning', { skip }, async (t) => {
  for (const { name, doors, guard, packets, verdicts, counters } of CORNERS) {
    await t.test(name, async (t) => {
      const spec = validateSpec({ doors, ...(guard && { guard }) })
      const played = await playAndCompare(t, spec, packets)
      t.same(played.passed, verdicts)
      t.match(played.counters, counters)
    })
  }
})

t.test('131 duplicates of a knock change nothing', { skip }, async (t) => {
  for (const family of FAMILIES) {
    const source = host(family, 1)
    const tcp = (port: number, sourcePort: number) =>
      ({ source, protocol: 'tcp', port, sourcePort }) as const
    const duplicates = Array.from({ length: 131 }, (_, index) => tcp(8000, 3000 + index))
    const packets = [tcp(7000, 1), tcp(8000, 2), ...duplicates, tcp(9000, 3), tcp(22, 4)]
    const spec = document(['tcp/7000', 'tcp/8000', 'tcp/9000'])
    const { counters, passed } = await playAndCompare(t, spec, packets)
    t.same(counters, { knocks: 134, grants: 1, closes: 0, resets: 0, wrong: 0, denied: 0 })
    t.equal(passed.at(-1), 'accept')
  }
})

t.test('a full set refuses and opens nothing', { skip }, async (t) => {
  for (const family of FAMILIES) {
    const [first, second, third] = [1, 2, 3].map((number) => host(family, number))
    const knock = (source: string | undefined, port: number) =>
      ({ source: source as string, protocol: 'udp', port, sourcePort: 5 }) as const
    const syn = (source: string | undefined, port: number, sourcePort = 6) =>
      ({ source: source as string, protocol: 'tcp', port, sourcePort }) as const

    await t.test(`sources in a stage, IPv${family}`, async (t) => {
      const spec = document(['udp/7000', 'udp/8000'], {}, { capacity: 2 })
      const sources = [first, second, third]
      const { grants } = await playAndCompare(t, spec, [
        ...sources.map((source) => knock(source, 7000)),
        ...[third, first, second].map((source) => knock(source, 8000)),
        ...sources.map((source) => syn(source, 22)),
      ])
      t.same(Object.keys(grants).sort(), [first, second])
    })

    await t.test(`grants, IPv${family}`, async (t) => {
      const spec = document(['udp/7000'], {}, { capacity: 1 })
      const both = [first, second]
      const { counters, passed } = await playAndCompare(t, spec, [
        ...both.map((source) => knock(source, 7000)),
        ...both.map((source) => syn(source, 22)),
      ])
      t.same(counters, { knocks: 2, grants: 1, closes: 0, resets: 0, wrong: 0, denied: 1 })
      t.same(passed.slice(2), ['accept', 'drop'])
    })

    await t.test(`remembered SYNs, IPv${family}`, async (t) => {
      const spec = document(['tcp/7000'], {}, { capacity: 1 })
      const both = [first, second]
      const { counters } = await playAndCompare(
        t,
        spec,
        both.map((source) => syn(source, 7000)),
      )
      t.same(counters, { knocks: 1, grants: 1, closes: 0, resets: 0, wrong: 0, denied: 0 })
    })

    await t.test(`connections of a grant, IPv${family}`, async (t) => {
      const spec = document(['udp/7000'], { open: { for: 60, connections: 3 } }, { capacity: 1 })
      const { passed } = await playAndCompare(t, spec, [
        knock(first, 7000),
        syn(first, 22, 10),
        knock(second, 7000),
        syn(second, 22, 10),
        syn(first, 22, 11),
        syn(first, 22, 12),
        syn(first, 22, 13),
      ])
      // The grants are full for the second source. For more SYNs of the first one, the set of
      // counted SYNs is full.
      t.same(passed, ['drop', 'accept', 'drop', 'drop', 'drop', 'drop', 'drop'])
    })
  }
})

t.test('an echo request of an accepted ping is a knock all the same', { skip }, async (t) => {
  for (const family of FAMILIES) {
    const spec = document([{ protocol: 'icmp', length: 20 }, 'udp/7000'])
    await using setup = await PlaybackSetup.open(spec, { silent: false })
    const { server } = setup.pair
    await apply(
      server,
      `table inet states {
        counter established { }
        chain in {
          type filter hook prerouting priority -150
          ct state established meta length { 48, 68 } counter name established
        }
      }`,
    )
    const source = family === 4 ? '10.77.0.2' : 'fd00:77::2'
    const ping = { at: 0, source, protocol: 'icmp', sourcePort: 77 } as const
    setup.injector.send({ ...ping, length: 10 })
    await setup.injector.flush()
    await sleep(50)
    setup.injector.send({ ...ping, length: 20 })
    await setup.injector.flush()
    const { ssh } = await setup.state()
    t.same(ssh?.stages['open'], { [source]: 1 }, `IPv${family}: the attempt has begun`)
    t.equal(ssh?.counters.knocks, 1)
    const listing = (await listTable(server, 'states')) ?? []
    const counter = listing.find((object) => object['counter'])?.['counter']
    t.match(counter, { packets: 1 }, `IPv${family}: conntrack called it established`)
  }
})

t.test('conntrack calls TCP packets of no connection what the traces say', { skip }, async (t) => {
  await using setup = await PlaybackSetup.open(document(['udp/7000']))
  const { server } = setup.pair
  const set = (name: string) => `set ${name} { type inet_service; size 65535; flags dynamic; }`
  await apply(
    server,
    `table inet states {
      ${set('new')}
      ${set('invalid')}
      chain in {
        type filter hook prerouting priority -150
        ct state new tcp dport 9 add @new { tcp sport }
        ct state invalid tcp dport 9 add @invalid { tcp sport }
      }
    }`,
  )
  const bytes = Array.from({ length: 256 }, (_, flags) => flags)
  for (const flags of bytes) {
    const packet = { at: 0, source: host(4, 1), protocol: 'tcp', port: 9, flags } as const
    setup.injector.send({ ...packet, sourcePort: 3000 + flags })
  }
  await setup.injector.flush()
  const listing = (await listTable(server, 'states')) ?? []
  for (const state of ['new', 'invalid'] as const) {
    const found = listing.map((object) => object['set'] as { name: string; elem: number[] })
    const elements = found.find((set) => set?.name === state)?.elem ?? []
    const expected = bytes.filter((flags) => stateOf(flags) === state).map((flags) => 3000 + flags)
    t.ok(
      same(
        [...elements].sort((a, b) => a - b),
        expected,
      ),
      state,
    )
  }
})
