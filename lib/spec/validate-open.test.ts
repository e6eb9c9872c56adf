// Hooks, openings and bans that contradict the rest of a spec, and their neighbours that are right.
import t from 'tap'
import { door, problemsOf, sequence, spec } from '../../integration/fixtures/specs.js'

interface Case {
  readonly of: string
  readonly document: unknown
  /** By path; empty: this spec is right. */
  readonly problems: Readonly<Record<string, string>>
}

type Ping = (length: number) => object

const right = (of: string, document: unknown): Case => ({ of, document, problems: {} })

const other = (parts: object = {}) =>
  door({ name: 'web', service: 'tcp/443', knock: sequence({ steps: ['tcp/1'] }), ...parts })
const pair = (first: Record<string, unknown>, second: object) => ({
  doors: [door(first), other(second)],
})
const opening = (parts: object) => ({ for: 30, ...parts })
const everyone = opening({ scope: 'everyone' })
const rate = (port: string) => ({ type: 'rate', port, hits: 2, max: '5s' })
const rhythm = { type: 'rhythm', port: 'tcp/9', counts: [1, 2], window: 4 }
const token = {
  type: 'token',
  port: 'udp/6000',
  period: '30s',
  users: [{ name: 'ana', secretFile: 'ana.key' }],
}
const rotation = {
  type: 'sequence',
  rotate: { secretFile: 'key', every: '1h', steps: 4, ports: '20000-60000' },
}

const SEES = (hook: string) =>
  `expected an address, or interfaces beside doors: hook "${hook}" sees all ` +
  `hosts' packets, got nothing`
const hooks: Case[] = [
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
      '/doors/0/knock/steps/0/flags': `expected a plain SYN's: hook "${hook}" judges no other, got "!syn"`,
      '/doors/0/open/connections':
        `expected no count of connections: hook "${hook}" takes each packet of UDP for ` +
        'one, got 2',
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
      `fragments, which do not say how long the whole is, got ${got}`
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
        'expected a list of interfaces: hook "ingress" stands at each of them, got nothing',
    },
  },
  {
    of: 'hook ingress with any interface of a kind',
    document: spec({}, { hook: 'ingress', interfaces: ['eth0', 'wlan*', 'a b*'] }),
    problems: {
      '/interfaces/1':
        'expected a whole name: hook "ingress" stands at each interface, got "wlan*"',
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
        `expected tcp or ports: hook "${hook}" knows no answers to what this host ` +
        'sends, got "udp"',
      '/doors/0/open/established': `expected "keep": hook "${hook}" follows no connections, got "cut"`,
      '/doors/1/service':
        `expected tcp or ports: hook "${hook}" knows no answers to what this host ` +
        'sends, got "any"',
      '/doors/2/open/redirectTo': `expected no redirectTo with hook "${hook}": only "input" has it, got 8443`,
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
      '/doors/0/open/redirectTo':
        'expected no redirectTo with hook "forward": only "input" has it, got "192.0.2.7:22"',
    },
  },
  right('hook forward with whole protocols and cut connections', {
    hook: 'forward',
    interfaces: ['eth0'],
    doors: [door({ service: 'any', open: opening({ established: 'cut' }) })],
  }),
]

const opens: Case[] = [
  {
    of: 'refresh of the one connection after a rhythm',
    document: spec({ knock: [sequence(), rhythm], open: opening({ refresh: true }) }),
    problems: {
      '/doors/0/open/refresh':
        'expected no refresh where one connection uses the grant up, as after this ' +
        'knock unless connections says otherwise, got true',
    },
  },
  {
    of: 'refresh of one connection that is asked for after a rhythm',
    document: spec({ knock: rhythm, open: opening({ refresh: true, connections: 1 }) }),
    problems: {
      '/doors/0/open/refresh':
        'expected no refresh where one connection uses the grant up, got true',
    },
  },
  right(
    'refresh of any number of connections after a rhythm',
    spec({ knock: rhythm, open: opening({ refresh: true, connections: 'any' }) }),
  ),
  {
    of: 'cutting connections that are redirected',
    document: spec({ open: opening({ established: 'cut', redirectTo: 2222 }) }),
    problems: { '/doors/0/open/established': 'expected "keep" beside redirectTo, got "cut"' },
  },
]

const redirecting = (to: number | string, parts: object = {}) =>
  spec({ open: opening({ redirectTo: to }), ...parts })
const target = (of: string, document: unknown, expected: string, to: unknown): Case => ({
  of,
  document,
  problems: {
    '/doors/0/open/redirectTo': `expected ${expected}, got ${JSON.stringify(to)}`,
  },
})

