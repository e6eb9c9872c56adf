// Floods of refused packets in the simulator → what is logged of each source, how all are counted,
// and that the log changes no verdict.
import t from 'tap'
import type { KnockSpec } from '../spec/generated/knock-types.js'
import { simulateKnock } from './simulation.js'
import type { TracePacket } from './simulation-packet.js'

const door = (parts: object = {}) => ({
  name: 'host',
  service: 'tcp/22',
  knock: { type: 'sequence' as const, steps: ['tcp/7000'] },
  open: { for: '60s' },
  ...parts,
})
const LOUD = '10.0.0.1'
const OTHERS = ['10.0.0.2', '10.0.0.3', 'fd00::2', 'fd00::3', 'fd00::4']

const numbered = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** Makes SYNs at the same intervals within a time. */
const flood = (count: number, seconds: number, sourceOf: (index: number) => string) =>
  numbered(count).map((index): TracePacket => {
    return { at: (index * seconds) / count, source: sourceOf(index), to: 'tcp/22' }
  })
const inOrder = (...packets: TracePacket[]) => packets.toSorted((a, b) => a.at - b.at)

function play(spec: KnockSpec, packets: readonly TracePacket[]) {
  const { events, status, packets: judged } = simulateKnock(spec, packets)
  const of = (source: string) => events.filter((event) => event.source === source).length
  const denied = status.doors.map(({ counters }) => counters.denied)
  return { of, events, denied, status, judged }
}

t.test('a source that sends many does not hide the others', async (t) => {
  for (const at of [0.02, 0.5, 2.9]) {
    const others = OTHERS.map((source) => ({ at, source, to: 'tcp/22' }))
    const packets = inOrder(...flood(3000, 3, () => LOUD), ...others)
    const { of, events, denied, status } = play({ doors: [door()] }, packets)
    t.strictSame(OTHERS.map(of), [1, 1, 1, 1, 1], `each other source is logged after ${at} s`)
    t.ok(of(LOUD) <= 11, `the source that sends many is logged rarely: ${of(LOUD)}`)
    t.strictSame(denied, [packets.length])
    t.equal(status.counters.unlogged, packets.length - events.length)
    t.notMatch(JSON.stringify(status.fill), /quiet|flooded/, 'the sets of the log are not shown')
  }
})

t.test('a source that sends many is not logged for a minute, and not longer', async (t) => {
  const later = [30, 59, 61].map((at) => ({ at, source: LOUD, to: 'tcp/22' }))
  const { events } = play({ doors: [door()] }, [...flood(100, 0.1, () => LOUD), ...later])
  t.strictSame(
    events.filter(({ packet }) => packet >= 100).map(({ at }) => at),
    [61],
  )
})

t.test('a flood at one door does not silence another', async (t) => {
  const doors = [door(), door({ name: 'web', service: 'tcp/443' })]
  const web = { at: 1, source: LOUD, to: 'tcp/443' }
  const { events } = play({ doors }, inOrder(...flood(2000, 2, () => LOUD), web))
  t.strictSame(
    events.flatMap(({ door, at }) => (door === 'web' ? [at] : [])),
    [1],
  )
})

t.test('with too many sources a fixed number is logged each second', async (t) => {
  const { events, denied, status } = play(
    { doors: [door()] },
    flood(50_000, 5, (index) => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`),
  )
  t.ok(events.length > 20 && events.length <= 120, `${events.length} events are logged`)
  t.strictSame(denied, [50_000])
  t.equal(status.counters.unlogged, 50_000 - events.length)
})

const AT: Readonly<Record<string, Omit<KnockSpec, 'doors'>>> = {
  input: {},
  prerouting: { hook: 'prerouting', interfaces: ['eth0'] },
  ingress: { hook: 'ingress', interfaces: ['eth0'] },
}

/** Parts of the door. */
const DOORS: Readonly<Record<string, object>> = {
  plain: {},
  refreshing: { open: { for: '5s', refresh: true } },
  counting: { open: { for: '60s', connections: 1 } },
  everyone: { open: { for: '2s', scope: 'everyone' } },
  'at an address': { address: ['192.0.2.1', '2001:db8::1'] },
  rate: { knock: { type: 'rate', port: 'tcp/7000', hits: 2, min: '1s', max: '3s' } },
}

for (const [hook, at] of Object.entries(AT)) {
  for (const [name, parts] of Object.entries(DOORS)) {
    t.test(`the log changes no verdict: ${hook}, ${name}`, async (t) => {
      const spec = {
        ...at,
        guard: { trusted: ['10.9.0.0/16'] },
        doors: [door({ service: 'tcp', ...parts })],
      }
      const sources = [LOUD, ...OTHERS, '10.9.0.1']
      const packets = numbered(2000).map((index): TracePacket => {
        const source = sources[(index * index + (index >> 3)) % sources.length] as string
        const isKnock = index % 500 > 450 && index % 7 === 1 && source !== LOUD
        const to = isKnock ? 'tcp/7000' : `tcp/${22 + (index % 3)}`
        const own = source.includes(':') ? '2001:db8::1' : '192.0.2.1'
        const destination = index % 11 === 0 ? '192.0.2.9' : own
        const isOwn = source.includes(':') === destination.includes(':')
        const end = { source, destination: isOwn ? destination : own }
        return {
          at: index / 100,
          to,
          ...end,
          interface: 'eth0',
          flags: index % 13 === 0 ? 0x10 : 0x02,
        }
      })
      const loud = play(spec, packets)
      const silent = play({ ...spec, log: false }, packets)
      t.strictSame(loud.judged, silent.judged)
      t.strictSame(loud.denied, silent.denied)
      t.ok(loud.status.counters.unlogged > 50, 'many packets are not logged')
      t.ok(loud.judged.some(({ verdict }) => verdict === 'accept'))
    })
  }
}
