// Knocks of each kind in a wrong form → the problems of a spec.
import t from 'tap'
import { ana, rate, rhythm, rotate, token, wrongPart } from '../../integration/fixtures/kinds.js'
import {
  type Contradiction,
  spec,
  testContradictions,
  testWrongForms,
  type WrongForm,
} from '../../integration/fixtures/specs.js'

const DURATION =
  'a duration from 1 s to 365 d in whole seconds, such as 30, "30s", "5m", "1h" or "7d"'

const PAUSE =
  'a duration from 0 s to 365 d in whole seconds, such as 0, 30, "30s", "5m", "1h" or "7d"'

const STEPS = 'a list of 1 to 32 steps'

const FILE = 'the path of a file'

const USER = 'a name of 1 to 64 letters, digits and _.+@-, beginning with a letter, a digit or _'

const PORT = 'tcp/1..65535 or udp/1..65535'

const COUNTS = 'a list of 2 to 9 counts'

const RANGE = 'a range of at least 256 ports up to 65535, such as "20000-60000"'

const once = wrongPart((parts) => ({ type: 'sequence', ...parts }))

const oneTimes: WrongForm[] = [
  ...[[], {}, 'tcp/9', null].map((value) =>
    once('oneTime', value, 'a list of 1 to 256 lists of steps'),
  ),
  {
    of: 'oneTime with lists of the wrong form',
    document: spec({
      knock: [
        { type: 'sequence', oneTime: ['tcp/9', [], ['icmp', 'x'], ['tcp/70000'], ['tcp/9']] },
      ],
    }),
    wrong: [
      ['/doors/0/knock/0/oneTime/0', STEPS, '"tcp/9"'],
      ['/doors/0/knock/0/oneTime/1', STEPS, '[]'],
      [
        '/doors/0/knock/0/oneTime/2/1',
        'tcp/1..65535, udp/1..65535, icmp or icmpv6, or an object with protocol',
        '"x"',
      ],
      ['/doors/0/knock/0/oneTime/3/0', 'tcp/1..65535, udp/1..65535, icmp or icmpv6', '"tcp/70000"'],
    ],
  },
]

const rotatePart = wrongPart(rotate, '/rotate')

const rotations: WrongForm[] = [
  once('rotate', 'ssh.key', 'an object with secretFile, every, steps and ports'),
  {
    of: 'rotate without anything but what there is not',
    document: spec({ knock: { type: 'sequence', rotate: { secret: 'x' } } }),
    wrong: [
      ['/doors/0/knock/rotate/secret', 'no such key', '"x"'],
      ['/doors/0/knock/rotate/secretFile', FILE, 'nothing'],
      ['/doors/0/knock/rotate/every', DURATION, 'nothing'],
      ['/doors/0/knock/rotate/steps', 'a whole number from 2 to 8', 'nothing'],
      ['/doors/0/knock/rotate/ports', RANGE, 'nothing'],
    ],
  },
  ...['', 'a\0b', 7].map((value) => rotatePart('secretFile', value, FILE)),
  rotatePart('every', '1x', DURATION),
  rotatePart('every', 599, 'a duration of at least 10m'),
  ...[1, 9, 2.5, ['tcp/9']].map((value) =>
    rotatePart('steps', value, 'a whole number from 2 to 8'),
  ),
  rotatePart('protocol', 'icmp', '"tcp" or "udp"'),
  ...['20000', '20000-20254', '60000-20000', '65000-65536', 'tcp/20000-60000', 20000].map((value) =>
    rotatePart('ports', value, RANGE),
  ),
  rotatePart('horizon', 0, DURATION),
]

const ratePart = wrongPart(rate)

const rates: WrongForm[] = [
  {
    of: 'a rate without anything',
    document: spec({ knock: { type: 'rate', window: 4 } }),
    wrong: [
      ['/doors/0/knock/window', 'no such key', '4'],
      ['/doors/0/knock/port', PORT, 'nothing'],
      ['/doors/0/knock/hits', 'a whole number from 1 to 32', 'nothing'],
      ['/doors/0/knock/max', DURATION, 'nothing'],
    ],
  },
  ...[9, 'icmp', 'tcp/9-10', 'tcp'].map((value) => ratePart('port', value, PORT)),
  ratePart('port', 'tcp/65536', 'a port from 1 to 65535'),
  ...[0, 33, 1.5, '2'].map((value) => ratePart('hits', value, 'a whole number from 1 to 32')),
  ...[-1, 0.5, '0m', '00s', '366d', null].map((value) => ratePart('min', value, PAUSE)),
  ratePart('max', 0, DURATION),
  ratePart('max', '366d', DURATION),
  ratePart('penalty', 0, DURATION),
]

const rhythmPart = wrongPart(rhythm)

const portsPart = wrongPart((parts) => rhythm({ port: undefined, ...parts }))

