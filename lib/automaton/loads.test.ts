// Tokens by each carrier → what is loaded, and what is in doubt, as it is on the wire.
import t from 'tap'
import { token } from '../../integration/fixtures/ports.js'
import { spec } from '../../integration/fixtures/specs.js'
import { deriveTokens } from '../spec/derive/derive.js'
import { validateSpec } from '../spec/validate.js'
import { doubtedTokens } from './doubts.js'
import { loadsOf } from './loads.js'

const SECRET = Buffer.from('sixteen bytes or more')
const NOW = 1_800_000_000
const PERIOD = 10

/** Letters of RFC 4648 that stand for so many bits each, as bytes in hexadecimal. */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const WRITTEN: Readonly<Record<string, (half: Buffer) => string>> = {
  udp: (half) => half.toString('hex'),
  stun: (half) => Buffer.from(half.subarray(0, 12).toString('base64')).toString('hex'),
  dns(half) {
    const bits = BigInt(`0x${half.subarray(0, 10).toString('hex')}`)
      .toString(2)
      .padStart(80, '0')
    const letters = bits.match(/.{5}/g)?.map((five) => BASE32[Number.parseInt(five, 2)])
    return Buffer.from(letters?.join('') ?? '').toString('hex')
  },
}

for (const [carrier, write] of Object.entries(WRITTEN)) {
  t.test(`${carrier}: the loads have both halves of each period`, async (t) => {
    const parts = { carrier, period: PERIOD, drift: 0, horizon: 20 }
    const valid = validateSpec(spec({ knock: token('udp/3478', parts) }))
    const secrets = new Map([['ana.key', SECRET]])
    const halves = [0, 1, 2].map((period) =>
      deriveTokens(SECRET, 'ssh', NOW / PERIOD + period).map((half) =>
        write(Buffer.from(half, 'hex')),
      ),
    )
    const [loaded] = loadsOf(valid, secrets, NOW).tokens
    t.same(
      loaded?.tokens.map(({ token }) => token),
      halves.flat(),
    )
    const doubted = doubtedTokens(valid, secrets, { tokens: [] }, NOW)
    t.same(
      doubted.map(({ token }) => token),
      halves[0],
    )
  })
}
