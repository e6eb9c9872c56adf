import t from 'tap'
import { door, put, Raced, sizes, specOf, ssh, web } from '../../integration/fixtures/installed.js'
import { attachKnock, installKnock, type KnockSpec } from '../index.js'
import { FakeNft } from '../kernel/fake.js'
import { parseListing } from '../nft/listing.js'
import { SERIAL_SET, serialOf } from '../nft/serial.js'

t.test('an install keeps the grants, attempts and bans that the new spec allows', async (t) => {
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
    'another order of doors, and one more door': [
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

t.test('a source that has used more connections than the new limit is refused', async (t) => {
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
})

t.test('an install lists again after another one came first', async (t) => {
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

t.test('an install gives up with a conflict if others always come first', async (t) => {
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

t.test('another refusal of nft is reported unchanged', async (t) => {
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

t.test('an install reports its outcome', async (t) => {
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
