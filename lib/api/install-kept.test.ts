// Confirmations, secrets and what a table held, as a keeper needs them.
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  door,
  installationOf,
  inTable,
  KEPT,
  put,
  Raced,
  sizes,
  specOf,
  ssh,
  web,
} from '../../integration/fixtures/installed.js'
import { installKnock, type NftDocument } from '../index.js'
import { FakeNft } from '../kernel/fake.js'
import type { ListQuery } from '../kernel/nft.js'

/** Notes what is asked of it. */
class Counted extends FakeNft {
  readonly calls: string[] = []
  override async apply(document: NftDocument, options = {}): Promise<void> {
    this.calls.push('apply')
    await super.apply(document, options)
  }
  override async list(query: ListQuery, options = {}): Promise<unknown> {
    this.calls.push('list')
    return super.list(query, options)
  }
  override async version(options = {}): Promise<string> {
    this.calls.push('version')
    return super.version(options)
  }
}

t.test('a table is confirmed in time, or opens to everyone', async (t) => {
  let now = 0
  const nft = new FakeNft({ now: () => now })
  const knock = await installKnock(specOf(ssh), { nft, confirmWithin: '60s' })
  now = 20_000
  t.strictSame((await knock.status()).confirm, { expiresIn: 40 })
  await installKnock(specOf(ssh), { nft, confirmWithin: 30 })
  t.strictSame(
    (await knock.status()).confirm,
    { expiresIn: 30 },
    'another install starts the time again',
  )
  await knock.confirm()
  t.equal((await knock.status()).confirm, undefined)
  await t.rejects(knock.confirm(), { code: 'not-found' })
  await installKnock(specOf(web), { nft, confirmWithin: '60s' })
  const own = installationOf(await installKnock(specOf(ssh), { nft, confirmWithin: '60s' }))
  t.equal(await own?.ensure({ operation: 'keep' }, KEPT), 'unchanged')
  t.strictSame(
    (await knock.status()).confirm,
    { expiresIn: 60 },
    'the keeper leaves the remaining time as it is',
  )
  now += 60_000
  t.strictSame((await knock.status()).confirm, { fallenOpen: true })
  await t.rejects(knock.confirm(), { code: 'timed-out', message: /install the spec again/ })
  await installKnock(specOf(ssh), { nft })
  t.equal(
    (await knock.status()).confirm,
    undefined,
    'an install without confirmWithin needs no confirmation',
  )
  for (const wrong of [0, -1, 0.5, '500ms', 'x']) {
    const options = { nft, confirmWithin: wrong }
    await t.rejects(installKnock(specOf(ssh), options), { code: 'invalid-argument' }, `${wrong}`)
  }
})

t.test('a keeper keeps the confirmation time of its own spec only', async (t) => {
  const nft = new FakeNft({ now: () => 0 })
  const knock = await installKnock(specOf(ssh), { nft })
  const own = installationOf(knock)
  const keep = { operation: 'keep' }
  const confirm = async () => (await knock.status()).confirm
  await installKnock(specOf(web), { nft, confirmWithin: '60s' })
  t.equal(await own?.ensure(keep, KEPT), 'changed')
  t.equal(await confirm(), undefined, 'the time of another spec is not used')
  await installKnock(specOf(web), { nft, confirmWithin: '60s' })
  t.equal(await own?.ensure(keep, { pending: { left: 7 } }), 'changed')
  t.strictSame(await confirm(), { expiresIn: 7 }, 'the time of its own spec goes on')
  await knock.uninstall()
  t.equal(await own?.ensure(keep, { pending: { left: 5 } }), 'made')
  t.strictSame(await confirm(), { expiresIn: 5 }, 'the time goes on while the table is gone')
  await knock.uninstall()
  t.equal(await own?.ensure(keep, { pending: { left: 0 } }), 'made')
  t.strictSame(await confirm(), { fallenOpen: true })
  const { confirmEnds = 0 } = installationOf(
    await installKnock(specOf(ssh), { nft, confirmWithin: 60 }),
  ) as { confirmEnds?: number }
  t.ok(
    Math.abs(confirmEnds - performance.now() - 60_000) < 5000,
    'the end of the time is known from the beginning',
  )
})

t.test('the time runs out while a call confirms the table', async (t) => {
  let now = 0
  const nft = new Raced({ now: () => now })
  const knock = await installKnock(specOf(ssh), { nft, confirmWithin: 10 })
  nft.before.push(async () => {
    now = 11_000
  })
  await t.rejects(knock.confirm(), { code: 'timed-out' })
})

