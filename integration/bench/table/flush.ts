// A kept table and `nft flush ruleset` → milliseconds until a separate observer finds the table
// with its grants again.
//
//   npm run bench -- flush [FLUSHES] [GRANTS]
import { createNft, installKnock, type KeepEvent } from 'knocklib'
import { createPair, exec, sweep } from '../../machine/namespaces.js'
import { report } from '../report.js'
import { specOf } from '../specs.js'

const FLUSHES = Number(process.argv[2] ?? 20)
const GRANTS = Number(process.argv[3] ?? 100)
const PATIENCE = 10_000

sweep()
await using pair = await createPair()
const nft = createNft({ netns: pair.server })
const knock = await installKnock(specOf(10), { nft })
const [door] = knock.doors
if (!door) throw new Error('no door')
const sources = Array.from({ length: GRANTS }, (_, i) => `203.0.${113 + (i >> 8)}.${i & 255}`)
const stop = new AbortController()
const heard: KeepEvent[] = []
const kept = knock.keepInstalled({ signal: stop.signal, onEvent: (event) => heard.push(event) })
const named = (name: string) => heard.filter(({ event }) => event === name)

async function until(isSo: () => boolean | Promise<boolean>, pause = 5): Promise<void> {
  const end = performance.now() + PATIENCE
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${PATIENCE} ms`)
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

const isThere = async () =>
  (await exec(pair.server, 'nft', ['list', 'set', 'inet', 'knock', 'about'])).code === 0

try {
  await until(() => named('watching').length > 0)
  await door.openMany(sources, { for: '1h' })
  await until(() => named('granted').length >= GRANTS)
  const away: number[] = []
  const took: number[] = []
  let lost = 0
  for (let flush = 1; flush <= FLUSHES; flush += 1) {
    const child = exec(pair.server, 'nft', ['flush', 'ruleset'])
    await child
    // nft's process ends shortly after the table is gone, so the measured time is slightly short.
    const begun = performance.now()
    await until(isThere, 0)
    away.push(performance.now() - begun)
    await until(() => named('restored').length >= flush)
    took.push((named('restored').at(-1) as { took: number }).took)
    const found = new Set((await door.grants()).map(({ source }) => source))
    lost += sources.filter((source) => !found.has(source)).length
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  report('flush', [
    { name: 'away, by an observer', unit: 'ms', runs: away },
    { name: 'put back, after the news', unit: 'ms', runs: took },
    { name: 'longest away', unit: 'ms', runs: [Math.max(...away)] },
    { name: `grants lost of ${GRANTS}, in all`, unit: '', runs: [lost] },
  ])
} finally {
  stop.abort()
  await kept
}
