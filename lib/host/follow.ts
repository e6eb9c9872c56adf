// Warnings that are checked again and again → a report of each that is new or over.
import type { Clock } from '../clock/clock.js'
import type { Warning } from '../text/warning.js'

interface Following {
  /** Warnings that have been reported already. */
  readonly known: readonly Warning[]
  look(): Promise<readonly Warning[]>
  /** Must not throw. */
  report(warning: Warning, isOver: boolean): void
  readonly signal: AbortSignal
  /** Milliseconds between two checks. */
  readonly every?: number
  readonly clock: Pick<Clock, 'pause'>
}

const EVERY = 5000

/** Checks until the signal is aborted, and resolves then; never rejects. */
export async function followWarnings(following: Following): Promise<void> {
  const { look, report, signal, every = EVERY, clock } = following
  let known = byKey(following.known)
  while (await clock.pause(every, signal)) {
    const found = await look().then(byKey, () => undefined)
    // If a check fails, the known warnings stay.
    if (!found || signal.aborted) continue
    for (const [key, warning] of found) if (!known.has(key)) report(warning, false)
    for (const [key, warning] of known) if (!found.has(key)) report(warning, true)
    known = found
  }
}

/** With the message: another problem at the same place is another warning. */
const byKey = (warnings: readonly Warning[]): ReadonlyMap<string, Warning> =>
  new Map(warnings.map((warning) => [`${warning.id} ${warning.path} ${warning.message}`, warning]))
