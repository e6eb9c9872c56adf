// The `open` part of a door in a wrong form → the problems of a spec.
import t from 'tap'
import { spec, testWrongForms, type WrongForm } from '../../integration/fixtures/specs.js'

const DURATION =
  'a duration from 1 s to 365 d in whole seconds, such as 30, "30s", "5m", "1h" or "7d"'

const CONNECTIONS = 'a whole number from 1 to 8, or "any"'

const TARGET =
  'a port from 1 to 65535, or an address with one, such as "192.0.2.7:22" or "[2001:db8::7]:22"'

const opens: WrongForm[] = [
  {
    of: 'open that is a duration',
    document: spec({ open: '30s' }),
    wrong: [['/doors/0/open', 'an object with for', '"30s"']],
  },
  {
    of: 'open without for',
    document: spec({ open: {} }),
    wrong: [['/doors/0/open/for', DURATION, 'nothing']],
  },
  ...[
    0,
    0.5,
    -5,
    31536001,
    '',
    '0s',
    '05s',
    '30',
    '-5s',
    ' 5s',
    '500ms',
    '1.5s',
    '1h30m',
    '366d',
    null,
  ].map((duration) => ({
    of: `for ${JSON.stringify(duration)}`,
    document: spec({ open: { for: duration } }),
    wrong: [['/doors/0/open/for', DURATION, JSON.stringify(duration)] as const],
  })),
  {
    of: 'for without an end',
    document: spec({ open: { for: Number.POSITIVE_INFINITY } }),
    wrong: [['/doors/0/open/for', DURATION, 'Infinity']],
  },
  {
    of: 'every part of the wrong form',
    document: spec({
      open: {
        for: 5,
        connections: 9,
        refresh: 'yes',
        scope: 'world',
        established: true,
        redirectTo: 0,
        mark: 4294967296,
      },
    }),
    wrong: [
      ['/doors/0/open/connections', CONNECTIONS, '9'],
      ['/doors/0/open/refresh', '"connections", "traffic", true or false', '"yes"'],
      ['/doors/0/open/scope', '"source" or "everyone"', '"world"'],
      ['/doors/0/open/established', '"keep" or "cut"', 'true'],
      ['/doors/0/open/redirectTo', TARGET, '0'],
      ['/doors/0/open/mark', 'a whole number from 1 to 4294967295', '4294967296'],
    ],
  },
  ...[0, 1.5, 'all', '2', null].map((connections) => ({
    of: `connections ${JSON.stringify(connections)}`,
    document: spec({ open: { for: 5, connections } }),
    wrong: [['/doors/0/open/connections', CONNECTIONS, JSON.stringify(connections)] as const],
  })),
  ...[65536, '22', '192.0.2.7', '192.0.2.7:0', '2001:db8::1:22', 'host:22', '[::1%lo]:22'].map(
    (redirectTo) => ({
      of: `redirectTo ${JSON.stringify(redirectTo)}`,
      document: spec({ open: { for: 5, redirectTo } }),
      wrong: [['/doors/0/open/redirectTo', TARGET, JSON.stringify(redirectTo)] as const],
    }),
  ),
  ...['192.0.2.7:65536', '192.0.2.256:22', '[192.0.2]:22', '010.0.0.1:22'].map((redirectTo) => ({
    of: `redirectTo "${redirectTo}"`,
    document: spec({ open: { for: 5, redirectTo } }),
    wrong: [
      [
        '/doors/0/open/redirectTo',
        'an IPv4 address or an IPv6 address in [ ], and a port from 1 to 65535',
        `"${redirectTo}"`,
      ] as const,
    ],
  })),
  ...[
    '127.0.0.1:22',
    '0.0.0.0:22',
    '224.0.0.1:22',
    '255.255.255.255:22',
    '[::1]:22',
    '[::]:22',
    '[ff02::1]:22',
    '[::ffff:127.0.0.2]:22',
  ].map((redirectTo) => ({
    of: `redirectTo "${redirectTo}"`,
    document: spec({ open: { for: 5, redirectTo } }),
    wrong: [
      [
        '/doors/0/open/redirectTo',
        'the address of another host; for this host write only the port',
        `"${redirectTo}"`,
      ] as const,
    ],
  })),
]

testWrongForms(t, { opens })
