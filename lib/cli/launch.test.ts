// launch.cts with a faked Node: which versions it accepts, what it loads, and what it reports.
import { readFileSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'

const url = new URL('launch.cts', import.meta.url)
const source = readFileSync(url, 'utf8')
const compile = (target: ScriptTarget): string =>
  transpileModule(source, {
    compilerOptions: { target, module: ModuleKind.NodeNext, inlineSourceMap: true },
    fileName: fileURLToPath(url),
  }).outputText
const code = compile(ScriptTarget.ES2015)

const RANGE = '^20.19.0 || ^22.12.0 || >=24'
const FAKES = 'FAKES_OF_LAUNCH_TEST'

interface Fakes {
  /** What `import()` gives for `./start.js`. */
  readonly load?: () => Promise<unknown>
  /** What `require` gives for package.json. */
  readonly manifest?: () => unknown
}

/** Runs the file as Node of that version. Its offsets stay the same, so its lines are counted. */
async function launch(node: string, { load, manifest }: Fakes = {}) {
  const said: string[] = []
  const loaded: string[] = []
  const process: { exitCode?: number; versions: object } = { versions: { node } }
  const real = createRequire(import.meta.url)
  const require = (name: string): unknown => {
    if (!name.endsWith('package.json')) return real(name)
    return manifest ? manifest() : { engines: { node: RANGE } }
  }
  const loader = async (name: string) => {
    loaded.push(name)
    await load?.()
  }
  const console = { error: (line: string) => said.push(line) }
  const fakes = { process, console, loader, require: Object.assign(require, real) }
  Object.assign(globalThis, { [FAKES]: fakes })
  const begin = `const { process, console, loader } = ${FAKES}; require = ${FAKES}.require`
  const text = code.replace(/^#!.*/, begin).replace("import('", "loader('")
  const module = new Module(fileURLToPath(url)) as Module & {
    _compile(text: string, path: string): void
  }
  module._compile(text, fileURLToPath(url))
  await turn()
  return { said, loaded, exitCode: process.exitCode }
}

t.test('an old Node is refused, with the version that is needed', async (t) => {
  for (const version of ['10.24.1', '18.20.8', '20.18.3', '21.7.0', '22.11.0', '23.11.0']) {
    const said = [`knocklib: Node ${RANGE} is needed, this is ${version}`]
    t.same(await launch(version), { said, loaded: [], exitCode: 3 })
  }
})

t.test('a new Node loads the command without a message', async (t) => {
  for (const version of ['20.19.0', '20.20.2', '22.12.0', '24.0.0', '26.1.0', '24.0.0-nightly']) {
    const { said, loaded, exitCode } = await launch(version)
    t.same([said, loaded, exitCode], [[], ['./start.js'], undefined], version)
  }
})

const refused = (message: string, code?: string) => () =>
  Promise.reject(Object.assign(new Error(message), code !== undefined && { code }))

t.test('a missing file leads to the advice to install again', async (t) => {
  const missing = "Cannot find package 'knocklib-has-no-such-package' imported from x"
  const failures = {
    [missing]: 'ERR_MODULE_NOT_FOUND',
    "Cannot find module '/nowhere/at/all/start.js' imported from x": 'ERR_MODULE_NOT_FOUND',
    'Cannot find something': 'ERR_MODULE_NOT_FOUND',
    'Unexpected token': 'ERR_SYNTAX',
  }
  for (const [message, code] of Object.entries(failures)) {
    const { said, exitCode } = await launch('24.0.0', { load: refused(`${message}\nmore`, code) })
    t.same(said, [`knocklib: the program cannot be loaded: ${message}; install it again`])
    t.equal(exitCode, 3)
  }
  const { said } = await launch('24.0.0', { load: () => Promise.reject('words') })
  t.same(said, ['knocklib: the program cannot be loaded: words; install it again'])
})

t.test('too many open files lead to the advice to raise the limit', async (t) => {
  const here = fileURLToPath(new URL('not-there.js', import.meta.url))
  const failures: readonly [string, string, string][] = [
    ['too many open files', 'EMFILE', 'EMFILE'],
    ['ENFILE: file table overflow', '', 'ENFILE'],
    ["Cannot find package 'typescript' imported from x", 'ERR_MODULE_NOT_FOUND', 'EMFILE'],
    [`Cannot find module '${here}' imported from x`, 'ERR_MODULE_NOT_FOUND', 'EMFILE'],
  ]
  for (const [message, code, named] of failures) {
    const { said, exitCode } = await launch('24.0.0', { load: refused(message, code) })
    const limit = 'raise the limit of open files (ulimit -n, or LimitNOFILE= of the service)'
    const words = `the program cannot be loaded: no file can be opened (${named}): ${limit}`
    t.same(said, [`knocklib: ${words}`])
    t.equal(exitCode, 3)
  }
})

t.test('an unreadable package.json is reported', async (t) => {
  const manifest = () => {
    throw new Error("Cannot find module '../../package.json'")
  }
  const { said, loaded } = await launch('24.0.0', { manifest })
  t.same(loaded, [])
  t.match(said, [
    /^knocklib: the program cannot be loaded: Cannot find module .*; install it again$/,
  ])
})

t.test('an old Node can read the launcher: its syntax is ES2015', async (t) => {
  const plain = (target: ScriptTarget) => compile(target).replace(/\n\/\/# source.*/, '')
  t.equal(plain(ScriptTarget.ES2015), plain(ScriptTarget.ESNext))
  t.notMatch(source, /\bawait\b|^import /m)
})
