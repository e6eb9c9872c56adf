// The compiled modules in dist/ → bundles: the library, the command, and beside each the two reader
// processes.
import { chmodSync, cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rollup } from '@rollup/wasm-node'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = (path) => `${root}dist/${path}`

/** Dependencies, which are not bundled. */
const external = [/^node:/, 'commander', 'execa', 'netlink/dist/raw.js', 'prom-client', 'yaml']
/** Reader processes, started by name from the folder of the bundle. */
const READERS = {
  'log-reader': dist('kernel/readers/log-reader.js'),
  'change-reader': dist('kernel/readers/change-reader.js'),
}
/** Loaded by name when the first document is validated. */
const VALIDATORS = `${root}lib/spec/generated`

async function join(entries, folder) {
  const input = { ...entries, ...READERS }
  const bundle = await rollup({ input, external, logLevel: 'silent' })
  await bundle.write({ dir: dist(folder), format: 'es', chunkFileNames: '[name].js' })
  await bundle.close()
}

const isValidator = (path) => !/\.[^/.]+$/.test(path) || path.endsWith('.cjs')

await join({ index: dist('index.js'), testing: dist('kernel/fake.js') }, 'bundle')
await join({ main: dist('cli/main.js') }, 'command')
for (const folder of ['spec', 'bundle', 'command']) {
  cpSync(VALIDATORS, dist(`${folder}/generated`), { recursive: true, filter: isValidator })
}
cpSync(dist('cli/launch.cjs'), dist('command/launch.cjs'))
chmodSync(dist('command/launch.cjs'), 0o755)
