// Knocks and steps in a wrong form → the problems of a spec.
import t from 'tap'
import { sequence, spec, testWrongForms, type WrongForm } from '../../integration/fixtures/specs.js'

const DURATION =
  'a duration from 1 s to 365 d in whole seconds, such as 30, "30s", "5m", "1h" or "7d"'

const STEP = 'tcp/1..65535, udp/1..65535, icmp or icmpv6'

const PROTOCOL = '"tcp", "udp", "icmp" or "icmpv6"'

const STEPS = 'a list of 1 to 32 steps'

const TYPES = '"sequence", "rate", "rhythm" or "token"'

const KNOCK = `a knock with type ${TYPES}`

const FLAGS =
  'a comma-separated list of fin, syn, rst, psh, ack, urg, ece, cwr, each with or without !'

const LENGTH = 'a payload length from 0 to 65507 bytes'

const knocks: WrongForm[] = [
  {
    of: 'no knocks',
    document: spec({ knock: [] }),
    wrong: [['/doors/0/knock', 'a knock, or a list of 1 to 16', '[]']],
  },
  {
    of: '17 knocks',
    document: spec({ knock: new Array(17).fill(0) }),
    wrong: [
      ['/doors/0/knock', 'a knock, or a list of 1 to 16', `[${new Array(17).fill(0).join(',')}]`],
      ...Array.from({ length: 17 }, (_, i) => [`/doors/0/knock/${i}`, KNOCK, '0'] as const),
    ],
  },
  {
    of: 'a knock that is a list of steps',
    document: spec({ knock: ['tcp/7000'] }),
    wrong: [['/doors/0/knock/0', KNOCK, '"tcp/7000"']],
  },
  {
    of: 'a knock that is a text',
    document: spec({ knock: 'tcp/7000' }),
    wrong: [['/doors/0/knock', KNOCK, '"tcp/7000"']],
  },
  {
    of: 'a knock without a type',
    document: spec({ knock: { steps: ['tcp/7000'] } }),
    wrong: [['/doors/0/knock/type', TYPES, 'nothing']],
  },
  {
    of: 'knocks of which one has an unknown type',
    document: spec({ knock: [sequence(), { type: 'melody', steps: [] }] }),
    wrong: [['/doors/0/knock/1/type', TYPES, '"melody"']],
  },
  {
    of: 'a knock without steps, a close without anything',
    document: spec({ knock: { type: 'sequence' }, close: {} }),
    wrong: [
      ['/doors/0/knock/steps', `${STEPS}, or oneTime or rotate in its place`, 'nothing'],
      ['/doors/0/close/type', '"sequence"', 'nothing'],
      ['/doors/0/close/steps', STEPS, 'nothing'],
    ],
  },
  {
    of: 'a list of closing sequences, of which one is wrong',
    document: spec({ close: [{ type: 'sequence', steps: ['tcp/9'] }, {}] }),
    wrong: [
      ['/doors/0/close/1/type', '"sequence"', 'nothing'],
      ['/doors/0/close/1/steps', STEPS, 'nothing'],
    ],
  },
  {
    of: 'a list of no closing sequence',
    document: spec({ close: [] }),
    wrong: [['/doors/0/close', 'a sequence with steps, or a list of 1 to 16', '[]']],
  },
  {
    of: 'a close that is something else',
    document: spec({ close: { type: 'rate', port: 'tcp/9', hits: 1, max: 1 } }),
    wrong: [
      ['/doors/0/close/type', '"sequence"', '"rate"'],
      ['/doors/0/close/port', 'no such key', '"tcp/9"'],
      ['/doors/0/close/hits', 'no such key', '1'],
      ['/doors/0/close/max', 'no such key', '1'],
      ['/doors/0/close/steps', STEPS, 'nothing'],
    ],
  },
  {
    of: 'a close that is one-time and rotates',
    document: spec({ close: { type: 'sequence', steps: ['tcp/9'], oneTime: [], rotate: {} } }),
    wrong: [
      ['/doors/0/close/oneTime', 'no such key', '[]'],
      ['/doors/0/close/rotate', 'no such key', '{}'],
    ],
  },
  {
    of: 'times and reset of the wrong form',
    document: spec({ knock: sequence({ stepTimeout: 0, timeout: '1h30m', reset: 'sometimes' }) }),
    wrong: [
      ['/doors/0/knock/stepTimeout', DURATION, '0'],
      ['/doors/0/knock/timeout', DURATION, '"1h30m"'],
      ['/doors/0/knock/reset', '"any", "knock-ports" or "never"', '"sometimes"'],
    ],
  },
  {
    of: 'times that are too long',
    document: spec({ knock: sequence({ stepTimeout: '366d', timeout: 31536001 }) }),
    wrong: [
      ['/doors/0/knock/stepTimeout', DURATION, '"366d"'],
      ['/doors/0/knock/timeout', DURATION, '31536001'],
    ],
  },
  {
    of: 'no steps',
    document: spec({ knock: sequence({ steps: [] }) }),
    wrong: [['/doors/0/knock/steps', STEPS, '[]']],
  },
  {
    of: 'steps without a list',
    document: spec({ knock: sequence({ steps: 'tcp/7000' }) }),
    wrong: [['/doors/0/knock/steps', STEPS, '"tcp/7000"']],
  },
  {
    of: '33 steps',
    document: spec({ knock: sequence({ steps: new Array(33).fill('icmp') }) }),
    wrong: [['/doors/0/knock/steps', STEPS, `[${'"icmp",'.repeat(17)}…`]],
  },
]

