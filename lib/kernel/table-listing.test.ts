// Which listings are asked for, so that a set which strangers filled costs nothing.
import t from 'tap'
import { NetlinkError, NftError } from '../errors.js'
import type { ListedElement } from '../nft/listing.js'
import { DocumentElements, type Elements, type SetQuery } from './elements.js'
import type { CallOptions, ListQuery, Nft } from './nft.js'
import { listElements, listParts } from './table-listing.js'

const inet = { family: 'inet', table: 'knock' } as const
const setOf = (name: string, more: object = {}) => ({
  set: { ...inet, name, type: 'ipv4_addr', handle: 1, flags: ['timeout'], ...more },
})
const keysOf = (...hosts: number[]): ListedElement[] =>
  hosts.map((host) => ({ key: [`10.0.0.${host}`], timeout: 60, expires: 60 }))

/** An nft that answers by what is asked, and keeps that. */
function nftOf(answer: (query: ListQuery, options: CallOptions) => readonly object[]) {
  const asked: string[] = []
  const list = async (query: ListQuery, options: CallOptions = {}) => {
    asked.push(query.set ?? query.map ?? (query.terse ? 'terse' : 'all'))
    return { nftables: answer(query, options) }
  }
  return { nft: { list } as Partial<Nft> as Nft, asked }
}

const byNft = (nft: Nft) => ({ nft, elements: new DocumentElements(nft), table: 'knock' })

/** Elements that come one by one. */
function streamOf(streams: boolean) {
  const asked: SetQuery[] = []
  const taken: string[] = []
  const elements: Pick<Elements, 'list' | 'streams'> = {
    streams: async () => streams,
    async *list(query) {
      asked.push(query)
      for (const element of keysOf(1, 2, 3)) {
        taken.push(query.set)
        yield [element]
      }
    },
  }
  return { elements: elements as Elements, asked, taken }
}

const SETS = [
  setOf('grants_ssh_4'),
  setOf('empty_ssh_4', { count: 0 }),
  setOf('tokens_ssh', { type: 'integer' }),
  setOf('counted_ssh', { type: 'integer', count: 3 }),
]
const found = ({ sets }: Awaited<ReturnType<typeof listElements>>) =>
  Object.fromEntries(
    [...sets].map(([name, { elements, isCut = false }]) => [name, [elements.length, isCut]]),
  )

t.test('through netlink each set is read as far as it is wanted', async (t) => {
  const { nft, asked } = nftOf(() => SETS)
  const { elements, asked: streamed, taken } = streamOf(true)
  const place = { nft, elements, table: 'knock' }
  t.strictSame(found(await listElements(place, () => 2, {})), {
    grants_ssh_4: [2, true],
    empty_ssh_4: [0, false],
    tokens_ssh: [2, true],
    counted_ssh: [0, true],
  })
  t.strictSame(asked, ['terse'])
  t.strictSame(streamed, [
    { table: 'knock', set: 'grants_ssh_4' },
    { table: 'knock', set: 'tokens_ssh', isRaw: true },
  ])
  t.equal(taken.length, 6, 'no more is read than shows that there are more')
  const three = await listElements(place, (set) => (set.startsWith('grants') ? 3 : 0), {})
  t.match(found(three), { grants_ssh_4: [3, false], tokens_ssh: [0, true] })
})

t.test('all of a set whose keys netlink does not know is listed by nft', async (t) => {
  const { nft, asked } = nftOf(({ set }) =>
    set === undefined ? SETS : [setOf(set, { elem: [7, 8] })],
  )
  const { elements } = streamOf(true)
  const place = { nft, elements, table: 'knock' }
  const listed = found(await listElements(place, () => Number.POSITIVE_INFINITY, {}))
  t.match(listed, { grants_ssh_4: [3, false], tokens_ssh: [2, false], counted_ssh: [2, false] })
  t.strictSame(asked, ['terse', 'tokens_ssh', 'counted_ssh'])
  const { nft: other } = nftOf(({ set }) => (set === undefined ? SETS : []))
  const none = await listElements({ ...place, nft: other }, () => Number.POSITIVE_INFINITY, {})
  t.match(found(none), { tokens_ssh: [0, false] }, 'it was removed meanwhile')
})

t.test('by nft the whole table, or what is there if that takes too long', async (t) => {
  const { elements } = streamOf(false)
  const whole = nftOf((_query, { timeout, operation }) => {
    t.strictSame([timeout, operation], [1000, 'status'])
    return [setOf('grants_ssh_4', { elem: ['10.0.0.1'] })]
  })
  const place = { elements, table: 'knock' }
  const call = { operation: 'status' }
  const listed = await listElements({ ...place, nft: whole.nft }, () => 0, call)
  t.strictSame(found(listed), { grants_ssh_4: [1, false] })
  const slow = nftOf(({ terse }) => {
    if (!terse) throw new NftError('timed-out', 'status: took too long')
    return SETS
  })
  t.match(found(await listElements({ ...place, nft: slow.nft }, () => 5, call)), {
    grants_ssh_4: [0, true],
    empty_ssh_4: [0, false],
  })
  t.strictSame(slow.asked, ['all', 'terse'])
  const gone = nftOf(() => {
    throw new NftError('not-found', 'status: not there')
  })
  await t.rejects(
    listElements({ ...place, nft: gone.nft }, () => 5, call),
    { code: 'not-found' },
  )
  t.strictSame(gone.asked, ['all'])
})

