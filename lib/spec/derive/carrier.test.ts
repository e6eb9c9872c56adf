// A token → its text and its datagram by each carrier, and back.
import t from 'tap'
import { type Carrier, carriedToken, payloadOf, TOKEN_AT, tokenIn, tokenText } from './carrier.js'

const TOKENS = ['00112233445566778899aabbccddeeff', 'f'.repeat(32), '0'.repeat(32)]
const CARRIERS: readonly Carrier[] = ['udp', 'stun', 'dns']

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex')

t.test('base64 and base32 are written as by other programs', async (t) => {
  const [token = ''] = TOKENS
  // base64 and base32 of coreutils 9.1.
  t.equal(tokenText('stun', token), 'ABEiM0RVZneImaq7')
  t.equal(tokenText('dns', token), 'aaisem2ekvthpcez')
  t.equal(tokenText('udp', token), undefined)
  for (const one of TOKENS) {
    const bytes = Buffer.from(one, 'hex')
    t.equal(tokenText('stun', one), bytes.subarray(0, 12).toString('base64'))
  }
})

t.test('each token has 16 bytes, at its place in the datagram', async (t) => {
  for (const carrier of CARRIERS) {
    for (const token of TOKENS) {
      const carried = carriedToken(carrier, token)
      t.equal(carried.length, 32)
      const payload = Buffer.from(payloadOf(carrier, token, '0123456789ab'.repeat(2)), 'hex')
      t.equal(hex(payload.subarray(TOKEN_AT[carrier])).slice(0, 32), carried)
      t.equal(hex(tokenIn(payload)), carried, carrier)
    }
  }
})

t.test('a short datagram has no token, and a token is read exactly', async (t) => {
  t.equal(tokenIn(Buffer.alloc(15)), undefined)
  const cut = Buffer.from(payloadOf('stun', TOKENS[0] as string, 'ab'.repeat(12)), 'hex')
  t.equal(tokenIn(cut.subarray(0, 39)), undefined)
  const like = `${'00'.repeat(12)}10000000`
  t.equal(
    hex(tokenIn(Buffer.from(like, 'hex'))),
    like,
    'a token may contain the length byte of a label',
  )
})
