// A valid spec and random choices → packets that are likely to make progress with it. Pure.
import fc from 'fast-check'
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import { contains } from '../oracle/oracle-packets.js'
import { type Event, LOGGED, SENT, sendingsOf } from './arbitrary-event.js'
import { SECRETS } from './arbitrary-knock.js'
import { pick, type Sent } from './arbitrary-run.js'
import { SERVERS } from './arbitrary-spec.js'

export type { Event }

export type Untimed = Omit<Packet, 'at'> & { readonly gap: number }

interface Range {
  readonly gaps: readonly number[]
  /** The most events of a trace. */
  readonly most: number
  /** Whether packets can have a given conntrack state. Default: false. */
  readonly logged?: boolean
}

export const events = ({ gaps, most, logged = false }: Range): fc.Arbitrary<Event[]> =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...SENT, ...(logged ? LOGGED : [])),
      source: fc.nat(99),
      which: fc.nat(99),
      detail: fc.nat(999),
      gap: fc.constantFrom(...gaps),
    }),
    { minLength: 3, maxLength: most, size: 'max' },
  )

/** The sources and times of a trace's packets. */
export interface TraceSettings {
  readonly sources: readonly string[]
  readonly interfaces: readonly string[]
  /** When the first packet is sent, in seconds since 1970. */
  readonly start: number
  /** Seconds that each sequence of a rotation is valid. */
  readonly every: number
}

/** Turns events into packets. Each has a source port of its own, except a repeated packet. */
export function packetsOf(
  spec: ValidSpec,
  events: readonly Event[],
  { sources, interfaces, start, every }: TraceSettings,
): Untimed[] {
  const packets: Untimed[] = []
  let at = start
  const push = (event: Event, { gap = event.gap, isAgain, ...sent }: Sent, from?: string) => {
    const source = from ?? pick(sources, event.source)
    const destination = pick(serversFor(spec, event, source), Math.floor(event.detail / 13))
    at += gap
    // Nothing is sent at the end of a period: the kernel's times are whole seconds.
    const wait = at % every > every - 2 ? 2 : 0
    at += wait
    packets.push({
      source,
      destination,
      sourcePort: 20000 + packets.length - (isAgain ? 1 : 0),
      interface: pick(interfaces, event.detail),
      gap: gap + wait,
      ...sent,
    })
  }
  for (const event of events) {
    const earlier = packets[packets.length - 1 - (event.detail % 6)]
    if (event.kind !== 'again') {
      const around = { at: at + event.gap, secrets: SECRETS, detail: event.detail }
      for (const sent of sendingsOf(spec, event, around)) push(event, sent)
    } else if (earlier && !isDetour(spec, earlier)) {
      const { source, ...rest } = earlier
      // Either the same packet again, or another connection from the same port.
      const sequence = pick([0, 0, 0, 1, event.detail], event.which)
      push(event, { ...rest, gap: event.gap, sequence }, source)
    }
  }
  return packets
}

/** Returns the addresses to which an event's packets can go: mostly those of its door. */
function serversFor({ doors }: ValidSpec, { which, detail }: Event, source: string): string[] {
  const { addresses } = pick(doors, which)
  const servers = SERVERS.filter((server) => server.includes(':') === source.includes(':'))
  const own = servers.filter((server) => addresses.some((cidr) => contains(cidr, server)))
  if (own.length > 0) return Math.floor(detail / 10) % 7 === 0 ? servers : own
  // Most doors name no address. Then the first one is used mostly.
  return Math.floor(detail / 10) % 7 === 0 ? servers : servers.slice(0, 1)
}

/** Merges two traces so that they run at the same time. */
export function interleave(one: readonly Untimed[], other: readonly Untimed[]): Untimed[] {
  const all = [...offsets(one), ...offsets(other, 20000)].sort((a, b) => a.at - b.at)
  let last = 0
  return all.map(({ at, packet }) => {
    const gap = at - last
    last = at
    return { ...packet, gap }
  })
}

/** Returns each packet's time from the beginning. Adds `shift` to the source ports. */
function offsets(packets: readonly Untimed[], shift = 0): { at: number; packet: Untimed }[] {
  let at = 0
  return packets.map((packet) => {
    at += packet.gap
    return { at, packet: { ...packet, sourcePort: (packet.sourcePort ?? 0) + shift } }
  })
}

/**
 * Whether conntrack decides where a repeated packet goes. Oracle and simulator do not know that.
 */
const isDetour = ({ doors }: ValidSpec, { port = 0 }: Untimed): boolean =>
  doors.some(
    ({ services, open }) =>
      open.redirectTo &&
      services.some(({ ports }) => ports && ports.from <= port && port <= ports.to),
  )
