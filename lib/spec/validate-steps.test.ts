// Steps and their times → the problems of a spec.
import t from 'tap'
import {
  type Contradiction,
  door,
  other,
  sequence,
  spec,
  testContradictions,
} from '../../integration/fixtures/specs.js'

const knocking = (steps: unknown[], close?: unknown[]) => {
  return spec({ knock: sequence({ steps }), ...(close && { close: sequence({ steps: close }) }) })
}

const steps: Contradiction[] = [
  {
    of: "a step on the door's own service",
    document: knocking(['tcp/7000', 'tcp/22']),
    problems: {
      '/doors/0/knock/steps/1': 'conflicts with /doors/0/service: tcp/22 is a service of ssh',
    },
  },
  {
    of: "steps on another door's service",
    document: {
      doors: [
        door({ knock: sequence({ steps: [{ protocol: 'tcp', port: 443 }] }) }),
        other({ service: ['tcp/440-450'], close: sequence({ steps: ['tcp/450', 'tcp/2'] }) }),
      ],
    },
    problems: {
      '/doors/0/knock/steps/0': 'conflicts with /doors/1/service: tcp/443 is a service of web',
      '/doors/1/close/steps/0': 'conflicts with /doors/1/service: tcp/450 is a service of web',
    },
  },
  { of: 'the port of another protocol', document: knocking(['udp/22']), problems: {} },
  { of: 'steps before a whole protocol', document: spec({ service: 'tcp' }), problems: {} },
  { of: 'steps before everything', document: spec({ service: 'any' }), problems: {} },
  { of: '32 steps', document: knocking(new Array(32).fill('tcp/7000')), problems: {} },
  {
    of: 'an IPv6 step to an IPv4 door',
    document: spec({
      address: ['192.0.2.1', '10.0.0.0/8'],
      knock: sequence({ steps: ['tcp/7000', 'icmpv6'] }),
      close: sequence({ steps: [{ protocol: 'icmpv6', length: 9 }, 'tcp/7001'] }),
    }),
    problems: {
      '/doors/0/knock/steps/1':
        'conflicts with /doors/0/address: icmpv6 cannot reach a door that has only IPv4 addresses',
      '/doors/0/close/steps/0':
        'conflicts with /doors/0/address: icmpv6 cannot reach a door that has only IPv4 addresses',
    },
  },
  {
    of: 'an IPv6 step to a door with addresses of both families',
    document: spec({ address: ['192.0.2.1', '::1'], knock: sequence({ steps: ['icmpv6'] }) }),
    problems: {},
  },
  {
    of: 'a list of closing sequences of which the second ends like the knock',
    document: spec({
      knock: sequence({ steps: ['tcp/7', 'tcp/8'] }),
      close: [sequence({ steps: ['tcp/9'] }), sequence({ steps: ['tcp/8'] })],
    }),
    problems: {
      '/doors/0/close/1/steps':
        'conflicts with /doors/0/knock/steps: one packet would complete both',
    },
  },
]

const closes = (of: string, open: unknown[], close: unknown[]): Contradiction => ({
  of,
  document: knocking(open, close),
  problems: {
    '/doors/0/close/steps': 'conflicts with /doors/0/knock/steps: one packet would complete both',
  },
})

const syn = { protocol: 'tcp', port: 9, flags: 'syn' }

const times: Contradiction[] = [
  closes('closing as opening', ['tcp/9', 'udp/8'], ['tcp/9', 'udp/8']),
  closes('closing with the end of opening', ['tcp/9', 'udp/8'], ['udp/8']),
  closes('opening with the end of closing', ['udp/8'], ['tcp/9', 'udp/8']),
  closes('an echo request of either family and one of IPv6', ['icmp'], ['icmpv6']),
  closes('a length and any length', [{ protocol: 'udp', port: 8, length: 5 }], ['udp/8']),
  closes('flags that one packet can have', ['tcp/9'], [syn]),
  {
    of: 'lengths apart',
    document: knocking(
      [{ protocol: 'udp', port: 8, length: 5 }],
      [{ protocol: 'udp', port: 8, length: 6 }],
    ),
    problems: {},
  },
  {
    of: 'flags apart',
    document: knocking(['tcp/9'], [{ ...syn, flags: 'syn,ack' }]),
    problems: {},
  },
  {
    of: 'closing with the beginning',
    document: knocking(['tcp/9', 'udp/8'], ['tcp/9']),
    problems: {},
  },
  {
    of: 'a step that could not be read and is in the place of another',
    document: knocking(['tcp/70000'], ['icmp']),
    problems: {
      '/doors/0/knock/steps/0':
        'expected tcp/1..65535, udp/1..65535, icmp or icmpv6, got "tcp/70000"',
    },
  },
  {
    of: 'stepTimeout beyond timeout',
    document: spec({
      knock: sequence({ stepTimeout: '1m', timeout: 59 }),
      close: sequence({ steps: ['tcp/9'], stepTimeout: 3, timeout: '2s' }),
    }),
    problems: {
      '/doors/0/knock/stepTimeout': 'expected at most timeout, 59 s, got "1m"',
      '/doors/0/close/stepTimeout': 'expected at most timeout, 2 s, got 3',
    },
  },
  {
    of: 'stepTimeout equal to timeout, and a timeout below the default of stepTimeout',
    document: spec({
      knock: sequence({ stepTimeout: '60s', timeout: '1m' }),
      close: sequence({ steps: ['tcp/9'], timeout: 2 }),
    }),
    problems: {},
  },
  {
    of: 'refresh of a grant for one connection',
    document: spec({ open: { for: 5, connections: 1, refresh: true } }),
    problems: {
      '/doors/0/open/refresh':
        'conflicts with /doors/0/open/connections: one connection uses the grant up',
    },
  },
  {
    of: 'refresh of a grant for two connections',
    document: spec({ open: { for: 5, connections: 2, refresh: true } }),
    problems: {},
  },
]

testContradictions(t, { steps, times })
