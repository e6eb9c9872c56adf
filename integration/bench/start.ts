// `import 'knocklib'` and `knocklib status` → the milliseconds that each adds to starting Node.
//
//   npm run bench -- start [RUNS]
import { createNft, installKnock } from 'knocklib'
import { createPair, exec, sweep } from '../machine/namespaces.js'
import { report } from './report.js'
import { specOf } from './specs.js'

const RUNS = Number(process.argv[2] ?? 21)
const CLI = new URL('../../../dist/command/launch.cjs', import.meta.url).pathname

sweep()
await using pair = await createPair()
await using _knock = await installKnock(specOf(1), { nft: createNft({ netns: pair.server }) })

async function time(args: readonly string[]): Promise<number> {
  const begun = performance.now()
  const { code, stderr } = await exec(pair.server, process.execPath, args)
  if (code !== 0) throw new Error(`node ${args.join(' ')}: ${stderr}`)
  return performance.now() - begun
}

const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  'node, empty module': ['--input-type=module', '-e', ''],
  "node, import 'knocklib'": ['--input-type=module', '-e', "import 'knocklib'"],
  'knocklib status': [CLI, 'status'],
}
const runs: Record<string, number[]> = {}
for (let run = -1; run < RUNS; run += 1) {
  for (const [name, args] of Object.entries(VARIANTS)) {
    const taken = await time(args)
    if (run >= 0) runs[name] = [...(runs[name] ?? []), taken]
  }
}
const bare = runs['node, empty module'] as number[]
const over = (name: string) => (runs[name] as number[]).map((ms, index) => ms - (bare[index] ?? 0))
report('start', [
  ...Object.entries(runs).map(([name, values]) => ({ name, unit: 'ms', runs: values })),
  { name: 'import over bare Node', unit: 'ms', runs: over("node, import 'knocklib'") },
  { name: 'status over bare Node', unit: 'ms', runs: over('knocklib status') },
])
