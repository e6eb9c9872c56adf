// Warnings that were found once → each that is new or over since, looked for again and again. Pure
// but for the clock that it is given.
import type { Clock } from '../clock/clock.js'
import type { Warning } from '../errors.js'

interface Following {
  /** What has been reported already. */
  readonly known: readonly Warning[]
  look(): Promise<readonly Warning[]>
  /** Must not throw. */
  report(warning: Warning, isOver: boolean): void
  readonly signal: AbortSignal
  /** Milliseconds between two looks. */
  readonly every?: number
  readonly clock: Pick<Clock, 'pause'>
}

const EVERY = 5000

/** Resolves when the signal is aborted; never rejects. */
export async function followWarnings(following: Following): Promise<void> {
  const { look, report, signal, every = EVERY, clock } = following
  let known = byKey(following.known)
  while (await clock.pause(every, signal)) {
    const found = await look().then(byKey, () => undefined)
    // A look that fails says nothing.
    if (!found || signal.aborted) continue
    for (const [key, warning] of found) if (!known.has(key)) report(warning, false)
    for (const [key, warning] of known) if (!found.has(key)) report(warning, true)
    known = found
  }
}

/** The same place may be wrong in another way. */
const byKey = (warnings: readonly Warning[]): ReadonlyMap<string, Warning> =>
  new Map(warnings.map((warning) => [`${warning.id} ${warning.path} ${warning.message}`, warning]))
