// What a packet is, by its parts → the verdict on it.
import t from 'tap'
import { payloadOf } from '../spec/derive/carrier.js'
import { deriveToken } from '../spec/derive/derive.js'
import type { KnockSpec } from '../spec/generated/knock-types.js'
import { type SimulationOptions, simulateKnock } from './simulation.js'
import type { TracePacket } from './simulation-packet.js'

const [ana, bob] = ['10.0.0.1', '10.0.0.2']
const [ana6, host, host6] = ['fd00::1', '10.9.0.1', 'fd00:9::1']

/** A packet without its time. */
type Sent = Partial<Omit<TracePacket, 'at'>> & { readonly to: string }
type Door = Partial<KnockSpec['doors'][number]>

const door = (steps: readonly unknown[], parts: Door = {}) =>
  ({
    name: 'a',
    service: 'tcp/22',
    knock: { type: 'sequence', steps, stepTimeout: 30 },
    open: { for: 60 },
    ...parts,
  }) as KnockSpec['doors'][number]

/** The verdicts on packets that come a moment after each other. */
function judge(spec: KnockSpec, packets: readonly Sent[], options?: SimulationOptions) {
  const timed = packets.map((packet, index) => ({ source: ana, ...packet, at: index / 512 }))
  return simulateKnock(spec, timed, options).packets.map(({ verdict }) => verdict)
}

t.test('a redirect applies to granted sources, and nobody else reaches its target', async (t) => {
  const spec = { doors: [door(['udp/7000'], { open: { for: 60, redirectTo: 9000 } })] }
  const packets = ['tcp/22', 'tcp/9000', 'udp/7000', 'tcp/22', 'tcp/9000']
  const verdicts = judge(
    spec,
    packets.map((to) => ({ to })),
  )
  t.same(verdicts, ['accept', 'drop', 'drop', 'accept', 'drop'])
})

t.test('packets redirected to another host are not judged by doors of this host', async (t) => {
  const open = { for: 60, redirectTo: '192.168.1.5:23' }
  const doors = [door(['udp/7000'], { open }), door(['udp/7001'], { name: 'b', service: 'tcp/23' })]
  const packets = ['udp/7000', 'tcp/22', 'tcp/23'].map((to) => ({ to }))
  t.same(judge({ doors }, packets), ['drop', 'accept', 'drop'])
})

t.test('a mark changes no verdict', async (t) => {
  const spec = { doors: [door(['udp/7000'], { open: { for: 60, mark: 7 } })] }
  const packets = [{ to: 'tcp/22' }, { to: 'udp/7000' }, { to: 'tcp/22' }]
  t.same(judge(spec, packets), ['drop', 'drop', 'accept'])
})

t.test('a packet matches a step by flags, length and protocol', async (t) => {
  const steps = [
    { protocol: 'tcp', port: 7000, flags: 'fin,!syn' },
    { protocol: 'udp', port: 7001, length: 10 },
    { protocol: 'icmp', length: 2 },
  ]
  const right = [
    { to: 'tcp/7000', flags: 0x01 },
    { to: 'udp/7001', length: 10 },
    { to: 'icmp', payload: 'beef' },
  ]
  const opens = (...others: readonly Sent[]) =>
    judge({ doors: [door(steps)] }, [...others, { to: 'tcp/22' }]).at(-1)
  t.equal(opens(...right), 'accept')
  for (const [index, wrong] of [
    { to: 'tcp/7000', flags: 0x03 },
    { to: 'udp/7001', length: 11 },
    { to: 'icmp', payload: 'be' },
  ].entries()) {
    t.equal(opens(...right.with(index, wrong)), 'drop', JSON.stringify(wrong))
  }
})

t.test('an IPv6 echo request does not match a step over IPv4', async (t) => {
  const spec = { doors: [door(['icmpv6'])] }
  t.same(judge(spec, [{ to: 'icmp' }, { to: 'tcp/22' }]), ['accept', 'drop'])
  const six = [{ to: 'icmp' }, { to: 'tcp/22' }].map((packet) => ({ ...packet, source: ana6 }))
  t.same(judge(spec, six), ['drop', 'accept'])
})

t.test('a door judges only packets to its addresses', async (t) => {
  const spec = { doors: [door(['udp/7000'], { address: [host, host6] })] }
  const packets = [
    { to: 'tcp/22', destination: host },
    { to: 'tcp/22', destination: host6, source: ana6 },
    { to: 'tcp/22', destination: '10.9.0.2' },
    { to: 'tcp/22' },
  ]
  t.same(judge(spec, packets), ['drop', 'drop', 'accept', 'accept'])
})

t.test('a door of another protocol judges only that protocol', async (t) => {
  const spec = { doors: [door(['udp/7000'], { service: ['protocol/vrrp', 'protocol/4'] })] }
  const packets = ['protocol/112', 'protocol/ipip', 'protocol/89', 'tcp/22', 'udp/7000']
  const again = [...packets, 'protocol/112'].map((to) => ({ to }))
  t.same(judge(spec, again), ['drop', 'drop', 'accept', 'accept', 'drop', 'accept'])
  for (const to of ['protocol/6', 'protocol/udp', 'protocol/nosuch']) {
    t.throws(() => judge(spec, [{ to }]), { message: /^simulateKnock: \/0\/to: / }, to)
  }
})

