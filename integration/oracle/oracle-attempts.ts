// An attempt, a packet and the steps that it matches → the source's new stage. States how a
// sequence goes on, starts over and ends.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ResetMode, Step } from '../../lib/spec/model/packet-model.js'
import { grant, type Knocked, revoke } from './oracle-door.js'

interface Progress {
  stage: number
  first: number
  last: number
}

export interface Sequence extends Knocked {
  readonly kind: 'sequence'
  /** Returns the steps at a time. Their number is constant; those of a rotation change. */
  readonly stepsAt: (at: number) => readonly Step[]
  readonly rotates: boolean
  readonly stepTimeout: number
  readonly timeout: number
  readonly reset: ResetMode
  /** The digest of a one-time sequence; absent for others. */
  readonly once?: string
  readonly sources: Map<string, Progress>
}

/** Moves a source's stage by a packet. Returns false if the packet does not fit. */
export function move(
  sequence: Sequence,
  packet: Packet,
  fits: (step: Step | undefined) => boolean,
): boolean {
  const { at } = packet
  const source = sequence.guard.knockerOf(packet)
  const stage = stageOf(sequence, source, at)
  const progress = sequence.sources.get(source)
  const steps = sequence.stepsAt(at)
  if (stage > 0 && progress && fits(steps[stage])) {
    if (stage + 1 === steps.length) complete(sequence, packet)
    else {
      sequence.sources.set(source, { ...progress, stage: stage + 1, last: at })
      log(sequence, 'knock', packet, stage + 1)
    }
    return true
  }
  if (stage >= 2 && fits(steps[stage - 1])) return true
  if (!fits(steps[0])) return false
  if (steps.length === 1) complete(sequence, packet)
  else {
    sequence.sources.set(source, { stage: 1, first: at, last: at })
    log(sequence, 'knock', packet, 1)
  }
  return true
}

function complete(sequence: Sequence, packet: Packet): void {
  const { door, guard, id, once, sources } = sequence
  const of = sequence.stepsAt(packet.at).length
  sources.delete(guard.knockerOf(packet))
  if (id.startsWith('close')) {
    revoke(door, packet.source)
    door.counters.closes += 1
    log(sequence, 'closed', packet, of)
    guard.forgive(packet)
  } else if (once !== undefined && door.spent.has(once)) {
    door.counters.resets += 1
    log(sequence, 'reset', packet, of - 1)
    guard.strike(packet)
  } else {
    log(sequence, 'granted', packet, of)
    if (once !== undefined) door.spent.set(once, packet.at)
    grant(sequence, packet)
  }
}

/** Ends an attempt if one is under way. That is a strike only for a packet to a knock port. */
export function end(sequence: Sequence, packet: Packet, by: 'knock' | 'ordinary'): void {
  const { door, guard, sources } = sequence
  const source = guard.knockerOf(packet)
  const stage = stageOf(sequence, source, packet.at)
  if (stage > 0) {
    door.counters.resets += 1
    log(sequence, 'reset', packet, stage)
    if (by === 'knock') guard.strike(packet)
  }
  sources.delete(source)
}

type Event = 'knock' | 'granted' | 'reset' | 'closed'

function log(sequence: Sequence, event: Event, packet: Packet, stage: number): void {
  const of = sequence.stepsAt(packet.at).length
  sequence.door.events.knocked(sequence, event, packet, { stage, of })
}

/** Returns how many steps a source has done of its attempt; 0 if none is under way. */
export function stageOf(
  { sources, stepTimeout, timeout }: Sequence,
  source: string,
  at: number,
): number {
  const progress = sources.get(source)
  if (!progress) return 0
  const isLive = at - progress.last < stepTimeout && at - progress.first < timeout
  return isLive ? progress.stage : 0
}
