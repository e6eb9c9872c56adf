// Secrets, doors and times, chosen by hand → schemas/vectors.json: what a client must derive and
// send for each. Pure.
import { type Carrier, payloadOf, tokenText } from '../../../lib/spec/derive/carrier.js'
import { periodAt, portsSeed, tokenSeed } from '../../../lib/spec/derive/derivation.js'
import { derivePorts, deriveTokens } from '../../../lib/spec/derive/derive.js'
import { formatStep } from '../../../lib/spec/model/step.js'

/** The whole file. All bytes are hex digits in lower case. */
export interface Vectors {
  readonly title: string
  readonly licence: string
  readonly meaning: string
  /** What a file holds → the secret; null: it is too short. */
  readonly secretFiles: readonly { readonly file: string; readonly secret: string | null }[]
  readonly tokens: readonly TokenVector[]
  readonly rotations: readonly RotationVector[]
  readonly datagrams: readonly DatagramVector[]
}

export interface TokenVector {
  readonly secret: string
  readonly door: string
  /** Seconds. */
  readonly period: number
  /** Seconds since 1970. */
  readonly time: number
  readonly number: number
  readonly text: string
  readonly ipv4: FamilyToken
  readonly ipv6: FamilyToken
}

/** A family's token as each carrier shows it. */
type FamilyToken = Readonly<Record<Carrier, string>>

export interface RotationVector {
  readonly secret: string
  readonly door: string
  /** Seconds. */
  readonly every: number
  /** Seconds since 1970. */
  readonly time: number
  readonly number: number
  readonly text: string
  readonly protocol: 'tcp' | 'udp'
  readonly steps: number
  readonly from: number
  readonly to: number
  readonly sequence: readonly string[]
}

/** The payload of a datagram for each carrier. */
export interface DatagramVector extends FamilyToken {
  readonly token: string
  readonly id: string
}

const hexOf = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (hex: string): Uint8Array => Buffer.from(hex, 'hex')

const FIRST = 'correct horse battery staple'

const SECRETS: readonly string[] = [
  hexOf(FIRST),
  hexOf('sixteen bytes ok'),
  hexOf('Schlüssel für die Tür'),
  hexOf('鍵は三つの扉を開ける 🔑'),
  // Carriage returns, newlines and spaces are bytes like others.
  hexOf(' two lines\r\nof a secret\n'),
  '00000000000000000000000000000000',
  '00ff0a0d807f000102030405fffefdfc',
  // HMAC takes a block of 64 bytes as it is, and hashes a longer key.
  hexOf('b'.repeat(64)),
  hexOf('c'.repeat(65)),
]

const LONG_NAME = `Z${'9_'.repeat(15)}z`
const DOORS = ['ssh', '_', 'Door_2', LONG_NAME]

/** Begins no period, begins one, ends one; in days to come and in the last year of four digits. */
const TIMES = [
  0, 1, 29, 30, 59, 60, 599, 600, 3600, 86_399, 86_400, 999_999_999, 1_700_000_000, 1_767_225_599,
  1_767_225_600, 2_147_483_647, 2_147_483_648, 4_294_967_295, 4_294_967_296, 253_402_300_799,
]

const PERIODS = [10, 30, 60, 3600, 86_400, 31_536_000]

function tokenVector(secret: string, door: string, period: number, time: number): TokenVector {
  const number = periodAt(time, period)
  const [ipv4, ipv6] = deriveTokens(bytesOf(secret), door, number).map((token) => ({
    udp: token,
    stun: tokenText('stun', token) as string,
    dns: tokenText('dns', token) as string,
  })) as [FamilyToken, FamilyToken]
  return { secret, door, period, time, number, text: tokenSeed(door, number), ipv4, ipv6 }
}

type Rotation = Pick<RotationVector, 'every' | 'protocol' | 'steps' | 'from' | 'to'>

const ROTATIONS: readonly Rotation[] = [
  { every: 3600, protocol: 'tcp', steps: 4, from: 20_000, to: 60_000 },
  { every: 3600, protocol: 'udp', steps: 4, from: 20_000, to: 60_000 },
  { every: 600, protocol: 'tcp', steps: 2, from: 1, to: 256 },
  { every: 601, protocol: 'udp', steps: 3, from: 65_280, to: 65_535 },
  { every: 86_400, protocol: 'tcp', steps: 5, from: 1, to: 65_535 },
  { every: 86_400, protocol: 'tcp', steps: 6, from: 1024, to: 65_535 },
  { every: 604_800, protocol: 'udp', steps: 7, from: 40_000, to: 40_999 },
  { every: 31_536_000, protocol: 'tcp', steps: 8, from: 30_000, to: 30_255 },
]

