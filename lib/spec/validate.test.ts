// A valid spec → defaults and normal forms; an invalid one → the error.
import t from 'tap'
import { door, sequence, spec } from '../../integration/fixtures/specs.js'
import { SpecError } from '../errors.js'
import { requireValid, validateSpec } from './validate.js'

t.test('the defaults are filled in', async (t) => {
  t.strictSame(validateSpec(spec()), {
    table: 'knock',
    hook: 'input',
    interfaces: [],
    log: { group: 5, rate: 1000, deniedRate: 10 },
    guard: { trusted: [], ignore: [], capacity: 262144 },
    doors: [
      {
        name: 'ssh',
        origin: '/doors/0',
        services: [{ protocol: 'tcp', ports: { from: 22, to: 22 } }],
        interfaces: [],
        addresses: [],
        knocks: [
          {
            type: 'sequence',
            origin: '/doors/0/knock',
            stepsOrigin: '/doors/0/knock/steps',
            steps: [
              { protocol: 'tcp', port: 7000 },
              { protocol: 'udp', port: 8000 },
              { protocol: 'icmp' },
            ],
            stepTimeout: 5,
            reset: 'any',
          },
        ],
        closes: [],
        open: { for: 30, refresh: false, scope: 'source', established: 'keep' },
      },
    ],
    actions: [],
  })
})

const full = {
  $schema: './knock.schema.json',
  table: 'gate_1',
  hook: 'input',
  interfaces: ['eth0', 'wlan*'],
  log: { group: 0, rate: 1_000_000, deniedRate: 1 },
  guard: {
    trusted: ['192.168.1.0/24', '192.168.1.7', 'FD00:0:0::/8', '::ffff:10.0.0.1', '10.0.0.1'],
    ignore: ['tcp/80', 'udp/5000-5010'],
    ban: { after: 3, within: '1m', for: 600 },
    capacity: 1000,
  },
  doors: [
    {
      name: 'ssh',
      service: ['tcp/22', 'tcp/8000-8010', 'udp/8000'],
      address: ['203.0.113.10', '2001:DB8:0:0:0:0:0:1'],
      knock: {
        type: 'sequence',
        steps: [
          'tcp/7000',
          { protocol: 'tcp', port: 7001, flags: 'syn,!ack' },
          { protocol: 'udp', port: 8001, length: 0 },
          { protocol: 'icmp', length: 228 },
          { protocol: 'icmpv6' },
        ],
        stepTimeout: '1m',
        timeout: '1h',
        reset: 'knock-ports',
      },
      close: { type: 'sequence', steps: ['tcp/9000'], timeout: 3 },
      open: {
        for: '7d',
        connections: 2,
        refresh: true,
        established: 'cut',
        mark: 4294967295,
      },
    },
    {
      name: 'rest',
      service: 'udp',
      address: '203.0.113.11',
      knock: { type: 'sequence', steps: ['icmp'], stepTimeout: 9, reset: 'never' },
      open: { for: 1, scope: 'everyone' },
    },
  ],
}

