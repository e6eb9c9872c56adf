// A valid spec and random choices → packets that are likely to get somewhere with it. Pure.
import fc from 'fast-check'
import type { Packet } from '../lib/automaton/simulate.js'
import type { Step, ValidDoor, ValidSpec } from '../lib/spec/model.js'
import { SERVERS } from './arbitrary-spec.js'

/** What happens next, in numbers that mean something only together with a spec. */
export interface Event {
  readonly kind: 'run' | 'dawdle' | 'knock' | 'serve' | 'other' | 'again' | 'odd'
  readonly source: number
  readonly which: number
  readonly detail: number
  readonly gap: number
}

export type Untimed = Omit<Packet, 'at'> & { readonly gap: number }

const kind = fc.constantFrom(
  ...(['run', 'run', 'run', 'dawdle', 'knock', 'knock', 'serve', 'other', 'again', 'odd'] as const),
)

export const events = (gaps: readonly number[], most: number): fc.Arbitrary<Event[]> =>
  fc.array(
    fc.record({
      kind,
      source: fc.nat(99),
      which: fc.nat(99),
      detail: fc.nat(999),
      gap: fc.constantFrom(...gaps),
    }),
    { minLength: 3, maxLength: most, size: 'max' },
  )

const SYN = 0x02
const ODD = [0x01, 0x12, 0x10, 0x04, 0x00, 0x14, 0x03, 0x42]
const LENGTHS = [0, 10, 24]

/** What conntrack calls a TCP packet of no connection: a plain SYN and, as it picks up late, a bare ACK begin one. */
export const stateOf = (flags: number): 'new' | 'invalid' => {
  const kept = flags & 0x37
  return kept === SYN || kept === 0x10 || kept === 0x22 || kept === 0x30 ? 'new' : 'invalid'
}

const pick = <T>(values: readonly T[], index: number): T => values[index % values.length] as T

/** Writes events as packets of some sources. Each packet has a source port of its own unless it comes again. */
export function packetsOf(
  spec: ValidSpec,
  events: readonly Event[],
  sources: readonly string[],
  interfaces: readonly string[],
): Untimed[] {
  const packets: Untimed[] = []
  const push = (event: Event, packet: Partial<Untimed> & Pick<Untimed, 'protocol'>) => {
    const source = packet.source ?? pick(sources, event.source)
    const servers = SERVERS.filter((server) => server.includes(':') === source.includes(':'))
    packets.push({
      source,
      destination: pick(servers, event.detail % 7 === 0 ? 1 : 0),
      sourcePort: 20000 + packets.length,
      interface: pick(interfaces, event.detail),
      gap: event.gap,
      ...packet,
    })
  }
  for (const event of events) {
    const { which, detail, gap } = event
    const door = pick(spec.doors, which)
    const { steps } = which % 4 === 3 && door.close ? door.close : door.knock
    switch (event.kind) {
      case 'run': {
        const count = 1 + (detail % (steps.length + 1))
        for (const [index, step] of steps.slice(0, count).entries()) {
          push({ ...event, gap: index === 0 ? gap : Math.min(gap, 1) }, knock(step, detail))
        }
        break
      }
      case 'dawdle':
        // Slow, and each knock twice: what counts is when the first of two came.
        for (const step of steps) {
          push(event, knock(step, detail))
          if (detail % 3 > 0) push(event, knock(step, detail))
        }
        break
      case 'knock':
        push(event, knock(pick(steps, detail), which))
        break
      case 'serve':
        push(event, serve(door, detail))
        break
      case 'other':
        push(event, other(detail))
        break
      case 'odd': {
        const flags = pick(ODD, detail)
        const step = pick(steps, which)
        if (step.protocol !== 'tcp')
          push(event, { ...knock(step, 0), length: pick(LENGTHS, detail) })
        else
          push(event, { protocol: 'tcp', port: step.port as number, flags, state: stateOf(flags) })
        break
      }
      case 'again': {
        const earlier = packets[packets.length - 1 - (detail % 6)]
        if (earlier) push(event, { ...earlier, gap })
        break
      }
    }
  }
  return packets
}

/** A packet that is the step. */
function knock(
  { protocol, port, flags, length }: Step,
  detail: number,
): Omit<Untimed, 'gap' | 'source'> {
  if (protocol === 'tcp') {
    const byte = flags ? flags.value : SYN
    return { protocol, port: port as number, flags: byte, state: stateOf(byte) }
  }
  const bytes = length ?? pick(LENGTHS, detail)
  if (protocol === 'udp') return { protocol, port: port as number, length: bytes }
  return { protocol: 'icmp', length: bytes }
}

function serve({ services }: ValidDoor, detail: number): Omit<Untimed, 'gap' | 'source'> {
  const { protocol, ports } = pick(services, detail)
  if (protocol === 'any' && detail % 3 === 0) return { protocol: 'icmp', length: 100 }
  const port = ports ? ports.from + (detail % (ports.to - ports.from + 1)) : 4000 + (detail % 2)
  if (protocol === 'udp') return { protocol, port }
  // In the middle of a connection that conntrack does not know, and that the host has or has not.
  const middle = { flags: 0x10, state: stateOf(0x10), connected: detail % 2 === 0 }
  return { protocol: 'tcp', port, ...(detail % 5 === 4 && middle) }
}

function other(detail: number): Omit<Untimed, 'gap' | 'source'> {
  const port = 5000 + (detail % 3)
  if (detail % 5 === 0) return { protocol: 'icmp', length: 50 }
  if (detail % 5 === 1) return { protocol: 'udp', port }
  if (detail % 5 === 2) return { protocol: 'tcp', port, flags: 0x10 }
  return { protocol: 'tcp', port }
}
