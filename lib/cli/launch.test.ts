// launch.cts with a faked Node: which versions it lets pass, and what it says of the others.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'

const source = readFileSync(new URL('launch.cts', import.meta.url), 'utf8')
const compile = (target: ScriptTarget): string =>
  transpileModule(source, { compilerOptions: { target, module: ModuleKind.CommonJS } }).outputText

const RANGE = '^20.19.0 || ^22.12.0 || >=24'

/** Runs it as Node of that version; `import()` is what this one gives code without a module. */
function launch(node: string): { said: string[]; process: { exitCode?: number } } {
  const said: string[] = []
  const process: { exitCode?: number; versions: object } = { versions: { node } }
  const code = compile(ScriptTarget.ES2015).replace(/^#!.*/, '')
  const run = new Function('process', 'console', 'require', 'exports', code)
  const load = () => ({ engines: { node: RANGE } })
  run(process, { error: (line: string) => said.push(line) }, load, {})
  return { said, process }
}

t.test('a Node that is too old is reported which one is needed', async (t) => {
  for (const version of ['10.24.1', '18.20.8', '20.18.3', '21.7.0', '22.11.0', '23.11.0']) {
    const { said, process } = launch(version)
    t.same(said, [`knocklib: Node ${RANGE} is needed, this is ${version}`])
    t.equal(process.exitCode, 3)
  }
})

t.test('one that will do is reported nothing', async (t) => {
  for (const version of ['20.19.0', '20.20.2', '22.12.0', '24.0.0', '26.1.0', '24.0.0-nightly']) {
    t.same(launch(version).said, [], version)
  }
})

t.test('an old Node can read it: nothing in it is newer than ES2015', async (t) => {
  t.equal(compile(ScriptTarget.ES2015), compile(ScriptTarget.ESNext))
  t.notMatch(source, /\bawait\b|^import /m)
})
