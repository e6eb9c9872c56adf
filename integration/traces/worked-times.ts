// The documented traces of timed knocks, with the number of packets of each that pass. Pure.
import type { Packet } from '../../lib/simulate/packet.js'

export interface TimedTrace {
  readonly name: string
  /** The packets in order; `again`: with the source port of the packet before. */
  readonly packets: readonly (readonly [at: number, to: 'knock' | 'service', again?: 'again'])[]
  readonly accepted: number
}

/** A timed knock, and traces for it. */
export interface TimedKnock {
  readonly name: string
  readonly document: object
  readonly knockPort: number
  readonly traces: readonly TimedTrace[]
}

const SERVICE = 22
const OTHER = 7000

function knockAt(name: string, knockPort: number, knock: object, traces: readonly TimedTrace[]) {
  const door = {
    name: 'ssh',
    service: `tcp/${SERVICE}`,
    knock: { ...knock, port: `tcp/${knockPort}` },
    open: { for: 20, connections: 1 },
  }
  const where = knockPort === SERVICE ? 'at the service itself' : 'at a port of its own'
  return { name: `${name} ${where}`, document: { doors: [door] }, knockPort, traces }
}

type Packets = TimedTrace['packets']

const knocks = (...times: number[]): Packets => times.map((at) => [at, 'knock'] as const)
const connects = (...times: number[]): Packets => times.map((at) => [at, 'service'] as const)
const times = (count: number, from: number, step: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index * step)

/** The SYNs of one unanswered connect(). */
const alone = (to: 'knock' | 'service'): Packets => [
  [0, to],
  [1, to, 'again'],
  [3, to, 'again'],
  [7, to, 'again'],
]

const hits = knocks(0, 1)

const RATE_TRACES: readonly TimedTrace[] = [
  { name: 'in time', packets: [...hits, ...connects(3.5)], accepted: 1 },
  { name: 'used up by one', packets: [...hits, ...connects(3.5, 3.6)], accepted: 1 },
  { name: 'too early, and penalised', packets: [...hits, ...connects(2.5, 3.5, 7.6)], accepted: 0 },
  { name: 'too late', packets: [...hits, ...connects(5.5)], accepted: 0 },
  { name: 'one connect() to the service', packets: alone('service'), accepted: 0 },
  { name: 'one connect() to the knock port', packets: alone('knock'), accepted: 0 },
  { name: 'a flood of the service', packets: connects(...times(100, 0, 0.1)), accepted: 0 },
  {
    name: 'a flood of the knock port, and then the service',
    packets: [...knocks(...times(60, 0, 0.1)), ...connects(...times(40, 6, 0.1))],
    accepted: 0,
  },
]

export const ratesOf = (): TimedKnock[] =>
  [OTHER, SERVICE].map((port) =>
    knockAt('a rate', port, { type: 'rate', hits: 2, min: 3, max: 5 }, RATE_TRACES),
  )

/** Makes bursts of knocks, each at the beginning of a window. */
const bursts = (window: number, ...counts: number[]): Packets =>
  counts.flatMap((count, burst) => knocks(...times(count, burst * window, 0.05)))

function rhythmTraces(window: number): TimedTrace[] {
  // After the last window and after any penalty.
  const later = connects(3.25 * window, 3.25 * window + 0.5)
  const never = (counts: number[]): TimedTrace => ({
    name: `${counts.join('-')} never`,
    packets: [...bursts(window, ...counts), ...later],
    accepted: 0,
  })
  return [
    {
      name: '1-2-3 once',
      packets: [...bursts(window, 1, 2, 3), ...connects(2.5 * window, 2.5 * window + 0.1)],
      accepted: 1,
    },
    { name: '1-2-3 too late', packets: [...bursts(window, 1, 2, 3), ...later], accepted: 0 },
    ...[[1, 2, 2], [1, 3, 3], [3, 2, 1], [6]].map((counts) => never(counts)),
  ]
}

/** Traces for a knock port that is no port of the service. */
const apart = (window: number): TimedTrace[] =>
  [
    [1, 2, 4],
    [1, 2, 3, 3],
  ].map((counts) => ({
    name: `${counts.join('-')} never`,
    packets: [...bursts(window, ...counts), ...connects(4 * window, 4 * window + 1)],
    accepted: 0,
  }))

export const rhythmsOf = (window: number): TimedKnock[] =>
  [OTHER, SERVICE].map((port) =>
    knockAt(
      `a rhythm, window ${window} s,`,
      port,
      // Longer than a window, so that it never ends just when the next burst begins.
      { type: 'rhythm', counts: [1, 2, 3], window, penalty: window + 1 },
      port === OTHER ? [...rhythmTraces(window), ...apart(window)] : rhythmTraces(window),
    ),
  )

/** Returns the packets of a trace from a source. */
export function packetsOfTimed(
  { knockPort }: TimedKnock,
  { packets }: TimedTrace,
  source: string,
): (Packet & { readonly destination: string })[] {
  let sourcePort = 30000
  return packets.map(([at, to, again]) => {
    sourcePort += again ? 0 : 1
    const port = to === 'knock' ? knockPort : SERVICE
    const destination = source.includes(':') ? 'fd00:77::1' : '10.77.0.1'
    return { at, source, destination, protocol: 'tcp', port, sourcePort }
  })
}
