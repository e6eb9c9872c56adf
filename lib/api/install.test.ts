// Installs, changed specs, confirmations and others who install at the same moment, against the
// ruleset in memory.
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  attachKnock,
  installKnock,
  type Knock,
  type KnockSpec,
  type NftDocument,
  NftError,
} from '../index.js'
import { FakeNft } from '../kernel/fake.js'
import type { ListQuery } from '../kernel/nft.js'
import { parseListing } from '../nft/listing.js'
import { SERIAL_SET, serialOf } from '../nft/serial.js'

const door = (name: string, parts: object = {}) => ({
  name,
  service: 'tcp/22',
  knock: { type: 'sequence' as const, steps: ['tcp/7000', 'udp/8000'] },
  open: { for: '30s' },
  ...parts,
})
const ssh = door('ssh')
const web = door('web', { service: 'tcp/443', knock: { type: 'sequence', steps: ['tcp/7001'] } })
const specOf = (...doors: object[]): KnockSpec => ({ doors }) as KnockSpec

const installationOf = ({ installation }: Knock) => installation

const inTable = { family: 'inet', table: 'knock' } as const

async function put(nft: FakeNft, name: string, val: string | number, timeout = 100) {
  const element = { ...inTable, name, elem: [{ elem: { val, timeout } }] }
  await nft.apply({ nftables: [{ add: { element } }] })
}

async function sizes(nft: FakeNft): Promise<Record<string, number>> {
  const { sets } = parseListing(await nft.list({ table: 'knock' }))
  return Object.fromEntries([...sets].map(([name, { elements }]) => [name, elements.length]))
}

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

/** As who keeps a table asks for it. */
const KEPT = { pending: { left: undefined } } as const

