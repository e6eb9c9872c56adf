// The rules of docs/contribute/architecture.md on who may import whom, read from the sources
// themselves.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ROWS } from '../integration/fixtures/rooms.js'
import { parseSource, type Source } from '../integration/fixtures/source.js'

const root = fileURLToPath(new URL('.', import.meta.url))
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('.d.ts'))
  .filter((path) => !path.includes('generated/'))
  .sort()
  .map((path) => parseSource(path, readFileSync(`${root}${path}`, 'utf8')))

/**
 * The room of a file; `.` for index.ts, which passes on what the library is. errors.ts is
 * everybody's.
 */
const roomOf = (path: string): string => dirname(path)
const isOurs = (from: string): boolean => from.endsWith('.ts')

const wordsOf = (row = ''): string[] => row.split(' ').filter((word) => word !== '')

/**
 * What belongs to no room: the errors, and the types of documents that are made from the schemas.
 */
const forAll = /^errors\.ts$|^spec\/generated\//

/** A rule: a file → what it does that it may not, in words. */
type Rule = (source: Source) => string[]

const crossings = ({ path, imports }: Source) =>
  imports.filter(({ from }) => isOurs(from) && !forAll.test(from) && roomOf(from) !== roomOf(path))

const stayInOrder: Rule = (source) => {
  const { path } = source
  const room = roomOf(path)
  if (room === '.') return []
  const row = ROWS[room]
  if (!row) return [`${path}: no row says what lib/${room} may import`]
  return crossings(source)
    .filter(({ from, isType }) => {
      const may = isType ? [...wordsOf(row.all), ...wordsOf(row.types)] : wordsOf(row.all)
      return !may.includes(roomOf(from))
    })
    .map(({ from, isType }) => `${path} imports ${isType ? 'types of ' : ''}${from}`)
}

const COMPILER = /^(spec\/validate|automaton\/build|nft\/render\/(render|text))\.ts$/

const wireInOnePlace: Rule = ({ path, imports }) => {
  if (/^(api\/|index\.ts$)/.test(path)) return []
  const values = imports.filter(({ isType }) => !isType)
  const compiler = values.find(({ from }) => COMPILER.test(from))
  const kernel = values.find(({ from }) => from.startsWith('kernel/'))
  return compiler && kernel ? [`${path} imports both ${compiler.from} and ${kernel.from}`] : []
}

/** The files that may import a dependency. */
const IMPORTERS: Readonly<Record<string, readonly string[]>> = {
  ajv: ['spec/schema-errors.ts'],
  commander: ['cli/main.ts'],
  execa: ['kernel/process/run.ts'],
  netlink: ['kernel/netlink/socket.ts'],
  'prom-client': ['service/metrics.ts'],
  qr: ['profile/qr.ts'],
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

const PURE = [
  /^(spec|text|automaton|nft|change|view|profile|kernel\/nflog)\//,
  /^kernel\/netlink\/(wire|element-messages|element-answers|address-bytes)\.ts$/,
  /^host\/(host|host-warning|ip-listing|link-messages)\.ts$/,
  /^host\/judge-(closing|doors|interfaces)\.ts$/,
]

const stayPure: Rule = ({ path, imports, impure }) => {
  if (!PURE.some((pure) => pure.test(path))) return []
  const modules = imports
    .filter(({ from }) => from.startsWith('node:') && from !== 'node:net')
    // They load node:crypto and the validator when those are used.
    .filter(
      ({ from }) =>
        !(
          /^spec\/(validate|derive\/derive|model\/digest)\.ts$/.test(path) && from === 'node:module'
        ),
    )
    .filter(
      ({ from, names }) =>
        from !== 'node:crypto' || names.some((name) => !/^create(Hash|Hmac)$/.test(name)),
    )
    .map(({ from, names }) => `${path} imports ${names.join(', ')} from ${from}`)
  // Its HMAC needs no chance.
  const used = impure.filter((name) => path !== 'spec/derive/web.ts' || name !== 'crypto')
  return [...modules, ...used.map((name) => `${path} uses ${name}`)]
}

/** What the package's users import. */
const ENTRIES = ['index.ts', 'client.ts']

const passNothingOn: Rule = ({ path, imports }) =>
  ENTRIES.includes(path)
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
  'a room imports what its row names': stayInOrder,
  'only api brings compiler and kernel together': wireInOnePlace,
  'each dependency has one importer': importDependenciesOnce,
  'no input, output, clock or chance where all is pure': stayPure,
  'only entries of the package pass on': passNothingOn,
  'no import for its effects': haveNoEffects,
  'no file for this and that': nameWhatItDoes,
}

