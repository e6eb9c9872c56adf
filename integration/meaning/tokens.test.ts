// Tokens in the kernel: made and sent without our library, each opens its door once, whatever
// happens in between.
import { chmod, rm, writeFile } from 'node:fs/promises'
import t from 'tap'
import {
  attachKnock,
  checkStatus,
  createNft,
  installKnock,
  type KnockSpec,
  refillKnock,
} from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, createPair, exec, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { doorOf, FAMILIES } from '../scene/house.js'
import {
  nowSeconds,
  OTHERS,
  SECRET,
  TOKEN_PORT,
  TokenHouse,
  tokenAt,
} from '../scene/token-house.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('openssl', 'nc')
if (!skip) sweep()
const [oldest, ...able] = versions

/** Long enough that no test sees its end. */
const PERIOD = 3600
const LONG = { period: PERIOD, horizon: '3h' }

t.jobs = 3

for (const { version, path } of able) {
  t.test(`a token opens, once, nft ${version}`, { skip, buffered: true }, async (t) => {
    for (const family of FAMILIES) {
      await using place = await TokenHouse.open({ binary: path, token: LONG })
      const { house } = place
      t.equal(await house.answers(family), false, `IPv${family}: closed before`)
      await place.type(family, PERIOD)
      t.equal(await house.answers(family), true, `IPv${family}: open after`)
      t.match(await house.counters(), { knocks: 1, grants: 1, wrong: 0 })
      const lastUse = async () => {
        const [{ grants = [] } = {}] = (await house.knock.status()).doors
        const use = grants.find(({ source }) => source === CLIENT[family])?.token
        return use && { ...use, ago: use.ago < 60 }
      }
      const ann = { user: 'ann', ago: true }
      t.same(await lastUse(), ann, 'a status says whose token it was')
      const users = ['bob', 'ann'].map((name, index) => {
        return { name, secretFile: place.file(index === 0 ? 'other' : 'secret') }
      })
      await installKnock(place.spec({ token: { ...LONG, users } }), { nft: place.nft })
      t.same(await lastUse(), ann, 'also when the spec has another user before')
      await installKnock(place.spec(), { nft: place.nft })

      const token = tokenAt(nowSeconds(), PERIOD)
      const replays = Array.from({ length: 100 }, () => token)
      await place.send(replays, CLIENT[family])
      t.match(
        await house.counters(),
        { knocks: 1, grants: 1, wrong: 0 },
        'the network sent it again',
      )
      await place.close(CLIENT[family])
      await place.send(replays, CLIENT[family])
      await place.send(replays, OTHERS[family])
      await place.send(replays, CLIENT[family === 4 ? 6 : 4])
      t.match(
        await house.counters(),
        { knocks: 1, grants: 1, wrong: 300 },
        'replayed: opens nothing',
      )
      t.equal(await house.answers(family), false)
    }
  })

  t.test(`what was used stays used, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using place = await TokenHouse.open({ binary: path, token: LONG })
    const { house, nft } = place
    const token = tokenAt(nowSeconds(), PERIOD)
    const [source] = [CLIENT[4]]
    await place.send([token])
    await place.close(source)
    const users = [
      { name: 'ann', secretFile: place.file('secret') },
      { name: 'bob', secretFile: place.file('other') },
    ]
    const changes: Record<string, () => Promise<unknown>> = {
      'the same spec installed': () => installKnock(place.spec(), { nft }),
      refilled: () => refillKnock(place.spec(), { nft }),
      'another time of opening': () =>
        installKnock(place.spec({ door: { open: { for: '50s' } } }), { nft }),
      'another door': () =>
        installKnock(
          {
            doors: [
              ...place.spec().doors,
              ...doorOf(['udp/7000'], { name: 'other', service: 'tcp/80' }).doors,
            ],
          },
          { nft },
        ),
      'another ban': () =>
        installKnock(
          place.spec({ parts: { guard: { ban: { after: 30, within: 60, for: 60 } } } }),
          { nft },
        ),
      'another capacity': () =>
        installKnock(place.spec({ parts: { guard: { capacity: 64 } } }), { nft }),
      'another drift': () => installKnock(place.spec({ token: { ...LONG, drift: 600 } }), { nft }),
      'another horizon': () =>
        installKnock(place.spec({ token: { ...LONG, horizon: '6h' } }), { nft }),
      'one more user': () => installKnock(place.spec({ token: { ...LONG, users } }), { nft }),
      'users in another order': () =>
        installKnock(place.spec({ token: { ...LONG, users: users.toReversed() } }), { nft }),
      'another port': () =>
        installKnock(place.spec({ token: { ...LONG, port: 'udp/6000' } }), { nft }),
    }
    for (const [what, change] of Object.entries(changes)) {
      await change()
      const before = await house.counters()
      await place.send([token], OTHERS[4])
      const { grants, wrong } = await house.counters()
      t.same({ grants, wrong }, { grants: before.grants, wrong: before.wrong + 1 }, what)
    }
  })
}

for (const { version, path } of able) {
  t.test(`another secret, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using place = await TokenHouse.open({ binary: path, token: LONG })
    const { house, nft } = place
    const other = `${SECRET} and more`
    await writeFile(place.file('secret'), other)
    await installKnock(place.spec(), { nft })
    await place.type(4, PERIOD)
    t.match(await house.counters(), { grants: 0, wrong: 1 }, 'the old tokens are none any more')
    await place.type(4, PERIOD, other)
    t.match(await house.counters(), { grants: 1, wrong: 1 })
    await house.knock.uninstall()
    await installKnock(place.spec(), { nft })
    await place.type(4, PERIOD, other)
    t.match(
      await house.counters(),
      { grants: 1, wrong: 0 },
      'a table that was removed knows nothing',
    )
  })

  t.test(`grants that are full, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using place = await TokenHouse.open({
      binary: path,
      token: LONG,
      parts: { guard: { capacity: 1 } },
    })
    await place.send([tokenAt(nowSeconds(), PERIOD)])
    await place.send([tokenAt(nowSeconds() + PERIOD, PERIOD)], OTHERS[4])
    const grants = await place.house.knock.door('service').grants()
    t.same(
      grants.map(({ source }) => source),
      [CLIENT[4]],
      'nobody else comes in',
    )
    await place.house.knock.door('service').close(CLIENT[4])
    await place.send([tokenAt(nowSeconds() + PERIOD, PERIOD)], OTHERS[4])
    t.same(await place.house.knock.door('service').grants(), [], 'the token is used all the same')
  })
}

for (const { version, path } of able) {
  t.test(`until when all is loaded, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using place = await TokenHouse.open({ binary: path, token: LONG })
    const { house, nft } = place
    const secretFile = place.file('secret')
    const rotate = { secretFile, every: '1h', steps: 2, protocol: 'tcp', ports: '20000-60000' }
    const more = {
      ...{ name: 'more', service: 'tcp/80', open: { for: '30s' } },
      knock: { type: 'sequence', rotate: { ...rotate, horizon: '2h' } },
    }
    const spec = { doors: [...place.spec().doors, more] } as KnockSpec
    const knock = await attachKnock({ nft })
    const left = async () => {
      const { doors } = await knock.status()
      return doors.flatMap(({ tokens = [], rotations = [] }) => [
        ...tokens.map(({ user, expiresIn }) => [user, expiresIn] as const),
        ...rotations.map(({ knock: attempt, expiresIn }) => [attempt, expiresIn] as const),
      ])
    }
    const LOADED: Readonly<Record<string, number>> = { open: 2 * PERIOD, other: 3 * PERIOD }
    const isWhole = (found: Awaited<ReturnType<typeof left>>) =>
      found.every(([name, seconds]) => {
        const least = LOADED[name] ?? 3 * PERIOD
        return seconds > least - 60 && seconds <= least + 3 * PERIOD
      })
    t.ok(isWhole(await left()), `installed: ${await left()}`)
    t.equal((await left()).length, 1)
    await installKnock(spec, { nft })
    t.equal((await left()).length, 2, 'another spec, in place')
    t.ok(isWhole(await left()), `changed: ${await left()}`)
    t.same(checkStatus(await knock.status()), [])
    const { server } = house.pair
    await exec(server, path, ['flush', 'set', 'inet', 'knock', 'loaded'])
    t.ok(
      (await left()).every(([, seconds]) => seconds === 0),
      'run out',
    )
    const ids = checkStatus(await knock.status()).map(({ id }) => id)
    t.same(ids, ['tokens-ended', 'rotation-ended'])
    await refillKnock(spec, { nft })
    t.ok(isWhole(await left()), `refilled: ${await left()}`)
    await refillKnock(spec, { nft })
    t.ok(isWhole(await left()), `refilled again: ${await left()}`)
    t.equal((await installKnock(spec, { nft })).doors.length, 2, 'it is intact')
    t.same(checkStatus(await knock.status()), [])
    await place.send([tokenAt(nowSeconds(), PERIOD)])
    t.match(await house.counters(), { grants: 1 }, 'and it opens')
  })
}

