// Secrets, a knock and the time → valid tokens and the ports of the steps, as the documentation
// derives them. Pure.
import { createHmac } from 'node:crypto'
import type { Packet } from '../../lib/simulate/packet.js'
import type { Step, ValidRotation, ValidToken } from '../../lib/spec/model/model.js'

/** Secrets by the paths of their files. */
export type Secrets = ReadonlyMap<string, Uint8Array>

function secretOf(secrets: Secrets, file: string): Uint8Array {
  const secret = secrets.get(file)
  if (!secret) throw new Error(`no secret of ${file}`)
  return secret
}

/**
 * Returns the tokens that a user makes at a time, in hexadecimal: for IPv4 and for IPv6. Each is
 * accepted over both.
 */
export function tokensAt(
  secrets: Secrets,
  file: string,
  door: string,
  { period }: ValidToken,
  at: number,
): readonly string[] {
  const text = `knocklib/1 ${door} ${Math.floor(at / period)}`
  const secret = secretOf(secrets, file)
  const key = `${Buffer.from(secret).toString('hex')} ${text}`
  const made = tokens.get(key)
  if (made !== undefined) return made
  const digest = createHmac('sha256', secret).update(text).digest()
  const halves = [digest.subarray(0, 16), digest.subarray(16)]
  const both = halves.map((half) => half.toString('hex'))
  tokens.set(key, both)
  return both
}

/** Cached tokens, because each is compared with a thousand payloads. */
const tokens = new Map<string, readonly string[]>()

/**
 * Returns the user whose valid token a packet has; undefined if it has none. `loaded`: when tokens
 * were loaded.
 */
export function userOf(
  secrets: Secrets,
  door: string,
  token: ValidToken,
  loaded: number,
  { payload = '', at }: Packet,
): string | undefined {
  const { period, drift, horizon, users } = token
  if (payload.length !== 32) return undefined
  const begins: number[] = []
  for (
    let begin = Math.floor((at - drift) / period);
    begin * period < loaded + horizon;
    begin += 1
  ) {
    if (at < (begin + 1) * period + drift) begins.push(begin * period)
  }
  return users.find(({ secretFile }) =>
    begins.some((begin) => tokensAt(secrets, secretFile, door, token, begin).includes(payload)),
  )?.name
}

/** Returns the steps of a rotation at a time. */
export function rotatedSteps(
  secrets: Secrets,
  door: string,
  { secretFile, every, length, protocol, ports: { from, to } }: ValidRotation,
  at: number,
): Step[] {
  const text = `knocklib/1 rotate ${door} ${Math.floor(at / every)}`
  const digest = createHmac('sha256', secretOf(secrets, secretFile)).update(text).digest()
  return Array.from({ length }, (_, step) => {
    return { protocol, port: from + (digest.readUInt32BE(4 * step) % (to - from + 1)) }
  })
}
