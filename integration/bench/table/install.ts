// A growing number of doors → milliseconds to install them, to install the same spec again, to
// install it with one door changed, and to ask for the status; beside what nft alone takes for the
// same document.
//
//   npm run bench -- install [--quick]
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installKnock, type Knock, type KnockSpec, renderKnockText } from 'knocklib'
import { createPair, NFT, start, sweep } from '../../machine/namespaces.js'
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

const nft = (...args: readonly string[]) => promisify(execFile)(NFT, args)

async function round(file: string, spec: KnockSpec): Promise<Times> {
  const remove = () => nft('delete', 'table', 'inet', 'knock')
  const direct = await time(() => nft('-f', file))
  await remove()
  const fresh = await time(() => installKnock(spec))
  const again = await time(() => installKnock(spec))
  const changed = withOneChanged(spec)
  let knock = undefined as Knock | undefined
  const other = await time(async () => {
    knock = await installKnock(changed)
  })
  const status = await time(async () => knock?.status())
  await remove()
  return {
    ...{ 'nft alone': direct, install: fresh, 'the same again': again },
    ...{ 'one door changed': other, status },
  }
}

async function measure(folder: string, count: number): Promise<Row[]> {
  const spec = specOf(count)
  const file = join(folder, `${count}.nft`)
  await writeFile(file, renderKnockText(spec), { mode: 0o600 })
  const rounds = count >= MOST.from ? MOST.rounds : ROUNDS
  const all: Times[] = []
  for (let index = 0; index < rounds; index += 1) all.push(await round(file, spec))
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

/** Measures in the network namespace of this process. */
async function measureAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-bench-'))
  try {
    // The first run loads modules, which must not count.
    await measure(folder, 1)
    const rows: Row[] = []
    for (const count of COUNTS) rows.push(...(await measure(folder, count)))
    const most = MOST.from.toLocaleString('en')
    const method =
      `Rounds: ${ROUNDS}; with ${most} doors: ${MOST.rounds}. ` +
      'Each round does all five, one after the other.'
    reportRows('install', { method, rows })
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Set for the process in the namespace: netlink reaches no other one. */
const INSIDE = 'KNOCKLIB_BENCH_INSIDE'

if (process.env[INSIDE]) {
  await measureAll()
} else {
  sweep()
  await using pair = await createPair()
  const { KNOCKLIB_NFT: _, ...env } = process.env
  const args = [...process.execArgv, ...process.argv.slice(1)]
  const child = start(pair.server, process.execPath, args, {
    stdio: 'inherit',
    env: { ...env, [INSIDE]: '1' },
  })
  const [code] = await once(child, 'exit')
  process.exitCode = code ?? 1
}
