// What a door opens, and where it sends connections → the problems of a spec.
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

const target = (of: string, document: unknown, expected: string, to: unknown): Contradiction => ({
  of,
  document,
  problems: {
    '/doors/0/open/redirectTo': `expected ${expected}, got ${JSON.stringify(to)}`,
  },
})

const LAST = 'its last packet is already the connection'

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

testContradictions(t, { opens, redirects })
