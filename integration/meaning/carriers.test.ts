// Tokens in browsers' packets and in questions to name servers, in the kernel: each opens once, and
// what its client repeats does no harm.
import t from 'tap'
import { refillKnock } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { datagram } from '../random/arbitrary-token.js'
import { FAMILIES } from '../setups/service-setup.js'
import { nowSeconds, OTHERS, SECRET, TokenSetup, tokenAt } from '../setups/token-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc')
if (!skip) sweep()
const [, ...able] = versions

/** Long enough that no test sees its end. */
const PERIOD = 3600
const BAN = { guard: { ban: { after: 1, within: 600, for: 600 } } }

const CARRIERS = [
  { carrier: 'stun', port: 3478, write: (half: Buffer) => half.subarray(0, 12).toString('base64') },
  { carrier: 'dns', port: 53, write: base32 },
] as const

/** RFC 4648, section 6: five bits a letter. */
function base32(half: Buffer): string {
  const bits = [...half.subarray(0, 10)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = bits.match(/.{5}/g) ?? []
  return letters.map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number(`0b${five}`)]).join('')
}

t.jobs = 2

for (const { version, path } of able) {
  for (const { carrier, port, write } of CARRIERS) {
    t.test(`tokens by ${carrier}, nft ${version}`, { skip, buffered: true }, async (t) => {
      const token = { period: PERIOD, horizon: '3h', carrier, port }
      const door = { open: { for: '60s', connections: 1 } }
      await using setup = await TokenSetup.open({ binary: path, token, door, parts: BAN })
      const { base } = setup
      const at = nowSeconds()
      /** What a client sends so often, each time with another number. */
      const sent = (family: 4 | 6, count: number, ahead = 0) => {
        const half = tokenAt(at + ahead * PERIOD, PERIOD, SECRET, family)
        const text = Buffer.from(write(Buffer.from(half, 'hex'))).toString('hex')
        return Array.from({ length: count }, (_, number) => datagram(carrier, text, number))
      }
      for (const family of FAMILIES) {
        const source = CLIENT[family]
        t.equal(await base.answers(family), false, `IPv${family}: closed before`)
        await setup.send(sent(family, 20), source)
        t.equal(await base.answers(family), true, `IPv${family}: open after`)
        await setup.send(sent(family, 20), source)
        t.equal(await base.answers(family), false, `IPv${family}: the grant is for one connection`)
        await setup.send(sent(family, 20), source)
      }
      t.match(
        await base.counters(),
        { knocks: 2, grants: 2, wrong: 0 },
        'duplicates are not counted',
      )
      t.same(await base.knock.bans(), [])

      await setup.send(sent(4, 3), OTHERS[4])
      await refillKnock(setup.spec(), { nft: setup.nft })
      await setup.send(sent(4, 3), OTHERS[4])
      await setup.send(sent(4, 3), CLIENT[4])
      t.match(
        await base.counters(),
        { grants: 2, wrong: 6 },
        'used tokens open nothing, also after they are loaded again',
      )
      t.same(await base.knock.bans(), [], 'a used token is no strike')
      await setup.send(sent(6, 1, 1), OTHERS[4])
      t.match(
        await base.counters(),
        { grants: 3 },
        'the next token opens with the half of the other family',
      )

      await setup.send(['00'.repeat(16)], OTHERS[6])
      const banned = await base.knock.bans()
      t.same(
        banned.map(({ source }) => source),
        [OTHERS[6]],
        'invalid tokens ban a source',
      )
    })
  }
}
