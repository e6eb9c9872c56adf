// The penalty of a knock that depends on times → seconds. Pure.
import type { Findings } from '../../../spec/model/findings.js'
import { readDuration } from '../../../spec/model/read-values.js'

/** @param fallback seconds, where the spec says none. */
export function readPenalty(
  { penalty }: { readonly penalty?: number | string | undefined },
  origin: string,
  fallback: number,
  findings: Findings,
): number {
  return penalty === undefined ? fallback : readDuration(penalty, `${origin}/penalty`, findings)
}
