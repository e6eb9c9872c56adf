// docs/decide/performance.md → its tables and plots are those of the results in
// docs/decide/figures. UPDATE=1 writes them again.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { linearAxis, logAxis } from '../bench/figures/axis.js'
import { bendsTable } from '../bench/figures/bends.js'
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

t.test('a bend is the first number at which a cost is half as much again', async (t) => {
  const bends = (...values: readonly number[]) => {
    const rows = values.map((value, index) => ({
      ...{ part: 'packets', variant: 'one', x: 10 ** index, value, unit: 'ns' },
    }))
    const [packets] = Object.values(readResults(ROOT)).filter(({ name }) => name === 'packets')
    return bendsTable(packets ? { packets: { ...packets, rows } } : {})
  }
  t.match(bends(100, 120, 149), 'unrelated port | one | not up to 100 (100 ns to 149 ns) |')
  t.match(bends(100, 90, 149, 300), 'unrelated port | one | **100** (100 ns to 149 ns) |')
})

t.test('an axis has its ends at round numbers', async (t) => {
  t.same(logAxis([1, 10_000]).ticks, [1, 10, 100, 1000, 10_000])
  t.same(logAxis([1300, 18_000]).ticks, [1000, 2000, 5000, 10_000, 20_000])
  t.equal(logAxis([1, 10_000]).place(100), 0.5)
  t.same(linearAxis([2576]).ticks, [0, 1000, 2000, 3000])
  t.equal(linearAxis([2576]).place(1500), 0.5)
})
