// A valid spec, its secrets and the time → the tokens, and the ports of rotations, to load. Pure.
import type { ValidSpec } from '../spec/model/model.js'
import { secretFilesOf as filesOfKnock, kindOf } from './kinds/kinds.js'
import { knocksOf } from './knocks.js'
import type { Loads, Secrets } from './language/loads.js'

/** The files of all secrets of a spec, each once. */
export function secretFilesOf({ doors }: ValidSpec): string[] {
  return [...new Set(doors.flatMap(({ knocks }) => knocks.flatMap(filesOfKnock)))]
}

/**
 * Derives what is to be loaded. Tokens and periods that are over are left out.
 *
 * @param now - seconds since 1970.
 */
export function loadsOf({ doors }: ValidSpec, secrets: Secrets, now: number): Loads {
  const parts = doors
    .flatMap(knocksOf)
    .map((placed) => kindOf(placed.knock).load?.(placed, secrets, now) ?? {})
  return {
    tokens: parts.flatMap(({ tokens = [] }) => tokens),
    ports: parts.flatMap(({ ports = [] }) => ports),
  }
}
