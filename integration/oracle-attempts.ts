// An attempt, a packet and the steps that it fits → where its source is then. Keeps its records in the attempt; the
// oracle's statement of how a sequence goes on, starts over and ends.
import type { Packet } from '../lib/automaton/simulate.js'
import type { Step, ValidDoor } from '../lib/spec/model.js'

export interface Counters {
  /** Packets that are a step of the door. */
  knocks: number
  grants: number
  /** Attempts ended by a packet that does not fit. */
  resets: number
  /** Packets to the service that were not let through. */
  denied: number
}

interface Progress {
  stage: number
  first: number
  last: number
}

export interface Attempt {
  readonly door: Door
  readonly kind: 'open' | 'close'
  readonly steps: readonly Step[]
  readonly stepTimeout: number
  readonly timeout: number
  readonly reset: ValidDoor['knock']['reset']
  readonly sources: Map<string, Progress>
}

export interface Door {
  readonly spec: ValidDoor
  readonly grants: Map<string, { until: number; used: number }>
  readonly counters: Counters
}

/** Moves a source along by a packet; false where the packet does not fit. */
export function move(attempt: Attempt, packet: Packet, fits: (step: number) => boolean): boolean {
  const { source, at } = packet
  const stage = stageOf(attempt, source, at)
  const progress = attempt.sources.get(source)
  const last = attempt.steps.length
  if (stage > 0 && progress && fits(stage + 1)) {
    if (stage + 1 === last) complete(attempt, packet)
    else attempt.sources.set(source, { ...progress, stage: stage + 1, last: at })
    return true
  }
  if (stage >= 2 && fits(stage)) return true
  if (!fits(1)) return false
  if (last === 1) complete(attempt, packet)
  else attempt.sources.set(source, { stage: 1, first: at, last: at })
  return true
}

function complete({ door, kind, sources }: Attempt, { source, at }: Packet): void {
  sources.delete(source)
  if (kind === 'close') {
    door.grants.delete(source)
    return
  }
  door.grants.set(source, { until: at + door.spec.open.for, used: 0 })
  door.counters.grants += 1
}

export function end(attempt: Attempt, { source, at }: Packet): void {
  if (stageOf(attempt, source, at) > 0) attempt.door.counters.resets += 1
  attempt.sources.delete(source)
}

/** How many steps a source has done of an attempt that is still under way. */
export function stageOf(
  { sources, stepTimeout, timeout }: Attempt,
  source: string,
  at: number,
): number {
  const progress = sources.get(source)
  if (!progress) return 0
  const isLive = at - progress.last < stepTimeout && at - progress.first < timeout
  return isLive ? progress.stage : 0
}