t.test('every part is read', async (t) => {
  const before = structuredClone(full)
  t.strictSame(validateSpec(full), {
    table: 'gate_1',
    hook: 'input',
    interfaces: ['eth0', 'wlan*'],
    log: { group: 0, rate: 1_000_000, deniedRate: 1 },
    guard: {
      trusted: [
        { family: 4, address: '192.168.1.0', prefixLength: 24 },
        { family: 6, address: 'fd00::', prefixLength: 8 },
        { family: 4, address: '10.0.0.1', prefixLength: 32 },
      ],
      ignore: [
        { protocol: 'tcp', ports: { from: 80, to: 80 } },
        { protocol: 'udp', ports: { from: 5000, to: 5010 } },
      ],
      ban: { after: 3, within: 60, for: 600 },
      capacity: 1000,
    },
    doors: [
      {
        name: 'ssh',
        origin: '/doors/0',
        services: [
          { protocol: 'tcp', ports: { from: 22, to: 22 } },
          { protocol: 'tcp', ports: { from: 8000, to: 8010 } },
          { protocol: 'udp', ports: { from: 8000, to: 8000 } },
        ],
        interfaces: [],
        addresses: [
          { family: 4, address: '203.0.113.10', prefixLength: 32 },
          { family: 6, address: '2001:db8::1', prefixLength: 128 },
        ],
        knocks: [
          {
            type: 'sequence',
            origin: '/doors/0/knock',
            stepsOrigin: '/doors/0/knock/steps',
            steps: [
              { protocol: 'tcp', port: 7000 },
              { protocol: 'tcp', port: 7001, flags: { mask: 0x12, value: 0x02 } },
              { protocol: 'udp', port: 8001, length: 0 },
              { protocol: 'icmp', length: 228 },
              { protocol: 'icmpv6' },
            ],
            stepTimeout: 60,
            timeout: 3600,
            reset: 'knock-ports',
          },
        ],
        closes: [
          {
            type: 'sequence',
            origin: '/doors/0/close',
            stepsOrigin: '/doors/0/close/steps',
            steps: [{ protocol: 'tcp', port: 9000 }],
            stepTimeout: 3,
            timeout: 3,
            reset: 'any',
          },
        ],
        open: {
          for: 604800,
          connections: 2,
          refresh: 'connections',
          scope: 'source',
          established: 'cut',
          mark: 4294967295,
        },
      },
      {
        name: 'rest',
        origin: '/doors/1',
        services: [{ protocol: 'udp' }],
        interfaces: [],
        addresses: [{ family: 4, address: '203.0.113.11', prefixLength: 32 }],
        knocks: [
          {
            type: 'sequence',
            origin: '/doors/1/knock',
            stepsOrigin: '/doors/1/knock/steps',
            steps: [{ protocol: 'icmp' }],
            stepTimeout: 9,
            reset: 'never',
          },
        ],
        closes: [],
        open: { for: 1, refresh: false, scope: 'everyone', established: 'keep' },
      },
    ],
    actions: [],
  })
  t.strictSame(full, before, 'the document is not changed')
})

t.test('the defaults of the log are filled in, and false is accepted', async (t) => {
  const logOf = (log: unknown) => validateSpec(spec({}, { log })).log
  t.strictSame(logOf({}), { group: 5, rate: 1000, deniedRate: 10 })
  t.strictSame(logOf({ deniedRate: 100 }), { group: 5, rate: 1000, deniedRate: 100 })
  t.strictSame(logOf({ group: 65535 }), { group: 65535, rate: 1000, deniedRate: 10 })
  t.notOk('log' in validateSpec(spec({}, { log: false })))
})

t.test('the largest spec is validated quickly', async (t) => {
  const stepsOf = (i: number) => new Array(32).fill(`tcp/${5000 + (i >> 6)}`)
  const doors = Array.from({ length: 4096 }, (_, i) =>
    door({ name: `d${i}`, service: `tcp/${i + 10}`, knock: sequence({ steps: stepsOf(i) }) }),
  )
  const trusted = Array.from({ length: 20000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`)
  t.equal(validateSpec({ doors, guard: { trusted } }).doors.length, 4096)
  const broken = doors.map((door) => ({ ...door, knock: { steps: stepsOf(0).map(() => 'x') } }))
  t.throws(() => validateSpec({ doors: broken }), { code: 'invalid-spec' })
})

t.test('an error has the problems as data and as text', async (t) => {
  const document = spec({ service: 'tcp/0', open: { for: '1s', long: 1 } })
  const error = t.throws(() => requireValid(document, 'installKnock'), SpecError) as SpecError
  const expected =
    'tcp/1..65535 or udp/1..65535, a range such as tcp/8000-8010, "tcp", "udp", ' +
    '"any", or another protocol such as protocol/sctp'
  t.equal(
    error.message,
    `installKnock: /doors/0/service: expected ${expected}, got "tcp/0"\n  ` +
      '/doors/0/open/long: expected no such key, got 1',
  )
  t.strictSame(error.problems, [
    {
      path: '/doors/0/service',
      message: `expected ${expected}, got "tcp/0"`,
      params: { expected, found: 'tcp/0' },
    },
    {
      path: '/doors/0/open/long',
      message: 'expected no such key, got 1',
      params: { expected: 'no such key', found: 1 },
    },
  ])
  const missing = t.throws(() => validateSpec({}), SpecError) as SpecError
  t.strictSame(missing.problems[0]?.params, { expected: 'a list of 1 to 16384 doors' })
})

t.test('a valid spec is not validated again, but a copy of it is', async (t) => {
  const valid = validateSpec(spec({}))
  t.equal(validateSpec(valid), valid)
  t.equal(requireValid(valid, 'installKnock'), valid)
  t.throws(() => validateSpec({ ...valid }), { code: 'invalid-spec' })
})
