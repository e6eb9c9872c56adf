// What tokens are made of: another secret, secrets that cannot be used, and until when a table has
// them loaded.
import { chmod, rm, writeFile } from 'node:fs/promises'
import t from 'tap'
import {
  attachKnock,
  checkKnock,
  checkStatus,
  createNft,
  installKnock,
  type KnockSpec,
  refillKnock,
} from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { createPair, exec, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { doorOf } from '../setups/service-setup.js'
import { nowSeconds, SECRET, TokenSetup, tokenAt } from '../setups/token-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('openssl', 'nc')
if (!skip) sweep()
const [oldest, ...able] = versions

/** Seconds; so long that no test sees the end of a period. */
const PERIOD = 3600
const LONG = { period: PERIOD, horizon: '3h' }

t.jobs = 3

for (const { version, path } of able) {
  t.test(`a change of the secret, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using setup = await TokenSetup.open({ binary: path, token: LONG })
    const { base, nft } = setup
    const other = `${SECRET} and more`
    await writeFile(setup.file('secret'), other)
    await installKnock(setup.spec(), { nft })
    await setup.type(4, PERIOD)
    t.match(await base.counters(), { grants: 0, wrong: 1 }, 'the old tokens are wrong')
    await setup.type(4, PERIOD, other)
    t.match(await base.counters(), { grants: 1, wrong: 1 })
    await base.knock.uninstall()
    await installKnock(setup.spec(), { nft })
    await setup.type(4, PERIOD, other)
    t.match(await base.counters(), { grants: 1, wrong: 0 }, 'a new table knows no used tokens')
  })
}

for (const { version, path } of able) {
  t.test(`the time of the loads, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using setup = await TokenSetup.open({ binary: path, token: LONG })
    const { base, nft } = setup
    const secretFile = setup.file('secret')
    const rotate = { secretFile, every: '1h', steps: 2, protocol: 'tcp', ports: '20000-60000' }
    const more = {
      ...{ name: 'more', service: 'tcp/80', open: { for: '30s' } },
      knock: { type: 'sequence', rotate: { ...rotate, horizon: '2h' } },
    }
    const spec = { doors: [...setup.spec().doors, more] } as KnockSpec
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
    t.equal((await left()).length, 2, 'another spec is installed in place')
    t.ok(isWhole(await left()), `changed: ${await left()}`)
    t.same(checkStatus(await knock.status()), [])
    const { server } = base.pair
    await exec(server, path, ['flush', 'set', 'inet', 'knock', 'loaded'])
    t.ok(
      (await left()).every(([, seconds]) => seconds === 0),
      'all loads have expired',
    )
    const ids = checkStatus(await knock.status()).map(({ id }) => id)
    t.same(ids, ['tokens-ended', 'rotation-ended'])
    await refillKnock(spec, { nft })
    t.ok(isWhole(await left()), `refilled: ${await left()}`)
    await refillKnock(spec, { nft })
    t.ok(isWhole(await left()), `refilled again: ${await left()}`)
    t.equal((await installKnock(spec, { nft })).doors.length, 2, 'the table is intact')
    t.same(checkStatus(await knock.status()), [])
    await setup.send([tokenAt(nowSeconds(), PERIOD)])
    t.match(await base.counters(), { grants: 1 }, 'the token opens')
  })
}

t.test('unusable secrets are refused', { skip, buffered: true }, async (t) => {
  const { path: binary = '' } = able.at(-1) ?? {}
  await using setup = await TokenSetup.open({ binary, token: LONG })
  const { nft, base } = setup
  const file = setup.file('secret')
  const list = async () => {
    const { stdout } = await exec(base.pair.server, binary, ['list', 'ruleset'])
    return stdout.replace(/expires \w+/g, '')
  }
  const before = await list()
  const refuses = async (message: RegExp) => {
    const expected = { code: 'invalid-argument', message }
    await t.rejects(installKnock(setup.spec(), { nft }), expected, String(message))
    await t.rejects(refillKnock(setup.spec(), { nft }), expected)
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

t.test('an nft that knows no tokens is refused', { skip, buffered: true }, async (t) => {
  const { path: binary = '', version } = oldest ?? {}
  await using pair = await createPair()
  const nft = createNft({ binary, netns: pair.server })
  const secretFile = `${t.testdir({ secret: `${SECRET}\n` })}/secret`
  await chmod(secretFile, 0o600)
  const users = [{ name: 'ann', secretFile }]
  const list = async () => (await exec(pair.server, binary, ['list', 'ruleset'])).stdout
  const message = new RegExp(`tokens: nft 1\\.1\\.0 or newer .*, this is ${version}$`)
  const refuses = async (before: string) => {
    for (const carrier of ['udp', 'stun', 'dns']) {
      const knock = { type: 'token', carrier, port: 'udp/41234', period: PERIOD, users }
      const spec: KnockSpec = doorOf([], { knock })
      const expected = { code: 'missing-capability', message }
      await t.rejects(installKnock(spec, { nft }), expected, carrier)
      await t.rejects(checkKnock(spec, { nft }), expected, `${carrier}: check refuses it`)
      t.equal(await list(), before, 'nothing has changed')
    }
  }
  await refuses('')
  await installKnock(doorOf(['udp/7000']), { nft })
  await refuses(await list())
})
