// What a keeper must know: the spec, packets that are not logged, a confirmation, a state file, and
// events while another process reads the log.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { attachKnock, createNft, installKnock, loadState } from '../../../lib/index.js'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec, NFT } from '../../machine/namespaces.js'
import { versionsOrSkip } from '../../machine/nft-versions.js'
import { PATIENCE, until } from '../../machine/until.js'
import { grantees, KeptTable, knockOn } from '../../setups/kept-table.js'
import { doorOf, ServiceSetup } from '../../setups/service-setup.js'
import { groupsIn, holdGroup, processOf } from '../../setups/watching.js'

const { skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc')

// The reader processes run from the build.
build()

t.jobs = 2

t.test('a flushed table stays unconfirmed', { skip, buffered: true }, async (t) => {
  await using setup = await ServiceSetup.open(doorOf(['tcp/7000']))
  const nft = createNft({ binary: NFT, netns: setup.pair.server })
  const knock = await installKnock(doorOf(['tcp/7000']), { nft, confirmWithin: '12s' })
  await using kept = new KeptTable(knock)
  await kept.begun(setup)
  await sleep(1500)
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  await kept.heard('restored')
  const { confirm } = await knock.status()
  t.ok(
    confirm && 'expiresIn' in confirm && (confirm.expiresIn as number) < 12,
    JSON.stringify(confirm),
  )
  await knock.confirm()
  await sleep(1500)
  t.strictSame(kept.named('restored').length, 1, 'a confirmed table is not altered')
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  await kept.heard('restored', 2)
  t.notOk((await knock.status()).confirm, 'the table is confirmed')
})

t.test('without a log the last listing is put back', { skip, buffered: true }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'state.json')
  await using setup = await ServiceSetup.open({ ...doorOf(['tcp/7000']), log: false })
  await using kept = new KeptTable(setup.knock, file)
  await kept.begun(setup)
  await knockOn(setup, 4, '7000')
  // The keeper lists each second, or after ten times the last listing's time, and writes the state.
  const isListed = async () =>
    (await loadState(file))?.grants.some(({ source }) => source === CLIENT[4])
  for (let tries = 0; tries < 300 && !(await isListed()); tries += 1) await sleep(100)
  t.ok(await isListed(), 'the grant is listed and written')
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  await kept.heard('restored')
  t.ok((await grantees(setup))?.includes(CLIENT[4]), 'the source is let in as before')
})

t.test('a keeper writes its state', { skip, buffered: true }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'state.json')
  await using setup = await ServiceSetup.open(doorOf(['tcp/7000']))
  {
    await using kept = new KeptTable(setup.knock, file)
    await kept.begun(setup)
    await knockOn(setup, 4, '7000')
    await kept.heard('granted', 2)
    await sleep(1000)
    const state = await loadState(file)
    t.strictSame(state?.grants.map(({ source }) => source).sort(), [CLIENT[4], '203.0.113.250'])
    await setup.knock.doors[0]?.close(CLIENT[4])
  }
  const state = await loadState(file)
  t.strictSame(
    state?.grants.map(({ source }) => source),
    ['203.0.113.250'],
    'the last state is written at the end',
  )
})

t.test('a keeper needs the spec', async (t) => {
  await using setup = await ServiceSetup.open(doorOf(['tcp/7000']))
  const nft = createNft({ binary: NFT, netns: setup.pair.server })
  const attached = await attachKnock({ nft })
  const { signal } = new AbortController()
  await t.rejects(attached.keepInstalled({ signal }), {
    code: 'invalid-argument',
    message: /attachKnock/,
  })
})

t.test('another process has the log group for a while', { skip, buffered: true }, async (t) => {
  await using setup = await ServiceSetup.open(doorOf(['tcp/7000']))
  const { server } = setup.pair
  const holderOf = async () => processOf((await groupsIn(server)).get(5) ?? 0)
  const first = await holdGroup(setup.pair.server)
  await until(async () => (await groupsIn(server)).has(5), 'holder of the group')
  await using kept = new KeptTable(setup.knock)
  t.match(await kept.heard('failed'), [{ what: 'events', message: /NFLOG group 5: process \d+/ }])
  t.strictSame(kept.named('watching'), [], 'watching is not reported yet')
  t.equal((await kept.heard('overrun')).length, 1, 'missing packet events are reported')
  const own = await holderOf()
  await first.end()
  await kept.heard('watching', 1, 2 * PATIENCE)
  t.not(await holderOf(), own)
  await knockOn(setup, 4, '7000')
  t.match(
    await kept.heard('granted'),
    [{ by: 'knock', source: CLIENT[4] }],
    'packet events are reported',
  )

  const second = await holdGroup(setup.pair.server)
  process.kill(await holderOf(), 'SIGKILL')
  await kept.heard('failed', 2)
  await exec(server, NFT, ['delete', 'table', 'inet', 'knock'])
  await kept.heard('restored')
  t.strictSame(await grantees(setup), [CLIENT[4]], 'the table is kept meanwhile')
  await second.end()
  await kept.heard('watching', 2, 2 * PATIENCE)
  await knockOn(setup, 6, '7000')
  await kept.heard('granted', 2)
  t.equal(kept.named('failed').length, 2, 'each failure is reported once')
})
