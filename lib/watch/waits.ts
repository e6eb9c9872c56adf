// Calls that overlap → one run at a time; an answer that may not come → false in time.
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'

/**
 * Returns a function that requests the work. Its promise settles when the work has run after the
 * request.
 */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let isWanted = false
  let running: Promise<void> | undefined
  const run = async () => {
    try {
      while (isWanted) {
        isWanted = false
        await work()
      }
    } finally {
      running = undefined
    }
  }
  return () => {
    isWanted = true
    running ??= run()
    return running
  }
}

/**
 * Returns the answer, or false if it does not come within so many milliseconds. Rejects as the
 * answer does.
 */
export async function within(patience: number, answer: Promise<boolean>): Promise<boolean> {
  const limit = new AbortController()
  const { signal } = limit
  // A process that was busy sees the answer only after its timers.
  const late = sleep(patience, undefined, { signal }).then(
    () => immediate(false),
    () => false,
  )
  try {
    return await Promise.race([answer, late])
  } finally {
    limit.abort()
  }
}
