// A random event as numbers, and a valid spec → the packets to send. Pure.
import type { ValidDoor, ValidKnock, ValidSpec } from '../../lib/spec/model/model.js'
import {
  type Circumstances,
  oneOf,
  pick,
  runOf,
  type Sent,
  serviceOf,
  stateOf,
  stepsOf,
} from './arbitrary-run.js'

export const SENT = [
  'run',
  'run',
  'run',
  'dawdle',
  'knock',
  'knock',
  'serve',
  'serve',
  'other',
  'again',
  'odd',
] as const
/** Kinds of events whose conntrack state must be given: the kernel is not played these. */
export const LOGGED = ['related', 'known', 'hidden'] as const

/** A random event. Its numbers mean something only together with a spec. */
export interface Event {
  readonly kind: (typeof SENT)[number] | (typeof LOGGED)[number]
  readonly source: number
  readonly which: number
  readonly detail: number
  readonly gap: number
}

const ODD = [0x01, 0x12, 0x10, 0x04, 0x00, 0x14, 0x03, 0x42]
const LENGTHS = [0, 10, 24]

/** Returns the packets of an event. Repetitions are made by the trace. */
export function sendingsOf(spec: ValidSpec, event: Event, around: Circumstances): Sent[] {
  const { kind, which, detail, gap } = event
  const door = pick(spec.doors, which)
  const closes = which % 4 === 3 && door.closes.length > 0
  const knock: ValidKnock = pick(closes ? door.closes : door.knocks, Math.floor(which / 4))
  switch (kind) {
    case 'run':
      return runOf(door, knock, around).map((sent, index) =>
        index === 0 ? sent : { gap: Math.min(gap, 1), ...sent },
      )
    case 'dawdle':
      return dawdle(door, knock, around)
    case 'knock':
      return [oneOf(door, knock, around)]
    case 'serve':
      return [serve(door, detail)]
    case 'other':
      return [other(spec, detail)]
    case 'odd':
      return [odd(oneOf(door, knock, around), detail)]
    case 'related':
      return [{ ...related(door, knock, spec, around), state: 'related' }]
    case 'known':
      return [known(door, knock, around)]
    case 'hidden':
      return [hidden(door, knock, spec, around)]
    default:
      return []
  }
}

/** Makes a slow knock with each packet twice: the time of the first of two counts. */
function dawdle(door: ValidDoor, knock: ValidKnock, around: Circumstances): Sent[] {
  const steps = stepsOf(door, knock, around)
  if (steps.length === 0) {
    return runOf(door, knock, { ...around, detail: around.detail * 7 * 4 })
  }
  const knocks = steps.map((_step, index) => oneOf(door, knock, { ...around, detail: index }))
  return knocks.flatMap((sent) => (around.detail % 3 > 0 ? [sent, sent] : [sent]))
}

function serve(door: ValidDoor, detail: number): Sent {
  const sent = serviceOf(door, detail)
  // A packet in the middle of a connection that conntrack does not know; the host may have it.
  const middle = { flags: 0x10, state: stateOf(0x10), connected: detail % 2 === 0 }
  return sent.protocol === 'tcp' && detail % 5 === 4 ? { ...sent, ...middle } : sent
}

function odd(sent: Sent, detail: number): Sent {
  if (sent.protocol !== 'tcp') {
    const { payload: _, ...rest } = sent
    return { ...rest, length: pick(LENGTHS, detail) }
  }
  const flags = pick(ODD, detail)
  return { ...sent, flags, state: stateOf(flags) }
}

/** Makes a packet related to another connection: to a knock port, the service or another port. */
function related(door: ValidDoor, knock: ValidKnock, spec: ValidSpec, around: Circumstances): Sent {
  const { detail } = around
  if (detail % 3 === 0) return oneOf(door, knock, around)
  return detail % 3 === 1 ? serviceOf(door, detail) : other(spec, detail)
}

/**
 * Makes a packet of a connection that conntrack or the host knows: from its middle, its end, or its
 * repeated SYN.
 */
function known(door: ValidDoor, knock: ValidKnock, around: Circumstances): Sent {
  const { detail } = around
  const sent = detail % 3 === 0 ? oneOf(door, knock, around) : serviceOf(door, detail)
  const connected = detail % 2 === 0
  const state = pick(['established', 'established', 'untracked', 'new'] as const, detail % 5)
  const isReply = detail % 7 === 0
  if (sent.protocol !== 'tcp') return { ...sent, state, isReply }
  const flags = pick([0x10, 0x10, 0x02, 0x11, 0x14, 0x02, 0x42, 0x03], Math.floor(detail / 10))
  return { ...sent, flags, state, connected, isReply }
}

/**
 * Makes a packet whose transport header is hidden or fragmented. After conntrack there are no
 * fragments.
 */
function hidden(door: ValidDoor, knock: ValidKnock, spec: ValidSpec, around: Circumstances): Sent {
  const { detail } = around
  const sent = detail % 2 === 0 ? oneOf(door, knock, around) : serviceOf(door, detail)
  const isWhole = spec.hook === 'input' || spec.hook === 'forward'
  if (isWhole || detail % 3 === 0) return { ...sent, unreadable: true }
  return { ...sent, fragment: pick(['first', 'first', 'bare', 'second', 'later'], detail) }
}

function other({ doors }: ValidSpec, detail: number): Sent {
  const port = 5000 + (detail % 3)
  const door = pick(doors, detail)
  const { redirectTo } = door.open
  const rotation = door.knocks.find((knock) => knock.type === 'rotation')
  if (detail % 6 === 0) return { protocol: 'icmp', length: 50 }
  if (detail % 6 === 1) return { protocol: 'udp', port }
  if (detail % 6 === 2) return { protocol: 'tcp', port, flags: 0x10 }
  if (detail % 6 === 3 && redirectTo) return { protocol: 'tcp', port: redirectTo.port }
  if (detail % 6 === 4 && rotation) {
    return { protocol: rotation.protocol, port: rotation.ports.from + (detail % 256) }
  }
  return { protocol: 'tcp', port }
}
