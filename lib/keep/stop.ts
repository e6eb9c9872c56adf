// Work that may hang → its end, or the end of the time that it is given. Pure but for timers.
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves with false when the work has not settled after so many milliseconds: it goes on, and nobody waits for it. */
export async function isDoneWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const limit = new AbortController()
  const { signal } = limit
  const late = sleep(milliseconds, undefined, { signal }).then(
    () => false,
    () => false,
  )
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    limit.abort()
  }
}
