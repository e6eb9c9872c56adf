// Handles of one table, in a fake nft: whom the end of a block lets in, and doors that others
// install meanwhile.
import t from 'tap'
import { attachKnock, installKnock, type KnockSpec } from '../index.js'
import { FakeNft } from '../kernel/fake.js'

type Door = KnockSpec['doors'][number]

const doorOf = (name: string, open: Door['open'] = { for: '30s' }, port = 22): Door => ({
  name,
  service: `tcp/${port}`,
  knock: { type: 'sequence', steps: [`tcp/${port + 7000}`] },
  open,
})
const specOf = (...doors: Door[]): KnockSpec => ({ doors })
const ssh = doorOf('ssh')
const web = doorOf('web', { for: '60s' }, 443)

const stands = async (nft: FakeNft): Promise<boolean> =>
  nft.list({ table: 'knock' }).then(
    () => true,
    () => false,
  )

t.test('the end of a block leaves an attached table', async (t) => {
  const nft = new FakeNft()
  await installKnock(specOf(ssh), { nft })
  {
    await using knock = await attachKnock({ nft })
    await knock.door('ssh').open('192.0.2.1')
  }
  t.ok(await stands(nft))
  await t.rejects(
    (async () => {
      await using knock = await attachKnock({ nft })
      await knock.door('ssh').open('nowhere')
    })(),
    { code: 'invalid-argument' },
  )
  t.ok(await stands(nft), 'the table stays if the block throws')
  await (await attachKnock({ nft })).uninstall()
  t.notOk(await stands(nft))
})

t.test('the end of a block removes the table that it installed, and no other', async (t) => {
  const nft = new FakeNft()
  {
    await using _knock = await installKnock(specOf(ssh), { nft })
  }
  t.notOk(await stands(nft))
  {
    await using _knock = await installKnock(specOf(ssh), { nft })
    await installKnock(specOf(ssh, web), { nft })
  }
  t.ok(await stands(nft), 'the table of a spec installed meanwhile stays')
})

t.test('an abort removes nothing', async (t) => {
  const nft = new FakeNft()
  const stop = new AbortController()
  const knock = await installKnock(specOf(ssh), { nft, signal: stop.signal })
  stop.abort()
  await t.rejects(knock[Symbol.asyncDispose](), { code: 'aborted' })
  t.ok(await stands(nft))
})

t.test('a handle sees the doors that another process installs', async (t) => {
  const nft = new FakeNft()
  const knock = await installKnock(specOf(ssh), { nft })
  const door = knock.door('ssh')
  await installKnock(specOf(web, ssh), { nft })
  const status = await knock.status()
  t.strictSame(
    status.doors.map(({ name }) => name),
    ['web', 'ssh'],
  )
  t.strictSame(
    knock.doors.map(({ name }) => name),
    ['web', 'ssh'],
  )
  await knock.door('web').open('192.0.2.1')
  t.strictSame(
    (await knock.save()).grants.map(({ door }) => door),
    ['web'],
  )
  await installKnock(specOf(web), { nft })
  const gone = { code: 'not-found', message: /no door "ssh", there is web/ }
  await t.rejects(door.open('192.0.2.1'), gone)
  await t.rejects(door.close('192.0.2.1'), gone)
  await t.rejects(door.grants(), gone)
  await t.rejects(door.grantOf('192.0.2.1'), gone)
  await t.rejects(door.progress(), gone)
  await installKnock(specOf(ssh), { nft })
  t.equal((await door.open('192.0.2.1')).expiresIn, 30, 'the door is installed again')
  t.throws(() => knock.door('web'), { message: /there is ssh/ })
  await installKnock(specOf(web, ssh), { nft })
  t.strictSame(
    (await knock.readDoors()).map(({ name, services }) => [name, ...services]),
    [
      ['web', 'tcp/443'],
      ['ssh', 'tcp/22'],
    ],
  )
  await knock.uninstall()
  await t.rejects(door.open('192.0.2.1'), { code: 'not-found' })
  await t.rejects(knock.readDoors(), { code: 'not-found' })
})

