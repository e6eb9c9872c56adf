// What the processes of tests left behind → percent of covered lines for each room of lib/. Reads
// the sources and what the compiler made of them.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Report } from 'c8'
import ts from 'typescript'
import { root } from './files.mjs'

/**
 * Returns percent of lines by folder. Each source counts, also one that no test has loaded. Left
 * out are generated sources, and sources of which the compiler leaves no statement: types only.
 *
 * @param {string} folder - NODE_V8_COVERAGE of the processes.
 */
export async function coveredByRoom(folder) {
  const report = new Report({
    tempDirectory: folder,
    reporter: [],
    resolve: '',
    mergeAsync: true,
    include: ['lib/**/*.{ts,cts}'],
    exclude: ['**/*.test.ts', 'lib/**/generated/**'],
    extension: ['.ts', '.cts'],
    excludeNodeModules: true,
    src: [join(root, 'lib')],
  })
  const map = await report.getCoverageMapFromAllCoverageFiles()
  const rooms = new Map()
  for (const path of sources()) {
    const file = join(root, path)
    const isLoaded = map.files().includes(file)
    if (!isLoaded && !hasStatements(path)) continue
    const { covered, total } = isLoaded
      ? map.fileCoverageFor(file).toSummary().lines
      : { covered: 0, total: readFileSync(file, 'utf8').split('\n').length - 1 }
    const room = dirname(path)
    const sum = rooms.get(room) ?? { covered: 0, total: 0 }
    rooms.set(room, { covered: sum.covered + covered, total: sum.total + total })
  }
  const percent = ({ covered, total }) => Math.floor((1000 * covered) / total) / 10
  return Object.fromEntries([...rooms].sort().map(([room, lines]) => [room, percent(lines)]))
}

const sources = () =>
  readdirSync(join(root, 'lib'), { recursive: true })
    .filter((name) => /\.c?ts$/.test(name) && !/\.(test|d)\.ts$|(^|\/)generated\//.test(name))
    .map((name) => join('lib', name))

/** Whether the compiler leaves more of a source than an empty list of exports. */
function hasStatements(path) {
  const compiled = join(root, '.cache/compiled', path.replace(/ts$/, 'js'))
  const text = readFileSync(compiled, 'utf8')
  const { statements } = ts.createSourceFile(compiled, text, ts.ScriptTarget.ESNext)
  return statements.some((one) => !ts.isExportDeclaration(one) || one.moduleSpecifier !== undefined)
}
