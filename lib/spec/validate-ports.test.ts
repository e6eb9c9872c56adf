// Numbers of knocks, and their ports → the problems of a spec.
import t from 'tap'
import {
  knocking,
  oneTime,
  rate,
  rhythm,
  rotation,
  token,
  two,
} from '../../integration/fixtures/ports.js'
import {
  type Contradiction,
  door,
  right,
  sequence,
  spec,
  testContradictions,
} from '../../integration/fixtures/specs.js'

const many = (count: number, knock: (index: number) => unknown) => ({
  doors: Array.from({ length: count }, (_, index) =>
    door({ name: `d${index}`, service: `tcp/${1000 + index}`, knock: knock(index) }),
  ),
})

/** 4,096 sequences that share no port with another door's. */
const sixteen = (index: number) =>
  Array.from({ length: 16 }, (_, knock) =>
    oneTime(
      ...Array.from({ length: 256 }, (_, list) => {
        const port = 20000 + 4096 * index + 256 * knock + list
        return [`tcp/${port}`, `udp/${port}`]
      }),
    ),
  )

const MORE = 'these are more'

const numbers: Contradiction[] = [
  right(
    '256 rates on services',
    many(256, (index) => rate(`tcp/${1000 + index}`)),
  ),
  {
    of: '257 rates on services',
    document: many(257, (index) => rate(`tcp/${1000 + index}`)),
    problems: {
      '/doors/256/name': [
        'expected a table with at most 256 knocks on the service itself',
        `${MORE}, got "d256"`,
      ].join(', '),
    },
  },
  {
    of: 'more one-time sequences than a table can have',
    document: many(9, sixteen),
    problems: {
      '/doors/8/name': `expected a table with at most 32768 knocks, ${MORE}, got "d8"`,
    },
  },
]

const times: Contradiction[] = [
  {
    of: 'a min that is max, and one beyond it',
    document: knocking(rate('tcp/9', { min: 5 }), rate('tcp/10', { min: '1m' })),
    problems: {
      '/doors/0/knock/0/min': 'expected less than max, 5 s, got 5',
      '/doors/0/knock/1/min': 'expected less than max, 5 s, got "1m"',
    },
  },
  right('a min of 0, and one just below max', knocking(rate('tcp/9', { min: 4 }), rate('tcp/9'))),
  {
    of: 'a rotation with stepTimeout beyond timeout',
    document: knocking({ ...rotation('20000-30000'), stepTimeout: 9, timeout: 8 }),
    problems: { '/doors/0/knock/0/stepTimeout': 'expected at most timeout, 8 s, got 9' },
  },
  {
    of: 'one-time sequences with stepTimeout beyond timeout',
    document: spec({ knock: { ...oneTime(['tcp/1'], ['tcp/2']), stepTimeout: 9, timeout: 8 } }),
    problems: { '/doors/0/knock/stepTimeout': 'expected at most timeout, 8 s, got 9' },
  },
  {
    of: 'a horizon beyond 1000 sequences',
    document: spec({
      knock: {
        type: 'sequence',
        rotate: { ...rotation('20000-30000').rotate, every: 600, horizon: 598801 },
      },
    }),
    problems: {
      '/doors/0/knock/rotate/horizon': 'expected at most 998 times every, got 598801',
    },
  },
  {
    of: 'a horizon beyond 100,000 tokens',
    document: knocking(token('udp/6000', { horizon: 999971 })),
    problems: {
      '/doors/0/knock/0/horizon':
        'expected at most 99998 times period, together with drift, got 999971',
    },
  },
  {
    of: 'tokens that are taken for more than 120 days',
    document: two(token('udp/6001', { period: '60d', horizon: '60d' }), {
      knock: token('udp/6002', { period: '57d' }),
    }),
    problems: {
      '/doors/0/knock/horizon':
        'expected at most 120d of horizon, drift and period together, got "60d"',
      '/doors/1/knock/period':
        'expected at most 120d of horizon, drift and period together, got "57d"',
    },
  },
  right(
    'tokens that are taken for 120 days',
    knocking(token('udp/6000', { period: '56d', horizon: '8d' })),
  ),
  {
    of: 'a drift beyond 100,000 tokens, and with a horizon',
    document: two(token('udp/6001', { drift: '30d' }), {
      knock: token('udp/6002', { drift: '30d', horizon: '1d' }),
    }),
    problems: {
      '/doors/0/knock/drift':
        'expected at most 99998 times period, together with horizon, got "30d"',
      '/doors/1/knock/horizon':
        'expected at most 99998 times period, together with drift, got "1d"',
    },
  },
  right('100,000 tokens', knocking(token('udp/6000', { horizon: 999970 }))),
  {
    of: 'users with a name or a secret of another',
    document: knocking(
      token('udp/6000', {
        users: [
          { name: 'ana', secretFile: 'a' },
          { name: 'ana', secretFile: 'b' },
          { name: 'Ana', secretFile: 'a' },
        ],
      }),
    ),
    problems: {
      '/doors/0/knock/0/users/1/name':
        'conflicts with /doors/0/knock/0/users/0/name: both have the same name',
      '/doors/0/knock/0/users/2/secretFile':
        'conflicts with /doors/0/knock/0/users/0/secretFile: both have the same secret',
    },
  },
]

