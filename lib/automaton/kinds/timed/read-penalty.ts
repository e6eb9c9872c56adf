// The penalty of a rate or rhythm, as the user wrote it → seconds. Pure.
import type { Findings } from '../../../spec/model/findings.js'
import { readDuration } from '../../../spec/model/read-values.js'

/** @param fallback - seconds, if the spec has no penalty. */
export function readPenalty(
  { penalty }: { readonly penalty?: number | string | undefined },
  origin: string,
  fallback: number,
  findings: Findings,
): number {
  return penalty === undefined ? fallback : readDuration(penalty, `${origin}/penalty`, findings)
}
