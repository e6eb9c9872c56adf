// The files that name a kind of knock, compared with the list in the contributors' page. Reads the
// sources.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PAGE = 'docs/CONTRIBUTING.md'

/** A word that no other idea of the project is called by. */
const KIND = /rhythm/i

/**
 * What is not counted: the kind's own room, tests and what they are given, and what is made from
 * the schemas.
 */
const ASIDE = [
  /\.test\.ts$|\.d\.ts$|generated\//,
  /^lib\/automaton\/kinds\/rhythm\//,
  /^integration\/(traces|peers|fixtures\/(?!rooms))/,
]

const sources = (folder: string): string[] =>
  readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path}`)
    .filter((path) => !ASIDE.some((aside) => aside.test(path)))

/** Whether the code of a file, without its comments, has a word of the kind in a name or a text. */
function namesKind(path: string): boolean {
  const names = (node: ts.Node): boolean =>
    ('text' in node && KIND.test(String(node.text))) || (ts.forEachChild(node, names) ?? false)
  const text = readFileSync(`${ROOT}${path}`, 'utf8')
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest)
  return file.statements.some(names)
}

/** The paths in the first column of the table that says what a new kind touches. */
function listed(): string[] {
  const page = readFileSync(`${ROOT}${PAGE}`, 'utf8')
  const section = page.slice(page.indexOf('## A new kind of knock')).split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .map((line) => /^\| `([^`]+)`/.exec(line)?.[1])
    .filter((path) => path !== undefined)
}

t.test('each file that names a kind is in the list of files for a new kind', async (t) => {
  const found = ['lib', 'integration'].flatMap(sources).filter(namesKind).sort()
  const files = listed().filter((path) => path.endsWith('.ts'))
  t.same([...files].sort(), found)
})

t.test('each path in the list exists', async (t) => {
  const paths = listed()
  t.ok(paths.length > 8, 'the list has been found')
  for (const path of paths) t.ok(existsSync(`${ROOT}${path.replace('<kind>', 'rhythm')}`), path)
})
