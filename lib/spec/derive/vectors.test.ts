// schemas/vectors.json → the same tokens, ports and datagrams, by the server's HMAC and by
// WebCrypto.
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Vectors } from '../../../integration/pure/client/vectors.js'
import { carriedToken, hexOf, payloadOf, tokenText } from './carrier.js'
import { periodAt, portsSeed, tokenSeed } from './derivation.js'
import { derivePorts, deriveToken, deriveTokens } from './derive.js'
import { webPorts, webToken } from './web.js'

const { tokens, rotations, datagrams }: Vectors = JSON.parse(
  readFileSync(new URL('../../../schemas/vectors.json', import.meta.url), 'utf8'),
)
const CARRIERS = ['udp', 'stun', 'dns'] as const
const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex')

t.test('tokens equal the published vectors', async (t) => {
  t.ok(tokens.length > 50)
  for (const { secret, door, period, time, number, text, ipv4, ipv6 } of tokens) {
    t.equal(periodAt(time, period), number)
    t.equal(tokenSeed(door, number), text)
    t.strictSame(deriveTokens(bytes(secret), door, number), [ipv4.udp, ipv6.udp])
    for (const [family, expected] of [[4, ipv4] as const, [6, ipv6] as const]) {
      t.equal(deriveToken(bytes(secret), door, number, family), expected.udp)
      t.equal(await webToken(bytes(secret), door, number, family), expected.udp)
      for (const carrier of ['stun', 'dns'] as const) {
        t.equal(tokenText(carrier, expected.udp), expected[carrier])
        const carried = hexOf(new TextEncoder().encode(expected[carrier]))
        t.equal(carriedToken(carrier, expected.udp), carried)
      }
    }
  }
})

t.test('rotations equal the published vectors', async (t) => {
  t.ok(rotations.length > 30)
  for (const { secret, door, every, time, number, text, ...rotation } of rotations) {
    const { protocol, steps: length, from, to, sequence } = rotation
    t.equal(periodAt(time, every), number)
    t.equal(portsSeed(door, number), text)
    const asked = { length, protocol, ports: { from, to } }
    const expected = sequence.map((step) => ({ protocol, port: Number(step.split('/')[1]) }))
    t.strictSame(derivePorts(bytes(secret), door, number, asked), expected)
    t.strictSame(await webPorts(bytes(secret), door, number, asked), expected)
  }
})

t.test('datagrams equal the published vectors', async (t) => {
  t.ok(datagrams.length > 10)
  for (const { token, id, ...payloads } of datagrams) {
    for (const carrier of CARRIERS) t.equal(payloadOf(carrier, token, id), payloads[carrier])
  }
})
