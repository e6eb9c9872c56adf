// Tables that another version of knocklib made, in a fake nft → what can be done with them.
import t from 'tap'
import {
  attachKnock,
  confirmKnock,
  installKnock,
  type KnockSpec,
  uninstallKnock,
} from '../index.js'
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

const stands = async (nft: FakeNft): Promise<boolean> =>
  nft.list({ table: 'knock' }).then(
    () => true,
    () => false,
  )

/** Lets the table say what another version, or somebody else, would say of it. */
async function says(nft: FakeNft, ...comments: string[]): Promise<void> {
  const place = { family: 'inet', table: 'knock', name: 'about' } as const
  const elem = comments.map((comment, val) => ({ elem: { val, comment } }))
  await nft.apply({
    nftables: [{ flush: { set: place } }, { add: { element: { ...place, elem } } }],
  })
}
const OLD = `knocklib 3 ${'0'.repeat(32)}`

t.test('confirm and remove accept a table of another version, and no foreign table', async (t) => {
  const nft = new FakeNft()
  await installKnock(specOf(ssh), { nft, confirmWithin: 60 })
  await says(nft, 'made by somebody')
  await t.rejects(uninstallKnock({ nft }), { code: 'not-found' })
  await t.rejects(confirmKnock({ nft }), { code: 'not-found' })
  t.ok(await stands(nft))
  await says(nft, OLD)
  await t.rejects(attachKnock({ nft }), { code: 'not-found' })
  await confirmKnock({ nft })
  await t.rejects(confirmKnock({ nft }), {
    code: 'not-found',
    message: /not waiting to be confirmed/,
  })
  await uninstallKnock({ nft })
  t.notOk(await stands(nft))
  await t.rejects(uninstallKnock({ nft }), { code: 'not-found' })
  await t.rejects(uninstallKnock({ nft, table: 'no table' }), { code: 'invalid-argument' })
})

t.test('an install over another version keeps bans and drops grants', async (t) => {
  const nft = new FakeNft()
  const ban = { after: 3, within: '1m', for: '1h' }
  const spec: KnockSpec = { ...specOf(ssh), guard: { ban } }
  const before = await installKnock(spec, { nft })
  await before.door('ssh').openMany(['192.0.2.1', '2001:db8::1'])
  const banned = [
    { name: 'banned_4', elem: [{ elem: { val: '192.0.2.9', timeout: 3600 } }] },
    { name: 'banned_6', elem: [{ elem: { val: '2001:db8::9', timeout: 3600 } }] },
  ]
  await nft.apply({
    nftables: banned.map((set) => ({
      add: { element: { family: 'inet', table: 'knock', ...set } },
    })),
  })
  await says(nft, OLD)
  const after = await installKnock(spec, { nft })
  const { bans, doors } = await after.status()
  t.strictSame(bans.map(({ source }) => source).sort(), ['192.0.2.9', '2001:db8::9'])
  t.strictSame(doors[0]?.grants, [])
})

t.test('an install removes the tags table of another version', async (t) => {
  const nft = new FakeNft()
  await installKnock({ ...specOf(ssh), hook: 'ingress', interfaces: ['eth0'] }, { nft })
  const tags = () => nft.list({ table: 'knock', family: 'netdev' })
  await tags()
  await says(nft, OLD, 'interface eth0 ingress')
  await uninstallKnock({ nft })
  await t.rejects(tags(), { code: 'not-found' })
})