t.test('secrets that cannot be used', { skip, buffered: true }, async (t) => {
  const { path: binary = '' } = able.at(-1) ?? {}
  await using place = await TokenHouse.open({ binary, token: LONG })
  const { nft, house } = place
  const file = place.file('secret')
  const list = async () => {
    const { stdout } = await exec(house.pair.server, binary, ['list', 'ruleset'])
    return stdout.replace(/expires \w+/g, '')
  }
  const before = await list()
  const refuses = async (message: RegExp) => {
    const expected = { code: 'invalid-argument', message }
    await t.rejects(installKnock(place.spec(), { nft }), expected, String(message))
    await t.rejects(refillKnock(place.spec(), { nft }), expected)
    t.equal(await list(), before, 'nothing has changed')
  }
  await chmod(file, 0o640)
  await refuses(/: \/.*secret: .*got mode 640$/)
  await chmod(file, 0o604)
  await refuses(/got mode 604$/)
  await chmod(file, 0o600)
  await writeFile(file, 'fifteen bytes!!\n')
  await refuses(/at least 16 bytes, got 15$/)
  await writeFile(file, '')
  await refuses(/got 0$/)
  await rm(file)
  await refuses(/the secret cannot be read: ENOENT/)
})

t.test('an nft that knows no tokens', { skip, buffered: true }, async (t) => {
  const { path: binary = '', version } = oldest ?? {}
  await using pair = await createPair()
  const nft = createNft({ binary, netns: pair.server })
  const secretFile = `${t.testdir({ secret: `${SECRET}\n` })}/secret`
  await chmod(secretFile, 0o600)
  const users = [{ name: 'ann', secretFile }]
  const knock = { type: 'token', port: `udp/${TOKEN_PORT}`, period: PERIOD, users }
  const spec: KnockSpec = doorOf([], { knock })
  const message = new RegExp(`tokens.*1\\.1\\.0.*${version}`)
  const refuses = async () => {
    await t.rejects(installKnock(spec, { nft }), { code: 'missing-capability', message })
  }
  const list = async () => (await exec(pair.server, binary, ['list', 'ruleset'])).stdout
  await refuses()
  t.equal(await list(), '')
  await installKnock(doorOf(['udp/7000']), { nft })
  const before = await list()
  await refuses()
  t.equal(await list(), before, 'nothing has changed')
})
