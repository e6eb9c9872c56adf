// Specs whose parts are each of the right form but contradict each other, and their neighbours that
// are right.
import t from 'tap'
import { door, problemsOf, sequence, spec } from '../../integration/fixtures/specs.js'

const PROTOCOL_NAME = "a protocol's number from 0 to 255 or its IANA name, such as protocol/sctp"

interface Case {
  readonly of: string
  readonly document: unknown
  /** By path; empty: this spec is right. */
  readonly problems: Readonly<Record<string, string>>
}

const other = (parts: object = {}) => {
  return door({ name: 'web', service: 'tcp/443', knock: sequence({ steps: ['tcp/1'] }), ...parts })
}
const knocking = (steps: unknown[], close?: unknown[]) => {
  return spec({ knock: sequence({ steps }), ...(close && { close: sequence({ steps: close }) }) })
}

const names: Case[] = [
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
      '/doors/1/name': 'expected a name of its own, /doors/0 has this one, got "ssh"',
      '/doors/2/name': 'expected a name of its own, /doors/0 has this one, got "ssh"',
    },
  },
  {
    of: 'names that differ in case',
    document: { doors: [door(), other({ name: 'SSH' })] },
    problems: {},
  },
]

const services: Case[] = [
  {
    of: 'the same port',
    document: { doors: [door(), other({ service: 'tcp/22' })] },
    problems: {
      '/doors/1/service': 'expected a service of its own, /doors/0/service is tcp/22, got "tcp/22"',
    },
  },
  {
    of: 'the same port of another protocol',
    document: { doors: [door(), other({ service: 'udp/22' })] },
    problems: {},
  },
  {
    of: 'a port within a range, the range first',
    document: {
      doors: [door({ service: 'tcp/20-30' }), other({ service: ['tcp/443', 'tcp/30'] })],
    },
    problems: {
      '/doors/1/service/1':
        'expected a service of its own, /doors/0/service is tcp/20-30, got "tcp/30"',
    },
  },
  {
    of: 'ranges that share one port, the higher first',
    document: { doors: [door({ service: 'tcp/30-40' }), other({ service: 'tcp/20-30' })] },
    problems: {
      '/doors/1/service':
        'expected a service of its own, /doors/0/service is tcp/30-40, got "tcp/20-30"',
    },
  },
  {
    of: 'ranges side by side',
    document: { doors: [door({ service: 'tcp/31-40' }), other({ service: 'tcp/20-30' })] },
    problems: {},
  },
  {
    of: 'a whole protocol and one of its ports',
    document: { doors: [door(), other({ service: 'tcp' })] },
    problems: {
      '/doors/1/service': 'expected a service of its own, /doors/0/service is tcp/22, got "tcp"',
    },
  },
  {
    of: 'whole protocols apart',
    document: { doors: [door({ service: 'udp' }), other({ service: 'tcp' })] },
    problems: {},
  },
  {
    of: 'any and a whole protocol',
    document: { doors: [door({ service: 'any' }), other({ service: 'udp' })] },
    problems: {
      '/doors/1/service': 'expected a service of its own, /doors/0/service is any, got "udp"',
    },
  },
  {
    of: 'any beside a protocol that it does not judge',
    document: {
      doors: [door({ service: ['any', 'protocol/sctp'] }), other({ service: 'protocol/gre' })],
    },
    problems: {},
  },
  {
    of: 'a protocol twice, by name and by number',
    document: { doors: [door({ service: 'protocol/vrrp' }), other({ service: 'protocol/112' })] },
    problems: {
      '/doors/1/service':
        'expected a service of its own, /doors/0/service is protocol/vrrp, got "protocol/112"',
    },
  },
  {
    of: 'protocols that have another name, or none',
    document: spec({
      service: [
        'protocol/tcp',
        'protocol/17',
        'protocol/icmp',
        'protocol/44',
        'protocol/256',
        'protocol/x',
      ],
    }),
    problems: {
      '/doors/0/service/0': 'expected "tcp", or tcp/1..65535, got "protocol/tcp"',
      '/doors/0/service/1': 'expected "udp", or udp/1..65535, got "protocol/17"',
      '/doors/0/service/2':
        'expected "any", which judges pings: all other ICMP always passes, got "protocol/icmp"',
      '/doors/0/service/3':
        'expected a protocol: this number is that of an IPv6 extension header, got "protocol/44"',
      '/doors/0/service/4': `expected ${PROTOCOL_NAME}, got "protocol/256"`,
      '/doors/0/service/5': `expected ${PROTOCOL_NAME}, got "protocol/x"`,
    },
  },
  {
    of: 'AH at IPv4 addresses alone',
    document: {
      doors: [
        door({ service: 'protocol/ah', address: '192.0.2.1' }),
        other({ service: ['tcp/99', 'protocol/51'], address: ['192.0.2.2', '2001:db8::1'] }),
      ],
    },
    problems: {
      '/doors/1/service/1':
        'expected no protocol/ah but at IPv4 addresses alone: over IPv6 what it carries ' +
        'is judged in its place, got "protocol/51"',
    },
  },
  {
    of: 'a protocol before conntrack',
    document: {
      hook: 'prerouting',
      interfaces: ['eth0'],
      doors: [door({ service: 'protocol/gre' })],
    },
    problems: {
      '/doors/0/service':
        'expected tcp or ports: hook "prerouting" knows no answers to what this host ' +
        'sends, got "protocol/gre"',
    },
  },
  {
    of: 'one door with overlapping services',
    document: spec({ service: ['tcp/22', 'udp/22', 'tcp/22', 'tcp/1-100'] }),
    problems: {
      '/doors/0/service/2':
        'expected a service of its own, /doors/0/service/0 is tcp/22, got "tcp/22"',
      '/doors/0/service/3':
        'expected a service of its own, /doors/0/service/0 is tcp/22, got "tcp/1-100"',
    },
  },
  {
    of: 'the same port at addresses apart',
    document: {
      doors: [
        door({ address: ['192.0.2.1', '2001:db8::1'] }),
        other({ service: 'tcp/22', address: ['192.0.2.2', '2001:db8::/128'] }),
      ],
    },
    problems: {},
  },
  {
    of: 'the same port at addresses of which two meet',
    document: {
      doors: [
        door({ address: ['192.0.2.1', '2001:db8::1'] }),
        other({ service: 'tcp/22', address: ['192.0.2.2', '2001:db8::/64'] }),
      ],
    },
    problems: {
      '/doors/1/service': 'expected a service of its own, /doors/0/service is tcp/22, got "tcp/22"',
    },
  },
  {
    of: 'the same port at one address and at any',
    document: { doors: [door({ address: '192.0.2.1' }), other({ service: 'tcp/22' })] },
    problems: {
      '/doors/1/service': 'expected a service of its own, /doors/0/service is tcp/22, got "tcp/22"',
    },
  },
]

