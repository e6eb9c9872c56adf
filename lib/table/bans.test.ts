// Bans of both families, of a table that bans nobody, and of one that is gone.
import t from 'tap'
import { installKnock, type KnockSpec } from '../index.js'
import { DocumentElements } from '../kernel/elements.js'
import { FakeNft } from '../kernel/fake.js'
import { endBan, listBans } from './bans.js'
import { knownDoors, StandingDoors } from './standing-doors.js'

const DOOR = {
  name: 'ssh',
  service: 'tcp/22',
  knock: { type: 'sequence', steps: ['tcp/7000'] },
  open: { for: 30 },
} as const
const specOf = (guard: object): KnockSpec => ({ guard, doors: [DOOR] }) as unknown as KnockSpec
const CALL = { operation: 'bans' }
const SOURCES = [
  { family: 4, address: '192.0.2.7' },
  { family: 6, address: '2001:db8::7' },
] as const

async function placeOf(guard: object) {
  const nft = new FakeNft({ now: () => 0 })
  const knock = await installKnock(specOf(guard), { nft })
  const { table } = knock
  const elements = new DocumentElements(nft)
  const known = knownDoors({ doors: [] })
  const doors = new StandingDoors(known, { table, nft, elements })
  return { nft, knock, place: { table, elements, doors } }
}

t.test('a ban is ended over both families', async (t) => {
  const { nft, place } = await placeOf({ ban: { after: 2, within: '1m', for: '1h' } })
  for (const { family, address } of SOURCES) {
    const element = {
      ...({ family: 'inet', table: 'knock', name: `banned_${family}` } as const),
      elem: [{ elem: { val: address, timeout: 60 } }],
    }
    await nft.apply({ nftables: [{ add: { element } }] })
  }
  const bans = SOURCES.map(({ address }) => ({ source: address, expiresIn: 60 }))
  t.same(await listBans(place, CALL), bans)
  for (const [index, { address }] of SOURCES.entries()) {
    t.equal(await endBan(place, address, CALL), true)
    t.equal(await endBan(place, address, CALL), false, 'a ban is ended once')
    t.same(await listBans(place, CALL), bans.slice(index + 1))
  }
})

t.test('a ban of a block is listed as one, and ended by any address in it', async (t) => {
  const ban = { after: 2, within: '1m', for: '1h' }
  const { nft, knock, place } = await placeOf({ ban, prefix: { ipv6: 64 } })
  const ban6 = async () => {
    const elem = [{ elem: { val: '2001:db8::', timeout: 60 } }]
    const element = { family: 'inet', table: 'knock', name: 'banned_6p64', elem } as const
    await nft.apply({ nftables: [{ add: { element } }] })
  }
  for (const source of ['2001:db8::7', '2001:db8::/64']) {
    await ban6()
    t.same(await listBans(place, CALL), [{ source: '2001:db8::/64', expiresIn: 60 }])
    t.same(await knock.bans(), await listBans(place, CALL))
    t.equal(await endBan(place, source, CALL), true)
    t.same(await listBans(place, CALL), [])
  }
  for (const source of ['2001:db8::/56', '2001:db8::7/64', '192.0.2.0/24']) {
    await t.rejects(endBan(place, source, CALL), { name: 'ArgumentError' }, source)
  }
})

t.test('a table without bans has no ban, and a missing table is an error', async (t) => {
  const { knock, place } = await placeOf({})
  t.same(await listBans(place, CALL), [])
  t.equal(await endBan(place, SOURCES[0].address, CALL), false)
  await knock.uninstall()
  await t.rejects(listBans(place, CALL), { code: 'not-found' })
  await t.rejects(endBan(place, SOURCES[0].address, CALL), { code: 'not-found' })
})
