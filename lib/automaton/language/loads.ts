// What sets hold that depends on secrets and on the time. Types, and the looking up of a secret.
// Pure.
import type { KnockPort } from '../../spec/model/model.js'

/** A token, and until when it is taken, in seconds since 1970. */
interface TimedToken {
  /** 32 hex digits. */
  readonly token: string
  readonly until: number
}

/** A port, and when it is meant, in seconds since 1970. */
export interface PortPeriod extends KnockPort {
  readonly from: number
  readonly to: number
}

/** By set. */
export interface Loads {
  readonly tokens: readonly { readonly set: string; readonly tokens: readonly TimedToken[] }[]
  readonly ports: readonly { readonly set: string; readonly periods: readonly PortPeriod[] }[]
}

/** Secrets by the file that they were read from. */
export type Secrets = ReadonlyMap<string, Uint8Array>

/** @throws Error if it was not read. */
export function secretOf(secrets: Secrets, file: string): Uint8Array {
  const secret = secrets.get(file)
  if (!secret) throw new Error(`unreachable: no secret of ${file}`)
  return secret
}

/** Whole numbers, both ends included. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