for (const [name, rule] of Object.entries(rules)) {
  t.test(name, async (t) => {
    t.strictSame(sources.flatMap(rule), [])
  })
}

t.test('each row names only rooms above it that it needs', async (t) => {
  const rooms = Object.keys(ROWS)
  t.strictSame([...new Set(sources.map(({ path }) => roomOf(path)))].sort(), ['.', ...rooms].sort())
  for (const [room, { all, types }] of Object.entries(ROWS)) {
    const above = ['.', ...rooms.slice(0, rooms.indexOf(room))]
    const named = [...wordsOf(all), ...wordsOf(types)]
    t.strictSame(
      named.filter((name) => !above.includes(name)),
      [],
      `${room}: rooms above it`,
    )
    const used = sources
      .filter(({ path }) => roomOf(path) === room)
      .flatMap(crossings)
      .map(({ from, isType }) => ({ isType, of: roomOf(from) }))
    const values = used.filter(({ isType }) => !isType).map(({ of }) => of)
    const idle = [
      ...wordsOf(all).filter((name) => !values.includes(name)),
      ...wordsOf(types).filter((name) => !used.some(({ of }) => of === name)),
    ]
    t.strictSame(idle, [], `${room}: rooms that it needs`)
  }
})

t.test('each import has been read', async (t) => {
  const [first] = sources.filter(({ path }) => path === 'spec/validate.ts')
  t.ok(first?.imports.some(({ from }) => from === 'errors.ts'))
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(`${root}../package.json`, 'utf8'),
  )
  // ajv makes the validators when knocklib is built; what runs imports its types alone.
  t.strictSame(
    Object.keys(IMPORTERS).sort(),
    [...Object.keys({ ...dependencies, ...optionalDependencies }), 'ajv'].sort(),
  )
  for (const [dependency, files] of Object.entries(IMPORTERS)) {
    const importers = sources.filter(({ imports }) =>
      imports.some(({ from }) => packageOf(from) === dependency),
    )
    t.equal(importers.length, 1, `${dependency} is imported by one of ${files.join(', ')}`)
  }
})

t.test('each rule finds a violation', async (t) => {
  const found = (path: string, text: string, rule: Rule) => rule(parseSource(path, text))
  const broken: [Rule, string, string, string][] = [
    [stayInOrder, 'spec/a.ts', `import { b } from '../nft/b.js'`, 'spec/a.ts imports nft/b.ts'],
    [stayInOrder, 'relay/a.ts', `import { b } from '../view/b.js'`, 'relay/a.ts imports view/b.ts'],
    [
      stayInOrder,
      'cli/draw/a.ts',
      `import type { B } from '../../view/status.js'`,
      'cli/draw/a.ts imports types of view/status.ts',
    ],
    [stayInOrder, 'new/a.ts', '', 'new/a.ts: no row says what lib/new may import'],
    [
      wireInOnePlace,
      'a.ts',
      `import { b } from './nft/render/render.js'\nimport { c } from './kernel/nft.js'`,
      'a.ts imports both nft/render/render.ts and kernel/nft.ts',
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
  t.strictSame(found('relay/a.ts', `import type { B } from '../view/b.js'`, stayInOrder), [])
  t.strictSame(found('nft/a.ts', `import { createHash } from 'node:crypto'`, stayPure), [])
  t.strictSame(found('nft/a.ts', 'const x = { process: 1 }.process', stayPure), [])
  t.strictSame(found('nft/a.ts', 'const then = Date.parse(text)', stayPure), [])
  t.strictSame(found('nft/a.ts', 'const then = new Date(text)', stayPure), [])
})
