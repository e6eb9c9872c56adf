// Secrets, a knock and the time → valid tokens and the ports of the steps, as the documentation
// derives them. Pure.
import { createHmac } from 'node:crypto'
import type { Packet } from '../../lib/simulate/packet.js'
import type { Step, ValidRotation, ValidToken } from '../../lib/spec/model/model.js'

/** By the path of their file. */
export type Secrets = ReadonlyMap<string, Uint8Array>

function secretOf(secrets: Secrets, file: string): Uint8Array {
  const secret = secrets.get(file)
  if (!secret) throw new Error(`no secret of ${file}`)
  return secret
}

/**
 * The tokens that a user makes at a time, as hex digits: of IPv4, and of IPv6. Each is taken over
 * either.
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

/** Each is asked for a thousand times: whether a payload is one of them. */
const tokens = new Map<string, readonly string[]>()

/**
 * Whose token a payload is that is taken when it comes, if anybody's. `loaded`: when tokens were
 * loaded.
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

/** The steps of a rotation at a time. */
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
