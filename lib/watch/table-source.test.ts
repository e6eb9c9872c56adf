// Tables of a fake nft → what a watcher is told of them.
import t from 'tap'
import { door, put, specOf, ssh } from '../../integration/fixtures/installed.js'
import { BEGIN, StandingTime, watchedTable } from '../../integration/fixtures/watched.js'
import type { NftError } from '../errors.js'
import type { Elements } from '../kernel/elements.js'
import { TableSource } from './table-source.js'

const all = door('all', {
  service: 'tcp/80',
  knock: { type: 'sequence', steps: ['tcp/7002'] },
  open: { for: '1m', scope: 'everyone' },
})
const doors = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    door(`d${n}`, {
      service: `tcp/${100 + n}`,
      knock: { type: 'sequence', steps: [`tcp/${7100 + n}`] },
    }),
  )

t.test("the table's own description has its log group and its doors", async (t) => {
  const { place } = await watchedTable(specOf(ssh, all))
  const source = new TableSource(place)
  t.equal(source.netns, '')
  t.match(await source.about(), {
    log: 5,
    doors: [
      { name: 'ssh', grantTimeout: 30, scope: 'source' },
      { name: 'all', grantTimeout: 60, scope: 'everyone' },
    ],
  })
})

t.test('a table that is missing, or that knocklib did not make, is refused', async (t) => {
  const { place, nft } = await watchedTable()
  const other = new TableSource({ ...place, table: 'other' })
  await t.rejects(other.about(), { code: 'not-found' })
  await nft.apply({
    nftables: [
      { add: { table: { family: 'inet', name: 'other' } } },
      { add: { set: { family: 'inet', table: 'other', name: 'about', type: 'mark' } } },
    ] as never,
  })
  await t.rejects(other.about(), {
    code: 'not-found',
    message: 'watch: table inet other: not made by this version of knocklib',
  })
})

for (const count of [0, 7]) {
  t.test(`the grants of ${count + 2} doors are listed with their time left`, async (t) => {
    using _ = new StandingTime()
    const { place, knock, nft } = await watchedTable(specOf(ssh, all, ...doors(count)))
    await knock.door('ssh').open('192.0.2.1')
    await knock.door('ssh').open('2001:db8::1', { for: '20s' })
    await put(nft, 'grants_all_0', 2, 60)
    const source = new TableSource(place)
    const about = await source.about()
    const grants = await source.grants(about.doors)
    t.same(
      grants.toSorted((a, b) => a.due - b.due),
      [
        { door: 'ssh', source: '2001:db8::1', due: performance.now() + 20_000 },
        { door: 'ssh', source: '192.0.2.1', due: performance.now() + 30_000 },
        { door: 'all', source: 'everyone', due: performance.now() + 60_000 },
      ],
    )
    t.equal(Date.now(), BEGIN)
    const [first, second] = about.doors
    if (!first || !second) return t.fail('no doors')
    t.equal(await source.find(first, '192.0.2.1'), 30_000)
    t.equal(await source.find(first, '2001:db8::1'), 20_000)
    t.equal(await source.find(first, '192.0.2.2'), undefined)
    t.equal(await source.find(second, 'everyone'), 60_000)
    await nft.apply({ nftables: [{ flush: { set: { ...IN, name: 'grants_all_0' } } }] } as never)
    t.equal(await source.find(second, 'everyone'), undefined)
  })
}

t.test('of doors that are not watched no set is listed', async (t) => {
  const { place, knock } = await watchedTable(specOf(ssh, ...doors(20)))
  await knock.door('d3').open('192.0.2.3')
  await knock.door('ssh').open('192.0.2.1')
  const listed: string[] = []
  const elements = {
    async *list({ set }: { set: string }) {
      listed.push(set)
      yield []
    },
  } as unknown as Elements
  const source = new TableSource({ ...place, elements }, ['d3', 'none'])
  const about = await source.about()
  t.same(await source.grants(about.doors), [])
  t.same(listed, ['grants_d3_4', 'grants_d3_6'])
  t.match(await new TableSource(place, ['d3']).grants(about.doors), [{ source: '192.0.2.3' }])
})

const IN = { family: 'inet', table: 'knock' } as const

t.test('a set may come in parts, and its elements may have no end', async (t) => {
  const { place } = await watchedTable()
  const elements = {
    async *list({ set }: { set: string }) {
      if (set.endsWith('6')) return
      yield [{ key: ['192.0.2.1'], expires: 5 }]
      yield [{ key: ['192.0.2.2'] }, { key: ['192.0.2.3'], expires: 7 }]
    },
  } as unknown as Elements
  const source = new TableSource({ ...place, elements })
  using _ = new StandingTime()
  const { doors } = await source.about()
  t.same(
    (await source.grants(doors)).map(({ source, due }) => [source, due]),
    [
      ['192.0.2.1', 5000],
      ['192.0.2.2', 0],
      ['192.0.2.3', 7000],
    ],
  )
})

t.test('nothing is read after the end', async (t) => {
  const { place } = await watchedTable()
  const source = new TableSource(place)
  const { doors } = await source.about()
  source.end()
  const aborted = { code: 'aborted' } satisfies Partial<NftError>
  await t.rejects(source.about(), aborted)
  await t.rejects(source.grants(doors), aborted)
})