const rhythms: WrongForm[] = [
  {
    of: 'a rhythm without anything',
    document: spec({ knock: { type: 'rhythm' } }),
    wrong: [
      ['/doors/0/knock/counts', COUNTS, 'nothing'],
      ['/doors/0/knock/window', DURATION, 'nothing'],
      ['/doors/0/knock/port', PORT, 'nothing'],
    ],
  },
  rhythmPart('port', 'udp/0', PORT),
  rhythmPart('port', 'udp/99999', 'a port from 1 to 65535'),
  ...[[], 'tcp/9', ['tcp/9', 'tcp/9']].map((value) =>
    portsPart('ports', value, 'a list of 1 to 16 ports, each once'),
  ),
  {
    of: 'ports that there are not',
    document: spec({ knock: rhythm({ port: undefined, ports: ['tcp/9', 'tcp', 'udp/65536'] }) }),
    wrong: [
      ['/doors/0/knock/ports/1', PORT, '"tcp"'],
      ['/doors/0/knock/ports/2', 'a port from 1 to 65535', '"udp/65536"'],
    ],
  },
  ...[[1], [1, 2, 3, 4, 5, 6, 7, 8, 9, 1], 12].map((value) => rhythmPart('counts', value, COUNTS)),
  {
    of: 'counts of which some are wrong',
    document: spec({ knock: rhythm({ counts: [0, 9, 10, '1'] }) }),
    wrong: [
      ['/doors/0/knock/counts/0', 'a whole number from 1 to 9', '0'],
      ['/doors/0/knock/counts/2', 'a whole number from 1 to 9', '10'],
      ['/doors/0/knock/counts/3', 'a whole number from 1 to 9', '"1"'],
    ],
  },
  rhythmPart('window', '500ms', DURATION),
  rhythmPart('window', 1, 'a duration of at least 2s'),
  rhythmPart('penalty', 0, DURATION),
]

const tokenPart = wrongPart(token)
const userPart = wrongPart((parts) => token({ users: [{ ...ana, ...parts }] }), '/users/0')
const HOURS = 'hours such as "mon-fri 08:00-18:00"'
const UNTIL = 'a date such as "2027-01-31", or a time such as "2027-01-31T18:00:00+01:00"'

const tokens: WrongForm[] = [
  {
    of: 'a token without anything',
    document: spec({ knock: { type: 'token' } }),
    wrong: [
      ['/doors/0/knock/port', 'udp/1..65535', 'nothing'],
      ['/doors/0/knock/period', DURATION, 'nothing'],
      ['/doors/0/knock/users', 'a list of 1 to 64 users', 'nothing'],
    ],
  },
  tokenPart('port', 'tcp/6000', 'udp/1..65535'),
  tokenPart('port', 'udp/65536', 'a port from 1 to 65535'),
  tokenPart('carrier', 'quic', '"udp", "stun" or "dns"'),
  tokenPart('period', '1w', DURATION),
  tokenPart('period', '9s', 'a duration of at least 10s'),
  tokenPart('drift', -1, PAUSE),
  tokenPart('drift', '366d', PAUSE),
  tokenPart('horizon', 0, DURATION),
  ...[[], ana].map((value) => tokenPart('users', value, 'a list of 1 to 64 users')),
  ...(
    [
      ['from', '10.0.0.0/33', 'an IPv4 or IPv6 address or a CIDR block'],
      ['from', '10.0.0.1/24', '10.0.0.0/24 (no host bits)'],
      ['from', [], 'an address, a CIDR block or a list of 1 to 256'],
      ['hours', 'weekdays', HOURS],
      ['hours', 'mon-fri 8:00-18:00', HOURS],
      ['hours', '08:00-08:00', 'hours whose ranges end at another time than they begin'],
      ['hours', [], 'hours such as "mon-fri 08:00-18:00" or a list of 1 to 32'],
      ['zone', 'Europe/Bonn', 'the name of a time zone, such as "Europe/Berlin"'],
      ['until', '31.1.2027', UNTIL],
      ['until', '2027-02-29', 'a day and a time that exist'],
      ['until', '2027-01-31T18:00:00', UNTIL],
    ] as const
  ).map(([key, value, expected]) => userPart(key, value, expected)),
  {
    of: 'users of the wrong form',
    document: spec({
      knock: token({
        users: ['ana', {}, { name: 'ana b', secretFile: '' }, { ...ana, secret: 'x' }],
      }),
    }),
    wrong: [
      ['/doors/0/knock/users/0', 'an object with name and secretFile', '"ana"'],
      ['/doors/0/knock/users/1/name', USER, 'nothing'],
      ['/doors/0/knock/users/1/secretFile', FILE, 'nothing'],
      ['/doors/0/knock/users/2/name', USER, '"ana b"'],
      ['/doors/0/knock/users/2/secretFile', FILE, '""'],
      ['/doors/0/knock/users/3/secret', 'no such key', '"x"'],
    ],
  },
]

const ONE_FORM =
  'conflicts with /doors/0/knock/steps: a sequence has only one of steps, oneTime and rotate'

const alternatives: Contradiction[] = [
  {
    of: 'steps, oneTime and rotate at once',
    document: spec({ knock: { ...rotate(), steps: ['icmp'], oneTime: [['icmp']] } }),
    problems: { '/doors/0/knock/rotate': ONE_FORM, '/doors/0/knock/oneTime': ONE_FORM },
  },
  {
    of: 'port and ports at once',
    document: spec({ knock: rhythm({ ports: ['tcp/9'] }) }),
    problems: {
      '/doors/0/knock/ports':
        'conflicts with /doors/0/knock/port: a rhythm has only one of the two',
    },
  },
]

testContradictions(t, { alternatives })
testWrongForms(t, { oneTimes, rotations, rates, rhythms, tokens })
