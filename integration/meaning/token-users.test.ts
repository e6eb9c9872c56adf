// Users of tokens in the kernel: where they come from, when, until when, and what they are called.
import t from 'tap'
import { checkStatus, installKnock, type KnockEvent, refillKnock } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, createPair, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { until } from '../machine/until.js'
import { FAMILIES } from '../setups/service-setup.js'
import { nowSeconds, OTHERS, SECRET, TokenSetup, tokenAt } from '../setups/token-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('openssl', 'nc')
if (!skip) sweep()
const [, ...able] = versions

/** Seconds; so long that no test sees the end of a period. */
const PERIOD = 3600
const LONG = { period: PERIOD, horizon: '3h' }
const NAME = 'ana.b@example.org'

/** Hours that are far from now, on the other half of the clock. */
const elsewhen = (): string => (new Date().getUTCHours() < 12 ? '18:00-18:01' : '06:00-06:01')

t.jobs = 3

for (const { version, path } of able) {
  t.test(`tokens open from the sources of their user, nft ${version}`, { skip }, async (t) => {
    await using setup = await TokenSetup.open({ binary: path, token: LONG })
    const { base, nft } = setup
    const ana = { name: NAME, secretFile: setup.file('secret') }
    const from = [CLIENT[4], 'fd00:77::2/127', '192.0.2.0/24']
    const spec = setup.spec({ token: { ...LONG, users: [{ ...ana, from }] } })
    await installKnock(spec, { nft })
    const stop = new AbortController()
    const events: KnockEvent[] = []
    const watch = base.knock.watch({ signal: stop.signal })
    const watching = (async () => {
      for await (const event of watch) events.push(event)
    })()
    await watch.ready
    for (const family of FAMILIES) {
      const token = tokenAt(nowSeconds(), PERIOD, SECRET, family)
      const before = await base.counters()
      await setup.send([token, token], OTHERS[family])
      const { grants, wrong } = await base.counters()
      t.same([grants - before.grants, wrong - before.wrong], [0, 2], `IPv${family}: from elsewhere`)
      await setup.send([token], CLIENT[family])
      t.equal((await base.counters()).grants - grants, 1, `IPv${family}: it was not used up`)
      t.equal(await base.answers(family), true)
      await setup.send([token], OTHERS[family])
      t.match(await base.counters(), { grants: grants + 1, wrong: wrong + 1 }, 'it is used now')
    }
    const [door] = (await base.knock.status()).doors
    t.strictSame(
      door?.grants.map(({ token }) => token?.user),
      [NAME, NAME],
      'the status has the whole name',
    )
    await until(() => events.length >= 8, 'the events')
    const heard = events.map((event) =>
      'user' in event ? [event.event, event.source, event.user] : [event.event],
    )
    const ofFamily = (family: 4 | 6) => [
      ...[
        ['wrong', OTHERS[family], NAME],
        ['wrong', OTHERS[family], NAME],
      ],
      ...[['granted', CLIENT[family], NAME], ['wrong']],
    ]
    t.same(heard, [...ofFamily(4), ...ofFamily(6)])
    stop.abort()
    await watching

    const again = await installKnock(spec, { nft })
    t.equal(again.warnings.filter(({ id }) => /tokens|user/.test(id)).length, 0)
    const four = { ...ana, from: '0.0.0.0/0' }
    await installKnock(setup.spec({ token: { ...LONG, users: [four] } }), { nft })
    t.equal((await base.knock.door('service').grants()).length, 2, 'grants outlive a change')
    const next = nowSeconds() + PERIOD
    await setup.send([tokenAt(next, PERIOD, SECRET, 6)], OTHERS[6])
    t.equal((await base.knock.door('service').grants()).length, 2, 'all of IPv4 alone')
    await setup.send([tokenAt(next, PERIOD, SECRET, 6)], OTHERS[4])
    t.equal((await base.knock.door('service').grants()).length, 3)
  })

  t.test(`tokens are loaded for the hours of their user, nft ${version}`, { skip }, async (t) => {
    await using setup = await TokenSetup.open({ binary: path, token: LONG })
    const { base, nft } = setup
    const users = [
      { name: NAME, secretFile: setup.file('secret'), hours: elsewhen() },
      { name: 'ben', secretFile: setup.file('other'), hours: ['00:00-12:00', '12:00-24:00'] },
    ]
    const ends = new Date(1000 * Math.floor(nowSeconds() + 86_400)).toISOString()
    const spec = setup.spec({
      token: { ...LONG, users: users.map((user) => ({ ...user, until: ends })) },
    })
    await installKnock(spec, { nft })
    t.strictSame(await setup.elements('tokens1_service'), [], 'none begins in these hours')
    t.ok((await setup.elements('tokens2_service')).length >= 6, 'all do')
    await refillKnock(spec, { nft })
    await setup.send([tokenAt(nowSeconds(), PERIOD)])
    t.match(await base.counters(), { grants: 0, wrong: 1 })
    await setup.send([tokenAt(nowSeconds(), PERIOD, `${SECRET} other`)])
    t.match(await base.counters(), { grants: 1, wrong: 1 })
    const status = await base.knock.status()
    const [{ tokens = [] } = {}] = status.doors
    t.match(tokens, [
      { user: NAME, until: ends },
      { user: 'ben', until: ends },
    ])
    t.ok(
      tokens.every(({ expiresIn }) => expiresIn > 3 * PERIOD - 60),
      'known until the horizon',
    )
    t.match(status.clock, { synchronised: /^(yes|no|unknown)$/, time: /Z$/ })
    const ids = checkStatus(status).map(({ id }) => id)
    t.strictSame(
      ids.filter((id) => id !== 'clock-unsynchronised'),
      ['user-ends-soon', 'user-ends-soon'],
    )
    t.match(await base.knock.metrics(), /knocklib_user_until_timestamp_seconds\{.*ana\.b@example/)
  })

  t.test(`no token opens after the end of its user, nft ${version}`, { skip }, async (t) => {
    await using setup = await TokenSetup.open({ binary: path, token: LONG })
    const { base, nft } = setup
    const ana = { name: NAME, secretFile: setup.file('secret') }
    const past = new Date(1000 * Math.floor(nowSeconds() - 5)).toISOString()
    const spec = setup.spec({ token: { ...LONG, users: [{ ...ana, until: past }] } })
    await installKnock(spec, { nft })
    await setup.send([tokenAt(nowSeconds(), PERIOD)])
    t.match(await base.counters(), { grants: 0, wrong: 1 })
    const ids = checkStatus(await base.knock.status()).map(({ id }) => id)
    t.strictSame(
      ids.filter((id) => id !== 'clock-unsynchronised'),
      ['user-ended'],
    )
  })
}

t.test('an nft that knows no sets of tokens', { skip }, async (t) => {
  const [oldest] = versions
  await using pair = await createPair()
  const { createNft } = await import('../../lib/index.js')
  await using setup = await TokenSetup.open({ binary: able[0]?.path as string, token: LONG })
  const users = [{ name: NAME, secretFile: setup.file('secret'), from: '192.0.2.0/24' }]
  const nft = createNft({ binary: oldest?.path as string, netns: pair.server })
  await t.rejects(installKnock(setup.spec({ token: { ...LONG, users } }), { nft }), {
    code: 'missing-capability',
  })
})
