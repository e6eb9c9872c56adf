// Specs whose parts around the knock are of the wrong form, each with everything that is said about
// it.
import t from 'tap'
import {
  door,
  sequence,
  spec,
  testWrongForms,
  type WrongForm,
} from '../../integration/fixtures/specs.js'

const NAME = 'a name of 1 to 32 letters, digits and _, not starting with a digit'
const SERVICE =
  'tcp/1..65535 or udp/1..65535, a range such as tcp/8000-8010, "tcp", "udp", ' +
  '"any", or another protocol such as protocol/sctp'
const PORTS = 'ports from 1 to 65535, a range from low to high'
const ADDRESS = 'an IPv4 or IPv6 address or a CIDR block'
const INTERFACE = 'an interface name of at most 15 characters, such as eth0 or eth*'
const INTERFACES = 'a list of 1 to 256 interface names, each once'
const DURATION =
  'a duration from 1 s to 365 d in whole seconds, such as 30, "30s", "5m", "1h" or "7d"'
const LOG = 'an object with group, rate or deniedRate, or false'
const GROUP = 'a whole number from 0 to 65535'
const RATE = 'a whole number from 1 to 1000000'
const STRIKES = 'a whole number from 1 to 32'
const CAPACITY = 'a whole number from 1 to 16777216'

const root = (of: string, document: unknown, got: string): WrongForm => ({
  of,
  document,
  wrong: [['', 'an object with doors', got]],
})

const circular: { self?: unknown } = {}
circular.self = circular

const roots: WrongForm[] = [
  root('nothing', undefined, 'undefined'),
  root('null', null, 'null'),
  root('a list', [], '[]'),
  root('a text', 'doors', '"doors"'),
  root('a number', 7, '7'),
  {
    of: 'an empty object',
    document: {},
    wrong: [['/doors', 'a list of 1 to 4096 doors', 'nothing']],
  },
]

const top: WrongForm[] = [
  {
    of: 'unknown keys everywhere',
    document: {
      hooks: 'input',
      guard: { trust: [] },
      doors: [
        {
          'a/b~c': 1,
          ...door({
            knock: sequence({ step: [], steps: [{ protocol: 'icmp', port: 8 }, 'tcp/7'] }),
            close: sequence({ steps: ['tcp/9'], window: null }),
            open: { for: 1, long: true },
          }),
        },
      ],
    },
    wrong: [
      ['/hooks', 'no such key', '"input"; did you mean hook?'],
      ['/guard/trust', 'no such key', '[]; did you mean trusted?'],
      ['/doors/0/a~1b~0c', 'no such key', '1'],
      ['/doors/0/knock/steps/0/port', 'no such key', '8'],
      ['/doors/0/knock/step', 'no such key', '[]; did you mean steps?'],
      ['/doors/0/open/long', 'no such key', 'true'],
      ['/doors/0/close/window', 'no such key', 'null'],
    ],
  },
  {
    of: '$schema that is no text',
    document: spec({}, { $schema: 7 }),
    wrong: [['/$schema', 'the path or URL of this schema', '7']],
  },
  ...['', '1st', 'my-table', 'ta ble', 'ü', 'a'.repeat(33)].map((table) => ({
    of: `table "${table}"`,
    document: spec({}, { table }),
    wrong: [['/table', NAME, JSON.stringify(table)] as const],
  })),
  {
    of: 'a table that refers to itself',
    document: spec({}, { table: circular }),
    wrong: [['/table', NAME, 'an object']],
  },
  {
    of: 'a hook that does not exist here',
    document: spec({}, { hook: 'output' }),
    wrong: [['/hook', '"input", "forward", "prerouting" or "ingress"', '"output"']],
  },
  {
    of: 'interfaces without a list',
    document: spec({}, { interfaces: 'eth0' }),
    wrong: [['/interfaces', INTERFACES, '"eth0"']],
  },
  {
    of: 'no interfaces',
    document: spec({}, { interfaces: [] }),
    wrong: [['/interfaces', INTERFACES, '[]']],
  },
  {
    of: 'an interface twice',
    document: spec({}, { interfaces: ['eth0', 'eth0'] }),
    wrong: [['/interfaces', INTERFACES, '["eth0","eth0"]']],
  },
  {
    of: 'names that no interface has',
    document: spec({}, { interfaces: ['', 'eth 0', 'a/b', '*', 'e*h', '..', 'a'.repeat(16), 0] }),
    wrong: [
      ['/interfaces/0', INTERFACE, '""'],
      ['/interfaces/1', INTERFACE, '"eth 0"'],
      ['/interfaces/2', INTERFACE, '"a/b"'],
      ['/interfaces/3', INTERFACE, '"*"'],
      ['/interfaces/4', INTERFACE, '"e*h"'],
      ['/interfaces/5', INTERFACE, '".."'],
      ['/interfaces/6', INTERFACE, '"aaaaaaaaaaaaaaaa"'],
      ['/interfaces/7', INTERFACE, '0'],
    ],
  },
]