const steps: Case[] = [
  {
    of: "a step on the door's own service",
    document: knocking(['tcp/7000', 'tcp/22']),
    problems: {
      '/doors/0/knock/steps/1':
        'expected a port that is no door\'s service, this one belongs to ssh, got "tcp/22"',
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
      '/doors/0/knock/steps/0':
        "expected a port that is no door's service, this one belongs to web, got " +
        '{"protocol":"tcp","port":443}',
      '/doors/1/close/steps/0':
        'expected a port that is no door\'s service, this one belongs to web, got "tcp/450"',
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
        'expected a step that can reach the door, which has IPv4 addresses alone, got "icmpv6"',
      '/doors/0/close/steps/0':
        'expected a step that can reach the door, which has IPv4 addresses alone, got ' +
        '{"protocol":"icmpv6","length":9}',
    },
  },
  {
    of: 'an IPv6 step to a door with addresses of both families',
    document: spec({ address: ['192.0.2.1', '::1'], knock: sequence({ steps: ['icmpv6'] }) }),
    problems: {},
  },
]

const closes = (of: string, open: unknown[], close: unknown[]): Case => ({
  of,
  document: knocking(open, close),
  problems: {
    '/doors/0/close/steps':
      'expected steps that do not complete the opening knock as well, got ' +
      `${JSON.stringify(close)}`,
  },
})

