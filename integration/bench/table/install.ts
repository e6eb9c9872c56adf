// A growing number of doors → milliseconds to install them, to install the same spec again, to
// install it with one door changed, and to ask for the status; beside what nft alone takes for the
// same document.
//
//   npm run bench -- install [--quick]
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNft, installKnock, type Knock, type KnockSpec, renderKnockText } from 'knocklib'
import { createPair, exec, NFT, type Pair, sweep } from '../../machine/namespaces.js'
import { median, QUICK, type Row, reportRows, rowOf } from '../report.js'
import { specOf } from '../specs.js'

const ROUNDS = QUICK ? 1 : 3
/** The slowest size has one round: it takes most of the time. */
const MOST = { rounds: 1, from: 10_000 }
const COUNTS = [1, 10, 100, 1000, 10_000]

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/** The spec with another time for which the last door opens. */
function withOneChanged(spec: KnockSpec): KnockSpec {
  const doors = spec.doors.map((door, index) =>
    index === spec.doors.length - 1 ? { ...door, open: { for: '31s' } } : door,
  )
  return { ...spec, doors }
}

const NAMES = ['nft alone', 'install', 'the same again', 'one door changed', 'status'] as const
type Times = Readonly<Record<(typeof NAMES)[number], number>>

async function round(pair: Pair, file: string, spec: KnockSpec): Promise<Times> {
  const nft = createNft({ netns: pair.server })
  const remove = () => exec(pair.server, NFT, ['delete', 'table', 'inet', 'knock'])
  const direct = await time(async () => {
    const { code, stderr } = await exec(pair.server, NFT, ['-f', file])
    if (code !== 0) throw new Error(`nft -f: ${stderr.trim()}`)
  })
  await remove()
  const fresh = await time(() => installKnock(spec, { nft }))
  const again = await time(() => installKnock(spec, { nft }))
  const changed = withOneChanged(spec)
  let knock = undefined as Knock | undefined
  const other = await time(async () => {
    knock = await installKnock(changed, { nft })
  })
  const status = await time(async () => knock?.status())
  await remove()
  return {
    ...{ 'nft alone': direct, install: fresh, 'the same again': again },
    ...{ 'one door changed': other, status },
  }
}

async function measure(pair: Pair, folder: string, count: number): Promise<Row[]> {
  const spec = specOf(count)
  const file = join(folder, `${count}.nft`)
  await writeFile(file, renderKnockText(spec), { mode: 0o600 })
  const rounds = count >= MOST.from ? MOST.rounds : ROUNDS
  const all: Times[] = []
  for (let index = 0; index < rounds; index += 1) all.push(await round(pair, file, spec))
  const direct = all.map((times) => times['nft alone'])
  console.log(`  ${count} doors: ${median(all.map(({ install }) => install)).toFixed(0)} ms`)
  return NAMES.map((name) =>
    rowOf({
      ...{ part: 'install', variant: name, x: count, unit: 'ms' },
      runs: all.map((times) => times[name]),
      ...(name === 'install' && { base: { name: 'nft alone', runs: direct } }),
    }),
  )
}

sweep()
await using pair = await createPair()
const folder = await mkdtemp(join(tmpdir(), 'knocklib-bench-'))
try {
  // The first run loads modules, which must not count.
  await measure(pair, folder, 1)
  const rows: Row[] = []
  for (const count of COUNTS) rows.push(...(await measure(pair, folder, count)))
  const most = MOST.from.toLocaleString('en')
  const method =
    `Rounds: ${ROUNDS}; with ${most} doors: ${MOST.rounds}. ` +
    'Each round does all five, one after the other.'
  reportRows('install', { method, rows })
} finally {
  await rm(folder, { recursive: true })
}
