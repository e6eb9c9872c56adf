// Ranges of rotations, shared ports, and sequences beside each other → the problems of a spec.
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
  other,
  right,
  sequence,
  spec,
  testContradictions,
} from '../../integration/fixtures/specs.js'

const ranges: Contradiction[] = [
  {
    of: 'ports that rotate over a knock port',
    document: {
      doors: [
        door({ knock: [rotation('20000-30000'), sequence({ steps: ['tcp/9', 'tcp/20000'] })] }),
        other({ knock: rotation('40000-50000', 'udp'), close: sequence({ steps: ['udp/40001'] }) }),
        other({ name: 'c', service: 'tcp/5', knock: [rotation('50000-60000'), rate('tcp/60000')] }),
        other({
          name: 'd',
          service: 'tcp/6',
          knock: [rotation('100-999', 'udp'), token('udp/600')],
        }),
      ],
    },
    problems: {
      '/doors/0/knock/0/rotate/ports':
        'conflicts with /doors/0/knock/1/steps/1: the range contains the knock port tcp/20000',
      '/doors/1/knock/rotate/ports':
        'conflicts with /doors/1/close/steps/0: the range contains the knock port udp/40001',
      '/doors/2/knock/0/rotate/ports':
        'conflicts with /doors/2/knock/1/port: the range contains the knock port tcp/60000',
      '/doors/3/knock/0/rotate/ports':
        'conflicts with /doors/3/knock/1/port: the range contains the knock port udp/600',
    },
  },
  right(
    'ports that rotate beside knock ports',
    knocking(rotation('20000-30000'), sequence({ steps: ['udp/20000', 'tcp/19999', 'icmp'] })),
  ),
  {
    of: 'ports that rotate over those of another rotation',
    document: two([rotation('20000-30000'), rotation('20000-30000', 'udp')], {
      knock: [rotation('30001-40000'), rotation('30000-30300', 'udp')],
    }),
    problems: {
      '/doors/1/knock/1/rotate/ports':
        'conflicts with /doors/0/knock/1/rotate/ports: the ranges overlap',
    },
  },
  {
    of: 'ports that rotate over an ignored port',
    document: spec(
      { knock: rotation('20000-30000') },
      { guard: { ignore: ['tcp/80', 'udp/20000', 'tcp/30000-30010'] } },
    ),
    problems: {
      '/doors/0/knock/rotate/ports':
        'conflicts with /guard/ignore/2: the range contains ignored ports',
    },
  },
]

const shared: Contradiction[] = [
  {
    of: 'tokens to ports of other knocks',
    document: two([token('udp/8000'), sequence()], {
      knock: token('udp/3'),
      close: sequence({ steps: ['udp/3'] }),
    }),
    problems: {
      '/doors/0/knock/0/port':
        'conflicts with /doors/0/knock/1/steps/1: no other knock may have the port of a token',
      '/doors/1/knock/port':
        'conflicts with /doors/1/close/steps/0: no other knock may have the port of a token',
    },
  },
  {
    of: 'tokens to ports of rates and rhythms',
    document: two([token('udp/1'), rate('udp/1')], {
      knock: [token('udp/2'), rhythm('tcp/2', 'udp/2')],
    }),
    problems: {
      '/doors/0/knock/0/port':
        'conflicts with /doors/0/knock/1/port: no other knock may have the port of a token',
      '/doors/1/knock/0/port':
        'conflicts with /doors/1/knock/1/ports/1: no other knock may have the port of a token',
    },
  },
  {
    of: 'a second knock with tokens at a door',
    document: knocking(token('udp/6000'), token('udp/6001', { period: '1m' })),
    problems: {
      '/doors/0/knock/1/type': 'conflicts with /doors/0/knock/0: both would accept the same tokens',
    },
  },
  {
    of: 'tokens of two doors to one port',
    document: two(token('udp/6000'), { knock: token('udp/6000') }),
    problems: {
      '/doors/1/knock/port':
        'conflicts with /doors/0/knock/port: no other knock may have the port of a token',
    },
  },
  {
    of: 'a rhythm of more than a year',
    document: knocking({ ...rhythm('tcp/9'), counts: [1, 2, 3], window: '92d' }),
    problems: {
      '/doors/0/knock/0/window':
        'expected at most 7884000 s, so that all windows last at most 365 d, got "92d"',
    },
  },
  {
    of: 'ignored ports at which doors are knocked',
    document: spec(
      { knock: [rate('tcp/1'), rhythm('tcp/2', 'udp/3'), token('udp/4'), oneTime(['tcp/5'])] },
      { guard: { ignore: ['tcp/1', 'udp/3', 'udp/4', 'tcp/5', 'udp/5'] } },
    ),
    problems: {
      '/guard/ignore/0': 'conflicts with /doors/0/knock/0/port: a knock port cannot be ignored',
      '/guard/ignore/1': 'conflicts with /doors/0/knock/1/ports/1: a knock port cannot be ignored',
      '/guard/ignore/2': 'conflicts with /doors/0/knock/2/port: a knock port cannot be ignored',
      '/guard/ignore/3':
        'conflicts with /doors/0/knock/3/oneTime/0/0: a knock port cannot be ignored',
    },
  },
  {
    of: 'a port that knocks of all kinds share, one-time ones too',
    document: {
      doors: [
        door({
          knock: oneTime(...Array.from({ length: 62 }, (_, i) => ['tcp/9', `udp/${i + 1}`])),
        }),
        other({ knock: [rate('tcp/9'), rhythm('tcp/8', 'tcp/9'), rate('tcp/9')] }),
        other({ name: 'c', service: 'tcp/80', knock: sequence({ steps: ['tcp/9', 'tcp/9'] }) }),
      ],
    },
    problems: {
      '/doors/1/knock/2/port': 'expected a port that at most 64 knocks share, got "tcp/9"',
      '/doors/2/knock/steps/0': 'expected a step that at most 64 knocks share, got "tcp/9"',
    },
  },
]

