// Knocks of each kind: what they become, and those of the wrong form with everything that is said
// about them.
import t from 'tap'
import { sequence, spec, testWrongForms, type WrongForm } from '../../integration/fixtures/specs.js'
import { validateSpec } from './validate.js'

const DURATION =
  'a duration from 1 s to 365 d in whole seconds, such as 30, "30s", "5m", "1h" or "7d"'
const PAUSE =
  'a duration from 0 s to 365 d in whole seconds, such as 0, 30, "30s", "5m", "1h" or "7d"'
const STEPS = 'a list of 1 to 32 steps'
const FILE = 'the path of a file'
const NAME = 'a name of 1 to 32 letters, digits and _, not starting with a digit'
const PORT = 'tcp/1..65535 or udp/1..65535'
const COUNTS = 'a list of 2 to 9 counts'
const RANGE = 'a range of at least 256 ports up to 65535, such as "20000-60000"'

const rotate = (parts: object = {}) => ({
  type: 'sequence',
  rotate: { secretFile: 'ssh.key', every: '1h', steps: 4, ports: '20000-60000', ...parts },
})
const rate = (parts: object = {}) => ({ type: 'rate', port: 'tcp/9', hits: 2, max: 5, ...parts })
const rhythm = (parts: object = {}) => ({
  type: 'rhythm',
  port: 'udp/9',
  counts: [1, 2],
  window: '4s',
  ...parts,
})
const ana = { name: 'ana', secretFile: 'ana.key' }
const token = (parts: object = {}) => ({
  type: 'token',
  port: 'udp/6000',
  period: 30,
  users: [ana],
  ...parts,
})

const knocksOf = (knock: unknown) => validateSpec(spec({ knock })).doors[0]?.knocks
const openOf = (parts: Record<string, unknown>) => validateSpec(spec(parts)).doors[0]?.open

t.test('fills in the defaults of each kind', async (t) => {
  const times = { stepTimeout: 5, reset: 'any' }
  t.strictSame(knocksOf([rotate(), rate(), rhythm(), token()]), [
    {
      type: 'rotation',
      origin: '/doors/0/knock/0',
      secretFile: 'ssh.key',
      every: 3600,
      length: 4,
      protocol: 'tcp',
      ports: { from: 20000, to: 60000 },
      horizon: 604800,
      ...times,
    },
    {
      type: 'rate',
      origin: '/doors/0/knock/1',
      port: { protocol: 'tcp', port: 9 },
      hits: 2,
      min: 0,
      max: 5,
      penalty: 5,
    },
    {
      type: 'rhythm',
      origin: '/doors/0/knock/2',
      ports: [{ protocol: 'udp', port: 9 }],
      counts: [1, 2],
      window: 4,
      penalty: 4,
    },
    {
      type: 'token',
      origin: '/doors/0/knock/3',
      port: 6000,
      period: 30,
      drift: 30,
      horizon: 604800,
      users: [ana],
    },
  ])
})

t.test('reads every part of each kind', async (t) => {
  const ports = ['tcp/9', 'udp/9']
  const all = { protocol: 'udp', ports: '1-256', horizon: '1d', every: '10m', steps: 8 }
  t.match(knocksOf({ ...rotate(all), timeout: '9s', stepTimeout: 3, reset: 'never' }), [
    {
      origin: '/doors/0/knock',
      every: 600,
      length: 8,
      protocol: 'udp',
      ports: { from: 1, to: 256 },
      horizon: 86400,
      stepTimeout: 3,
      timeout: 9,
      reset: 'never',
    },
  ])
  t.match(knocksOf(rotate({ every: '10m' })), [{ horizon: 598800 }], '1000 sequences')
  t.match(knocksOf(rate({ min: '3s', penalty: '1m' })), [{ min: 3, penalty: 60 }])
  t.match(knocksOf(rate({ min: '0s' })), [{ min: 0 }])
  t.match(knocksOf(rhythm({ port: undefined, ports, penalty: 9 })), [
    {
      ports: [
        { protocol: 'tcp', port: 9 },
        { protocol: 'udp', port: 9 },
      ],
      penalty: 9,
    },
  ])
  t.match(knocksOf(token({ drift: 0, horizon: '1h' })), [{ drift: 0, horizon: 3600 }])
})

