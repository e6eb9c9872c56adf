// The document, its log and its guard in a wrong form → the problems of a spec.
import t from 'tap'
import {
  door,
  sequence,
  spec,
  testWrongForms,
  type WrongForm,
} from '../../integration/fixtures/specs.js'

const NAME = 'a name of 1 to 32 letters, digits and _, not starting with a digit'

const PORTS = 'ports from 1 to 65535, a range from low to high'

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
    wrong: [['/doors', 'a list of 1 to 16384 doors', 'nothing']],
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
    wrong: [['/guard', 'an object with trusted, ignore, ban, traps, capacity or prefix', '[]']],
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

testWrongForms(t, { roots, top, logs, guards })
