// A thousand doors → milliseconds to install them, to load the same document by `nft -j -f`, and to
// load the document without logging.
//
//   npm run bench -- install [RUNS] [DOORS]
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNft, installKnock, renderKnock } from 'knocklib'
import { createPair, exec, sweep } from '../../machine/namespaces.js'
import { pairedRatio, report } from '../report.js'
import { specOf } from '../specs.js'

const RUNS = Number(process.argv[2] ?? 7)
const DOORS = Number(process.argv[3] ?? 1000)

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

sweep()
await using pair = await createPair()
const nft = createNft({ netns: pair.server })
const folder = await mkdtemp(join(tmpdir(), 'knocklib-bench-'))
try {
  const file = join(folder, 'ruleset.json')
  const silentFile = join(folder, 'silent.json')
  const silentSpec = { ...specOf(DOORS), log: false } as const
  await writeFile(file, JSON.stringify(renderKnock(specOf(DOORS))), { mode: 0o600 })
  await writeFile(silentFile, JSON.stringify(renderKnock(silentSpec)), { mode: 0o600 })
  const remove = () => exec(pair.server, 'nft', ['delete', 'table', 'inet', 'knock'])
  const ours: number[] = []
  const theirs: number[] = []
  const silent: number[] = []
  // The first run of each warms up. Runs are interleaved.
  for (let run = -1; run < RUNS; run += 1) {
    const direct = await time(() => exec(pair.server, 'nft', ['-j', '-f', file]))
    await remove()
    const library = await time(() => installKnock(specOf(DOORS), { nft }))
    await remove()
    const unlogged = await time(() => exec(pair.server, 'nft', ['-j', '-f', silentFile]))
    await remove()
    if (run < 0) continue
    silent.push(unlogged)
    theirs.push(direct)
    ours.push(library)
  }
  report(
    'install',
    [
      { name: `nft -j -f, ${DOORS} doors`, unit: 'ms', runs: theirs },
      { name: `nft -j -f, ${DOORS} doors, log: false`, unit: 'ms', runs: silent },
      { name: `installKnock, ${DOORS} doors`, unit: 'ms', runs: ours },
    ],
    {
      'installKnock / nft -j -f': pairedRatio(ours, theirs),
      'with a log / log: false': pairedRatio(theirs, silent),
    },
  )
} finally {
  await rm(folder, { recursive: true })
}