t.test('makes each one-time sequence a knock of its own', async (t) => {
  const syn = { protocol: 'tcp', port: 7100, flags: '!ack,!rst,!fin,syn' }
  const oneTime = [['tcp/7000', 'icmp'], [syn]]
  const found = knocksOf({ type: 'sequence', oneTime, timeout: 9 })
  const common = { type: 'sequence', origin: '/doors/0/knock', stepTimeout: 9, timeout: 9 }
  t.strictSame(found, [
    {
      ...common,
      stepsOrigin: '/doors/0/knock/oneTime/0',
      steps: [{ protocol: 'tcp', port: 7000 }, { protocol: 'icmp' }],
      reset: 'any',
      once: found?.[0]?.type === 'sequence' ? found[0].once : '',
    },
    {
      ...common,
      stepsOrigin: '/doors/0/knock/oneTime/1',
      steps: [{ protocol: 'tcp', port: 7100, flags: { mask: 0x17, value: 2 } }],
      reset: 'any',
      once: found?.[1]?.type === 'sequence' ? found[1].once : '',
    },
  ])
  const listed = knocksOf([sequence(), { type: 'sequence', oneTime: [['tcp/7100'], ['udp/7100']] }])
  const onces = [...(found ?? []), ...(listed ?? [])].map((knock) =>
    knock.type === 'sequence' ? knock.once : '',
  )
  for (const once of onces) if (once !== undefined) t.match(once, /^[0-9a-f]{12}$/)
  t.equal(onces[3], onces[1], 'the same for the same packets')
  t.equal(new Set(onces).size, 4)
  t.match(listed?.[1], { origin: '/doors/0/knock/1', stepsOrigin: '/doors/0/knock/1/oneTime/0' })
})

t.test('reads what is opened', async (t) => {
  const open = { for: 5, refresh: false, scope: 'source', established: 'keep' }
  const opened = (parts: object) => openOf({ open: { for: 5, ...parts } })
  t.strictSame(opened({ connections: 'any', mark: 1 }), { ...open, mark: 1 })
  t.strictSame(opened({ redirectTo: 2222 }), { ...open, redirectTo: { port: 2222 } })
  t.strictSame(opened({ redirectTo: '192.0.2.7:22' }), {
    ...open,
    redirectTo: { port: 22, family: 4, address: '192.0.2.7' },
  })
  t.strictSame(opened({ redirectTo: '[2001:DB8::0:1]:22' }), {
    ...open,
    redirectTo: { port: 22, family: 6, address: '2001:db8::1' },
  })
  const rhythmic = (parts: object) =>
    openOf({ knock: [sequence(), rhythm()], open: { for: 5, ...parts } })
  t.strictSame(rhythmic({}), { ...open, connections: 1 })
  t.strictSame(rhythmic({ connections: 3 }), { ...open, connections: 3 })
  t.strictSame(rhythmic({ connections: 'any', refresh: true }), { ...open, refresh: true })
})

/** A knock of one kind, with what is said about one part of it. */
const wrongPart =
  (make: (parts: object) => unknown, under = '') =>
  (key: string, value: unknown, expected: string, path = `${under}/${key}`): WrongForm => ({
    of: `${key} ${JSON.stringify(value)}`,
    document: spec({ knock: make({ [key]: value }) }),
    wrong: [[`/doors/0/knock${path}`, expected, JSON.stringify(value)]],
  })

