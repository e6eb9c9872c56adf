// Work that may hang → its end, or the end of the time that it is given. Pure but
// for the clock that it is given.
import type { Clock } from '../clock/clock.js'

/**
 * Resolves with false if the work has not settled after so many milliseconds. The work continues.
 */
export async function isDoneWithin(
  work: Promise<unknown>,
  milliseconds: number,
  clock: Pick<Clock, 'pause'>,
): Promise<boolean> {
  const limit = new AbortController()
  const late = clock.pause(milliseconds, limit.signal).then(() => false)
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    limit.abort()
  }
}

/** Milliseconds that each part of the end may take. */
export const STOP = 3000
/** Messages about work that did not end in that time. */
export const UNDER_WAY =
  'what was under way did not end within 3 s (does nft hang?), and is left; the ' +
  'table may be as it was before, or after it'
export const UNREAD =
  'nft did not list the table within 3 s; the state is written as it was known by ' +
  'events and the listing before'
export const UNWRITTEN =
  'the state was not written within 3 s, and is left; the file is as it was ' +
  'before, or as it should be'

/** Resolves when a signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
