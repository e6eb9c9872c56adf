// A kept table that is flushed many times: no grant is lost, and what was used stays used.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec, NFT } from '../../machine/namespaces.js'
import { versionsOrSkip } from '../../machine/nft-versions.js'
import { PATIENCE } from '../../machine/until.js'
import { datagram } from '../../random/arbitrary-token.js'
import { grantees, KeptTable, knockOn } from '../../setups/kept-table.js'
import { doorOf, FAMILIES, ServiceSetup } from '../../setups/service-setup.js'
import { nowSeconds, TokenSetup, tokenAt } from '../../setups/token-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc')

// The reader processes run from the build.
build()

t.jobs = 2

const FLUSHES = 20

for (const { version, path } of versions) {
  t.test(`nft ${version}: grants survive a flush`, { skip, buffered: true }, async (t) => {
    await using setup = await ServiceSetup.open(doorOf(['tcp/7000', 'udp/8000']), path)
    await using kept = new KeptTable(setup.knock)
    await kept.begun(setup)
    const took: number[] = []
    for (let flush = 1; flush <= FLUSHES; flush += 1) {
      const source = `203.0.113.${flush}`
      await setup.knock.doors[0]?.open(source, { for: '10m' })
      // Only the packet's event reports the last grant: no listing has seen it yet.
      if (flush === FLUSHES)
        await Promise.all(FAMILIES.map((f) => knockOn(setup, f, '7000', '8000:udp')))
      await kept.heard('granted', kept.named('granted').length)
      await exec(setup.pair.server, path, ['flush', 'ruleset'])
      const restored = await kept.heard('restored', flush)
      took.push((restored.at(-1) as { took: number }).took)
    }
    t.equal(kept.named('restored').length, FLUSHES)
    const expected = Array.from({ length: FLUSHES }, (_, index) => `203.0.113.${index + 1}`)
    const lost = async () => {
      const found = new Set(await grantees(setup))
      return [...expected, CLIENT[4], CLIENT[6]].filter((source) => !found.has(source))
    }
    // Events that come after the table was made are applied afterwards.
    for (const end = performance.now() + PATIENCE; performance.now() < end; ) {
      if ((await lost()).length === 0) break
    }
    t.strictSame(await lost(), [], 'no grant is lost')
    // So many flushes are reported as the work of another program.
    const failures = kept.named('failed').map((event) => 'what' in event && event.what)
    t.strictSame([...new Set(failures)], ['contested'])
    t.ok(
      Math.max(...took) < PATIENCE,
      `the table was back within ${took.sort((a, b) => a - b).join(' ')} ms`,
    )
    for (const family of FAMILIES)
      t.equal(await setup.answers(family), true, 'the source is let in as before')
  })
}

async function useBeforeFlush(
  t: Test,
  token: { readonly port?: number },
  write: (token: string) => string,
): Promise<void> {
  const binary = versions.at(-1)?.path as string
  await using tokens = await TokenSetup.open({ binary, token })
  const { base: setup } = tokens
  await using kept = new KeptTable(setup.knock)
  await kept.begun(setup)
  const period = 60
  const used = write(tokenAt(nowSeconds(), period))
  await tokens.send([used])
  await kept.heard('granted', kept.named('granted').length + 1).catch(() => {})
  t.equal(await setup.answers(4), true, 'the token opens')
  await tokens.close(CLIENT[4])
  await kept.heard('closed')
  await exec(setup.pair.server, binary, ['flush', 'ruleset'])
  await kept.heard('restored')
  t.equal(await setup.answers(4), false, 'a grant closed before the flush stays closed')
  await tokens.send([used])
  await sleep(300)
  t.equal(await setup.answers(4), false, 'the same token opens nothing')
  await tokens.send([write(tokenAt(nowSeconds() + period, period))])
  await sleep(300)
  t.equal(await setup.answers(4), true, 'the next token opens')
}

t.test('a used token stays used after a flush', { skip, buffered: true }, (t) =>
  useBeforeFlush(t, {}, (token) => token),
)

t.test('a used token of a browser stays used after a flush', { skip, buffered: true }, (t) => {
  const stun = { carrier: 'stun', port: 3478 }
  return useBeforeFlush(t, stun, (token) => {
    const text = Buffer.from(token, 'hex').subarray(0, 12).toString('base64')
    return datagram('stun', Buffer.from(text).toString('hex'), 1)
  })
})

t.test('a used sequence stays used after a flush', { skip, buffered: true }, async (t) => {
  const knock = {
    type: 'sequence',
    oneTime: [
      ['tcp/7000', 'tcp/7001'],
      ['tcp/7100', 'tcp/7101'],
    ],
    stepTimeout: '5s',
  }
  const spec = { ...doorOf([], { knock }), guard: { ban: { after: 1, within: '1m', for: '10m' } } }
  await using setup = await ServiceSetup.open(spec)
  await using kept = new KeptTable(setup.knock)
  await kept.begun(setup)
  const heard = kept.named('granted').length
  await knockOn(setup, 4, '7100', '7101')
  await kept.heard('granted', heard + 1)
  await setup.knock.doors[0]?.close(CLIENT[4])
  await knockOn(setup, 6, '7100', '7000', '7101')
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  await kept.heard('restored')
  await knockOn(setup, 4, '7100', '7101')
  t.equal(await setup.answers(4), false, 'the used sequence opens nothing')
  const bans = await setup.knock.bans()
  t.ok(
    bans.some(({ source }) => source === CLIENT[6]),
    `the earlier ban stays: ${JSON.stringify(bans)}`,
  )
})