t.test('a door has its present values, not those from when the handle was made', async (t) => {
  const nft = new FakeNft()
  const knock = await installKnock(specOf(ssh), { nft })
  const door = knock.door('ssh')
  await installKnock(specOf(doorOf('ssh', { for: '5m', connections: 3 })), { nft })
  const used = { family: 'inet' as const, table: 'knock', name: 'used2_ssh_4', elem: ['192.0.2.1'] }
  await nft.apply({ nftables: [{ add: { element: used } }] })
  t.equal((await door.open('192.0.2.1')).expiresIn, 300)
  await t.rejects(nft.apply({ nftables: [{ delete: { element: used } }] }), { code: 'not-found' })
  await t.rejects(door.open('192.0.2.1', { for: '2d' }), /at most 86400 s/)
  await installKnock(specOf(ssh), { nft })
  t.equal((await door.open('192.0.2.1', { for: '2d' })).expiresIn, 172800)
  await installKnock(specOf(doorOf('ssh', { for: '1h', scope: 'everyone' })), { nft })
  t.strictSame(await door.open('everyone'), { door: 'ssh', source: 'everyone', expiresIn: 3600 })
  t.strictSame(
    (await door.grants()).map(({ source }) => source),
    ['everyone'],
  )
  await t.rejects(door.open('192.0.2.1'), { code: 'invalid-argument' })
  await installKnock(specOf(doorOf('ssh', { for: '1h', established: 'cut' })), { nft })
  await door.open('192.0.2.1')
  t.equal(await door.close('192.0.2.1', { cut: true }), true)
  await installKnock(specOf(ssh), { nft })
  await t.rejects(door.close('192.0.2.1', { cut: true }), { code: 'missing-capability' })
})

t.test('wrong arguments are reported as such, also if the table is gone', async (t) => {
  const nft = new FakeNft()
  const knock = await installKnock(specOf(ssh), { nft })
  const door = knock.door('ssh')
  await knock.uninstall()
  await t.rejects(door.open('nowhere'), { code: 'invalid-argument' })
})

t.test('a call fails with a conflict if others install at each try', async (t) => {
  const nft = new FakeNft()
  const knock = await installKnock(specOf(ssh), { nft })
  const door = knock.door('ssh')
  let [turn, isOn] = [0, true]
  const { apply } = nft
  nft.apply = async (document, options) => {
    if (isOn && options?.operation === 'open') {
      isOn = false
      turn += 1
      await installKnock(specOf(doorOf('ssh', { for: 30 + turn })), { nft })
      isOn = true
    }
    return apply.call(nft, document, options)
  }
  await t.rejects(door.open('192.0.2.1'), { code: 'conflict' })
  nft.apply = apply
  t.equal((await door.open('192.0.2.1')).expiresIn, 30 + turn)
})

t.test('restore puts a state into the table that is installed by then', async (t) => {
  const nft = new FakeNft()
  const knock = await installKnock(specOf(ssh, web), { nft })
  await knock.door('web').open('192.0.2.1')
  const state = await knock.save()
  const other = { ...state, table: 'knock2' }
  const refused = {
    code: 'other-table',
    message: /: \/table: expected "knock", the table into which the state is put, got "knock2"; /,
  }
  await knock.door('web').close('192.0.2.1')
  await t.rejects(knock.restore(other), refused)
  await t.rejects(installKnock(specOf(ssh, web), { nft, state: other }), refused)
  t.strictSame(await knock.door('web').grants(), [])
  const { apply } = nft
  nft.apply = async (document, options) => {
    nft.apply = apply
    await installKnock(specOf(ssh), { nft })
    return apply.call(nft, document, options)
  }
  const { restored, unknownDoors } = await knock.restore(state)
  t.strictSame([restored.grants, unknownDoors], [0, ['web']])
})

t.test('a status of some doors has no others, and lists no sets of others', async (t) => {
  const nft = new FakeNft()
  const knock = await installKnock(specOf(ssh, web), { nft })
  for (const door of knock.doors) await door.open('192.0.2.1')
  const { doors, fill, cut } = await knock.status({ doors: ['web'] })
  t.strictSame(
    doors.map(({ name, grants }) => [name, grants.length]),
    [['web', 1]],
  )
  t.ok(fill.length > 0 && fill.every(({ set }) => !set.includes('ssh')), JSON.stringify(fill))
  t.equal(cut, undefined)
  t.same((await knock.status({ doors: [] })).doors, [])
  t.equal((await knock.status()).doors.length, 2)
  await t.rejects(knock.status({ doors: ['ssh', 'none'] }), {
    code: 'not-found',
    message: /no door "none", there is ssh, web$/,
  })
  // Another process has installed other doors meanwhile.
  await installKnock(specOf(ssh, doorOf('mail', undefined, 25)), { nft })
  t.match((await knock.status({ doors: ['mail'] })).doors, [{ name: 'mail' }])
})

t.test('an error names some doors, and counts the others', async (t) => {
  const doors = (count: number) =>
    Array.from({ length: count }, (_, index) => doorOf(`d${index}`, undefined, 100 + index))
  const messageOf = async (count: number) => {
    const knock = await installKnock(specOf(...doors(count)), { nft: new FakeNft() })
    return knock.status({ doors: ['none'] }).then(String, String)
  }
  t.match(await messageOf(20), /there is d0, d1, .*, d18, d19$/)
  t.match(await messageOf(25), /there is d0, d1, .*, d18, d19 and 5 more$/)
})