const once = wrongPart((parts) => ({ type: 'sequence', ...parts }))
const oneTimes: WrongForm[] = [
  ...[[], {}, 'tcp/9', null].map((value) =>
    once('oneTime', value, 'a list of 1 to 256 lists of steps'),
  ),
  {
    of: 'oneTime with lists of the wrong form',
    document: spec({
      knock: [
        { type: 'sequence', oneTime: ['tcp/9', [], ['icmp', 'x'], ['tcp/70000'], ['tcp/9']] },
      ],
    }),
    wrong: [
      ['/doors/0/knock/0/oneTime/0', STEPS, '"tcp/9"'],
      ['/doors/0/knock/0/oneTime/1', STEPS, '[]'],
      [
        '/doors/0/knock/0/oneTime/2/1',
        'tcp/1..65535, udp/1..65535, icmp or icmpv6, or an object with protocol',
        '"x"',
      ],
      ['/doors/0/knock/0/oneTime/3/0', 'tcp/1..65535, udp/1..65535, icmp or icmpv6', '"tcp/70000"'],
    ],
  },
  {
    of: 'steps, oneTime and rotate at once',
    document: spec({ knock: { ...rotate(), steps: ['icmp'], oneTime: [['icmp']] } }),
    wrong: [
      [
        '/doors/0/knock/rotate',
        'no rotate beside steps',
        '{"secretFile":"ssh.key","every":"1h","steps":4,"ports":"20000-60000"}',
      ],
      ['/doors/0/knock/oneTime', 'no oneTime beside steps', '[["icmp"]]'],
    ],
  },
]

const rotatePart = wrongPart(rotate, '/rotate')
const rotations: WrongForm[] = [
  once('rotate', 'ssh.key', 'an object with secretFile, every, steps and ports'),
  {
    of: 'rotate without anything but what there is not',
    document: spec({ knock: { type: 'sequence', rotate: { secret: 'x' } } }),
    wrong: [
      ['/doors/0/knock/rotate/secret', 'no such key', '"x"'],
      ['/doors/0/knock/rotate/secretFile', FILE, 'nothing'],
      ['/doors/0/knock/rotate/every', DURATION, 'nothing'],
      ['/doors/0/knock/rotate/steps', 'a whole number from 2 to 8', 'nothing'],
      ['/doors/0/knock/rotate/ports', RANGE, 'nothing'],
    ],
  },
  ...['', 'a\0b', 7].map((value) => rotatePart('secretFile', value, FILE)),
  rotatePart('every', '1x', DURATION),
  rotatePart('every', 599, 'a duration of at least 10m'),
  ...[1, 9, 2.5, ['tcp/9']].map((value) =>
    rotatePart('steps', value, 'a whole number from 2 to 8'),
  ),
  rotatePart('protocol', 'icmp', '"tcp" or "udp"'),
  ...['20000', '20000-20254', '60000-20000', '65000-65536', 'tcp/20000-60000', 20000].map((value) =>
    rotatePart('ports', value, RANGE),
  ),
  rotatePart('horizon', 0, DURATION),
]

const ratePart = wrongPart(rate)
const rates: WrongForm[] = [
  {
    of: 'a rate without anything',
    document: spec({ knock: { type: 'rate', window: 4 } }),
    wrong: [
      ['/doors/0/knock/window', 'no such key', '4'],
      ['/doors/0/knock/port', PORT, 'nothing'],
      ['/doors/0/knock/hits', 'a whole number from 1 to 32', 'nothing'],
      ['/doors/0/knock/max', DURATION, 'nothing'],
    ],
  },
  ...[9, 'icmp', 'tcp/9-10', 'tcp'].map((value) => ratePart('port', value, PORT)),
  ratePart('port', 'tcp/65536', 'a port from 1 to 65535'),
  ...[0, 33, 1.5, '2'].map((value) => ratePart('hits', value, 'a whole number from 1 to 32')),
  ...[-1, 0.5, '0m', '00s', '366d', null].map((value) => ratePart('min', value, PAUSE)),
  ratePart('max', 0, DURATION),
  ratePart('max', '366d', DURATION),
  ratePart('penalty', 0, DURATION),
]

