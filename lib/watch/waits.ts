// Calls that come while one is under way, and answers that may not come → promises that settle.
// Waits.
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'

/** Returns what asks for the work; it settles when the work has been done since. */
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

/** The answer if it comes within so many milliseconds, else false. Rejects as it does. */
export async function within(patience: number, answer: Promise<boolean>): Promise<boolean> {
  const limit = new AbortController()
  const { signal } = limit
  // A process that was busy all the while finds the answer only after its timers.
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
