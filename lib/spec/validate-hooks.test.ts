// Hooks, with what they need and what they cannot do → the problems of a spec.
import t from 'tap'
import { opening, pair } from '../../integration/fixtures/openings.js'
import {
  type Contradiction,
  door,
  other,
  right,
  sequence,
  spec,
  testContradictions,
} from '../../integration/fixtures/specs.js'

type Ping = (length: number) => object

const SEES = (hook: string) =>
  `expected an address or interfaces, here or in the spec, since hook "${hook}" sees ` +
  'packets of all hosts, got nothing'

const places: Contradiction[] = [
  {
    of: "interfaces of a door within the table's",
    document: spec({ interfaces: ['eth0', 'wg1', 'wg2*'] }, { interfaces: ['eth0', 'wg*'] }),
    problems: {},
  },
  {
    of: "interfaces of a door that are not the table's",
    document: spec({ interfaces: ['eth0', 'eth1', 'e*', 'wg0'] }, { interfaces: ['eth0', 'wg*'] }),
    problems: {
      '/doors/0/interfaces/1':
        'conflicts with /interfaces: the table does not judge what comes in on eth1',
      '/doors/0/interfaces/2':
        'conflicts with /interfaces: the table does not judge what comes in on e*',
    },
  },
  {
    of: 'a pattern for a door at ingress',
    document: spec({ interfaces: ['eth*'] }, { hook: 'ingress', interfaces: ['eth0', 'eth1'] }),
    problems: {
      '/doors/0/interfaces/0':
        'conflicts with /interfaces: the table does not judge what comes in on eth*',
    },
  },
  {
    of: 'loopback for a door alone',
    document: spec({ interfaces: ['lo', 'l*'] }),
    problems: {
      '/doors/0/interfaces/0':
        'expected another interface: loopback is judged only if /interfaces names it, got "lo"',
    },
  },
  ...['forward', 'prerouting'].map((hook) => ({
    of: `hook ${hook} with interfaces of the door alone`,
    document: spec({ interfaces: ['eth0'] }, { hook }),
    problems: {},
  })),
  {
    of: 'no interfaces of a door',
    document: spec({ interfaces: [] }),
    problems: {
      '/doors/0/interfaces': 'expected a list of 1 to 64 interface names, each once, got []',
    },
  },
]

const hooks: Contradiction[] = [
  ...['prerouting', 'ingress'].map((hook) => ({
    of: `hook ${hook} with what only conntrack knows`,
    document: spec(
      {
        service: ['udp/53', 'tcp/53'],
        knock: sequence({ steps: [{ protocol: 'tcp', port: 7, flags: '!syn' }, 'tcp/8'] }),
        open: opening({ connections: 2 }),
      },
      { hook, interfaces: ['eth0'] },
    ),
    problems: {
      '/doors/0/knock/steps/0/flags': `conflicts with /hook: "${hook}" judges only plain SYNs`,
      '/doors/0/open/connections':
        `conflicts with /hook: with hook "${hook}" each packet of UDP would count as a ` +
        'connection',
    },
  })),
  ...['prerouting', 'ingress'].flatMap((hook) => {
    const pings = (steps: object[], address?: string) =>
      spec(
        { knock: sequence({ steps: [...steps, 'tcp/8'] }), ...(address && { address }) },
        { hook, interfaces: ['eth0'] },
      )
    const [icmp, icmpv6, udp] = ['icmp', 'icmpv6', 'udp'].map((protocol) => (length: number) => ({
      protocol,
      length,
      ...(protocol === 'udp' && { port: 7 }),
    })) as [Ping, Ping, Ping]
    const tooLong = (most: number, got: number) =>
      `expected at most ${most}, or hook "input": hook "${hook}" sees longer pings in ` +
      `fragments, which do not have the whole length, got ${got}`
    return [
      right(
        `hook ${hook} with pings that a packet holds, and any datagram`,
        pings([icmp(1472), icmpv6(1452), udp(3000)]),
      ),
      {
        of: `hook ${hook} with pings that come in fragments`,
        document: pings([icmp(1473), icmpv6(1453)]),
        problems: {
          '/doors/0/knock/steps/0/length': tooLong(1472, 1473),
          '/doors/0/knock/steps/1/length': tooLong(1452, 1453),
        },
      },
      {
        of: `hook ${hook} with a ping over IPv6 alone`,
        document: pings([icmp(1472)], 'fd00:77::1'),
        problems: { '/doors/0/knock/steps/0/length': tooLong(1452, 1472) },
      },
    ]
  }),
  ...['forward', 'prerouting'].flatMap((hook) => [
    {
      of: `hook ${hook} with neither interfaces nor addresses`,
      document: { hook, ...pair({}, { address: '192.0.2.1' }) },
      problems: { '/doors/0/address': SEES(hook) },
    },
    right(`hook ${hook} with interfaces`, { hook, interfaces: ['eth*'], ...pair({}, {}) }),
    right(`hook ${hook} with addresses`, { hook, ...spec({ address: ['192.0.2.1', '::1'] }) }),
  ]),
  {
    of: 'hook ingress without interfaces',
    document: spec({ address: '192.0.2.1' }, { hook: 'ingress' }),
    problems: {
      '/interfaces':
        'expected a list of interfaces, since hook "ingress" works on each of them, got nothing',
    },
  },
  {
    of: 'hook ingress with any interface of a kind',
    document: spec({}, { hook: 'ingress', interfaces: ['eth0', 'wlan*', 'a b*'] }),
    problems: {
      '/interfaces/1':
        'expected a whole name, since hook "ingress" works on each interface, got "wlan*"',
      '/interfaces/2':
        'expected an interface name of at most 15 characters, such as eth0 or eth*, got "a b*"',
    },
  },
  right('hook ingress with interfaces', spec({}, { hook: 'ingress', interfaces: ['eth0', 'lo'] })),
  ...['prerouting', 'ingress'].map((hook) => ({
    of: `hook ${hook} with what needs connections`,
    document: {
      hook,
      interfaces: ['eth0'],
      doors: [
        door({
          service: ['tcp', 'udp'],
          address: '192.0.2.1',
          open: opening({ established: 'cut' }),
        }),
        other({ service: 'any', address: '192.0.2.2' }),
        other({ name: 'c', address: '192.0.2.3', open: opening({ redirectTo: 8443 }) }),
      ],
    },
    problems: {
      '/doors/0/service/1':
        `conflicts with /hook: "${hook}" comes before conntrack, and would refuse ` +
        'answers to this host; name ports',
      '/doors/0/open/established':
        `conflicts with /hook: hook "${hook}" comes before conntrack, so no connection ` +
        'can be cut',
      '/doors/1/service':
        `conflicts with /hook: "${hook}" comes before conntrack, and would refuse ` +
        'answers to this host; name ports',
      '/doors/2/open/redirectTo': 'conflicts with /hook: only hook "input" can redirect',
    },
  })),
  {
    of: 'hook forward with a redirection',
    document: {
      hook: 'forward',
      interfaces: ['eth0'],
      ...pair({ open: opening({ redirectTo: '192.0.2.7:22' }) }, {}),
    },
    problems: {
      '/doors/0/open/redirectTo': 'conflicts with /hook: only hook "input" can redirect',
    },
  },
  right('hook forward with whole protocols and cut connections', {
    hook: 'forward',
    interfaces: ['eth0'],
    doors: [door({ service: 'any', open: opening({ established: 'cut' }) })],
  }),
]

testContradictions(t, { places, hooks })