const syn = { protocol: 'tcp', port: 9, flags: 'syn' }
const times: Case[] = [
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
        'expected no refresh where one connection uses the grant up, got true',
    },
  },
  {
    of: 'refresh of a grant for two connections',
    document: spec({ open: { for: 5, connections: 2, refresh: true } }),
    problems: {},
  },
]

const ignoring = (...ignore: string[]) => spec({}, { guard: { ignore } })
const ignored: Case[] = [
  {
    of: 'ports twice',
    document: ignoring('tcp/80-90', 'tcp/85', 'udp/85', 'tcp/90-99'),
    problems: {
      '/guard/ignore/1':
        'expected ports of its own, /guard/ignore/0 has some of them, got "tcp/85"',
      '/guard/ignore/3':
        'expected ports of its own, /guard/ignore/0 has some of them, got "tcp/90-99"',
    },
  },
  {
    of: 'a service',
    document: ignoring('tcp/20-30'),
    problems: {
      '/guard/ignore/0':
        'expected no service of a door: traffic to ssh never resets an attempt, got "tcp/20-30"',
    },
  },
  {
    of: 'a knock port',
    document: ignoring('tcp/80', 'udp/8000'),
    problems: { '/guard/ignore/1': 'expected no knock port: ssh is knocked there, got "udp/8000"' },
  },
  { of: 'the knock port of another protocol', document: ignoring('tcp/8000'), problems: {} },
  {
    of: 'a port of a whole protocol',
    document: spec({ service: 'tcp' }, { guard: { ignore: ['tcp/80'] } }),
    problems: {},
  },
]

const crowds: Case[] = [
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
        'expected the same range at both addresses, or one apart, /doors/0/service is ' +
        'tcp/20-30, got "tcp/28-40"',
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

const together: Case[] = [
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
        'expected a name of 1 to 32 letters, digits and _, not starting with a digit, got "x y"',
      '/doors/10/open/for':
        'expected a duration from 1 s to 365 d in whole seconds, such as 30, "30s", ' +
        '"5m", "1h" or "7d", got 0',
      '/doors/10/open/refresh': 'expected true or false, got 1',
      '/doors/11/service':
        'expected a service of its own, /doors/10/service is tcp/22, got "tcp/22"',
      '/doors/11/knock/steps/0':
        'expected a port that is no door\'s service, this one belongs to ssh, got "tcp/22"',
      '/doors/11/knock/steps/1':
        'expected tcp/1..65535, udp/1..65535, icmp or icmpv6, got "tcp/99999"',
      '/doors/11/close/type': 'expected "sequence", got nothing',
      '/doors/11/close/steps': 'expected a list of 1 to 32 steps, got nothing',
      '/doors/11/more': 'expected no such key, got 1',
      '/doors/12/name': 'expected a name of its own, /doors/2 has this one, got "d2"',
      '/doors/12/service':
        'expected a service of its own, /doors/0/service is tcp/100, got "tcp/100-200"',
      '/doors/12/knock/steps/0':
        'expected a port that is no door\'s service, this one belongs to d1, got "tcp/101"',
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
        'expected a name of 1 to 32 letters, digits and _, not starting with a digit, got ""',
      '/table':
        'expected a name of 1 to 32 letters, digits and _, not starting with a digit, got ""',
    },
  },
]

const tables = { names, services, steps, times, ignored, crowds, together }

for (const [name, cases] of Object.entries(tables)) {
  t.test(name, async (t) => {
    for (const { of, document, problems } of cases) {
      t.strictSame(problemsOf(document), Object.entries(problems), of)
    }
  })
}
