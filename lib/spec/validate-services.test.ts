// Services of doors, each and beside each other → the problems of a spec.
import t from 'tap'
import {
  type Contradiction,
  door,
  sequence,
  spec,
  testContradictions,
} from '../../integration/fixtures/specs.js'

const PROTOCOL_NAME = "a protocol's number from 0 to 255 or its IANA name, such as protocol/sctp"

const other = (parts: object = {}) => {
  return door({ name: 'web', service: 'tcp/443', knock: sequence({ steps: ['tcp/1'] }), ...parts })
}

const STEP = sequence({ steps: ['udp/9'] })

const services: Contradiction[] = [
  {
    of: 'the same port',
    document: { doors: [door(), other({ service: 'tcp/22' })] },
    problems: {
      '/doors/1/service': 'conflicts with /doors/0/service: both are tcp/22',
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
      '/doors/1/service/1': 'conflicts with /doors/0/service: tcp/30 and tcp/20-30 overlap',
    },
  },
  {
    of: 'ranges that share one port, the higher first',
    document: { doors: [door({ service: 'tcp/30-40' }), other({ service: 'tcp/20-30' })] },
    problems: {
      '/doors/1/service': 'conflicts with /doors/0/service: tcp/20-30 and tcp/30-40 overlap',
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
      '/doors/1/service': 'conflicts with /doors/0/service: tcp and tcp/22 overlap',
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
      '/doors/1/service': 'conflicts with /doors/0/service: udp and any overlap',
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
      '/doors/1/service': 'conflicts with /doors/0/service: both are protocol/vrrp',
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
        'conflicts with /doors/1/address: over IPv6 nft judges the protocol behind AH; give ' +
        'the door IPv4 addresses only',
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
        'conflicts with /hook: "prerouting" comes before conntrack, and would refuse answers ' +
        'to this host; name ports',
    },
  },
  {
    of: 'one door with overlapping services',
    document: spec({ service: ['tcp/22', 'udp/22', 'tcp/22', 'tcp/1-100'] }),
    problems: {
      '/doors/0/service/2': 'conflicts with /doors/0/service/0: both are tcp/22',
      '/doors/0/service/3': 'conflicts with /doors/0/service/0: tcp/1-100 and tcp/22 overlap',
    },
  },
  {
    of: 'the same port on interfaces apart',
    document: {
      doors: [
        door({ interfaces: ['eth0', 'wg*'] }),
        other({ service: 'tcp/22', interfaces: ['eth1', 'wlan*'] }),
        other({ name: 'lan', service: ['tcp/20-99'], interfaces: ['lan0'], knock: STEP }),
        other({ name: 'all', service: 'tcp', interfaces: ['br*'], knock: STEP }),
      ],
    },
    problems: {},
  },
  ...[
    [['wg0'], ['eth0', 'wg*']],
    [['w*'], ['wg*']],
    [['wg*'], ['wg*']],
    [['eth0'], ['eth0']],
  ].map(([one, two]) => ({
    of: `the same port on ${one} and ${two}`,
    document: {
      doors: [
        door({ interfaces: one }),
        // With more doors than an index keeps, the last one still conflicts.
        ...['a0', 'b0', 'c0', 'd0'].map((name) =>
          other({ name, service: 'tcp/22', interfaces: [name], knock: STEP }),
        ),
        other({ service: 'tcp/22', interfaces: two, address: '10.0.0.1' }),
      ],
    },
    problems: {
      '/doors/5/service': 'conflicts with /doors/0/service: both are tcp/22',
    },
  })),
  {
    of: 'ranges on two interfaces that overlap in part',
    document: {
      doors: [
        door({ service: 'tcp/20-30', interfaces: ['eth0'] }),
        other({ service: 'tcp/25-35', interfaces: ['eth1'] }),
      ],
    },
    problems: {
      '/doors/1/service':
        'conflicts with /doors/0/service: tcp/25-35 and tcp/20-30 overlap in part, which nft ' +
        'cannot have even at two addresses or interfaces',
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
      '/doors/1/service': 'conflicts with /doors/0/service: both are tcp/22',
    },
  },
  {
    of: 'the same port at one address and at any',
    document: { doors: [door({ address: '192.0.2.1' }), other({ service: 'tcp/22' })] },
    problems: {
      '/doors/1/service': 'conflicts with /doors/0/service: both are tcp/22',
    },
  },
]

testContradictions(t, { services })