t.test('a keeper goes on if a secret can no longer be read', async (t) => {
  const folder = t.testdir({ 'ana.key': 'a secret of sixteen bytes and more' })
  const secretFile = join(folder, 'ana.key')
  await chmod(secretFile, 0o600)
  const knock = {
    type: 'token',
    port: 'udp/7200',
    period: '30s',
    horizon: '1h',
    users: [{ name: 'ana', secretFile }],
  }
  const nft = new FakeNft({ now: () => Date.now() / 1000 })
  const handle = await installKnock(specOf(door('vpn', { knock })), { nft })
  const own = installationOf(handle)
  const loaded = async () => (await sizes(nft))['tokens1_vpn_0'] ?? 0
  const count = await loaded()
  t.ok(count > 0)
  await chmod(secretFile, 0o644)
  const heard: string[] = []
  const keep = { ...KEPT, unread: ({ message }: Error) => void heard.push(message) }
  const call = { operation: 'keep' }
  const before = JSON.stringify(await nft.list({ table: 'knock' }))
  t.equal(await own?.ensure(call, keep), 'unchanged')
  t.equal(JSON.stringify(await nft.list({ table: 'knock' })), before, 'the call loads nothing')
  const empty = { flush: { set: { ...inTable, name: 'tokens1_vpn_0' } } }
  await nft.apply({ nftables: [empty] })
  t.equal(await own?.ensure(call, keep), 'unchanged')
  t.ok(
    (await loaded()) >= count - 2,
    'tokens are loaded into an empty table, such as one of rendered text',
  )
  await handle.uninstall()
  t.equal(await own?.ensure(call, keep), 'made', 'the table is made, so that its doors are shut')
  t.ok((await loaded()) >= count - 2)
  t.equal(heard.length, 3)
  for (const message of heard) t.match(message, /ana\.key.*mode 644/)
  await t.rejects(own?.ensure(call, KEPT) as Promise<unknown>, /ana\.key/)
})

t.test('a missing table is put back without tokens, which are loaded later', async (t) => {
  const folder = t.testdir({ 'ana.key': 'a secret of sixteen bytes and more' })
  const secretFile = join(folder, 'ana.key')
  await chmod(secretFile, 0o600)
  const users = [{ name: 'ana', secretFile }]
  const knock = { type: 'token', port: 'udp/7200', period: '30s', horizon: '10m', users }
  const nft = new Counted()
  const handle = await installKnock(specOf(door('vpn', { knock })), { nft })
  const own = installationOf(handle)
  if (!own) throw new Error('no installation')
  const call = { operation: 'keep' }
  const state = { ...(await handle.save()), saved: new Date().toISOString() }
  const counts = async () => {
    const { tokens1_vpn_0: loaded = 0, spent_vpn_0: spent = 0 } = await sizes(nft)
    return { loaded, spent }
  }
  const { loaded } = await counts()
  await handle.uninstall()
  nft.calls.length = 0
  t.equal(await own.putBack(call, state, undefined), true)
  t.strictSame(nft.calls, ['apply'], 'the only call of nft is the one that puts the table back')
  t.match(await counts(), { loaded: 0, spent: 0 }, 'no token is loaded yet')
  t.equal(await own.putBack(call, state, undefined), false, 'an existing table is left as it is')
  const keep = { ...KEPT, state, loadsLater: true, isDue: false }
  t.equal(await own.ensure(call, { ...keep, isStale: () => true }), 'unchanged')
  t.match(
    await counts(),
    { loaded: 0 },
    'nothing is loaded into a table that was put back again meanwhile',
  )
  const doubted: number[] = []
  const doubt = (count: number) => void doubted.push(count)
  t.equal(await own.ensure(call, { ...keep, doubted: doubt }), 'unchanged')
  const after = await counts()
  t.ok(after.loaded >= loaded - 2)
  t.ok(after.spent >= 3, 'tokens that may have been used count as used')
  t.strictSame(doubted, [after.spent])
  t.equal(await own.ensure(call, { ...keep, doubted: doubt }), 'unchanged')
  t.equal(doubted.length, 1, 'no token is in doubt in a table that is loaded already')
  await handle.uninstall()
  t.equal(await own.ensure(call, keep), 'made')
  t.match(await counts(), { loaded: 0 }, 'a missing table is loaded by the next call')
})

t.test('the contents of the table are known from the beginning', async (t) => {
  const nft = new FakeNft({ now: () => Date.now() / 1000 })
  const saved = new Date(Date.now() - 3_600_000).toISOString()
  const until = (seconds: number) => new Date(Date.now() + 1000 * seconds).toISOString()
  const grant = { door: 'ssh', source: '10.0.0.1', until: until(20) }
  const token = { door: 'ssh', token: 'ab'.repeat(16), until: until(5 - 3600) }
  const state = {
    ...{ version: 1 as const, table: 'knock', saved, bans: [] },
    ...{ grants: [grant], tokens: [token], sequences: [] },
  }
  const made = installationOf(await installKnock(specOf(ssh), { nft, state }))?.held?.state
  t.strictSame(made?.grants, [grant])
  const left = Date.parse(made?.tokens[0]?.until ?? '') - Date.parse(made?.saved ?? '')
  t.ok(Math.abs(left - 5000) < 500, 'a used token keeps the remaining time that it had when saved')
  await put(nft, 'grants_ssh_4', '10.0.0.2')
  const sequence = { door: 'ssh', digest: '0123456789ab' }
  const again = { ...state, grants: [], sequences: [sequence] }
  const found = installationOf(await installKnock(specOf(ssh, web), { nft, state: again }))?.held
  t.ok(found?.state.grants.some(({ source }) => source === '10.0.0.2'))
  t.strictSame(found?.state.sequences, [sequence])
})
