// Doors and addresses in a wrong form → the problems of a spec.
import t from 'tap'
import { door, spec, testWrongForms, type WrongForm } from '../../integration/fixtures/specs.js'

const NAME =
  'a name of 1 to 32 letters, digits, _ and -, not starting with a digit or - ' +
  'and not ending with -'

const SERVICE =
  'tcp/1..65535 or udp/1..65535, a range such as tcp/8000-8010, "tcp", "udp", ' +
  '"any", or another protocol such as protocol/sctp'

const PORTS = 'ports from 1 to 65535, a range from low to high'

const ADDRESS = 'an IPv4 or IPv6 address or a CIDR block'

const tooMany = Array.from({ length: 16_385 }, (_, i) => {
  return door({ name: `d${i}`, service: `udp/${i + 9000}` })
})

const doors: WrongForm[] = [
  {
    of: 'doors without a list',
    document: { doors: door() },
    wrong: [
      [
        '/doors',
        'a list of 1 to 16384 doors',
        // The first 120 characters.
        '{"name":"ssh","service":"tcp/22","knock":{"type":"sequence",' +
          '"steps":["tcp/7000","udp/8000","icmp"]},"open":{"for":"30s"}…',
      ],
    ],
  },
  {
    of: 'no doors',
    document: { doors: [] },
    wrong: [['/doors', 'a list of 1 to 16384 doors', '[]']],
  },
  {
    of: 'too many doors',
    document: { doors: tooMany },
    wrong: [['/doors', 'a list of 1 to 16384 doors', `${JSON.stringify(tooMany).slice(0, 120)}…`]],
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
  ...['', '2nd', '-a', 'a-', '-', 'a'.repeat(33), 5].map((name) => ({
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

testWrongForms(t, { doors, addresses })