t.test('a table that is listed in a short time is listed once', async (t) => {
  const { nft, asked } = nftOf((_query, { timeout, longest }) => {
    t.strictSame([timeout, longest], [1000 + 500, 2 ** 20 + 1_200_000])
    return SETS
  })
  t.strictSame(await listParts(byNft(nft), () => true, {}, 10_000), { nftables: SETS })
  t.strictSame(asked, ['all'])
})

t.test('through netlink the wanted parts are read, and nft lists the others', async (t) => {
  const port = { ...inet, name: 'steps', type: ['inet_proto', 'inet_service'], map: 'verdict' }
  type Object = { readonly set?: { readonly name: string }; readonly map?: typeof port }
  const sets: readonly Object[] = [
    setOf('serial', { type: 'mark', flags: [] }),
    { map: port },
    setOf('trusted_4', { flags: ['interval'] }),
    setOf('tokens_ssh', { type: { typeof: {} } }),
    setOf('grants_ssh_4'),
    setOf('busy_4'),
    setOf('stage1_ssh_4'),
  ]
  const { nft, asked } = nftOf(({ set, terse }) =>
    terse ? sets : [setOf(String(set), { elem: [9] })],
  )
  const read: [string, unknown][] = []
  const elements = {
    streams: async () => true,
    async listed({ set }: SetQuery, form: unknown) {
      read.push([set, form])
      if (set === 'busy_4') throw new NetlinkError('interrupted', 'install', 'interrupted')
      return set === 'grants_ssh_4' ? [] : [7]
    },
  } as unknown as Elements
  const isWanted = ({ name }: { name: string }) => name !== 'stage1_ssh_4'
  const listing = await listParts({ nft, elements, table: 'knock' }, isWanted, {})
  t.strictSame(asked.toSorted(), ['busy_4', 'terse', 'tokens_ssh', 'trusted_4'])
  const [serial, map, ...others] = sets
  t.strictSame(listing, {
    nftables: [
      { set: { ...serial?.set, elem: [7] } },
      { map: { ...map?.map, elem: [7] } },
      ...others.map((object) =>
        /^(?:trusted|tokens|busy)/.test(String(object.set?.name))
          ? setOf(String(object.set?.name), { elem: [9] })
          : object,
      ),
    ],
  })
  t.strictSame(read[1], ['steps', { key: port.type, data: 'verdict' }])
  t.equal(read.length, 4, 'the mark, and what netlink can read')
})

t.test('what netlink fails to read is listed by nft', async (t) => {
  const { nft, asked } = nftOf(({ set }) =>
    set ? [setOf(set, { type: 'mark', elem: [9] })] : [setOf('serial', { type: 'mark' })],
  )
  const elements = {
    streams: async () => true,
    async listed() {
      throw new NetlinkError('interrupted', 'install', 'interrupted')
    },
  } as unknown as Elements
  const listing = await listParts({ nft, elements, table: 'knock' }, () => true, {})
  t.strictSame(listing, { nftables: [setOf('serial', { type: 'mark', elem: [9] })] })
  t.strictSame(asked, ['serial', 'terse'])
})

t.test('parts: those that are wanted, and the whole if they are too many', async (t) => {
  const many = Array.from({ length: 65 }, (_, index) => setOf(`grants_a${index}_4`))
  const answer =
    (objects: readonly object[]) =>
    ({ set, terse }: ListQuery, { timeout }: CallOptions) => {
      if (timeout !== undefined) throw new NftError('timed-out', 'nft: took too long')
      if (set === 'grants_ssh_4') return [setOf(set, { elem: ['10.0.0.1'] })]
      if (set !== undefined) throw new NftError('not-found', 'nft: not there')
      return terse ? objects : [...objects, setOf('whole')]
    }
  const few = nftOf(answer(SETS))
  const long = nftOf((query, { longest }) => {
    if (longest !== undefined) throw new NftError('ended', 'nft: answer too long')
    return answer(SETS)(query, {})
  })
  const wants = ({ name }: { readonly name: string }) => name === 'grants_ssh_4'
  const listing = await listParts(byNft(few.nft), wants, {})
  t.strictSame(listing, {
    nftables: [setOf('grants_ssh_4', { elem: ['10.0.0.1'] }), ...SETS.slice(1)],
  })
  t.strictSame(few.asked, ['all', 'serial', 'terse', 'grants_ssh_4'])
  t.strictSame(await listParts(byNft(long.nft), wants, {}), listing, 'the whole is too long')
  const all = nftOf(answer(many))
  t.match(await listParts(byNft(all.nft), () => true, {}), { nftables: { length: 66 } })
  t.strictSame(all.asked, ['all', 'serial', 'terse', 'all'])
  const broken = nftOf(() => {
    throw new NftError('not-permitted', 'nft: not permitted')
  })
  await t.rejects(
    listParts(byNft(broken.nft), () => true, {}),
    { code: 'not-permitted' },
  )
})
