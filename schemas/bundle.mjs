// The compiled modules in dist/ → bundles: the library, the command, and beside each the two reader
// processes; the client, which needs nothing that is installed beside it; and a page's script.
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rollup } from '@rollup/wasm-node'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = (path) => `${root}dist/${path}`

/** Dependencies, which are not bundled. */
const external = [
  /^node:/,
  'commander',
  'execa',
  'netlink/dist/raw.js',
  'prom-client',
  'qr',
  'yaml',
]
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

/** Bundled with the client: loaded when a profile is YAML. */
const YAML = `${root}node_modules/yaml/`
const CLIENT = dist('client.js')
/** What a browser needs: one file, behind the one that is imported. */
const IN_CLIENT = [
  CLIENT,
  dist('client/connect/connect-door.js'),
  dist('client/system/browser.js'),
  dist('spec/generated/validate-client.js'),
]
/** What is loaded where there are sockets: one file, too. */
const WITH_SOCKETS = [dist('client/system/node.js'), dist('client/connect/connection.js')]

/** The file of the client that a module is written to. */
function fileOf(id) {
  if (id.startsWith(YAML)) return 'yaml'
  if (WITH_SOCKETS.includes(id)) return 'node'
  return IN_CLIENT.includes(id) ? 'core' : undefined
}

/**
 * The client as one file that imports nothing but, on Node, Deno and Bun, what stands beside it.
 */
async function joinClient() {
  const resolveYaml = {
    name: 'yaml',
    resolveId: (from) => (from === 'yaml' ? `${YAML}browser/dist/index.js` : null),
  }
  const plugins = [resolveYaml]
  const bundle = await rollup({ input: CLIENT, external: [/^node:/], plugins, logLevel: 'silent' })
  const licence = `/* yaml\n${readFileSync(`${YAML}LICENSE`, 'utf8')}*/`
  await bundle.write({
    dir: dist('portable'),
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    banner: ({ name }) => (name === 'yaml' ? licence : ''),
    manualChunks: fileOf,
  })
  await bundle.close()
}

/** The script of the page that knocks, without comments: it stands in the page itself. */
async function joinPage() {
  const bundle = await rollup({ input: dist('client/page/main.js'), logLevel: 'silent' })
  const { output } = await bundle.generate({ format: 'es' })
  await bundle.close()
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    removeComments: true,
  }
  const { outputText } = ts.transpileModule(output[0].code, { compilerOptions })
  if (output.length > 1 || /<\/script|<!--|^import /im.test(outputText)) {
    throw new Error('the script of the page cannot stand in a page')
  }
  writeFileSync(dist('portable/page.js'), outputText)
}

const isValidator = (path) => !/\.[^/.]+$/.test(path) || path.endsWith('.cjs')

await join({ index: dist('index.js'), testing: dist('kernel/fake.js') }, 'bundle')
await join({ start: dist('cli/start.js') }, 'command')
await joinClient()
await joinPage()
for (const folder of ['spec', 'bundle', 'command']) {
  cpSync(VALIDATORS, dist(`${folder}/generated`), { recursive: true, filter: isValidator })
}
cpSync(dist('cli/launch.cjs'), dist('command/launch.cjs'))
chmodSync(dist('command/launch.cjs'), 0o755)
