// A valid spec, its secrets and the time → what the sets hold that depend on both: tokens, and the ports of rotations. Pure.
import { derivePorts, deriveToken, periodAt } from '../spec/model/derive.js'
import type {
  KnockPort,
  ValidDoor,
  ValidRotation,
  ValidSpec,
  ValidToken,
} from '../spec/model/model.js'
import { knocksOf } from './knocks.js'
import { type Attempt, portsSet, tokensSet } from './language/names.js'

/** A token, and until when it is taken, in seconds since 1970. */
export interface TimedToken {
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

/** The files from which a spec's secrets are read, each once. */
export function secretFilesOf({ doors }: ValidSpec): string[] {
  const files = doors.flatMap(({ knocks }) =>
    knocks.flatMap((knock) => {
      if (knock.type === 'token') return knock.users.map(({ secretFile }) => secretFile)
      return knock.type === 'rotation' ? [knock.secretFile] : []
    }),
  )
  return [...new Set(files)]
}

/** @param now - seconds since 1970. What is over by then is left out. */
export function loadsOf({ doors }: ValidSpec, secrets: Secrets, now: number): Loads {
  const placed = doors.flatMap((door) => knocksOf(door))
  return {
    tokens: placed.flatMap(({ door, knock, attempt }) =>
      knock.type === 'token' ? tokensOf(door, attempt, knock, secrets, now) : [],
    ),
    ports: placed.flatMap(({ door, knock, attempt }) =>
      knock.type === 'rotation' ? portsOf(door, attempt, knock, secrets, now) : [],
    ),
  }
}

function tokensOf(
  { name }: ValidDoor,
  attempt: Attempt,
  { users, period, drift, horizon }: ValidToken,
  secrets: Secrets,
  now: number,
): Loads['tokens'] {
  const first = periodAt(now - drift, period)
  const last = periodAt(now + horizon, period)
  return users.map(({ secretFile }, user) => {
    const secret = secretOf(secrets, secretFile)
    const tokens = range(first, last).map((index) => ({
      token: deriveToken(secret, name, index),
      until: (index + 1) * period + drift,
    }))
    return {
      set: tokensSet(name, attempt, user + 1),
      tokens: tokens.filter(({ until }) => until > now),
    }
  })
}

function portsOf(
  { name }: ValidDoor,
  attempt: Attempt,
  rotation: ValidRotation,
  secrets: Secrets,
  now: number,
): Loads['ports'] {
  const { every, horizon, length } = rotation
  const secret = secretOf(secrets, rotation.secretFile)
  const indices = range(periodAt(now, every), periodAt(now + horizon, every))
  const sequences = indices.map((index) => derivePorts(secret, name, index, rotation))
  return range(1, length).map((step) => ({
    set: portsSet(name, attempt, step),
    periods: indices.map((index, place) => ({
      ...(sequences[place]?.[step - 1] as KnockPort),
      from: index * every,
      // Whole seconds, both ends included: two periods with the same port must not meet.
      to: (index + 1) * every - 1,
    })),
  }))
}

export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** @throws Error where it was not read. */
export function secretOf(secrets: Secrets, file: string): Uint8Array {
  const secret = secrets.get(file)
  if (!secret) throw new Error(`unreachable: no secret of ${file}`)
  return secret
}
