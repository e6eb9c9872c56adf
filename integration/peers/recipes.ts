// The recipes: for each a peer, a spec for the same purpose, and the traces for both. Data only.
import { OPEN_AND_CLOSE } from './knockd.js'
import type { Peer } from './peer.js'
import { ONE_PACKET, openSesamy, SINGLE_PORT } from './recent.js'
import { PACKET_TRACES } from './traces/packet-traces.js'
import { RATE_TRACES } from './traces/rate-traces.js'
import { RHYTHM_TRACES, WINDOW } from './traces/rhythm-traces.js'
import { PATIENCE, PAUSE, SEQUENCE_TRACES } from './traces/sequence-traces.js'
import type { Trace } from './traces/traces.js'

export interface Recipe {
  readonly title: string
  /** Explains the peer's rules, and how to read the traces. */
  readonly about: string
  readonly peer: Peer
  readonly spec: object
  /** The TCP port behind the door. */
  readonly service: number
  readonly traces: readonly Trace[]
}

const doorOf = (knock: object, parts: object = {}) => ({
  doors: [{ name: 'ssh', service: 'tcp/22', knock, open: { for: '10s' }, ...parts }],
})

export const SINGLE_PORT_SPEC = doorOf({
  type: 'rate',
  port: 'tcp/22',
  hits: 2,
  min: '3s',
  max: '5s',
})

export const RECIPES: readonly Recipe[] = [
  {
    title: 'One port, by rate: iptables `recent`',
    about:
      'Knock and service share tcp/22. Two packets are the knock, and a third is let ' +
      'through from 3 to 5 s after the first.',
    peer: SINGLE_PORT,
    spec: SINGLE_PORT_SPEC,
    service: 22,
    traces: RATE_TRACES,
  },
  {
    title: 'One packet: iptables `recent`',
    about: `A packet to tcp/1000 opens tcp/22 to its source for 5 s.`,
    peer: ONE_PACKET,
    spec: doorOf(
      { type: 'sequence', steps: ['tcp/1000'], stepTimeout: '5s' },
      { open: { for: '5s' } },
    ),
    service: 22,
    traces: PACKET_TRACES,
  },
  {
    title: 'A rhythm: Open Sesamy',
    about:
      'Knock and service share tcp/443: 1, 2, 3 and 4 packets in four windows of ' +
      `${WINDOW} s, then a connection within the last one. Bursts begin ${WINDOW} s ` +
      'after each other unless a trace says otherwise.',
    peer: openSesamy(WINDOW),
    spec: doorOf(
      { type: 'rhythm', ports: ['tcp/443', 'udp/443'], counts: [1, 2, 3, 4], window: `${WINDOW}s` },
      { service: 'tcp/443' },
    ),
    service: 443,
    traces: RHYTHM_TRACES,
  },
  {
    title: 'A sequence: knockd',
    about:
      'A, B and C are SYNs to 7000, 8000 and 9000. Within 5 s they open tcp/22 to ' +
      'their source, and backwards they close it. ' +
      `X is another port, \`'\` another source, \`"\` the same host over IPv6, ` +
      `\`.\` a second, \`|\` ${PAUSE} s. ` +
      `At the end, ${PATIENCE} s later, the first source connects.`,
    peer: OPEN_AND_CLOSE,
    spec: doorOf(
      {
        type: 'sequence',
        steps: ['tcp/7000', 'tcp/8000', 'tcp/9000'],
        stepTimeout: '5s',
        timeout: '5s',
      },
      {
        close: {
          type: 'sequence',
          steps: ['tcp/9000', 'tcp/8000', 'tcp/7000'],
          stepTimeout: '5s',
          timeout: '5s',
        },
        open: { for: '1h' },
      },
    ),
    service: 22,
    traces: SEQUENCE_TRACES,
  },
]
