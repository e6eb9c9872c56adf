// Sets of tokens → what each costs: the present one, and two that would also refuse a token before
// its time.
//
//   npm run bench -- tokens [COUNT…]      as root; counts of tokens, by default 1000 10000 20000
//
// "hash" is the present set, of tokens only. "range" stores with each token the times between which
// it is valid, which the kernel must hold as a set of ranges. "hour" stores with each token the
// number of its hour. A second set, of ranges, has the time from which each hour's tokens are
// valid; only valid tokens are looked up there. Packets are datagrams of 16 random bytes from one
// core, and all are dropped.
import { randomBytes } from 'node:crypto'
import { apply, createPair, exec, type Pair, sweep } from '../../machine/namespaces.js'
import { nftVersions } from '../../machine/nft-versions.js'
import { floodOnce } from '../../wire/generator.js'
import { kernelMemory } from '../kernel-memory.js'
import { type Figure, report } from '../report.js'

const COUNTS = process.argv.slice(2).map(Number)
const RUNS = 5
const PACKETS = 200_000
/** The most tokens that are loaded as ranges: the time for it grows with the square. */
const MOST_RANGES = 20_000
/** Elements that a refill adds. */
const ADDED = 1000
/** The period of tokens in seconds. */
const PERIOD = 30
const HOUR = 3600
/** The last second of 2199. A range up to it ends by the element's timeout. */
const LAST = 7_258_118_399

const TABLE = { family: 'inet', table: 't' } as const
const TOKEN = { payload: { base: 'th', offset: 64, len: 128 } }
const TIME = { meta: { key: 'time' } }
const MARK = { meta: { key: 'mark' } }

type Expression = Readonly<Record<string, unknown>>

const isIn = (left: Expression, set: string): Expression => ({
  match: { op: '==', left, right: `@${set}` },
})
const setMark = (value: unknown): Expression => ({ mangle: { key: MARK, value } })

interface Variant {
  readonly set: Expression
  /** The matches of the rule for a packet. */
  readonly rule: readonly Expression[]
  /** Makes the element of a token that is valid between two times, in seconds. */
  readonly element: (token: string, from: number, to: number) => unknown
}

const TIMED = { flags: ['timeout'], size: 1_000_000 }
const RANGES = { flags: ['timeout', 'interval'], size: 1_000_000 }
const HOURS = { ...TABLE, name: 'hours', type: { typeof: { concat: [MARK, TIME] } }, ...RANGES }
const isHour = isIn({ concat: [MARK, TIME] }, 'hours')

/**
 * The variants, with ranges last: memory that their loading frees later would falsify the next
 * measurement.
 */
const VARIANTS: Readonly<Record<string, Variant>> = {
  hash: {
    set: { set: { ...TABLE, name: 'hash', type: { typeof: TOKEN }, ...TIMED } },
    rule: [isIn(TOKEN, 'hash')],
    element: (val, _, to) => ({ elem: { val, timeout: to - now } }),
  },
  hour: {
    set: {
      map: { ...TABLE, name: 'hour', type: { typeof: TOKEN }, map: { typeof: MARK }, ...TIMED },
    },
    rule: [setMark({ map: { key: TOKEN, data: '@hour' } }), isHour],
    element: (val, from, to) => [{ elem: { val, timeout: to - now } }, Math.floor(from / HOUR)],
  },
  range: {
    set: {
      set: { ...TABLE, name: 'range', type: { typeof: { concat: [TOKEN, TIME] } }, ...RANGES },
    },
    rule: [isIn({ concat: [TOKEN, TIME] }, 'range')],
    element: (token, from, to) => ({
      elem: { val: { concat: [token, { range: [from, to] }] }, timeout: to - now },
    }),
  },
}
/** The matches that only a valid token reaches. */
const SECOND = [setMark(1), isHour]

const now = Math.floor(Date.now() / 1000)