const logs: WrongForm[] = [
  ...[true, null, 5, 'off', []].map((log) => ({
    of: `log ${JSON.stringify(log)}`,
    document: spec({}, { log }),
    wrong: [['/log', LOG, JSON.stringify(log)] as const],
  })),
  ...[-1, 65536, 1.5, '5', null].map((group) => ({
    of: `group ${JSON.stringify(group)}`,
    document: spec({}, { log: { group } }),
    wrong: [['/log/group', GROUP, JSON.stringify(group)] as const],
  })),
  ...[0, -1, 1_000_001, 0.5, '1k', null].map((rate) => ({
    of: `rates of ${JSON.stringify(rate)}`,
    document: spec({}, { log: { rate, deniedRate: rate } }),
    wrong: [
      ['/log/rate', RATE, JSON.stringify(rate)] as const,
      ['/log/deniedRate', RATE, JSON.stringify(rate)] as const,
    ],
  })),
  {
    of: 'a log with a key that is not known',
    document: spec({}, { log: { group: 5, prefix: 'knock' } }),
    wrong: [['/log/prefix', 'no such key', '"knock"']],
  },
]

const guards: WrongForm[] = [
  {
    of: 'a guard that is a list',
    document: spec({}, { guard: [] }),
    wrong: [['/guard', 'an object with trusted, ignore, ban or capacity', '[]']],
  },
  {
    of: 'guard parts of the wrong type',
    document: spec({}, { guard: { trusted: '10.0.0.1', ignore: 'tcp/80', capacity: '1k' } }),
    wrong: [
      ['/guard/trusted', 'a list of at most 262144 addresses and CIDR blocks', '"10.0.0.1"'],
      ['/guard/ignore', 'a list of at most 4096 services', '"tcp/80"'],
      ['/guard/capacity', CAPACITY, '"1k"'],
    ],
  },
  {
    of: 'a ban that is a number',
    document: spec({}, { guard: { ban: 5 } }),
    wrong: [['/guard/ban', 'an object with after, within and for', '5']],
  },
  {
    of: 'an empty ban',
    document: spec({}, { guard: { ban: {} } }),
    wrong: [
      ['/guard/ban/after', STRIKES, 'nothing'],
      ['/guard/ban/within', DURATION, 'nothing'],
      ['/guard/ban/for', DURATION, 'nothing'],
    ],
  },
  {
    of: 'a ban with parts of the wrong form',
    document: spec({}, { guard: { ban: { after: 33, within: 0, for: '366d', only: 1 } } }),
    wrong: [
      ['/guard/ban/after', STRIKES, '33'],
      ['/guard/ban/within', DURATION, '0'],
      ['/guard/ban/for', DURATION, '"366d"'],
      ['/guard/ban/only', 'no such key', '1'],
    ],
  },
  ...[0, -1, 1.5, 16777217, Number.NaN, null].map((capacity) => ({
    of: `capacity ${capacity}`,
    document: spec({}, { guard: { capacity } }),
    wrong: [['/guard/capacity', CAPACITY, String(capacity)] as const],
  })),
  {
    of: 'ignored services that name no ports',
    document: spec({}, { guard: { ignore: ['tcp', 'any', 'icmp', 80, 'tcp/99999', 'tcp/90-80'] } }),
    wrong: [
      [
        '/guard/ignore/0',
        'tcp/1..65535 or udp/1..65535, or a range such as tcp/8000-8010',
        '"tcp"',
      ],
      [
        '/guard/ignore/1',
        'tcp/1..65535 or udp/1..65535, or a range such as tcp/8000-8010',
        '"any"',
      ],
      [
        '/guard/ignore/2',
        'tcp/1..65535 or udp/1..65535, or a range such as tcp/8000-8010',
        '"icmp"',
      ],
      ['/guard/ignore/3', 'tcp/1..65535 or udp/1..65535, or a range such as tcp/8000-8010', '80'],
      ['/guard/ignore/4', PORTS, '"tcp/99999"'],
      ['/guard/ignore/5', PORTS, '"tcp/90-80"'],
    ],
  },
]

const tooMany = Array.from({ length: 4097 }, (_, i) => {
  return door({ name: `d${i}`, service: `udp/${i + 9000}` })
})

