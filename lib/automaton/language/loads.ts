// The contents of sets that depend on secrets and on the time. Types, and the look-up of a secret.
// Pure.
import type { KnockPort } from '../../spec/model/packet-model.js'

/** A token, and until when it is accepted, in seconds since 1970. */
interface TimedToken {
  /** 32 hex digits. */
  readonly token: string
  readonly until: number
}

/** A port, and the period in which it counts, in seconds since 1970. */
export interface PortPeriod extends KnockPort {
  readonly from: number
  readonly to: number
}

/** The tokens of one user. */
interface LoadedTokens {
  readonly set: string
  readonly tokens: readonly TimedToken[]
  /**
   * Until when all of the user's tokens are among them, in seconds since 1970. There need be none:
   * the time may be outside the user's hours.
   */
  readonly until: number
}

/** The tokens and ports to load, by set. */
export interface Loads {
  readonly tokens: readonly LoadedTokens[]
  readonly ports: readonly { readonly set: string; readonly periods: readonly PortPeriod[] }[]
}

/** Secrets by the file from which they were read. */
export type Secrets = ReadonlyMap<string, Uint8Array>

/**
 * Returns the secret of a file.
 *
 * @throws Error if the file was not read: that is a bug.
 */
export function secretOf(secrets: Secrets, file: string): Uint8Array {
  const secret = secrets.get(file)
  if (!secret) throw new Error(`unreachable: no secret of ${file}`)
  return secret
}

/** The whole numbers from first to last, both included. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