const BOTH = 'one packet would complete both'

const closes = (of: string, knock: unknown, steps: string, close: unknown[]): Contradiction => ({
  of,
  document: spec({ knock, close: sequence({ steps: close }) }),
  problems: {
    '/doors/0/close/steps': `conflicts with /doors/0/knock/${steps}: ${BOTH}`,
  },
})

const sequences: Contradiction[] = [
  closes('closing as the second knock', [sequence(), sequence({ steps: ['tcp/9'] })], '1/steps', [
    'tcp/9',
  ]),
  closes('closing as a one-time sequence', oneTime(['tcp/8'], ['tcp/7', 'tcp/9']), 'oneTime/1', [
    'tcp/9',
  ]),
  right(
    'closing beside knocks of other kinds',
    spec({
      knock: [rate('tcp/9'), rhythm('tcp/9'), rotation('20000-30000'), token('udp/6000')],
      close: sequence({ steps: ['tcp/9'] }),
    }),
  ),
  {
    of: 'one-time sequences twice',
    document: knocking(
      oneTime(['tcp/1', 'tcp/2'], ['tcp/2', 'tcp/1'], ['tcp/1', 'tcp/2']),
      oneTime(['tcp/2', { protocol: 'tcp', port: 1, flags: 'syn,!ack,!fin,!rst' }], ['icmp']),
      sequence({ steps: ['tcp/1', 'tcp/2'] }),
    ),
    problems: {
      '/doors/0/knock/0/oneTime/2':
        'conflicts with /doors/0/knock/0/oneTime/0: both have the same steps',
      '/doors/0/knock/1/oneTime/0':
        'conflicts with /doors/0/knock/0/oneTime/1: both have the same steps',
    },
  },
  right(
    'one-time sequences that differ in little',
    knocking(
      oneTime(['icmp'], ['icmpv6'], [{ protocol: 'icmp', length: 0 }], ['udp/1'], ['tcp/1']),
      oneTime(
        [{ protocol: 'tcp', port: 1, flags: 'syn' }],
        [{ protocol: 'udp', port: 1, length: 1 }],
      ),
    ),
  ),
  right(
    'the same one-time sequence of two doors',
    two(oneTime(['icmp']), { knock: oneTime(['icmp']) }),
  ),
  {
    of: 'an IPv6 step of a one-time sequence to an IPv4 door',
    document: spec({ address: '192.0.2.1', knock: [sequence(), oneTime(['icmp'], ['icmpv6'])] }),
    problems: {
      '/doors/0/knock/1/oneTime/1/0':
        'conflicts with /doors/0/address: icmpv6 cannot reach a door that has only IPv4 addresses',
    },
  },
]

testContradictions(t, { ranges, shared, sequences })