const rhythmPart = wrongPart(rhythm)
const portsPart = wrongPart((parts) => rhythm({ port: undefined, ...parts }))
const rhythms: WrongForm[] = [
  {
    of: 'a rhythm without anything',
    document: spec({ knock: { type: 'rhythm' } }),
    wrong: [
      ['/doors/0/knock/counts', COUNTS, 'nothing'],
      ['/doors/0/knock/window', DURATION, 'nothing'],
      ['/doors/0/knock/port', PORT, 'nothing'],
    ],
  },
  rhythmPart('port', 'udp/0', PORT),
  rhythmPart('port', 'udp/99999', 'a port from 1 to 65535'),
  rhythmPart('ports', ['tcp/9'], 'no ports beside port'),
  ...[[], 'tcp/9', ['tcp/9', 'tcp/9']].map((value) =>
    portsPart('ports', value, 'a list of 1 to 16 ports, each once'),
  ),
  {
    of: 'ports that there are not',
    document: spec({ knock: rhythm({ port: undefined, ports: ['tcp/9', 'tcp', 'udp/65536'] }) }),
    wrong: [
      ['/doors/0/knock/ports/1', PORT, '"tcp"'],
      ['/doors/0/knock/ports/2', 'a port from 1 to 65535', '"udp/65536"'],
    ],
  },
  ...[[1], [1, 2, 3, 4, 5, 6, 7, 8, 9, 1], 12].map((value) => rhythmPart('counts', value, COUNTS)),
  {
    of: 'counts of which some are wrong',
    document: spec({ knock: rhythm({ counts: [0, 9, 10, '1'] }) }),
    wrong: [
      ['/doors/0/knock/counts/0', 'a whole number from 1 to 9', '0'],
      ['/doors/0/knock/counts/2', 'a whole number from 1 to 9', '10'],
      ['/doors/0/knock/counts/3', 'a whole number from 1 to 9', '"1"'],
    ],
  },
  rhythmPart('window', '500ms', DURATION),
  rhythmPart('window', 1, 'a duration of at least 2s'),
  rhythmPart('penalty', 0, DURATION),
]

const tokenPart = wrongPart(token)
const tokens: WrongForm[] = [
  {
    of: 'a token without anything',
    document: spec({ knock: { type: 'token' } }),
    wrong: [
      ['/doors/0/knock/port', 'udp/1..65535', 'nothing'],
      ['/doors/0/knock/period', DURATION, 'nothing'],
      ['/doors/0/knock/users', 'a list of 1 to 64 users', 'nothing'],
    ],
  },
  tokenPart('port', 'tcp/6000', 'udp/1..65535'),
  tokenPart('port', 'udp/65536', 'a port from 1 to 65535'),
  tokenPart('period', '1w', DURATION),
  tokenPart('period', '9s', 'a duration of at least 10s'),
  tokenPart('drift', -1, PAUSE),
  tokenPart('drift', '366d', PAUSE),
  tokenPart('horizon', 0, DURATION),
  ...[[], ana].map((value) => tokenPart('users', value, 'a list of 1 to 64 users')),
  {
    of: 'users of the wrong form',
    document: spec({
      knock: token({
        users: ['ana', {}, { name: '1st', secretFile: '' }, { ...ana, secret: 'x' }],
      }),
    }),
    wrong: [
      ['/doors/0/knock/users/0', 'an object with name and secretFile', '"ana"'],
      ['/doors/0/knock/users/1/name', NAME, 'nothing'],
      ['/doors/0/knock/users/1/secretFile', FILE, 'nothing'],
      ['/doors/0/knock/users/2/name', NAME, '"1st"'],
      ['/doors/0/knock/users/2/secretFile', FILE, '""'],
      ['/doors/0/knock/users/3/secret', 'no such key', '"x"'],
    ],
  },
]

testWrongForms(t, { oneTimes, rotations, rates, rhythms, tokens })
