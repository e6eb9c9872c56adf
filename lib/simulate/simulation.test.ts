import t from 'tap'
import type { KnockSpec } from '../spec/generated/knock-types.js'
import { simulateKnock } from './simulation.js'
import type { TracePacket } from './simulation-packet.js'

const SPEC: KnockSpec = {
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000', 'icmp'], stepTimeout: 5 },
      open: { for: 30 },
    },
  ],
}

const source = '10.0.0.1'

t.test('the result has a verdict for each packet, and the final status', async (t) => {
  const packets = [
    { at: 100, source, to: 'tcp/7000' },
    { at: 101, source, to: 'udp/8000' },
    { at: 101, source: 'FD00:0::2', to: 'tcp/7000' },
    { at: 102, source, to: 'icmp' },
    { at: 102.5, source, to: 'tcp/22' },
    { at: 103, source: '10.0.0.9', to: 'tcp/22' },
    { at: 103, source: '10.0.0.9', to: 'tcp/80' },
  ]
  const { packets: judged, events, status } = simulateKnock(SPEC, packets)
  t.same(
    judged,
    packets.map((packet, index) => ({
      ...packet,
      verdict: [4, 6].includes(index) ? 'accept' : 'drop',
    })),
    'each packet is returned as given, with its verdict',
  )
  t.match(status, {
    table: 'knock',
    doors: [
      {
        name: 'ssh',
        service: ['tcp/22'],
        grants: [{ source, expiresIn: 29 }],
        progress: [{ source: 'fd00::2', stage: 1, of: 3, expiresIn: 3 }],
        counters: { knocks: 4, grants: 1, closes: 0, resets: 0, wrong: 0, denied: 1 },
      },
    ],
    bans: [],
    counters: { bans: 0, ignored: 0, repeated: 0, unlogged: 0 },
  })
  const logged = { door: 'ssh', attempt: 'open', of: 3 } as const
  t.strictSame(events, [
    { packet: 0, at: 100, source, event: 'knock', ...logged, stage: 1 },
    { packet: 1, at: 101, source, event: 'knock', ...logged, stage: 2 },
    { packet: 2, at: 101, source: 'fd00::2', event: 'knock', ...logged, stage: 1 },
    { packet: 3, at: 102, source, event: 'granted', ...logged, stage: 3 },
    { packet: 5, at: 103, source: '10.0.0.9', event: 'denied', door: 'ssh' },
  ])
  const { fill } = status
  t.match(
    fill.find(({ set }) => set === 'grants_ssh_4'),
    { elements: 1, capacity: 262144 },
  )
  t.match(
    fill.find(({ set }) => set === 'stage1_ssh_6'),
    { elements: 1 },
  )
  t.notOk(
    fill.find(({ elements }) => elements === 0),
    'the status has no empty set',
  )
})

t.test('a trace without packets is accepted', async (t) => {
  const { packets, status } = simulateKnock(SPEC, [])
  t.same(packets, [])
  t.same(status.doors[0]?.grants, [])
})

t.test('each packet is its own connection unless the trace says otherwise', async (t) => {
  const knock = { at: 0, source, to: 'tcp/7000' }
  const count = (packets: readonly TracePacket[]) =>
    simulateKnock(SPEC, packets).status.doors[0]?.counters.knocks
  t.equal(count([knock, knock]), 2)
  const same = { ...knock, sourcePort: 5 }
  t.equal(count([same, same]), 1, 'a retransmission does not count as a knock')
})

t.test('every part of a packet is accepted', async (t) => {
  const whole = {
    at: 0,
    source,
    to: 'udp/8000',
    destination: '::ffff:10.0.0.2',
    sourcePort: 0,
    flags: 255,
    length: 0,
    payload: '',
    interface: 'eth0',
    state: 'new' as const,
    connected: false,
    isReply: false,
  }
  t.same(simulateKnock(SPEC, [whole]).packets, [{ ...whole, verdict: 'drop' }])
})

