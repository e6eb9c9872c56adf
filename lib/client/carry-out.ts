// A plan → its packets, each in its time. Knows the clock.
import type { Plan, Shot } from '../automaton/language/client-kind.js'
import type { Leaving } from './system/system.js'

export interface Progress {
  /** How many packets are sent. */
  readonly sent: number
  /** Of how many. */
  readonly of: number
  /** Milliseconds until a connection is in time. */
  readonly remaining: number
}

interface CarryOptions {
  /** Milliseconds from one packet of a sequence to the next. */
  readonly gap: number
  readonly send: (shot: Shot) => Leaving
  readonly signal?: AbortSignal | undefined
  /** Called before each packet, and once when all are sent. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/**
 * Sends the packets of a plan; resolves when a connection is in time. Times count from the first
 * packet, so that no delay adds to the next.
 *
 * @throws the first failure of a packet, after the others were sent.
 * @throws the signal's reason, before the next packet.
 */
export async function carryOut(
  { delay, shots, ready }: Plan,
  options: CarryOptions,
): Promise<void> {
  const { gap, send, signal, onProgress } = options
  await pause(delay, signal)
  const began = performance.now()
  const until = (at: number) => began + at - performance.now()
  const underWay: Promise<void>[] = []
  let due = 0
  const last = shots.reduce(
    (at, shot) => shot.at ?? at + gap,
    shots[0]?.at === undefined ? -gap : 0,
  )
  for (const [index, shot] of shots.entries()) {
    const end = Math.max(last, ready)
    onProgress?.({ sent: index, of: shots.length, remaining: Math.max(0, until(end)) })
    due = shot.at ?? (index > 0 ? due + gap : 0)
    await pause(until(due), signal)
    const { left, over } = send(shot)
    if (shot.at === undefined) {
      // The next one must not overtake it.
      await left
      due = Math.max(due, performance.now() - began - SLACK)
    }
    // Thrown below: the others keep their times.
    over.catch(() => {})
    underWay.push(over)
  }
  await Promise.all(underWay)
  onProgress?.({ sent: shots.length, of: shots.length, remaining: Math.max(0, until(ready)) })
  await pause(until(ready), signal)
}

/**
 * Milliseconds that a packet may take to leave without delaying those behind it: a program that
 * sends an echo request takes longer.
 */
const SLACK = 20

/** The longest that a timer can wait. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Waits. The clock of the other rooms is Node's, which browsers have not.
 *
 * @throws the signal's reason.
 */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const end = performance.now() + milliseconds
  for (let left = milliseconds; left > 0; left = end - performance.now()) {
    signal?.throwIfAborted()
    await wait(Math.min(Math.ceil(left), LONGEST_TIMER), signal)
  }
  signal?.throwIfAborted()
}

/** Resolves after a time, or when the signal is aborted. */
function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal?.addEventListener('abort', end)
  })
}
