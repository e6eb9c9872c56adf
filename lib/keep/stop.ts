// Work that may hang, and a time limit → whether it ended in time. Pure except for the given clock.
import type { Clock } from '../clock/clock.js'

/**
 * Resolves with true when the work resolves, or with false after a time limit in milliseconds. Then
 * the work continues. Rejects if the work rejects in time.
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

/** Milliseconds that each part of stopping may take. */
export const STOP = 3000
/** Messages about work that did not end in this time. */
export const UNDER_WAY =
  'the work under way did not end within 3 s (does nft hang?) and was abandoned; ' +
  'whether the table was changed is not known'
export const UNREAD =
  'nft did not list the table within 3 s; the state is written from the events and ' +
  'the listing before'
export const UNWRITTEN =
  'the state was not written within 3 s, and the write was abandoned; the file has ' +
  'the state before, or this one'

/** Resolves when a signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
