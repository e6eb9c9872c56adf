// Packets played through a spec → verdicts and status; what cannot be a packet is named.
import t from 'tap'
import { simulateKnock, type TracePacket } from './simulation.js'
import type { KnockSpec } from './spec/generated/knock-types.js'

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

t.test('judges each packet, and tells where everybody is in the end', async (t) => {
  const packets = [
    { at: 100, source, to: 'tcp/7000' },
    { at: 101, source, to: 'udp/8000' },
    { at: 101, source: 'FD00:0::2', to: 'tcp/7000' },
    { at: 102, source, to: 'icmp' },
    { at: 102.5, source, to: 'tcp/22' },
    { at: 103, source: '10.0.0.9', to: 'tcp/22' },
    { at: 103, source: '10.0.0.9', to: 'tcp/80' },
  ]
  const { packets: judged, status } = simulateKnock(SPEC, packets)
  t.same(
    judged,
    packets.map((packet, index) => ({
      ...packet,
      verdict: [4, 6].includes(index) ? 'accept' : 'drop',
    })),
    'as they were given, with a verdict',
  )
  t.same(status, {
    table: 'knock',
    doors: [
      {
        name: 'ssh',
        service: ['tcp/22'],
        grants: [{ source, expiresIn: 29 }],
        progress: [{ source: 'fd00::2', stage: 1, of: 3, expiresIn: 3 }],
        counters: { knocks: 4, grants: 1, resets: 0, denied: 1 },
      },
    ],
  })
})

t.test('no packets at all', async (t) => {
  const { packets, status } = simulateKnock(SPEC, [])
  t.same(packets, [])
  t.same(status.doors[0]?.grants, [])
})

t.test('a packet is a connection of its own unless it says otherwise', async (t) => {
  const knock = { at: 0, source, to: 'tcp/7000' }
  const count = (packets: readonly TracePacket[]) =>
    simulateKnock(SPEC, packets).status.doors[0]?.counters.knocks
  t.equal(count([knock, knock]), 2)
  const same = { ...knock, sourcePort: 5 }
  t.equal(count([same, same]), 1, 'a retransmission is no knock')
})

t.test('takes every part that a packet may have', async (t) => {
  const whole = {
    at: 0,
    source,
    to: 'udp/8000',
    destination: '::ffff:10.0.0.2',
    sourcePort: 0,
    flags: 255,
    length: 0,
    interface: 'eth0',
    state: 'new' as const,
  }
  t.same(simulateKnock(SPEC, [whole]).packets, [{ ...whole, verdict: 'drop' }])
})

t.test('names the packet and the part that cannot be', async (t) => {
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
