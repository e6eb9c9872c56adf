// The package as npm would publish it → publint and attw find nothing wrong. Needs what `npm run
// build` made.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publint } from 'publint'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const exec = promisify(execFile)

t.test('what is packed', async (t) => {
  const folder = t.testdir({})
  // Without scripts: the build before packing would remove the build that other tests use.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await exec('npm', pack, { cwd: ROOT })
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[]
  const paths = packed?.files.map(({ path }) => path) ?? []
  const file = join(folder, packed?.filename ?? '')

  t.test('has what runs, its types, schemas and pages, and no test', async (t) => {
    for (const path of [
      ...['dist/bundle/index.js', 'dist/index.d.ts', 'dist/command/launch.cjs'],
      ...['dist/portable/client.js', 'dist/client.d.ts'],
      ...['schemas/vectors.json', 'docs/protocol.md', 'LICENSE'],
    ]) {
      t.ok(paths.includes(path), path)
    }
    for (const folder of ['schemas/', 'docs/systemd/', 'docs/start/']) {
      t.ok(
        paths.some((path) => path.startsWith(folder)),
        folder,
      )
    }
    t.same(
      paths.filter((path) => /\.test\.|^integration|^lib/.test(path)),
      [],
    )
  })

  t.test('publint', async (t) => {
    const bytes = await readFile(file)
    const tarball = new Uint8Array(bytes).buffer
    const { messages } = await publint({ pack: { tarball }, strict: true })
    t.same(messages, [])
  })

  t.test('attw', async (t) => {
    const attw = join(ROOT, 'node_modules/.bin/attw')
    const asked = [file, '--profile', 'esm-only', '--format', 'json']
    const { stdout } = await exec(process.execPath, [attw, ...asked], { maxBuffer: 2 ** 24 })
    const { analysis } = JSON.parse(stdout)
    t.same(Object.keys(analysis.entrypoints).slice(0, 3), ['.', './client', './testing'])
    for (const { kind, resolutionKind } of analysis.problems) {
      t.ok(IGNORED.includes(resolutionKind), `${kind} ${resolutionKind}`)
    }
  })
})

/**
 * Ways of resolving that a package with only ES modules does not support. CommonJS can import it
 * dynamically.
 */
const IGNORED = ['node10', 'node16-cjs']
