// The `open` part of a door, and its redirect → the problems of a spec.
import t from 'tap'
import { opening, pair, rate, rhythm, token } from '../../integration/fixtures/openings.js'
import {
  type Contradiction,
  door,
  other,
  right,
  sequence,
  spec,
  testContradictions,
} from '../../integration/fixtures/specs.js'

const rotation = {
  type: 'sequence',
  rotate: { secretFile: 'key', every: '1h', steps: 4, ports: '20000-60000' },
}

const opens: Contradiction[] = [
  {
    of: 'refresh of the one connection after a rhythm',
    document: spec({ knock: [sequence(), rhythm], open: opening({ refresh: true }) }),
    problems: {
      '/doors/0/open/refresh':
        'conflicts with /doors/0/knock: one connection uses the grant up; set connections to ' +
        'allow more',
    },
  },
  {
    of: 'refresh of one connection that is asked for after a rhythm',
    document: spec({ knock: rhythm, open: opening({ refresh: true, connections: 1 }) }),
    problems: {
      '/doors/0/open/refresh':
        'conflicts with /doors/0/open/connections: one connection uses the grant up',
    },
  },
  right(
    'refresh of any number of connections after a rhythm',
    spec({ knock: rhythm, open: opening({ refresh: true, connections: 'any' }) }),
  ),
  {
    of: 'traffic that renews the one connection',
    document: spec({ open: opening({ refresh: 'traffic', connections: 1 }) }),
    problems: {
      '/doors/0/open/refresh':
        'conflicts with /doors/0/open/connections: one connection uses the grant up',
    },
  },
  {
    of: 'traffic of redirected connections',
    document: spec({ open: opening({ refresh: 'traffic', redirectTo: 2222 }) }),
    problems: {
      '/doors/0/open/refresh':
        'conflicts with /doors/0/open/redirectTo: the packets of a redirected connection do not ' +
        'name the door',
    },
  },
  {
    of: 'traffic that renews a grant for everyone',
    document: spec({ open: opening({ refresh: 'traffic', scope: 'everyone' }) }),
    problems: {
      '/doors/0/open/refresh':
        'conflicts with /doors/0/open/scope: a stranger who goes on talking would keep the door ' +
        'open for everyone',
    },
  },
  right(
    'traffic with three connections, and with a cut',
    spec({ open: opening({ refresh: 'traffic', connections: 3, established: 'cut' }) }),
  ),
  {
    of: 'cutting connections that are redirected',
    document: spec({ open: opening({ established: 'cut', redirectTo: 2222 }) }),
    problems: {
      '/doors/0/open/established':
        'conflicts with /doors/0/open/redirectTo: redirected connections cannot be cut',
    },
  },
]

const redirecting = (to: number | string, parts: object = {}) =>
  spec({ open: opening({ redirectTo: to }), ...parts })

const target = (of: string, document: unknown, other: string, reason: string): Contradiction => ({
  of,
  document,
  problems: { '/doors/0/open/redirectTo': `conflicts with ${other}: ${reason}` },
})

const redirects: Contradiction[] = [
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
    '/doors/0/knock/1',
    'the last packet of a rate is already the connection',
  ),
  target(
    'redirection with a rhythm',
    redirecting(2222, { knock: rhythm }),
    '/doors/0/knock',
    'the last packet of a rhythm is already the connection',
  ),
  target(
    'redirection of a whole protocol',
    redirecting(2222, { service: ['udp/5', 'tcp'] }),
    '/doors/0/service',
    'a whole protocol cannot be redirected',
  ),
  target(
    'redirection to its own service',
    redirecting(22),
    '/doors/0/service',
    'the target is a service of ssh',
  ),
  target(
    "redirection to another door's service",
    pair({ open: opening({ redirectTo: 445 }) }, { service: 'tcp/440-450' }),
    '/doors/1/service',
    'the target is a service of web',
  ),
  target(
    "redirection into another door's whole protocol",
    pair(
      { address: '192.0.2.1', open: opening({ redirectTo: 445 }) },
      { address: '192.0.2.2', service: 'tcp' },
    ),
    '/doors/1/service',
    'the target is a service of web',
  ),
  target(
    'redirection to a knock port',
    redirecting(7000),
    '/doors/0/knock/steps/0',
    'the target is a knock port',
  ),
  target(
    "redirection to a port of another door's rotation",
    pair({ open: opening({ redirectTo: 60000 }) }, { knock: rotation }),
    '/doors/1/knock/rotate/ports',
    'the target is a knock port',
  ),
  target(
    'redirection to an ignored port',
    { ...redirecting(80), guard: { ignore: ['udp/80', 'tcp/80'] } },
    '/guard/ignore/1',
    'the target is an ignored port',
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
        'conflicts with /doors/0/open/redirectTo: both have the same target',
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
    '/doors/0/address',
    'the door has only IPv4 addresses, the target is IPv6',
  ),
  target(
    'redirection of an IPv6 door to an IPv4 host',
    redirecting('192.0.2.7:22', { address: ['2001:db8::/64'] }),
    '/doors/0/address',
    'the door has only IPv6 addresses, the target is IPv4',
  ),
  right(
    'redirection of a door with addresses of both families',
    redirecting('192.0.2.7:22', { address: ['192.0.2.1', '2001:db8::1'] }),
  ),
]

testContradictions(t, { opens, redirects })
