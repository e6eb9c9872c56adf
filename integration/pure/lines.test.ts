// The files of the repository → no line of code is over 100 columns, and none of a page over 110.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const filesIn = (folder: string, endings: RegExp): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.test(name) && !/(^|\/)generated\//.test(name))
    .map((name) => join(folder, name))

/** The lines of files that have more columns. A character is a column. */
const longLines = (paths: readonly string[], most: number): string[] =>
  paths.flatMap((path) =>
    readFileSync(join(ROOT, path), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        [...line].length > most ? [`${path}:${index + 1}: ${[...line].length} columns`] : [],
      ),
  )

t.test('a line that is too long is found by its place', async (t) => {
  const [first] = longLines(['integration/pure/lines.test.ts'], 60)
  t.match(first, /^integration\/pure\/lines\.test\.ts:1: \d+ columns$/)
})

t.test('no line of code is over 100 columns', async (t) => {
  // JSON is data: texts of a schema and recordings are values of one line.
  const paths = ['lib', 'integration', 'schemas'].flatMap((folder) =>
    filesIn(folder, /\.(c?ts|mjs|pl|sh)$/),
  )
  t.ok(paths.length > 500, 'the files are found')
  t.strictSame(longLines(paths, 100), [])
})

t.test('no line of a page is over 110 columns', async (t) => {
  const paths = ['README.md', 'CHANGELOG.md', ...filesIn('docs', /\.(md|service)$/)]
  t.ok(paths.length > 40, 'the pages are found')
  t.strictSame(longLines(paths, 110), [])
})