t.test('grants, attempts and bans stay where the spec lets them', async (t) => {
  const nft = new FakeNft()
  const guard = { ban: { after: 3, within: '1m', for: '10m' } }
  await installKnock({ ...specOf(ssh, web), guard }, { nft })
  await put(nft, 'grants_ssh_4', '192.0.2.1')
  await put(nft, 'grants_web_6', '2001:db8::1')
  await put(nft, 'stage1_ssh_4', '192.0.2.2')
  await put(nft, 'banned_4', '192.0.2.3')
  const others: Record<string, [KnockSpec, object]> = {
    'other durations': [
      specOf({ ...ssh, open: { for: '1h' } }, web),
      { grants_ssh_4: 1, grants_web_6: 1, stage1_ssh_4: 1 },
    ],
    'another order, and a door more': [
      specOf(web, door('new', { service: 'tcp/25' }), ssh),
      { grants_ssh_4: 1, grants_web_6: 1, stage1_ssh_4: 1 },
    ],
    'another knock': [
      specOf(door('ssh', { knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8001'] } }), web),
      { grants_ssh_4: 1, grants_web_6: 1, stage1_ssh_4: 0 },
    ],
    'another service': [
      specOf(door('ssh', { service: 'tcp/2222-2230' }), web),
      { grants_ssh_4: 1, grants_web_6: 1 },
    ],
  }
  for (const [name, [other, kept]] of Object.entries(others)) {
    const own = { ...other, guard: { ...guard, trusted: ['10.0.0.0/8'], capacity: 1000 } }
    await installKnock(own, { nft })
    t.match(await sizes(nft), { ...kept, banned_4: 1 }, name)
  }
  await installKnock(specOf(web), { nft })
  const left = await sizes(nft)
  t.equal(left['grants_ssh_4'], undefined)
  t.equal(left['banned_4'], undefined)
  t.equal(left['grants_web_6'], 1)
})

t.test(
  'a door that allows fewer connections: who has used them up is let in no more',
  async (t) => {
    const nft = new FakeNft()
    const counted = (connections: number) =>
      specOf(door('ssh', { open: { for: '30s', connections } }))
    await installKnock(counted(3), { nft })
    await put(nft, 'grants_ssh_4', '192.0.2.1')
    await put(nft, 'grants_ssh_4', '192.0.2.2')
    await put(nft, 'used2_ssh_4', '192.0.2.1')
    await installKnock(counted(2), { nft })
    const grants = await (await attachKnock({ nft })).door('ssh').grants()
    t.strictSame(
      grants.map(({ source }) => source),
      ['192.0.2.2'],
    )
  },
)

/** Does something before the next transactions, as another process would. */
class Raced extends FakeNft {
  readonly before: (() => Promise<unknown>)[] = []

  override async apply(document: NftDocument, options = {}): Promise<void> {
    await this.before.pop()?.()
    await super.apply(document, options)
  }
}

t.test('who comes second lists again', async (t) => {
  const nft = new Raced()
  const serial = async () =>
    serialOf(parseListing(await nft.list({ table: 'knock', set: SERIAL_SET })))
  nft.before.push(() => installKnock(specOf(web), { nft }))
  await installKnock(specOf(ssh), { nft })
  t.strictSame(
    (await attachKnock({ nft })).doors.map(({ name }) => name),
    ['ssh'],
  )
  const first = await serial()
  nft.before.push(() => installKnock(specOf(ssh, web), { nft }))
  await installKnock(specOf(web), { nft })
  t.strictSame(
    (await attachKnock({ nft })).doors.map(({ name }) => name),
    ['web'],
  )
  t.not(await serial(), first)
  const knock = await attachKnock({ nft })
  nft.before.push(() => knock.uninstall())
  await installKnock(specOf(ssh), { nft })
  t.strictSame(
    (await attachKnock({ nft })).doors.map(({ name }) => name),
    ['ssh'],
  )
})

t.test('who always comes second gives up, and says so', async (t) => {
  const nft = new Raced()
  await installKnock(specOf(ssh), { nft })
  let others = 0
  const other = async (): Promise<void> => {
    nft.before.length = 0
    others += 1
    await installKnock(specOf(others % 2 ? web : ssh), { nft })
    nft.before.push(other)
  }
  nft.before.push(other)
  await t.rejects(installKnock(specOf(ssh, web), { nft }), { code: 'conflict' })
  t.equal(others, 12)
})

t.test('what nft refuses for another reason is reported as it is', async (t) => {
  const nft = new Raced()
  await installKnock(specOf(ssh), { nft })
  const refuse = async () => {
    await nft.list({ table: 'nosuch' })
  }
  nft.before.push(refuse, refuse, refuse)
  await t.rejects(installKnock(specOf(web), { nft }), { code: 'not-found' })
  t.strictSame(
    (await attachKnock({ nft })).doors.map(({ name }) => name),
    ['ssh'],
  )
})

type Listed = Record<string, { name?: string; comment?: string; elem?: unknown[] }>

/**
 * Lists a table otherwise than it is, so many times, as the kernel does while somebody's change
 * fails.
 */
class Mislisted extends FakeNft {
  wrong: ((objects: Listed[]) => Listed[]) | undefined
  times = 0

  override async list(query: ListQuery, options = {}): Promise<unknown> {
    const listing = (await super.list(query, options)) as { nftables: Listed[] }
    if (!this.wrong || this.times === 0) return listing
    const wrong = { nftables: this.wrong(structuredClone(listing.nftables)) }
    // A table's parts are listed one by one: not each has what goes wrong.
    if (JSON.stringify(wrong.nftables) === JSON.stringify(listing.nftables)) return listing
    this.times -= 1
    return wrong
  }
}

const trusting = (...trusted: string[]): KnockSpec => ({ ...specOf(ssh), guard: { trusted } })

t.test('what a listing left out does not stay behind', async (t) => {
  const nft = new Mislisted()
  await installKnock(trusting('10.0.0.0/8', '192.0.2.0/24'), { nft })
  nft.wrong = (objects) =>
    objects.map((object) => {
      const { set } = object
      return set?.name === 'trusted_4'
        ? { set: { ...set, elem: set.elem?.slice(0, 1) ?? [] } }
        : object
    })
  nft.times = 1
  const installed = await installKnock(trusting('10.0.0.0/8'), { nft })
  t.equal(nft.times, 0)
  t.equal((await sizes(nft))['trusted_4'], 1)
  const own = installationOf(installed)
  t.equal(await own?.ensure({ operation: 'again' }, KEPT), 'unchanged')
  nft.times = 1
  t.equal(
    await installationOf(
      await installKnock(trusting('10.0.0.0/8', '192.0.2.0/24'), { nft }),
    )?.ensure({ operation: 'again' }, KEPT),
    'unchanged',
  )
  nft.times = 1
  t.equal(
    await own?.ensure({ operation: 'back' }, KEPT),
    'changed',
    'as a whole, in more than one step',
  )
  nft.times = Number.POSITIVE_INFINITY
  const call = installKnock(trusting('198.51.100.0/24', '192.0.2.0/24'), { nft })
  await t.rejects(call, { code: 'unverified', message: /not what was asked for, after 12 tries/ })
})

t.test('what a listing has twice is taken away once', async (t) => {
  const nft = new Mislisted()
  await installKnock(specOf(ssh, web), { nft })
  nft.wrong = (objects) =>
    objects.map((object) => {
      const { map } = object
      return map ? { map: { ...map, elem: [...(map.elem ?? []), ...(map.elem ?? [])] } } : object
    })
  nft.times = 1
  await installKnock(specOf(ssh), { nft })
  t.equal(nft.times, 0)
  const { doors } = await attachKnock({ nft })
  t.strictSame(
    doors.map(({ name }) => name),
    ['ssh'],
  )
})

/**
 * Refuses, as the kernel does, to delete a set that a rule names; the ruleset in memory calls it
 * not found.
 */
class Refusing extends Mislisted {
  override async apply(document: NftDocument, options = {}): Promise<void> {
    const deleted = document.nftables.flatMap((command) =>
      'delete' in command ? Object.keys(command.delete) : [],
    )
    if (deleted.includes('set') && !deleted.includes('rule')) throw new NftError('rejected', 'busy')
    await super.apply(document, options)
  }
}

t.test('confirmed, though a listing left a rule out', async (t) => {
  const nft = new Refusing()
  const knock = await installKnock(specOf(ssh), { nft, confirmWithin: '60s' })
  nft.wrong = (objects) => objects.filter(({ rule }) => rule?.comment !== 'unconfirmed')
  nft.times = 1
  await knock.confirm()
  t.equal(nft.times, 0)
  t.equal((await knock.status()).confirm, undefined)
  const again = await installKnock(specOf(ssh), { nft, confirmWithin: '60s' })
  nft.times = 3
  await t.rejects(again.confirm(), { code: 'rejected' }, 'refused again and again')
})

t.test('confirmed in time, or fallen open', async (t) => {
  let now = 0
  const nft = new FakeNft({ now: () => now })
  const knock = await installKnock(specOf(ssh), { nft, confirmWithin: '60s' })
  now = 20_000
  t.strictSame((await knock.status()).confirm, { expiresIn: 40 })
  await installKnock(specOf(ssh), { nft, confirmWithin: 30 })
  t.strictSame((await knock.status()).confirm, { expiresIn: 30 }, 'begins anew')
  await knock.confirm()
  t.equal((await knock.status()).confirm, undefined)
  await t.rejects(knock.confirm(), { code: 'not-found' })
  await installKnock(specOf(web), { nft, confirmWithin: '60s' })
  const own = installationOf(await installKnock(specOf(ssh), { nft, confirmWithin: '60s' }))
  t.equal(await own?.ensure({ operation: 'keep' }, KEPT), 'unchanged')
  t.strictSame((await knock.status()).confirm, { expiresIn: 60 }, 'a keeper leaves it')
  now += 60_000
  t.strictSame((await knock.status()).confirm, { fallenOpen: true })
  await t.rejects(knock.confirm(), { code: 'timed-out', message: /install the spec again/ })
  await installKnock(specOf(ssh), { nft })
  t.equal((await knock.status()).confirm, undefined, 'a plain install ends it')
  for (const wrong of [0, -1, 0.5, '500ms', 'x']) {
    const options = { nft, confirmWithin: wrong }
    await t.rejects(installKnock(specOf(ssh), options), { code: 'invalid-argument' }, `${wrong}`)
  }
})

t.test('says what it did', async (t) => {
  const nft = new FakeNft()
  const outcomes = async (...specs: KnockSpec[]) => {
    const found: unknown[] = []
    for (const spec of specs) found.push((await installKnock(spec, { nft })).outcome)
    return found
  }
  const specs = [specOf(ssh), specOf(ssh), specOf(ssh, web), specOf(ssh, web)]
  t.strictSame(await outcomes(...specs), ['made', 'unchanged', 'changed', 'unchanged'])
  t.equal((await attachKnock({ nft })).outcome, undefined)
})

t.test('a keeper and what others wait to have confirmed', async (t) => {
  const nft = new FakeNft({ now: () => 0 })
  const knock = await installKnock(specOf(ssh), { nft })
  const own = installationOf(knock)
  const keep = { operation: 'keep' }
  const confirm = async () => (await knock.status()).confirm
  await installKnock(specOf(web), { nft, confirmWithin: '60s' })
  t.equal(await own?.ensure(keep, KEPT), 'changed')
  t.equal(await confirm(), undefined, 'what another spec waits for is not put onto this one')
  await installKnock(specOf(web), { nft, confirmWithin: '60s' })
  t.equal(await own?.ensure(keep, { pending: { left: 7 } }), 'changed')
  t.strictSame(await confirm(), { expiresIn: 7 }, 'but its own goes on')
  await knock.uninstall()
  t.equal(await own?.ensure(keep, { pending: { left: 5 } }), 'made')
  t.strictSame(await confirm(), { expiresIn: 5 }, 'also where the table is gone')
  await knock.uninstall()
  t.equal(await own?.ensure(keep, { pending: { left: 0 } }), 'made')
  t.strictSame(await confirm(), { fallenOpen: true })
  const { confirmEnds = 0 } = installationOf(
    await installKnock(specOf(ssh), { nft, confirmWithin: 60 }),
  ) as { confirmEnds?: number }
  t.ok(Math.abs(confirmEnds - performance.now() - 60_000) < 5000, 'known from the beginning')
})

t.test('the time runs out while it is confirmed', async (t) => {
  let now = 0
  const nft = new Raced({ now: () => now })
  const knock = await installKnock(specOf(ssh), { nft, confirmWithin: 10 })
  nft.before.push(async () => {
    now = 11_000
  })
  await t.rejects(knock.confirm(), { code: 'timed-out' })
})

t.test('a secret that cannot be read any more', async (t) => {
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
  t.equal(JSON.stringify(await nft.list({ table: 'knock' })), before, 'nothing is loaded')
  const empty = { flush: { set: { ...inTable, name: 'tokens1_vpn_0' } } }
  await nft.apply({ nftables: [empty] })
  t.equal(await own?.ensure(call, keep), 'unchanged')
  t.ok((await loaded()) >= count - 2, 'but where nothing is, as with rendered text')
  await handle.uninstall()
  t.equal(await own?.ensure(call, keep), 'made', 'its doors must be shut all the same')
  t.ok((await loaded()) >= count - 2)
  t.equal(heard.length, 3)
  for (const message of heard) t.match(message, /ana\.key.*mode 644/)
  await t.rejects(own?.ensure(call, KEPT) as Promise<unknown>, /ana\.key/)
})

t.test('a table that is gone is put back shut, and loaded later', async (t) => {
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
  t.strictSame(nft.calls, ['apply'], 'nothing is asked before')
  t.match(await counts(), { loaded: 0, spent: 0 }, 'a token opens nothing yet')
  t.equal(await own.putBack(call, state, undefined), false, 'one that is there is left as it is')
  const keep = { ...KEPT, state, loadsLater: true, isDue: false }
  t.equal(await own.ensure(call, { ...keep, isStale: () => true }), 'unchanged')
  t.match(await counts(), { loaded: 0 }, 'put back once more meanwhile: nothing is done')
  const doubted: number[] = []
  const doubt = (count: number) => void doubted.push(count)
  t.equal(await own.ensure(call, { ...keep, doubted: doubt }), 'unchanged')
  const after = await counts()
  t.ok(after.loaded >= loaded - 2)
  t.ok(after.spent >= 3, 'what may have been used is used')
  t.strictSame(doubted, [after.spent])
  t.equal(await own.ensure(call, { ...keep, doubted: doubt }), 'unchanged')
  t.equal(doubted.length, 1, 'nothing is in doubt where tokens are loaded already')
  await handle.uninstall()
  t.equal(await own.ensure(call, keep), 'made')
  t.match(await counts(), { loaded: 0 }, 'found gone: the next call loads it')
})

t.test('what the table held is known from the beginning', async (t) => {
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
  t.ok(Math.abs(left - 5000) < 500, 'the time between does not count for what was used')
  await put(nft, 'grants_ssh_4', '10.0.0.2')
  const sequence = { door: 'ssh', digest: '0123456789ab' }
  const again = { ...state, grants: [], sequences: [sequence] }
  const found = installationOf(await installKnock(specOf(ssh, web), { nft, state: again }))?.held
  t.ok(found?.state.grants.some(({ source }) => source === '10.0.0.2'))
  t.strictSame(found?.state.sequences, [sequence])
})
