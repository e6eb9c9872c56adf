// Tokens in the kernel, made and sent without knocklib: each opens its door once.
import t from 'tap'
import { installKnock, refillKnock } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { doorOf, FAMILIES } from '../setups/service-setup.js'
import { nowSeconds, OTHERS, SECRET, TokenSetup, tokenAt } from '../setups/token-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('openssl', 'nc')
if (!skip) sweep()
const [, ...able] = versions

/** Seconds; so long that no test sees the end of a period. */
const PERIOD = 3600
const LONG = { period: PERIOD, horizon: '3h' }

t.jobs = 3

for (const { version, path } of able) {
  t.test(`a token opens, once, nft ${version}`, { skip, buffered: true }, async (t) => {
    for (const family of FAMILIES) {
      await using setup = await TokenSetup.open({ binary: path, token: LONG })
      const { base } = setup
      t.equal(await base.answers(family), false, `IPv${family}: closed before`)
      await setup.type(family, PERIOD)
      t.equal(await base.answers(family), true, `IPv${family}: open after`)
      t.match(await base.counters(), { knocks: 1, grants: 1, wrong: 0 })
      const lastUse = async () => {
        const [{ grants = [] } = {}] = (await base.knock.status()).doors
        const use = grants.find(({ source }) => source === CLIENT[family])?.token
        return use && { ...use, ago: use.ago < 60 }
      }
      const ann = { user: 'ann', ago: true }
      t.same(await lastUse(), ann, 'the status shows the user of the token')
      const users = ['bob', 'ann'].map((name, index) => {
        return { name, secretFile: setup.file(index === 0 ? 'other' : 'secret') }
      })
      await installKnock(setup.spec({ token: { ...LONG, users } }), { nft: setup.nft })
      t.same(await lastUse(), ann, 'the user is right after another user was added before it')
      await installKnock(setup.spec(), { nft: setup.nft })

      const token = tokenAt(nowSeconds(), PERIOD, SECRET, family)
      const replays = Array.from({ length: 100 }, () => token)
      await setup.send(replays, CLIENT[family])
      t.match(
        await base.counters(),
        { knocks: 1, grants: 1, wrong: 0 },
        'a duplicate from the network changes nothing',
      )
      await setup.close(CLIENT[family])
      await setup.send(replays, CLIENT[family])
      await setup.send(replays, OTHERS[family])
      await setup.send(replays, CLIENT[family === 4 ? 6 : 4])
      t.match(
        await base.counters(),
        { knocks: 1, grants: 1, wrong: 300 },
        'replayed tokens open nothing',
      )
      t.equal(await base.answers(family), false)
    }
  })

  t.test(`one token opens over both families, nft ${version}`, { skip }, async (t) => {
    await using setup = await TokenSetup.open({ binary: path, token: LONG })
    const { base } = setup
    for (const family of FAMILIES) await setup.type(family, PERIOD)
    for (const family of FAMILIES) t.equal(await base.answers(family), true, `IPv${family}`)
    t.match(
      await base.counters(),
      { knocks: 2, grants: 2, wrong: 0 },
      'one knock opens for both families',
    )
    const grants = await base.knock.door('service').grants()
    t.same(new Set(grants.map(({ source }) => source)), new Set([CLIENT[4], CLIENT[6]]))
    await setup.send([tokenAt(nowSeconds(), PERIOD, SECRET, 4)], OTHERS[6])
    t.match(
      await base.counters(),
      { grants: 2, wrong: 1 },
      'a half that was used over one family is used over both',
    )
    await setup.send([tokenAt(nowSeconds() + PERIOD, PERIOD, SECRET, 6)], OTHERS[4])
    t.match(await base.counters(), { grants: 3 }, 'the other half is accepted over either family')
  })

  t.test(`used tokens stay used, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using setup = await TokenSetup.open({ binary: path, token: LONG })
    const { base, nft } = setup
    const token = tokenAt(nowSeconds(), PERIOD)
    const [source] = [CLIENT[4]]
    await setup.send([token])
    await setup.close(source)
    const users = [
      { name: 'ann', secretFile: setup.file('secret') },
      { name: 'bob', secretFile: setup.file('other') },
    ]
    const changes: Record<string, () => Promise<unknown>> = {
      'the same spec installed': () => installKnock(setup.spec(), { nft }),
      refilled: () => refillKnock(setup.spec(), { nft }),
      'another time of opening': () =>
        installKnock(setup.spec({ door: { open: { for: '50s' } } }), { nft }),
      'another door': () =>
        installKnock(
          {
            doors: [
              ...setup.spec().doors,
              ...doorOf(['udp/7000'], { name: 'other', service: 'tcp/80' }).doors,
            ],
          },
          { nft },
        ),
      'another ban': () =>
        installKnock(
          setup.spec({ parts: { guard: { ban: { after: 30, within: 60, for: 60 } } } }),
          { nft },
        ),
      'another capacity': () =>
        installKnock(setup.spec({ parts: { guard: { capacity: 64 } } }), { nft }),
      'another drift': () => installKnock(setup.spec({ token: { ...LONG, drift: 600 } }), { nft }),
      'another horizon': () =>
        installKnock(setup.spec({ token: { ...LONG, horizon: '6h' } }), { nft }),
      'one more user': () => installKnock(setup.spec({ token: { ...LONG, users } }), { nft }),
      'users in another order': () =>
        installKnock(setup.spec({ token: { ...LONG, users: users.toReversed() } }), { nft }),
      'another carrier, and the same again': async () => {
        const stun = { ...LONG, carrier: 'stun', port: 3478 }
        await installKnock(setup.spec({ token: stun }), { nft })
        await installKnock(setup.spec(), { nft })
      },
      'another port': () => installKnock(setup.spec({ token: { ...LONG, port: 6000 } }), { nft }),
    }
    for (const [what, change] of Object.entries(changes)) {
      await change()
      const before = await base.counters()
      await setup.send([token], OTHERS[4])
      const { grants, wrong } = await base.counters()
      t.same({ grants, wrong }, { grants: before.grants, wrong: before.wrong + 1 }, what)
    }
  })

  t.test(`a full set of grants, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using setup = await TokenSetup.open({
      binary: path,
      token: LONG,
      parts: { guard: { capacity: 1 } },
    })
    await setup.send([tokenAt(nowSeconds(), PERIOD)])
    await setup.send([tokenAt(nowSeconds() + PERIOD, PERIOD)], OTHERS[4])
    const grants = await setup.base.knock.door('service').grants()
    t.same(
      grants.map(({ source }) => source),
      [CLIENT[4]],
      'nobody else is let in',
    )
    await setup.base.knock.door('service').close(CLIENT[4])
    await setup.send([tokenAt(nowSeconds() + PERIOD, PERIOD)], OTHERS[4])
    t.same(await setup.base.knock.door('service').grants(), [], 'the token is used up')
  })
}