const LAST = 'its last packet is already the connection'
const redirects: Case[] = [
  right(
    'redirection with a sequence, a rotation and a token',
    redirecting(2222, { knock: [sequence(), rotation, token] }),
  ),
  right('redirection of ranges and of both protocols', {
    doors: [
      door({ service: ['tcp/80-90', 'udp/85'], open: opening({ redirectTo: 70 }) }),
      other({ open: opening({ redirectTo: '192.0.2.7:70' }) }),
    ],
  }),
  target(
    'redirection with a rate',
    redirecting(2222, { knock: [sequence(), rate('tcp/22')] }),
    `no redirectTo with a rate: ${LAST}`,
    2222,
  ),
  target(
    'redirection with a rhythm',
    redirecting(2222, { knock: rhythm }),
    `no redirectTo with a rhythm: ${LAST}`,
    2222,
  ),
  target(
    'redirection of a whole protocol',
    redirecting(2222, { service: ['udp/5', 'tcp'] }),
    'no redirectTo of a whole protocol',
    2222,
  ),
  target(
    'redirection to its own service',
    redirecting(22),
    "a port that is no door's service, this one belongs to ssh",
    22,
  ),
  target(
    "redirection to another door's service",
    pair({ open: opening({ redirectTo: 445 }) }, { service: 'tcp/440-450' }),
    "a port that is no door's service, this one belongs to web",
    445,
  ),
  target(
    "redirection into another door's whole protocol",
    pair(
      { address: '192.0.2.1', open: opening({ redirectTo: 445 }) },
      { address: '192.0.2.2', service: 'tcp' },
    ),
    "a port that is no door's service, this one belongs to web",
    445,
  ),
  target(
    'redirection to a knock port',
    redirecting(7000),
    'a port that is no knock port, ssh is knocked there',
    7000,
  ),
  target(
    "redirection to a port of another door's rotation",
    pair({ open: opening({ redirectTo: 60000 }) }, { knock: rotation }),
    'a port that is no knock port, web is knocked there',
    60000,
  ),
  target(
    'redirection to an ignored port',
    { ...redirecting(80), guard: { ignore: ['udp/80', 'tcp/80'] } },
    'a port that is not ignored, /guard/ignore/1 has this one',
    80,
  ),
  right('redirection to a number that is all of this with another protocol', {
    guard: { ignore: ['udp/80'] },
    doors: [
      door({ open: opening({ redirectTo: 80 }) }),
      other({ open: opening({ redirectTo: 8000 }) }),
      other({ name: 'c', service: 'udp/22', open: opening({ redirectTo: 443 }) }),
    ],
  }),
  {
    of: 'two doors that redirect to one port',
    document: pair(
      { service: ['udp/22', 'tcp/22'], open: opening({ redirectTo: 2222 }) },
      { open: opening({ redirectTo: 2222 }) },
    ),
    problems: {
      '/doors/1/open/redirectTo':
        'expected a port of its own, /doors/0/open/redirectTo has this one, got 2222',
    },
  },
  right(
    'two doors that redirect to one port of another host',
    pair(
      { open: opening({ redirectTo: '192.0.2.7:22' }) },
      { open: opening({ redirectTo: '192.0.2.7:22' }) },
    ),
  ),
  target(
    'redirection of an IPv4 door to an IPv6 host',
    redirecting('[2001:db8::1]:22', { address: '192.0.2.1' }),
    'an IPv4 address, as the door has IPv4 addresses alone',
    '[2001:db8::1]:22',
  ),
  target(
    'redirection of an IPv6 door to an IPv4 host',
    redirecting('192.0.2.7:22', { address: ['2001:db8::/64'] }),
    'an IPv6 address, as the door has IPv6 addresses alone',
    '192.0.2.7:22',
  ),
  right(
    'redirection of a door with addresses of both families',
    redirecting('192.0.2.7:22', { address: ['192.0.2.1', '2001:db8::1'] }),
  ),
]

const OWN = 'expected a service of its own, /doors/0/service is tcp/22, got "tcp/22"'
const sharing: Case[] = [
  right(
    'a service for who knocks, and for everyone',
    pair({}, { service: 'tcp/22', open: everyone }),
  ),
  right(
    'lists of services and addresses in another order',
    pair(
      {
        service: ['tcp/22', 'udp/60000-60010'],
        address: ['192.0.2.1', '2001:DB8::1'],
        open: everyone,
      },
      { service: ['udp/60000-60010', 'tcp/22'], address: ['2001:db8::1', '192.0.2.1'] },
    ),
  ),
  {
    of: 'a service for everyone twice',
    document: pair({ open: everyone }, { service: 'tcp/22', open: everyone }),
    problems: { '/doors/1/service': OWN },
  },
  {
    of: 'a service of which another door has more',
    document: pair({}, { service: ['tcp/80', 'tcp/22'], open: everyone }),
    problems: { '/doors/1/service/1': OWN },
  },
  {
    of: 'a service of which another door has more of its addresses',
    document: pair(
      { address: '192.0.2.1' },
      { service: 'tcp/22', address: ['192.0.2.1', '192.0.2.2'], open: everyone },
    ),
    problems: { '/doors/1/service': OWN },
  },
  {
    of: 'three doors of one service',
    document: {
      doors: [
        door(),
        other({ service: 'tcp/22', open: everyone }),
        other({ name: 'c', service: 'tcp/22' }),
      ],
    },
    problems: { '/doors/2/service': OWN },
  },
  ...[
    { of: 'two doors before one protocol', first: { service: 'tcp' } },
    {
      of: 'two doors before one service, one of which cuts',
      first: { service: 'tcp/22', open: opening({ established: 'cut' }) },
    },
    {
      of: 'two doors before one service, one of which awaits its connection',
      first: { service: 'tcp/22', knock: rate('tcp/9') },
    },
  ].map(({ of, first }) => ({
    of,
    document: pair(first, { service: first.service, open: everyone }),
    problems: {
      '/doors/1/service':
        `expected a service of its own, /doors/0/service is ${first.service}, got ` +
        `"${first.service}"`,
    },
  })),
  {
    of: 'a service that one of the doors redirects',
    document: pair({ open: opening({ redirectTo: 2222 }) }, { service: 'tcp/22', open: everyone }),
    problems: { '/doors/1/service': OWN },
  },
  {
    of: 'one service of two doors, of which it is not known whom they let in',
    document: pair({ open: opening({ scope: 'all' }) }, { service: 'tcp/22' }),
    problems: { '/doors/0/open/scope': 'expected "source" or "everyone", got "all"' },
  },
]

