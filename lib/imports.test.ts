// The rules of docs/architecture.md on who may import whom, read from the sources themselves.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseSource, type Source } from '../integration/source.js'

const root = fileURLToPath(new URL('.', import.meta.url))
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('.d.ts'))
  .filter((path) => !path.includes('generated/'))
  .sort()
  .map((path) => parseSource(path, readFileSync(`${root}${path}`, 'utf8')))

const folderOf = (path: string): string =>
  path.includes('/') ? (path.split('/')[0] as string) : ''
const isOurs = (from: string): boolean => from.endsWith('.ts')

/** What each folder may import besides itself and errors.ts. */
const MAY: Readonly<Record<string, { readonly all: RegExp; readonly types?: RegExp }>> = {
  spec: { all: /^$/ },
  automaton: { all: /^spec\// },
  nft: { all: /^(spec|automaton)\// },
  kernel: { all: /^(spec|automaton|nft)\// },
  view: { all: /^(spec|nft)\/|^automaton\/names\.ts$/, types: /^(automaton|kernel)\// },
  host: { all: /^spec\/|^kernel\/(address-bytes|socket|wire)\.ts$/ },
  client: { all: /^(spec|files)\/|^(load|secrets)\.ts$/ },
  files: { all: /^spec\/(findings|printable)\.ts$/ },
  import: { all: /^spec\// },
  relay: { all: /^$/, types: /^view\// },
  watch: {
    all: /^(spec|nft|kernel|relay|view)\/|^automaton\/(names|told)\.ts$/,
    types: /^automaton\//,
  },
  keep: { all: /^(spec|view)\// },
  table: { all: /^(spec|automaton|nft|kernel|view)\/|^table\.ts$/ },
  cli: { all: /^(index|spec\/(printable|notes)|files\/replace)\.ts$/ },
}

/** A rule: a file → what it does that it may not, in words. */
type Rule = (source: Source) => string[]

const stayInOrder: Rule = ({ path, imports }) => {
  const folder = folderOf(path)
  if (folder === '') return []
  const may = MAY[folder]
  if (!may) return [`${path}: no rule says what lib/${folder} may import`]
  return imports
    .filter(({ from }) => isOurs(from) && folderOf(from) !== folder)
    .filter(({ from }) => from !== 'errors.ts' || folder === 'cli')
    .filter(({ from, isType }) => !may.all.test(from) && !(isType && may.types?.test(from)))
    .map(({ from, isType }) => `${path} imports ${isType ? 'types of ' : ''}${from}`)
}

const COMPILER = /^(spec\/validate|automaton\/build|nft\/render|nft\/text)\.ts$/

const wireInOnePlace: Rule = ({ path, imports }) => {
  if (/^(knock|install|index)\.ts$/.test(path)) return []
  const values = imports.filter(({ isType }) => !isType)
  const compiler = values.find(({ from }) => COMPILER.test(from))
  const kernel = values.find(({ from }) => from.startsWith('kernel/'))
  return compiler && kernel ? [`${path} imports both ${compiler.from} and ${kernel.from}`] : []
}

/** The files that may import a dependency. */
const IMPORTERS: Readonly<Record<string, readonly string[]>> = {
  ajv: ['spec/validate.ts'],
  commander: ['cli/main.ts'],
  execa: ['kernel/process/run.ts'],
  netlink: ['kernel/socket.ts'],
  'prom-client': ['metrics.ts'],
  yaml: ['files/yaml.ts'],
}

const importDependenciesOnce: Rule = ({ path, imports }) =>
  imports
    .filter(({ from }) => !isOurs(from) && !from.startsWith('node:'))
    .map(({ from }) => packageOf(from))
    .filter((name) => !IMPORTERS[name]?.includes(path))
    .map((name) => `${path} imports ${name}, which ${importersOf(name)}`)

/** Of a module within a package. */
const packageOf = (from: string): string => from.split('/')[0] as string

const importersOf = (name: string): string =>
  IMPORTERS[name] ? `only ${IMPORTERS[name].join(' or ')} may` : 'is no dependency'

const PURE =
  /^(spec|automaton|nft|view)\/|^kernel\/(wire|element-messages|element-answers|address-bytes)\.ts$|^host\/(host|host-warning|ip-listing|judge-doors|judge-interfaces|link-messages)\.ts$/

const stayPure: Rule = ({ path, imports, impure }) => {
  if (!PURE.test(path)) return []
  const modules = imports
    .filter(({ from }) => from.startsWith('node:') && from !== 'node:net')
    // They load node:crypto and the validator when those are used.
    .filter(
      ({ from }) => !(/^spec\/(validate|derive|digest)\.ts$/.test(path) && from === 'node:module'),
    )
    .filter(
      ({ from, names }) =>
        from !== 'node:crypto' || names.some((name) => !/^create(Hash|Hmac)$/.test(name)),
    )
    .map(({ from, names }) => `${path} imports ${names.join(', ')} from ${from}`)
  return [...modules, ...impure.map((name) => `${path} uses ${name}`)]
}

const passNothingOn: Rule = ({ path, imports }) =>
  path === 'index.ts'
    ? []
    : imports.filter(({ isExport }) => isExport).map(({ from }) => `${path} passes ${from} on`)

const haveNoEffects: Rule = ({ path, imports }) =>
  imports
    .filter(({ isBare }) => isBare)
    .map(({ from }) => `${path} imports ${from} for its effects`)

const nameWhatItDoes: Rule = ({ path }) => {
  if (/(^|\/)(utils?|helpers?|common|misc|shared)(\.ts$|\/)/i.test(path))
    return [`${path} says not what it is`]
  return path.endsWith('/index.ts') ? [`${path} is a barrel: only lib/index.ts may be one`] : []
}

const rules: Readonly<Record<string, Rule>> = {
  'a folder imports itself and those to its left': stayInOrder,
  'only install.ts and knock.ts bring compiler and kernel together': wireInOnePlace,
  'each dependency has one importer': importDependenciesOnce,
  'no input, output, clock or chance where all is pure': stayPure,
  'only index.ts passes on': passNothingOn,
  'no import for its effects': haveNoEffects,
  'no file for this and that': nameWhatItDoes,
}

for (const [name, rule] of Object.entries(rules)) {
  t.test(name, async (t) => {
    t.strictSame(sources.flatMap(rule), [])
  })
}

t.test('all of it was read', async (t) => {
  const [first] = sources.filter(({ path }) => path === 'spec/validate.ts')
  t.ok(first?.imports.some(({ from }) => from === 'errors.ts'))
  const dependencies = JSON.parse(readFileSync(`${root}../package.json`, 'utf8')).dependencies
  // ajv makes the validators when knocklib is built; what runs imports its types alone.
  t.strictSame(Object.keys(IMPORTERS).sort(), [...Object.keys(dependencies), 'ajv'].sort())
  for (const [dependency, files] of Object.entries(IMPORTERS)) {
    const importers = sources.filter(({ imports }) =>
      imports.some(({ from }) => packageOf(from) === dependency),
    )
    t.equal(importers.length, 1, `${dependency} is imported by one of ${files.join(', ')}`)
  }
})

t.test('each rule finds what breaks it', async (t) => {
  const found = (path: string, text: string, rule: Rule) => rule(parseSource(path, text))
  const broken: [Rule, string, string, string][] = [
    [stayInOrder, 'spec/a.ts', `import { b } from '../nft/b.js'`, 'spec/a.ts imports nft/b.ts'],
    [
      stayInOrder,
      'view/a.ts',
      `import { b } from '../kernel/b.js'`,
      'view/a.ts imports kernel/b.ts',
    ],
    [
      stayInOrder,
      'cli/a.ts',
      `import type { B } from '../errors.js'`,
      'cli/a.ts imports types of errors.ts',
    ],
    [stayInOrder, 'new/a.ts', '', 'new/a.ts: no rule says what lib/new may import'],
    [
      wireInOnePlace,
      'a.ts',
      `import { b } from './nft/render/render.js'\nimport { c } from './kernel/nft.js'`,
      'a.ts imports both nft/render.ts and kernel/nft.ts',
    ],
    [
      importDependenciesOnce,
      'a.ts',
      `const y = await import('yaml')`,
      'a.ts imports yaml, which only files/yaml.ts may',
    ],
    [
      importDependenciesOnce,
      'a.ts',
      `import l from 'lodash'`,
      'a.ts imports lodash, which is no dependency',
    ],
    [
      stayPure,
      'nft/a.ts',
      `import { readFileSync } from 'node:fs'`,
      'nft/a.ts imports readFileSync from node:fs',
    ],
    [
      stayPure,
      'nft/a.ts',
      `import { randomUUID } from 'node:crypto'`,
      'nft/a.ts imports randomUUID from node:crypto',
    ],
    [stayPure, 'nft/a.ts', 'const now = Date.now()', 'nft/a.ts uses Date'],
    [stayPure, 'nft/a.ts', 'const now = new Date()', 'nft/a.ts uses Date'],
    [stayPure, 'nft/a.ts', 'const x = Math.random()', 'nft/a.ts uses Math.random'],
    [stayPure, 'spec/a.ts', `const x = process.env['X']`, 'spec/a.ts uses process'],
    [passNothingOn, 'nft/a.ts', `export * from './b.js'`, 'nft/a.ts passes nft/b.ts on'],
    [haveNoEffects, 'nft/a.ts', `import './b.js'`, 'nft/a.ts imports nft/b.ts for its effects'],
    [nameWhatItDoes, 'nft/utils.ts', '', 'nft/utils.ts says not what it is'],
    [nameWhatItDoes, 'nft/index.ts', '', 'nft/index.ts is a barrel: only lib/index.ts may be one'],
  ]
  for (const [rule, path, text, message] of broken) {
    t.strictSame(found(path, text, rule), [message], message)
  }
  t.strictSame(found('view/a.ts', `import type { B } from '../kernel/b.js'`, stayInOrder), [])
  t.strictSame(found('nft/a.ts', `import { createHash } from 'node:crypto'`, stayPure), [])
  t.strictSame(found('nft/a.ts', 'const x = { process: 1 }.process', stayPure), [])
  t.strictSame(found('nft/a.ts', 'const then = Date.parse(text)', stayPure), [])
  t.strictSame(found('nft/a.ts', 'const then = new Date(text)', stayPure), [])
})