function rotationVector(
  secret: string,
  door: string,
  rotation: Rotation,
  time: number,
): RotationVector {
  const { every, protocol, steps, from, to } = rotation
  const number = periodAt(time, every)
  const range = { length: steps, protocol, ports: { from, to } }
  const sequence = derivePorts(bytesOf(secret), door, number, range).map(formatStep)
  const text = portsSeed(door, number)
  return { secret, door, every, time, number, text, protocol, steps, from, to, sequence }
}

function datagramVector(token: string, id: string): DatagramVector {
  const payload = (carrier: Carrier) => payloadOf(carrier, token, id)
  return { token, id, udp: payload('udp'), stun: payload('stun'), dns: payload('dns') }
}

const FILES: readonly (readonly [file: string, secret: string | null])[] = [
  ['sixteen bytes ok', 'sixteen bytes ok'],
  ['sixteen bytes ok\n', 'sixteen bytes ok'],
  ['sixteen bytes ok\n\n', 'sixteen bytes ok\n'],
  ['sixteen bytes ok\r\n', 'sixteen bytes ok\r'],
  ['  spaces are kept  \n', '  spaces are kept  '],
  ['Schlüssel für die Tür\n', 'Schlüssel für die Tür'],
  ['fifteen bytes !\n', null],
  ['', null],
]

export function makeVectors(): Vectors {
  const [first = '', ...others] = SECRETS
  const tokens = [
    ...SECRETS.map((secret) => tokenVector(secret, 'ssh', 30, 1_700_000_000)),
    ...DOORS.map((door) => tokenVector(first, door, 60, 1_700_000_000)),
    ...TIMES.map((time) => tokenVector(first, 'ssh', 30, time)),
    ...PERIODS.flatMap((period) =>
      [period - 1, period, 57 * period - 1, 57 * period].map((time) =>
        tokenVector(first, 'ssh', period, time),
      ),
    ),
  ]
  const rotations = [
    ...ROTATIONS.map((rotation) => rotationVector(first, 'ssh', rotation, 1_700_000_000)),
    ...others.map((secret) =>
      rotationVector(secret, 'Door_2', ROTATIONS[0] as Rotation, 1_700_000_000),
    ),
    ...TIMES.map((time) => rotationVector(first, 'ssh', ROTATIONS[2] as Rotation, time)),
  ]
  const ids = ['0123456789abcdef01234567', '000000000000000000000000', 'ffffffffffffffffffffffff']
  const made = tokens.slice(0, 4).flatMap(({ ipv4, ipv6 }) => [ipv4.udp, ipv6.udp])
  const borders = ['00'.repeat(16), 'ff'.repeat(16), '000102030405060708090a0b0c0d0e0f']
  return {
    title: 'Test vectors of the client protocol of knocklib, version 1 of the derivations',
    licence:
      'MIT, copyright (c) 2026 the knocklib authors; the file LICENSE of the package knocklib ' +
      'has the text. It may stand in the tests of any client.',
    meaning: 'docs/protocol.md says what each key means. Bytes are hex digits.',
    secretFiles: FILES.map(([file, secret]) => ({
      file: hexOf(file),
      secret: secret === null ? null : hexOf(secret),
    })),
    tokens,
    rotations,
    datagrams: [...made, ...borders].map((token, index) =>
      datagramVector(token, ids[index % ids.length] as string),
    ),
  }
}

/** One vector on each line. */
export function writeVectors(vectors: Vectors): string {
  const parts = Object.entries(vectors).map(([key, value]) => {
    const lines = Array.isArray(value) ? value.map((one) => `    ${JSON.stringify(one)}`) : []
    const text = Array.isArray(value) ? `[\n${lines.join(',\n')}\n  ]` : JSON.stringify(value)
    return `  ${JSON.stringify(key)}: ${text}`
  })
  return `{\n${parts.join(',\n')}\n}\n`
}
