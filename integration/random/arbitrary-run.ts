// A knock and some numbers → packets that are likely to complete it, with the seconds between them.
// Pure.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidDoor, ValidKnock, ValidRate, ValidRhythm } from '../../lib/spec/model/model.js'
import type { Step } from '../../lib/spec/model/packet-model.js'
import { rotatedSteps, type Secrets } from '../oracle/oracle-secrets.js'
import { runOfToken, tokenFor } from './arbitrary-token.js'

/** A packet without a source and a time. */
export type Sent = Omit<Packet, 'at' | 'source'> & {
  /** Seconds after the packet before. Default: the event's. */
  readonly gap?: number
  /** Whether it retransmits the packet before, with its source port. */
  readonly isAgain?: boolean
}

export interface Circumstances {
  /** Roughly when it begins, in seconds since 1970. */
  readonly at: number
  readonly secrets: Secrets
  /** A random number that varies the run. */
  readonly detail: number
}

const SYN = 0x02
/** A protocol that no spec names: OSPF. */
const OTHER = 89
const LENGTHS = [0, 10, 24]

export const pick = <T>(values: readonly T[], index: number): T =>
  values[index % values.length] as T

/**
 * Returns what conntrack calls a TCP packet without a connection. A plain SYN begins one, and so
 * does a bare ACK, because conntrack picks up connections late.
 */
export const stateOf = (flags: number): 'new' | 'invalid' => {
  const kept = flags & 0x37
  return kept === SYN || kept === 0x10 || kept === 0x22 || kept === 0x30 ? 'new' : 'invalid'
}

/** Makes the packets of a whole knock, more or less in order and in time. */
export function runOf(door: ValidDoor, knock: ValidKnock, around: Circumstances): Sent[] {
  switch (knock.type) {
    case 'rate':
      return runOfRate(door, knock, around)
    case 'rhythm':
      return runOfRhythm(door, knock, around)
    case 'token':
      return runOfToken(door, knock, around)
    default: {
      const steps = stepsOf(door, knock, around)
      const count = 1 + (around.detail % (steps.length + 1))
      return steps.slice(0, count).map((step) => packetOf(step, around.detail))
    }
  }
}

/** Makes one packet that may be a knock. */
export function oneOf(door: ValidDoor, knock: ValidKnock, around: Circumstances): Sent {
  const { detail } = around
  if (knock.type === 'rate') return packetOf(knock.port, detail)
  if (knock.type === 'rhythm') return packetOf(pick(knock.ports, detail), detail)
  if (knock.type === 'token') return tokenFor(door, knock, around)
  return packetOf(pick(stepsOf(door, knock, around), detail), detail)
}

/** Returns the steps of a sequence; for a rotation sometimes those of another period. */
export function stepsOf(
  { name }: ValidDoor,
  knock: ValidKnock,
  { at, secrets, detail }: Circumstances,
): readonly Step[] {
  if (knock.type === 'sequence') return knock.steps
  if (knock.type !== 'rotation') return []
  const time = at + (detail % 7 === 0 ? -knock.every : detail % 7 === 1 ? knock.every : 0)
  return rotatedSteps(secrets, name, knock, time)
}

/** Makes a packet that is the step. */
function packetOf({ protocol, port, flags, length }: Step, detail: number): Sent {
  if (protocol === 'tcp') {
    const byte = flags ? flags.value : SYN
    return { protocol, port: port as number, flags: byte, state: stateOf(byte) }
  }
  const bytes = length ?? pick(LENGTHS, detail)
  if (protocol === 'udp') return { protocol, port: port as number, length: bytes }
  return { protocol: 'icmp', length: bytes }
}

/** Makes a packet to the door's service. */
export function serviceOf({ services }: ValidDoor, detail: number): Sent {
  const { protocol, ports } = pick(services, detail)
  if (typeof protocol === 'number') return { protocol: detail % 4 === 0 ? OTHER : protocol }
  if (protocol === 'any' && detail % 3 === 0) return { protocol: 'icmp', length: 100 }
  if (protocol === 'any' && detail % 5 === 0) return { protocol: OTHER }
  const port = ports ? ports.from + (detail % (ports.to - ports.from + 1)) : 4000 + (detail % 2)
  return protocol === 'udp' ? { protocol, port } : { protocol: 'tcp', port }
}

/**
 * Makes the right number of hits, or one more or less, and then a connection: in time, too early or
 * too late.
 */
function runOfRate(door: ValidDoor, knock: ValidRate, { detail }: Circumstances): Sent[] {
  const { hits, min, max, port } = knock
  const count = Math.max(1, hits + pick([0, 0, 0, 0, 0, -1, 1], detail))
  const pace = pick([0, 0.25, 0.5], Math.floor(detail / 7))
  const begun = pace * (count - 1)
  const wanted = pick([(min + max) / 2, (min + max) / 2, min / 2, max + 1], detail)
  const knocks = Array.from({ length: count }, (_, index): Sent => {
    return { ...packetOf(port, detail), ...(index > 0 && { gap: pace }) }
  })
  const twice = detail % 5 === 0 ? knocks.flatMap(withAgain) : knocks
  const connect = { ...serviceOf(door, detail), gap: Math.max(0, quarters(wanted - begun)) }
  const later = { ...serviceOf(door, detail + 1), gap: 0.5 }
  return [...twice, connect, ...(detail % 3 === 0 ? [later] : [])]
}

/** Returns a packet, followed by its retransmission if it is TCP. */
const withAgain = (sent: Sent): Sent[] =>
  sent.protocol === 'tcp' ? [sent, { ...sent, gap: 0, isAgain: true }] : [sent]

/** Makes the bursts, of which one may be wrong, then perhaps another knock, and a connection. */
function runOfRhythm(door: ValidDoor, knock: ValidRhythm, { detail }: Circumstances): Sent[] {
  const { counts, window, ports } = knock
  const wrong = detail % 6 === 0 ? detail % counts.length : -1
  let last = 0
  const knocks = counts.flatMap((count, burst) => {
    const sent = burst === wrong ? Math.max(1, count + (detail % 4 === 0 ? 1 : -1)) : count
    return Array.from({ length: sent }, (_, index): Sent => {
      const at = burst * window + index * pick([0, 0.1, 0.25], detail)
      const gap = at - last
      last = at
      return { ...packetOf(pick(ports, detail + index), detail), ...(at > 0 && { gap }) }
    })
  })
  const another: Sent = { ...packetOf(pick(ports, detail), detail), gap: window / 2 }
  const wait = pick([window / 2, window / 2, window / 2, window + 1], detail)
  const connect: Sent = { ...serviceOf(door, detail), gap: quarters(wait) }
  const later = { ...serviceOf(door, detail + 1), gap: 0 }
  const end = detail % 3 === 0 ? [connect, later] : [connect]
  return [...knocks, ...(detail % 5 === 0 ? [another] : []), ...end]
}

/** Rounds to quarters of a second. Tests shift packets by less, so none comes at a limit. */
const quarters = (seconds: number): number => Math.round(seconds * 4) / 4
