// Steps, services and flags: text to objects and back.
import fc from 'fast-check'
import t from 'tap'
import {
  formatService,
  formatStep,
  parseFlags,
  parseService,
  parseStep,
  servicesOverlap,
  stepMeetsService,
  stepsMeet,
} from './step.js'

t.test('steps are read', async (t) => {
  t.strictSame(parseStep('tcp/1'), { protocol: 'tcp', port: 1 })
  t.strictSame(parseStep('udp/65535'), { protocol: 'udp', port: 65535 })
  t.strictSame(parseStep('icmp'), { protocol: 'icmp' })
  t.strictSame(parseStep('icmpv6'), { protocol: 'icmpv6' })
  const wrong = [
    '',
    'tcp',
    'tcp/0',
    'tcp/65536',
    'tcp/01',
    'tcp/1-2',
    'icmp/8',
    'TCP/1',
    ' tcp/1',
    'tcp/1\n',
  ]
  for (const text of wrong) t.equal(parseStep(text), undefined, JSON.stringify(text))
})

t.test('services are read', async (t) => {
  t.strictSame(parseService('tcp'), { protocol: 'tcp' })
  t.strictSame(parseService('any'), { protocol: 'any' })
  for (const text of ['protocol/sctp', 'protocol/132']) {
    t.strictSame(parseService(text), { protocol: 132 })
  }
  t.equal(formatService({ protocol: 132 }), 'protocol/sctp')
  t.equal(formatService({ protocol: 253 }), 'protocol/253')
  for (const name of ['tcp', '6', 'udp', '17', 'icmp', '1', 'ipv6-icmp', '58', 'ipv6-frag', '0']) {
    t.equal(parseService(`protocol/${name}`), undefined, name)
  }
  for (const name of [
    '',
    '256',
    '-1',
    '047',
    'sctp ',
    'nothing',
    '1e1',
    'function Object() { [native code] }',
  ]) {
    t.equal(parseService(`protocol/${name}`), undefined, name)
  }
  t.strictSame(parseService('udp/53'), { protocol: 'udp', ports: { from: 53, to: 53 } })
  t.strictSame(parseService('tcp/1-65535'), { protocol: 'tcp', ports: { from: 1, to: 65535 } })
  const wrong = [
    '',
    'icmp',
    'any/1',
    'tcp/0',
    'tcp/0-9',
    'tcp/9-8',
    'tcp/1-65536',
    'tcp/1-',
    'tcp/-1',
    'tcp/1-2-3',
  ]
  for (const text of wrong) t.equal(parseService(text), undefined, JSON.stringify(text))
})

t.test('a step is written as it was read', async () => {
  const port = fc.integer({ min: 1, max: 65535 })
  const protocol = fc.constantFrom('tcp', 'udp')
  fc.assert(
    fc.property(protocol, port, port, (name, a, b) => {
      const step = `${name}/${a}`
      const range = `${name}/${Math.min(a, b)}-${Math.max(a, b)}`
      const service = a === b ? step : range
      return (
        formatStep(parseStep(step) ?? { protocol: 'icmp' }) === step &&
        formatService(parseService(service) ?? { protocol: 'any' }) === service
      )
    }),
  )
})

t.test('flags are read', async (t) => {
  t.strictSame(parseFlags('syn'), { mask: 0x02, value: 0x02 })
  t.strictSame(parseFlags('!fin,syn,!rst,!ack'), { mask: 0x17, value: 0x02 })
  t.strictSame(parseFlags('cwr,ece,urg,ack,psh,rst,syn,fin'), { mask: 0xff, value: 0xff })
  t.strictSame(parseFlags('!cwr'), { mask: 0x80, value: 0 })
  t.strictSame(parseFlags('syn,syn'), { mask: 0x02, value: 0x02 })
  for (const text of [
    '',
    'syn,!syn',
    'SYN',
    'syn,',
    '!!syn',
    'ns',
    'function toString() { [native code] }',
  ]) {
    t.equal(parseFlags(text), undefined, JSON.stringify(text))
  }
})

t.test('services overlap if they share a port', async (t) => {
  const overlap = (a: string, b: string): boolean => {
    const [left, right] = [parseService(a), parseService(b)]
    if (!left || !right) throw new Error(`${a}, ${b}`)
    t.equal(
      servicesOverlap(right, left),
      servicesOverlap(left, right),
      'the order of the two services does not matter',
    )
    return servicesOverlap(left, right)
  }
  for (const [a, b] of [
    ['tcp/1-5', 'tcp/5-9'],
    ['tcp/1-9', 'tcp/4'],
    ['tcp', 'tcp/4'],
    ['any', 'udp/4'],
    ['any', 'udp'],
    ['protocol/4', 'protocol/ipip'],
  ] as const) {
    t.equal(overlap(a, b), true, `${a} and ${b}`)
  }
  for (const [a, b] of [
    ['tcp/1-4', 'tcp/5-9'],
    ['any', 'protocol/sctp'],
    ['protocol/4', 'protocol/sctp'],
    ['tcp/4', 'udp/4'],
    ['tcp', 'udp'],
    ['tcp', 'udp/4'],
  ] as const) {
    t.equal(overlap(a, b), false, `${a} and ${b}`)
  }
})

t.test('a step meets a service if it has its port', async (t) => {
  const range = { protocol: 'tcp', ports: { from: 5, to: 7 } } as const
  t.equal(stepMeetsService({ protocol: 'tcp', port: 7 }, range), true)
  t.equal(stepMeetsService({ protocol: 'tcp', port: 8 }, range), false)
  t.equal(stepMeetsService({ protocol: 'udp', port: 7 }, range), false)
  t.equal(stepMeetsService({ protocol: 'icmp' }, range), false)
  t.equal(stepMeetsService({ protocol: 'tcp', port: 7 }, { protocol: 'tcp' }), false)
})

t.test('two steps meet if one packet can match both', async (t) => {
  const tcp = (flags?: string) => {
    const parsed = flags === undefined ? undefined : parseFlags(flags)
    return { protocol: 'tcp', port: 7, ...(parsed && { flags: parsed }) } as const
  }
  t.equal(stepsMeet(tcp(), tcp('syn')), true)
  t.equal(stepsMeet(tcp(), tcp('psh')), true, 'a SYN may have PSH')
  t.equal(stepsMeet(tcp(), tcp('ack')), false)
  t.equal(stepsMeet(tcp('syn'), tcp('!syn,fin')), false)
  t.equal(stepsMeet(tcp(), { protocol: 'tcp', port: 8 }), false)
  t.equal(stepsMeet(tcp(), { protocol: 'udp', port: 7 }), false)
  t.equal(stepsMeet({ protocol: 'icmp' }, { protocol: 'icmpv6', length: 5 }), true)
  t.equal(stepsMeet({ protocol: 'icmp', length: 6 }, { protocol: 'icmpv6', length: 5 }), false)
})