/** Makes the tokens of `count` periods from the `first` on, with a drift of one period. */
function elementsOf({ element }: Variant, count: number, first = 0): unknown[] {
  return Array.from({ length: count }, (_, index) => {
    const start = now + (first + index) * PERIOD
    const token = `0x${randomBytes(16).toString('hex')}`
    return element(token, start - PERIOD, start + 2 * PERIOD)
  })
}

const add = (name: string, elem: readonly unknown[]) => ({
  nftables: [{ add: { element: { ...TABLE, name, elem } } }],
})

/** Makes the hours of `count` tokens. */
function hoursOf(count: number): object {
  const first = Math.floor((now - PERIOD) / HOUR)
  const last = Math.floor((now + count * PERIOD) / HOUR)
  const hours = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  const elements = hours.map((hour) => {
    const val = { concat: [hour, { range: [hour * HOUR, LAST] }] }
    return { elem: { val, timeout: (hour + 2) * HOUR - now } }
  })
  return add('hours', elements)
}

function tableOf(): object {
  const chain = { ...TABLE, name: 'c', type: 'filter', hook: 'prerouting', prio: -300 }
  const sets = [...Object.values(VARIANTS).map(({ set }) => set), { set: HOURS }, { chain }]
  const table = { table: { family: 'inet', name: 't' } }
  return { nftables: [table, ...sets].map((one) => ({ add: one })) }
}

/** Makes the chain with these matches. It drops every packet. */
function chainOf(asks: readonly Expression[]): object {
  const length = { payload: { protocol: 'udp', field: 'length' } }
  const isToken = { match: { op: '==', left: length, right: 24 } }
  const rules = [
    ...(asks.length > 0 ? [[isToken, ...asks, { counter: null }]] : []),
    [isToken, { drop: null }],
  ]
  const adds = rules.map((expr) => ({ add: { rule: { ...TABLE, chain: 'c', expr } } }))
  return { nftables: [{ flush: { chain: { ...TABLE, name: 'c' } } }, ...adds] }
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function measure(pair: Pair, nft: string, count: number): Promise<Figure[]> {
  const give = (document: object) => apply(pair.server, document, nft)
  const figures: Figure[] = []
  const note = (name: string, unit: string, ...runs: number[]) =>
    figures.push({ name: `${count}, ${name}`, unit, runs })
  await give(tableOf())
  const variants = Object.entries(VARIANTS).filter(
    ([name]) => name !== 'range' || count <= MOST_RANGES,
  )
  for (const [name, variant] of variants) {
    const documents = [add(name, elementsOf(variant, count))]
    if (name === 'hour') documents.push(hoursOf(count) as (typeof documents)[0])
    const before = await kernelMemory()
    const load = async () => {
      for (const document of documents) await give(document)
    }
    note(`${name}: load`, 'ms', await time(load))
    note(`${name}: memory`, 'MiB', (await kernelMemory()) - before)
    const more = add(name, elementsOf(variant, ADDED, count))
    note(`${name}: ${ADDED} more`, 'ms', await time(() => give(more)))
  }
  const rules = variants.map(([name, { rule }]) => ({ name, rule }))
  const asked = [
    { name: 'no look-up', rule: [] },
    ...rules,
    { name: 'hour, a right token', rule: SECOND },
  ]
  const runs = asked.map((): number[] => [])
  for (let run = 0; run < RUNS; run += 1) {
    for (const [index, { rule }] of asked.entries()) {
      await give(chainOf(rule))
      runs[index]?.push(await floodOnce(pair, PACKETS, 6000, 'udp'))
    }
  }
  for (const [index, { name }] of asked.entries())
    note(`${name}: a packet`, 'ns', ...(runs[index] ?? []))
  await exec(pair.server, nft, ['delete', 'table', 'inet', 't'])
  return figures
}

sweep()
const { version, path } = (await nftVersions()).at(-1) as { version: string; path: string }
const figures: Figure[] = []
for (const count of COUNTS.length > 0 ? COUNTS : [1000, 10_000, 20_000]) {
  await using pair = await createPair()
  figures.push(...(await measure(pair, path, count)))
}
console.log(`nft ${version}`)
report('tokens', figures)
