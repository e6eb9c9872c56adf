// docs/decide/performance.md → its tables and plots are those of the results in
// docs/decide/figures. UPDATE=1 writes them again.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { filesOf, readResults, writePage } from '../bench/figures/files.js'
import { MARKS } from '../bench/figures/page.js'
import { PARTS } from '../bench/figures/values.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

t.test('the tables and plots are those of the results', async (t) => {
  if (process.env['UPDATE'] === '1') writePage(ROOT)
  for (const [path, text] of Object.entries(filesOf(ROOT, readResults(ROOT)))) {
    t.equal(readFileSync(ROOT + path, 'utf8'), text, path)
  }
})

t.test('each part has its results, and its place on the page', async (t) => {
  t.same(Object.keys(readResults(ROOT)).sort(), [...PARTS].sort())
  const page = readFileSync(`${ROOT}docs/decide/performance.md`, 'utf8')
  for (const name of MARKS) t.equal(page.split(`<!-- ${name} -->\n`).length, 2, name)
})

t.test('plots are read in light and dark, and without eyes', async (t) => {
  const plots = Object.entries(filesOf(ROOT, readResults(ROOT))).filter(([path]) =>
    path.endsWith('.svg'),
  )
  t.ok(plots.length >= 4)
  for (const [path, text] of plots) {
    t.match(text, /<title id="t">.+<\/title>/, path)
    t.match(text, /<desc id="d">.+<\/desc>/, path)
    t.match(text, 'prefers-color-scheme: dark', path)
    t.notMatch(text, /NaN|undefined|Infinity/, path)
  }
})
