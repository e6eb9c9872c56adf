// Secrets, a knock and the time → valid tokens and the ports of the steps, as the documentation
// derives them. Pure.
import { createHmac } from 'node:crypto'
import type { Packet } from '../../lib/simulate/packet.js'
import type {
  ValidHours,
  ValidRotation,
  ValidToken,
  ValidUser,
} from '../../lib/spec/model/model.js'
import type { Step } from '../../lib/spec/model/packet-model.js'

/** Secrets by the paths of their files. */
export type Secrets = ReadonlyMap<string, Uint8Array>

function secretOf(secrets: Secrets, file: string): Uint8Array {
  const secret = secrets.get(file)
  if (!secret) throw new Error(`no secret of ${file}`)
  return secret
}

/**
 * Returns the tokens that a user makes at a time, in hexadecimal, as they are on the wire: for IPv4
 * and for IPv6. Each is accepted over both.
 */
export function tokensAt(
  secrets: Secrets,
  file: string,
  door: string,
  { period, carrier }: ValidToken,
  at: number,
): readonly string[] {
  const text = `knocklib/1 ${door} ${Math.floor(at / period)}`
  const secret = secretOf(secrets, file)
  const key = `${carrier} ${Buffer.from(secret).toString('hex')} ${text}`
  const made = tokens.get(key)
  if (made !== undefined) return made
  const digest = createHmac('sha256', secret).update(text).digest()
  const halves = [digest.subarray(0, 16), digest.subarray(16)]
  const both = halves.map((half) => written(carrier, half).toString('hex'))
  tokens.set(key, both)
  return both
}

/** Writes a token as its carrier shows it: always 16 bytes. */
function written(carrier: ValidToken['carrier'], half: Buffer): Buffer {
  if (carrier === 'udp') return half
  if (carrier === 'stun') return Buffer.from(half.subarray(0, 12).toString('base64'))
  const bits = BigInt(`0x${half.subarray(0, 10).toString('hex')}`)
  const letters = Array.from({ length: 16 }, (_, n) => Number((bits >> BigInt(75 - 5 * n)) & 31n))
  return Buffer.from(letters.map((n) => 'abcdefghijklmnopqrstuvwxyz234567'.charAt(n)).join(''))
}

/** By carrier, a datagram with a token, in hexadecimal. */
const BEARING = {
  udp: /^(.{32})$/,
  // A binding request with the magic cookie. USERNAME comes first, and has a colon behind the
  // token.
  stun: /^0001.{4}2112a442.{24}0006.{4}(.{32})3a/,
  // Twelve bytes of a header, and a label of 16 letters.
  dns: /^.{24}10(.{32})/,
} as const

/** Returns what stands in a datagram where its carrier has the token; undefined if it has none. */
export const tokenIn = ({ carrier }: ValidToken, { payload = '' }: Packet): string | undefined =>
  BEARING[carrier].exec(payload)?.[1]

/** Whether a packet is one question and no answer, for a name that begins with no token. */
export const isOtherQuestion = ({ carrier }: ValidToken, { payload = '' }: Packet): boolean =>
  carrier === 'dns' && /^.{8}00010000.{8}(?!10)../.test(payload)

/** Cached tokens, because each is compared with a thousand payloads. */
const tokens = new Map<string, readonly string[]>()

/**
 * Returns the user whose valid token a packet has, from whatever source; undefined if it has none.
 * `loaded`: when tokens were loaded.
 */
export function userOf(
  secrets: Secrets,
  door: string,
  token: ValidToken,
  loaded: number,
  packet: Packet,
): ValidUser | undefined {
  const { period, drift, horizon, users } = token
  const { at } = packet
  const borne = tokenIn(token, packet)
  if (borne === undefined) return undefined
  const begins: number[] = []
  for (
    let begin = Math.floor((at - drift) / period);
    begin * period < loaded + horizon;
    begin += 1
  ) {
    if (at < (begin + 1) * period + drift) begins.push(begin * period)
  }
  return users.find(({ secretFile, hours, until = Number.POSITIVE_INFINITY }) =>
    begins
      .filter((begin) => at < until && begin < until && (!hours || isWithin(hours, begin)))
      .some((begin) => tokensAt(secrets, secretFile, door, token, begin).includes(borne)),
  )
}

/** Whether a clock in the zone shows a time within the hours. */
function isWithin({ zone, ranges }: ValidHours, at: number): boolean {
  const shown = clockOf(zone).format(1000 * at)
  const [, name = '', ...numbers] = /^(\w+),? (\d+):(\d+):(\d+)$/.exec(shown) ?? []
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(name)
  if (day === -1) throw new Error(`a clock shows ${shown}`)
  const [hours = 0, minutes = 0, seconds = 0] = numbers.map(Number)
  const time = 3600 * hours + 60 * minutes + seconds
  return ranges.some(({ days, from, to }) => days.includes(day) && from <= time && time < to)
}

const clocks = new Map<string, Intl.DateTimeFormat>()

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
  const clock =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hourCycle: 'h23', ...time })
  clocks.set(timeZone, clock)
  return clock
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