const banning = (after: number, ...doors: unknown[]) => ({
  guard: { ban: { after, within: '1m', for: '10m' } },
  doors,
})
const strict = (of: string, document: ReturnType<typeof banning>, more: number, path: string) => ({
  of,
  document,
  problems: {
    '/guard/ban/after':
      `expected more than ${more}: ${path}, done right, begins as many other attempts ` +
      `that end wrong, got ${document.guard.ban.after}`,
  },
})

const three = {
  type: 'sequence',
  oneTime: ['tcp/1', 'tcp/2', 'tcp/3'].map((step) => ['icmp', step]),
}
const bans: Case[] = [
  strict(
    'a ban for what opening one of two doors resets',
    banning(1, door(), other({ knock: sequence({ steps: ['tcp/7000', 'tcp/2'] }) })),
    1,
    '/doors/0/knock',
  ),
  strict(
    'a ban for what going on with closing resets',
    banning(1, door({ close: sequence({ steps: ['tcp/7000', 'tcp/2'] }) })),
    1,
    '/doors/0/knock',
  ),
  strict(
    'a ban for what a one-time sequence resets',
    banning(2, door({ knock: three })),
    2,
    '/doors/0/knock',
  ),
  strict(
    'a ban for the same with echo requests over IPv6',
    banning(3, door({ knock: three }), other({ knock: sequence({ steps: ['icmpv6', 'icmp'] }) })),
    3,
    '/doors/0/knock',
  ),
  right('a ban for more', banning(3, door({ knock: three }))),
  right(
    'a ban where nothing is ever reset',
    banning(
      1,
      door({ knock: sequence({ reset: 'never' }) }),
      other({ knock: sequence({ steps: ['tcp/7000', 'tcp/2'], reset: 'never' }) }),
    ),
  ),
  strict(
    'a ban for what one packet begins beside the door that it opens',
    banning(1, door(), other({ knock: sequence({ steps: ['tcp/7000'] }) })),
    1,
    '/doors/1/knock',
  ),
  strict(
    'a ban for closing attempts that begin with the last knock',
    banning(
      1,
      door({
        knock: sequence({ steps: ['tcp/1', 'tcp/2'] }),
        close: sequence({ steps: ['tcp/2', 'tcp/1'] }),
      }),
    ),
    1,
    '/doors/0/knock',
  ),
  strict(
    'a ban for attempts that begin in the middle of a knock',
    banning(
      3,
      door({ knock: sequence({ steps: ['tcp/1', 'tcp/2', 'tcp/3'] }) }),
      ...['tcp/11', 'tcp/12', 'tcp/13'].map((last, index) =>
        other({
          name: `d${index}`,
          service: `tcp/${90 + index}`,
          knock: sequence({ steps: ['tcp/2', last] }),
        }),
      ),
    ),
    3,
    '/doors/0/knock',
  ),
  right(
    'a ban where a knock only passes through others',
    banning(
      1,
      door({ knock: sequence({ steps: ['tcp/1', 'tcp/2', 'tcp/3'] }) }),
      other({ knock: sequence({ steps: ['tcp/2', 'tcp/3'] }) }),
    ),
  ),
  right(
    'a ban with knocks of other kinds',
    banning(1, door({ knock: [rate('tcp/8'), rhythm, token] }), other({ knock: rate('tcp/10') })),
  ),
  {
    of: 'a ban with a rate at a port of another knock',
    document: banning(1, door(), other({ knock: rate('tcp/7000') })),
    problems: {
      '/doors/1/knock/port':
        'expected a port of its own beside a ban, /doors/0/knock/steps/0 has this one, ' +
        'got "tcp/7000"',
    },
  },
]

const tables = { hooks, opens, redirects, sharing, bans }

for (const [name, cases] of Object.entries(tables)) {
  t.test(name, async (t) => {
    for (const { of, document, problems } of cases) {
      t.strictSame(problemsOf(document), Object.entries(problems), of)
    }
  })
}