t.test('an error names the wrong packet and part', async (t) => {
  const right = { at: 5, source, to: 'tcp/7000' }
  const wrong: readonly (readonly [part: string, packet: unknown])[] = [
    ['', null],
    ['', 'tcp/7000'],
    ['/at', { ...right, at: 4 }],
    ['/at', { ...right, at: '6' }],
    ['/at', { ...right, at: Number.POSITIVE_INFINITY }],
    ['/source', { ...right, source: 'localhost' }],
    ['/source', { ...right, source: 5 }],
    ['/source', { at: 5, to: 'tcp/7000' }],
    ['/destination', { ...right, destination: '10.0.0.0/8' }],
    ['/to', { ...right, to: 'tcp' }],
    ['/to', { ...right, to: 'icmpv6' }],
    ['/to', { ...right, to: 7000 }],
    ['/flags', { ...right, flags: 'syn' }],
    ['/flags', { ...right, flags: 256 }],
    ['/sourcePort', { ...right, sourcePort: 65536 }],
    ['/length', { ...right, length: -1 }],
    ['/interface', { ...right, interface: '' }],
    ['/state', { ...right, state: 'old' }],
    ['/payload', { ...right, payload: '0' }],
    ['/payload', { ...right, payload: 'xy' }],
    ['/isReply', { ...right, isReply: 1 }],
    ['/colour', { ...right, colour: 'red' }],
  ]
  for (const [part, packet] of wrong) {
    t.throws(
      () => simulateKnock(SPEC, [right, packet as TracePacket]),
      { code: 'invalid-packet', message: new RegExp(`^simulateKnock: /1${part}: expected `) },
      JSON.stringify(packet),
    )
  }
  t.throws(() => simulateKnock(SPEC, [null as unknown as TracePacket]), { code: 'invalid-packet' })
  t.throws(() => simulateKnock({ doors: [] }, []), { code: 'invalid-spec' })
})

t.test('bans and grants of everyone are in the status', async (t) => {
  const [door] = SPEC.doors
  const spec = {
    guard: { ban: { after: 1, within: 60, for: 600 } },
    doors: [{ ...door, open: { for: 30, scope: 'everyone' } }],
  } as KnockSpec
  const to = (from: string, ports: readonly string[]) =>
    ports.map((to) => ({ at: 1, source: from, to }))
  const packets = [
    ...to(source, ['tcp/7000', 'udp/8000', 'icmp']),
    ...to('10.0.0.2', ['tcp/7000', 'icmp', 'tcp/7000']),
  ]
  const { status } = simulateKnock(spec, packets)
  t.same(status.doors[0]?.grants, [{ source: 'everyone', expiresIn: 30 }])
  t.same(status.bans, [{ source: '10.0.0.2', expiresIn: 600 }])
  t.same(status.counters, { bans: 1, ignored: 1, repeated: 0, unlogged: 0 })
})

t.test('events are limited by rate as in the kernel, and none without a log', async (t) => {
  const denied = (at: number) => ({ at, source, to: 'tcp/22' })
  // A second's worth at once; then one for each third of a second.
  const times = [0, 0, 0, 0, 0.25, 0.5, 0.6, 0.7, 10, 10, 10, 10]
  const log = { deniedRate: 3 }
  const { events, packets } = simulateKnock({ ...SPEC, log }, times.map(denied))
  t.strictSame(
    events.map(({ packet }) => packet),
    [0, 1, 2, 5, 7, 8, 9, 10],
  )
  t.ok(packets.every(({ verdict }) => verdict === 'drop'))
  const silent = simulateKnock({ ...SPEC, log: false }, times.map(denied))
  t.strictSame(silent, { ...silent, packets, events: [] })
})

t.test('a one-time sequence that finds no room is locked for a minute, then valid', async (t) => {
  const spec: KnockSpec = {
    guard: { capacity: 1 },
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: { type: 'sequence', oneTime: [['udp/7000'], ['udp/7001']] },
        open: { for: 5 },
      },
    ],
  }
  const first = { at: 0, source: '10.0.0.9', to: 'udp/7000' }
  const knock = (at: number) => ({ at, source, to: 'udp/7001' })
  const grantsAt = (...times: readonly number[]) =>
    simulateKnock(spec, [first, ...times.map(knock)]).status.doors[0]?.counters.grants
  t.equal(grantsAt(1), 1, 'there is no room for a grant')
  t.equal(grantsAt(1, 10), 1, 'there is room, but the sequence is locked')
  t.equal(grantsAt(1, 10, 62), 2, 'the sequence is valid again')
  t.equal(grantsAt(1, 10, 62, 130), 2, 'the sequence works once')
})