t.test('packets of other interfaces and of trusted sources pass', async (t) => {
  const spec = {
    ...{ interfaces: ['eth*', 'wan0'], guard: { trusted: ['10.0.0.2/32', 'fd00::/64'] } },
    doors: [door(['udp/7000'])],
  }
  const ssh = { to: 'tcp/22', interface: 'eth3' }
  t.same(judge(spec, [ssh, { ...ssh, interface: 'wan0' }]), ['drop', 'drop'])
  const others = [
    { ...ssh, interface: 'wan01' },
    { ...ssh, interface: 'lo' },
    { ...ssh, source: bob },
    { ...ssh, source: ana6 },
  ]
  t.same(judge(spec, others), ['accept', 'accept', 'accept', 'accept'])
  t.same(judge({ doors: spec.doors }, [{ to: 'tcp/22', interface: 'lo' }]), ['accept'])
})

t.test('packets of a known connection pass, unless the door cuts it', async (t) => {
  const known = { to: 'tcp/22', flags: 0x10, state: 'established' } as const
  const packets: Sent[] = [
    known,
    { ...known, isReply: true },
    { ...known, state: 'new', connected: true },
  ]
  t.same(judge({ doors: [door(['udp/7000'])] }, packets), ['accept', 'accept', 'accept'])
  const cut = door(['udp/7000'], { open: { for: 60, established: 'cut' } })
  t.same(judge({ doors: [cut] }, packets).slice(0, 2), ['drop', 'accept'])
})

t.test('fragments that hide a header are dropped before conntrack, and others pass', async (t) => {
  const doors = [door(['udp/7000'])]
  for (const hook of ['prerouting', 'ingress'] as const) {
    const spec = { hook, interfaces: ['eth0'], doors }
    const piece = (fragment: Sent['fragment'], to = 'tcp/22') =>
      ({ to, ...(fragment && { fragment }), interface: 'eth0' }) as Sent
    const pieces = [piece('first'), piece('later'), piece('first', 'udp/7000'), piece('first')]
    t.same(
      judge(spec, pieces),
      ['drop', 'accept', 'drop', 'accept'],
      `${hook}: the first fragment decides`,
    )
    const hiding = [piece(undefined, 'udp/7000'), piece('second'), piece('bare'), piece(undefined)]
    t.same(
      judge(spec, hiding),
      ['drop', 'drop', 'drop', 'accept'],
      `${hook}: hidden headers are dropped, also from a granted source`,
    )
  }
  const elsewhere = { to: 'tcp/22', fragment: 'second', interface: 'eth1' } as const
  t.same(judge({ hook: 'ingress', interfaces: ['eth0'], doors }, [elsewhere]), ['accept'])
})

t.test('an unreadable IPv6 packet is dropped, and IPv4 packets are always readable', async (t) => {
  const spec = { doors: [door(['udp/7000'])] }
  const unread = { to: 'tcp/80', unreadable: true }
  t.same(judge(spec, [unread, { ...unread, source: ana6 }]), ['accept', 'drop'])
  const granted = [{ to: 'udp/7000' }, { to: 'tcp/22' }, unread]
  const six = granted.map((packet) => ({ ...packet, source: ana6 }))
  t.same(
    judge(spec, six),
    ['drop', 'accept', 'accept'],
    'a grant of each door lets the packet pass',
  )
})

t.test('a token opens only in a datagram of its carrier', async (t) => {
  const [secret, secretFile] = [new TextEncoder().encode('sixteen bytes or more'), '/k']
  const token = deriveToken(secret, 'a', 0)
  const carriers = ['udp', 'stun', 'dns'] as const
  for (const carrier of carriers) {
    const users = [{ name: 'ana', secretFile }]
    const knock = { type: 'token', port: 'udp/3478', carrier, period: '60s', users } as const
    const doors = [{ ...door([]), knock }]
    const verdict = (payload: string) => {
      const packets = [{ to: 'udp/3478', payload }, { to: 'tcp/22' }]
      return judge({ doors }, packets, { secrets: new Map([[secretFile, secret]]) })[1]
    }
    for (const by of carriers) {
      const datagram = payloadOf(by, token, '00'.repeat(12))
      t.equal(verdict(datagram), by === carrier ? 'accept' : 'drop', `${carrier}, sent by ${by}`)
    }
    t.equal(verdict(''), 'drop', `${carrier}: an empty datagram is dropped`)
    const right = payloadOf(carrier, token, '00'.repeat(12))
    // The fifth byte begins STUN's cookie, the thirteenth is the length of a name's first label.
    const at = { udp: undefined, stun: 2 * 4, dns: 2 * 12 }[carrier]
    if (at === undefined) continue
    const wrong = `${right.slice(0, at)}ff${right.slice(at + 2)}`
    t.equal(verdict(wrong), 'drop', `${carrier}: a datagram with another header is dropped`)
  }
})
