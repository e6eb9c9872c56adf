// A profile's part and a time → schemas/vectors.json's tokens and ports; and what is refused.
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Vectors } from '../../integration/pure/client/vectors.js'
import { portsAt, tokenAt } from './derived.js'

const { tokens, rotations }: Vectors = JSON.parse(
  readFileSync(new URL('../../schemas/vectors.json', import.meta.url), 'utf8'),
)
const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex')

t.test('each token is derived for each family and carrier', async (t) => {
  for (const { secret, door, period, time, number, ipv4, ipv6 } of tokens) {
    const given = { secret: bytes(secret), at: new Date(time * 1000 + 999) }
    const until = new Date((number + 1) * period * 1000)
    for (const [family, expected] of [[4, ipv4] as const, [6, ipv6] as const]) {
      const token = await tokenAt({ door, period }, { ...given, family })
      t.strictSame(token, { bytes: new Uint8Array(bytes(expected.udp)), until })
      for (const carrier of ['stun', 'dns'] as const) {
        const { bytes, text } = await tokenAt({ door, period, carrier }, { ...given, family })
        t.equal(text, expected[carrier])
        t.equal(new TextDecoder().decode(bytes), expected[carrier])
      }
    }
  }
})

t.test('each rotation is derived', async (t) => {
  for (const {
    secret,
    door,
    every,
    time,
    number,
    protocol,
    steps,
    from,
    to,
    sequence,
  } of rotations) {
    const part = { door, every, protocol, steps, ports: `${from}-${to}` }
    const given = { secret: bytes(secret), at: new Date(time * 1000) }
    const until = new Date((number + 1) * every * 1000)
    t.strictSame(await portsAt(part, given), { steps: sequence, until })
  }
})

const secret = 'Schlüssel für die Tür'
const rotation = { door: 'ssh', every: '1h', steps: 2, ports: '20000-60000' }

t.test('text is UTF-8, the family is IPv4, and the time is now unless it is given', async (t) => {
  const before = Date.now()
  const { bytes: made, until } = await tokenAt({ door: 'ssh', period: '365d' }, { secret })
  const same = await tokenAt(
    { door: 'ssh', period: '365d' },
    { secret: new TextEncoder().encode(secret), at: new Date(before), family: 4 },
  )
  t.strictSame(made, same.bytes)
  t.ok(until.getTime() > before)
  t.match((await portsAt(rotation, { secret })).steps, [/^tcp\/\d+$/, /^tcp\/\d+$/])
})

t.test('an error names the wrong argument', async (t) => {
  const short = { code: 'invalid-argument', message: /^tokenAt: expected a secret of at least 16/ }
  await t.rejects(tokenAt({ door: 'ssh' }, { secret: 'fifteen bytes !' }), short)
  const early = { message: /^portsAt: at: expected a date since 1970, got / }
  await t.rejects(portsAt(rotation, { secret, at: new Date(-1) }), early)
  await t.rejects(portsAt(rotation, { secret, at: new Date(Number.NaN) }), early)
  const door = { message: /^tokenAt: \/token\/door: expected a name of 1 to 32/ }
  await t.rejects(tokenAt({ door: 'a b' }, { secret }), door)
  const period = { message: /^tokenAt: \/token\/period: / }
  await t.rejects(tokenAt({ door: 'ssh', period: '5s' }, { secret }), period)
})
