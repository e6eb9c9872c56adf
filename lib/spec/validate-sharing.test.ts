// Doors before one service, and bans that are too strict → the problems of a spec.
import t from 'tap'
import { opening, pair, rate, rhythm, token } from '../../integration/fixtures/openings.js'
import {
  type Contradiction,
  door,
  other,
  right,
  sequence,
  testContradictions,
} from '../../integration/fixtures/specs.js'

const everyone = opening({ scope: 'everyone' })

const OWN = 'conflicts with /doors/0/service: both are tcp/22'

const sharing: Contradiction[] = [
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
      '/doors/1/service': `conflicts with /doors/0/service: both are ${first.service}`,
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
      `expected more than ${more}, since ${path} causes as many strikes when it is ` +
      `correct, got ${document.guard.ban.after}`,
  },
})

const three = {
  type: 'sequence',
  oneTime: ['tcp/1', 'tcp/2', 'tcp/3'].map((step) => ['icmp', step]),
}

const bans: Contradiction[] = [
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
        'conflicts with /doors/0/knock/steps/0: beside a ban these knocks may not share a port',
    },
  },
]

testContradictions(t, { sharing, bans })
