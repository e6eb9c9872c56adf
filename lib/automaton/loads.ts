// A valid spec, its secrets and the time → what the sets hold that depend on both: tokens, and the
// ports of rotations. Pure.
import type { ValidSpec } from '../spec/model/model.js'
import { secretFilesOf as filesOfKnock, kindOf } from './kinds/kinds.js'
import { knocksOf } from './knocks.js'
import type { Loads, Secrets } from './language/loads.js'

/** The files from which a spec's secrets are read, each once. */
export function secretFilesOf({ doors }: ValidSpec): string[] {
  return [...new Set(doors.flatMap(({ knocks }) => knocks.flatMap(filesOfKnock)))]
}

/** @param now - seconds since 1970. What is over by then is left out. */
export function loadsOf({ doors }: ValidSpec, secrets: Secrets, now: number): Loads {
  const parts = doors
    .flatMap(knocksOf)
    .map((placed) => kindOf(placed.knock).load?.(placed, secrets, now) ?? {})
  return {
    tokens: parts.flatMap(({ tokens = [] }) => tokens),
    ports: parts.flatMap(({ ports = [] }) => ports),
  }
}
