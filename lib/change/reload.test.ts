// A document and the listing of an installed table → what is deleted, what stays, and what is made
// anew.
import t from 'tap'
import { renderKnock } from '../api/render.js'
import { FakeNft } from '../kernel/fake.js'
import type { NftCommand } from '../nft/document.js'
import { parseListing } from '../nft/listing.js'
import { listedObjects, partsOf } from '../nft/parts.js'
import { isIntact } from './intact.js'
import { renderReload } from './reload.js'

type OneTime = readonly (readonly string[])[]

/** A door with one-time sequences. */
const documentOf = (oneTime: OneTime, connections = 1) =>
  renderKnock({
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: { type: 'sequence', oneTime: oneTime.map((steps) => [...steps]) },
        open: { for: '30s', connections },
      },
    ],
  })

const FIRST = documentOf([['tcp/7000'], ['tcp/7001']])
const isSpent = (set: string): boolean => set.startsWith('spent')

const here = { family: 'inet', table: 'knock' } as const
const spentSets = (document: typeof FIRST): string[] =>
  document.nftables.flatMap((command) =>
    'add' in command && 'set' in command.add && isSpent(command.add.set.name)
      ? [command.add.set.name]
      : [],
  )
const [FIRST_SPENT = '', SECOND_SPENT = ''] = spentSets(FIRST)

/** A table that stands, with both sequences used and a source let in. */
async function standing() {
  const nft = new FakeNft()
  await nft.apply(FIRST)
  const grant: NftCommand = {
    add: { element: { ...here, name: 'grants_ssh_4', elem: ['10.0.0.1'] } },
  }
  const used = [FIRST_SPENT, SECOND_SPENT].map((name): NftCommand => {
    return { add: { element: { ...here, name, elem: [0] } } }
  })
  await nft.apply({ nftables: [grant, ...used] })
  const elements = async (set: string) => {
    const { sets } = parseListing(await nft.list({ table: 'knock' }))
    return sets.get(set)?.elements.length
  }
  const reload = async (document: typeof FIRST) =>
    nft.apply(renderReload(document, await nft.list({ table: 'knock' }), isSpent))
  return { nft, elements, reload }
}

t.test('a reload of the same table keeps some sets and makes all others anew', async (t) => {
  const { nft, elements, reload } = await standing()
  await reload(FIRST)
  t.equal(await elements(FIRST_SPENT), 1)
  t.equal(await elements('grants_ssh_4'), 0)
  t.ok(isIntact(await nft.list({ table: 'knock' }), FIRST))
})

t.test('a reload to another spec keeps only the parts that both have', async (t) => {
  const { nft, elements, reload } = await standing()
  const other = documentOf([['tcp/7001'], ['udp/9000']], 3)
  await reload(other)
  t.equal(await elements(FIRST_SPENT), 1, 'used sequences stay')
  t.equal(await elements(SECOND_SPENT), 1)
  t.ok(isIntact(await nft.list({ table: 'knock' }), other))
})

t.test('a set of another type is made anew', async (t) => {
  for (const change of [{ type: 'ipv4_addr' }, { timeout: 5 }, { size: 7 }]) {
    const listing = { nftables: [{ set: { ...here, name: FIRST_SPENT, type: 'mark', ...change } }] }
    const { nftables } = renderReload(FIRST, listing, isSpent)
    t.match(nftables, [{ flush: {} }, { delete: { set: { name: FIRST_SPENT } } }])
    t.match(
      JSON.stringify(nftables),
      `{"add":{"set":{"family":"inet","table":"knock","name":"${FIRST_SPENT}"`,
    )
  }
})

t.test('rules are deleted first, then the parts that are not kept', async (t) => {
  const { nft } = await standing()
  const { nftables } = renderReload(FIRST, await nft.list({ table: 'knock' }), () => false)
  const order = nftables.map((command) => {
    const [verb, object] = Object.entries(command)[0] as [string, object]
    return `${verb} ${verb === 'add' ? '' : Object.keys(object)[0]}`.trim()
  })
  t.strictSame(
    order.filter((word, index) => word !== order[index - 1]),
    ['flush table', 'delete set', 'add'],
  )
})

/** One door under a name, before a port. */
const doorOf = (name: string, service: string) =>
  renderKnock({
    doors: [
      {
        name,
        service,
        knock: { type: 'sequence', steps: ['udp/7000'], stepTimeout: 9 },
        open: { for: 30 },
      },
    ],
  })

const mapOf = (document: typeof FIRST): string =>
  document.nftables.flatMap((command) =>
    'add' in command && 'map' in command.add ? [command.add.map.name] : [],
  )[0] ?? ''

t.test('the map of the old rules stays for packets under way', async (t) => {
  const nft = new FakeNft()
  const documents = [doorOf('ssh', 'tcp/22'), doorOf('sshd', 'tcp/22'), doorOf('sshd', 'tcp/20-30')]
  const maps = documents.map(mapOf)
  const [ssh, sshd, range] = documents as [typeof FIRST, typeof FIRST, typeof FIRST]
  const partsNow = async (): Promise<object> => {
    const listed = listedObjects(await nft.list({ table: 'knock' }))
    const parts = [...partsOf(listed)]
    const ruled = new Set(
      listed.flatMap((object) => (object as { rule?: { chain: string } }).rule?.chain ?? []),
    )
    return {
      maps: maps.map((map) => parts.find(([key]) => key === `map ${map}`)?.[1].elements.length),
      gates: parts.flatMap(([, { kind, name }]) =>
        kind === 'chain' && name.startsWith('gate_')
          ? [ruled.has(name) ? name : `${name}: empty`]
          : [],
      ),
    }
  }
  const change = async (document: typeof FIRST) => {
    await nft.apply(renderReload(document, await nft.list({ table: 'knock' }), () => false))
    t.ok(isIntact(await nft.list({ table: 'knock' }), document))
    return partsNow()
  }
  await nft.apply(ssh)
  t.same(await partsNow(), { maps: [2, undefined, undefined], gates: ['gate_ssh'] })
  t.same(await change(sshd), { maps: [2, 2, undefined], gates: ['gate_ssh: empty', 'gate_sshd'] })
  t.same(await change(range), { maps: [undefined, 2, 1], gates: ['gate_sshd'] })
  t.same(await change(range), { maps: [undefined, undefined, 1], gates: ['gate_sshd'] })
  t.same(await change(ssh), { maps: [2, undefined, 1], gates: ['gate_ssh'] })
  t.same(await change(sshd), { maps: [2, 2, undefined], gates: ['gate_ssh: empty', 'gate_sshd'] })
  t.same(await change(ssh), { maps: [2, 2, undefined], gates: ['gate_ssh', 'gate_sshd: empty'] })
})

t.test('a document without a table cannot be a reload', async (t) => {
  t.throws(() => renderReload({ nftables: [] }, { nftables: [] }, isSpent), {
    message: /^unreachable/,
  })
})