const step = (value: unknown, path: string, expected: string, got: string): WrongForm => ({
  of: `step ${JSON.stringify(value)}`,
  document: spec({ knock: sequence({ steps: ['tcp/7000', value] }) }),
  wrong: [[`/doors/0/knock/steps/1${path}`, expected, got]],
})

const steps: WrongForm[] = [
  ...[
    '',
    'tcp',
    'tcp/0',
    'tcp/07',
    'udp/-1',
    '07000',
    '7000:icmp',
    '7000/udp',
    'icmp/8',
    'TCP/7000',
    'tcp/7-9',
  ].map((text) => step(text, '', `${STEP}, or an object with protocol`, JSON.stringify(text))),
  step('tcp/65536', '', STEP, '"tcp/65536"'),
  ...[0, 65536, 1.5].map((port) =>
    step(port, '', `${STEP}, or an object with protocol`, String(port)),
  ),
  step('65536:udp', '', STEP, '"65536:udp"'),
  ...[null, ['tcp/7000']].map((value) =>
    step(value, '', `${STEP}, or an object with protocol ${PROTOCOL}`, JSON.stringify(value)),
  ),
  step({}, '/protocol', PROTOCOL, 'nothing'),
  step({ protocol: 'sctp', port: 7 }, '/protocol', PROTOCOL, '"sctp"'),
  step({ protocol: 'tcp' }, '/port', 'a port from 1 to 65535', 'nothing'),
  step({ protocol: 'udp' }, '/port', 'a port from 1 to 65535', 'nothing'),
  ...[0, 65536, 1.5, '7000'].map((port) =>
    step({ protocol: 'tcp', port }, '/port', 'a port from 1 to 65535', JSON.stringify(port)),
  ),
  step({ protocol: 'icmp', port: 8 }, '/port', 'no such key', '8'),
  step({ protocol: 'tcp', port: 7, length: 8 }, '/length', 'no such key', '8'),
  step({ protocol: 'udp', port: 7, flags: 'syn' }, '/flags', 'no such key', '"syn"'),
  step({ protocol: 'icmpv6', flags: 'syn' }, '/flags', 'no such key', '"syn"'),
  ...['', 'SYN', 'syn,', 'syn ack', 'syn,!', 'ns', 2].map((flags) =>
    step({ protocol: 'tcp', port: 7, flags }, '/flags', FLAGS, JSON.stringify(flags)),
  ),
  step(
    { protocol: 'tcp', port: 7, flags: 'syn,ack,!syn' },
    '/flags',
    'flags that are not both set and clear',
    '"syn,ack,!syn"',
  ),
  ...[-1, 65508, 0.5, '8'].map((length) =>
    step({ protocol: 'icmp', length }, '/length', LENGTH, JSON.stringify(length)),
  ),
]

testWrongForms(t, { knocks, steps })