const doors: WrongForm[] = [
  {
    of: 'doors without a list',
    document: { doors: door() },
    wrong: [
      [
        '/doors',
        'a list of 1 to 4096 doors',
        // The first 120 characters.
        '{"name":"ssh","service":"tcp/22","knock":{"type":"sequence","steps":["tcp/7000","udp/8000","icmp"]},"open":{"for":"30s"}…',
      ],
    ],
  },
  {
    of: 'no doors',
    document: { doors: [] },
    wrong: [['/doors', 'a list of 1 to 4096 doors', '[]']],
  },
  {
    of: 'too many doors',
    document: { doors: tooMany },
    wrong: [['/doors', 'a list of 1 to 4096 doors', `${JSON.stringify(tooMany).slice(0, 120)}…`]],
  },
  {
    of: 'doors that are no objects',
    document: { doors: [null, 'ssh'] },
    wrong: [
      ['/doors/0', 'an object with name, service, knock and open', 'null'],
      ['/doors/1', 'an object with name, service, knock and open', '"ssh"'],
    ],
  },
  {
    of: 'an empty door',
    document: { doors: [{}] },
    wrong: [
      ['/doors/0/name', NAME, 'nothing'],
      ['/doors/0/service', 'a service or a list of 1 to 4096', 'nothing'],
      ['/doors/0/knock', 'a knock, or a list of 1 to 16', 'nothing'],
      ['/doors/0/open', 'an object with for', 'nothing'],
    ],
  },
  ...['', '2nd', 'a-b', 'a'.repeat(33), 5].map((name) => ({
    of: `name ${JSON.stringify(name)}`,
    document: spec({ name }),
    wrong: [['/doors/0/name', NAME, JSON.stringify(name)] as const],
  })),
  ...[
    '',
    'ssh',
    'icmp',
    'tcp/0',
    'tcp/022',
    'TCP/22',
    'tcp/22 ',
    'any/5',
    'sctp/5',
    'tcp/-1',
    22,
  ].map((service) => ({
    of: `service ${JSON.stringify(service)}`,
    document: spec({ service }),
    wrong: [['/doors/0/service', SERVICE, JSON.stringify(service)] as const],
  })),
  ...['tcp/65536', 'udp/99999', 'tcp/8010-8000', 'tcp/1-65536'].map((service) => ({
    of: `service "${service}"`,
    document: spec({ service }),
    wrong: [['/doors/0/service', PORTS, JSON.stringify(service)] as const],
  })),
  {
    of: 'no services',
    document: spec({ service: [] }),
    wrong: [['/doors/0/service', 'a service or a list of 1 to 4096', '[]']],
  },
  {
    of: 'services of which some are wrong',
    document: spec({ service: ['tcp/22', 'tcp/x', 'udp/70000'] }),
    wrong: [
      ['/doors/0/service/1', SERVICE, '"tcp/x"'],
      ['/doors/0/service/2', PORTS, '"udp/70000"'],
    ],
  },
  {
    of: 'services of which some have no such port',
    document: spec({ service: ['tcp/22', 'udp/70000', 'tcp/9-8'] }),
    wrong: [
      ['/doors/0/service/1', PORTS, '"udp/70000"'],
      ['/doors/0/service/2', PORTS, '"tcp/9-8"'],
    ],
  },
]

const addresses: WrongForm[] = [
  ...[
    '',
    'localhost',
    'example.com',
    'eth0',
    '1.2.3',
    '256.1.1.1',
    '010.0.0.1',
    '0x7f.0.0.1',
    'fe80::1%eth0',
    '[::1]',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '2001:db8::/129',
    '::ffff:192.0.2.0/120',
    7,
  ].map((address) => ({
    of: `address ${JSON.stringify(address)}`,
    document: spec({ address }),
    wrong: [['/doors/0/address', ADDRESS, JSON.stringify(address)] as const],
  })),
  {
    of: 'no addresses',
    document: spec({ address: [] }),
    wrong: [['/doors/0/address', 'an address, a CIDR block or a list of 1 to 65536', '[]']],
  },
  {
    of: 'blocks with host bits',
    document: spec(
      { address: ['10.0.0.1/24', '2001:DB8::1/32', '10.1.0.0/16'] },
      { guard: { trusted: ['10.0.0.1/0', '10.0.0.0/8', 'home'] } },
    ),
    wrong: [
      ['/doors/0/address/0', '10.0.0.0/24 (no host bits)', '"10.0.0.1/24"'],
      ['/doors/0/address/1', '2001:db8::/32 (no host bits)', '"2001:DB8::1/32"'],
      ['/guard/trusted/0', '0.0.0.0/0 (no host bits)', '"10.0.0.1/0"'],
      ['/guard/trusted/2', ADDRESS, '"home"'],
    ],
  },
]

testWrongForms(t, { roots, top, logs, guards, doors, addresses })
