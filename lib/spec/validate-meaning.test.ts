// Names, ignored ports, crowds, and several problems at once → the problems of a spec.
import t from 'tap'
import {
  type Contradiction,
  door,
  other,
  sequence,
  spec,
  testContradictions,
} from '../../integration/fixtures/specs.js'

const names: Contradiction[] = [
  {
    of: 'a word of nft as table',
    document: spec({}, { table: 'accept' }),
    problems: { '/table': 'expected a name that is not a word of nft, got "accept"' },
  },
  {
    of: 'another word of nft as table',
    document: spec({}, { table: 'reset' }),
    problems: { '/table': 'expected a name that is not a word of nft, got "reset"' },
  },
  {
    of: 'a word of nft with a capital',
    document: spec({}, { table: 'Accept' }),
    problems: {},
  },
  {
    of: 'a word of nft as door',
    document: spec({ name: 'accept' }),
    problems: {},
  },
  {
    of: 'three doors of one name',
    document: {
      doors: [door(), other({ name: 'ssh' }), other({ name: 'ssh', service: 'tcp/80' })],
    },
    problems: {
      '/doors/1/name': 'conflicts with /doors/0/name: both doors are called ssh',
      '/doors/2/name': 'conflicts with /doors/0/name: both doors are called ssh',
    },
  },
  {
    of: 'names that differ in case',
    document: { doors: [door(), other({ name: 'SSH' })] },
    problems: {},
  },
]

const ignoring = (...ignore: string[]) => spec({}, { guard: { ignore } })

const ignored: Contradiction[] = [
  {
    of: 'ports twice',
    document: ignoring('tcp/80-90', 'tcp/85', 'udp/85', 'tcp/90-99'),
    problems: {
      '/guard/ignore/1': 'conflicts with /guard/ignore/0: the ports overlap',
      '/guard/ignore/3': 'conflicts with /guard/ignore/0: the ports overlap',
    },
  },
  {
    of: 'a service',
    document: ignoring('tcp/20-30'),
    problems: {
      '/guard/ignore/0':
        'conflicts with /doors/0/service: packets to a service never reset an attempt',
    },
  },
  {
    of: 'a knock port',
    document: ignoring('tcp/80', 'udp/8000'),
    problems: {
      '/guard/ignore/1': 'conflicts with /doors/0/knock/steps/1: a knock port cannot be ignored',
    },
  },
  { of: 'the knock port of another protocol', document: ignoring('tcp/8000'), problems: {} },
  {
    of: 'a port of a whole protocol',
    document: spec({ service: 'tcp' }, { guard: { ignore: ['tcp/80'] } }),
    problems: {},
  },
]

const crowds: Contradiction[] = [
  {
    of: 'ranges at two addresses that overlap in part',
    document: {
      doors: [
        door({ service: 'tcp/20-30', address: '192.0.2.1' }),
        other({ service: ['tcp/25', 'tcp/28-40'], address: '192.0.2.2' }),
      ],
    },
    problems: {
      '/doors/1/service/1':
        'conflicts with /doors/0/service: tcp/28-40 and tcp/20-30 overlap in part, which nft ' +
        'cannot have even at two addresses or interfaces',
    },
  },
  {
    of: 'a step that one knock too many shares',
    document: {
      doors: Array.from({ length: 65 }, (_, i) =>
        other({
          name: `d${i}`,
          service: `tcp/${100 + i}`,
          knock: sequence({ steps: ['icmp', `tcp/${9000 + i}`] }),
        }),
      ),
    },
    problems: {
      '/doors/64/knock/steps/0': 'expected a step that at most 64 knocks share, got "icmp"',
    },
  },
]

const together: Contradiction[] = [
  {
    of: 'everything at once, in the order of the document',
    document: {
      table: 'meta',
      doors: [
        ...Array.from({ length: 10 }, (_, i) =>
          other({ name: `d${i}`, service: `tcp/${100 + i}` }),
        ),
        door({ open: { for: 0, refresh: 1 }, name: 'x y' }),
        door({ knock: sequence({ steps: ['tcp/22', 'tcp/99999'] }), close: {}, more: 1 }),
        other({ name: 'd2', service: 'tcp/100-200', knock: sequence({ steps: ['tcp/101'] }) }),
      ],
      guard: { capacity: 0, trusted: ['::1/64'] },
    },
    problems: {
      '/table': 'expected a name that is not a word of nft, got "meta"',
      '/doors/10/name':
        'expected a name of 1 to 32 letters, digits, _ and -, not starting with a digit or - ' +
        'and not ending with -, got "x y"',
      '/doors/10/open/for':
        'expected a duration from 1 s to 365 d in whole seconds, such as 30, "30s", ' +
        '"5m", "1h" or "7d", got 0',
      '/doors/10/open/refresh': 'expected "connections", "traffic", true or false, got 1',
      '/doors/11/service': 'conflicts with /doors/10/service: both are tcp/22',
      '/doors/11/knock/steps/0': 'conflicts with /doors/11/service: tcp/22 is a service of ssh',
      '/doors/11/knock/steps/1':
        'expected tcp/1..65535, udp/1..65535, icmp or icmpv6, got "tcp/99999"',
      '/doors/11/close/type': 'expected "sequence", got nothing',
      '/doors/11/close/steps': 'expected a list of 1 to 32 steps, got nothing',
      '/doors/11/more': 'expected no such key, got 1',
      '/doors/12/name': 'conflicts with /doors/2/name: both doors are called d2',
      '/doors/12/service': 'conflicts with /doors/0/service: tcp/100-200 and tcp/100 overlap',
      '/doors/12/knock/steps/0': 'conflicts with /doors/1/service: tcp/101 is a service of d1',
      '/guard/capacity': 'expected a whole number from 1 to 16777216, got 0',
      '/guard/trusted/0': 'expected ::/64 (no host bits), got "::1/64"',
    },
  },
  {
    of: 'the same with its keys the other way round',
    document: {
      guard: { trusted: ['x'] },
      doors: [{ open: {}, ...door({ name: '' }) }],
      table: '',
    },
    problems: {
      '/guard/trusted/0': 'expected an IPv4 or IPv6 address or a CIDR block, got "x"',
      '/doors/0/name':
        'expected a name of 1 to 32 letters, digits, _ and -, not starting with a digit or - ' +
        'and not ending with -, got ""',
      '/table':
        'expected a name of 1 to 32 letters, digits and _, not starting with a digit, got ""',
    },
  },
]

testContradictions(t, { names, ignored, crowds, together })
