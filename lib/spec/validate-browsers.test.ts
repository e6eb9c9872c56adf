// Ports of tokens that browsers send → those that a browser never sends to are refused.
import t from 'tap'
import { knocking, token } from '../../integration/fixtures/ports.js'
import { type Contradiction, right, testContradictions } from '../../integration/fixtures/specs.js'

const stun = (port: string) => knocking(token(port, { carrier: 'stun' }))

const browsers: Contradiction[] = [
  ...(
    [
      ['6000', 'Chromium and Firefox never send'],
      ['6679', 'Firefox never sends'],
      ['53', 'Chromium never sends'],
    ] as const
  ).map(([port, refusing]) => ({
    of: `tokens of browsers at a port to which ${refusing}`,
    document: stun(`udp/${port}`),
    problems: {
      '/doors/0/knock/0/port':
        `expected a port that browsers send to, such as udp/3478 (${refusing} to ${port}), ` +
        `got "udp/${port}"`,
    },
  })),
  ...['80', '443', '1024', '3478', '65535'].map((port) =>
    right(`tokens of browsers at ${port}`, stun(`udp/${port}`)),
  ),
  right('tokens of other clients there', knocking(token('udp/53', { carrier: 'dns' }))),
]

testContradictions(t, { browsers })