const services: Contradiction[] = [
  right("hits on the door's own service", spec({ knock: [rate('tcp/22'), sequence()] })),
  right(
    'hits on ports within its range',
    spec({ service: ['tcp/20-30'], knock: rhythm('tcp/30', 'tcp/31') }),
  ),
  right('hits on several ports that are no service', knocking(rate('tcp/9'), rhythm('tcp/10'))),
  ...[
    { knocks: [rate('tcp/22'), rhythm('tcp/9')], own: 0, other: 1 },
    {
      knocks: [rate('tcp/9'), sequence(), rhythm('tcp/10', 'tcp/22')],
      own: 2,
      other: 0,
    },
  ].map(({ knocks, own, other }) => {
    const why = 'that knock is on the service itself and takes all its packets'
    return {
      of: `hits on the door's own service beside other hits, ${other}`,
      document: knocking(...knocks),
      problems: {
        [`/doors/0/knock/${other}/type`]: `conflicts with /doors/0/knock/${own}: ${why}`,
      },
    }
  }),
  right('hits within a whole protocol', spec({ service: 'tcp', knock: rate('tcp/9') })),
  {
    of: "hits on another door's service",
    document: two([rate('tcp/443'), rhythm('tcp/9', 'tcp/440')], { service: 'tcp/440-450' }),
    problems: {
      '/doors/0/knock/0/port': 'conflicts with /doors/1/service: tcp/443 is a service of web',
      '/doors/0/knock/1/ports/1': 'conflicts with /doors/1/service: tcp/440 is a service of web',
    },
  },
  {
    of: 'hits on a service that two doors have',
    document: two(rate('tcp/22'), { service: 'tcp/22', open: { for: 9, scope: 'everyone' } }),
    problems: {
      '/doors/0/knock/port': 'conflicts with /doors/1/service: tcp/22 is a service of web',
      '/doors/1/service': 'conflicts with /doors/0/service: both are tcp/22',
    },
  },
  {
    of: 'steps on a service at which its door is hit',
    document: two([rate('tcp/22'), sequence({ steps: ['tcp/22'] })], { close: sequence() }),
    problems: {
      '/doors/0/knock/1/steps/0': 'conflicts with /doors/0/service: tcp/22 is a service of ssh',
    },
  },
  {
    of: "a one-time step on the door's own service",
    document: spec({ knock: oneTime(['tcp/1'], ['tcp/2', 'tcp/22']) }),
    problems: {
      '/doors/0/knock/oneTime/1/1': 'conflicts with /doors/0/service: tcp/22 is a service of ssh',
    },
  },
  {
    of: "tokens to the door's own service",
    document: spec({ service: 'udp/5000-7000', knock: token('udp/6000') }),
    problems: {
      '/doors/0/knock/port': 'conflicts with /doors/0/service: udp/6000 is a service of ssh',
    },
  },
  right('tokens within a whole protocol', spec({ service: 'any', knock: token('udp/6000') })),
  {
    of: 'ports that rotate over a service',
    document: two(rotation('20000-30000'), {
      service: ['udp/25000', 'tcp/443', 'tcp/30000-30001'],
    }),
    problems: {
      '/doors/0/knock/rotate/ports':
        'conflicts with /doors/1/service: the range contains tcp/30000-30001, a service of web',
    },
  },
  right(
    'ports that rotate over a whole protocol',
    spec({ service: ['tcp', 'udp'], knock: rotation('20000-30000') }),
  ),
]

testContradictions(t, { numbers, times, services })
