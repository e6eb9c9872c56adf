// docs/decide/comparison.md → its tables are those of comparison.json, and each feature of knocklib
// names a test. UPDATE=1 writes the page again.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type Comparison, PARTS, withTables } from '../peers/comparison.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = `${ROOT}docs/decide/comparison.md`
const known: Comparison = JSON.parse(readFileSync(`${ROOT}docs/decide/comparison.json`, 'utf8'))

t.test('the tables and lists are those of the data', async (t) => {
  const page = readFileSync(PAGE, 'utf8')
  const right = withTables(page, known)
  if (process.env['UPDATE'] === '1') writeFileSync(PAGE, right)
  t.equal(readFileSync(PAGE, 'utf8'), right)
  for (const name of PARTS) {
    const part = page.split(`<!-- ${name} -->\n\n`)[1]?.split('\n\n<!-- end -->')[0] ?? ''
    for (const each of known[name]) t.match(part, 'name' in each ? each.name : each.feature, name)
  }
  const links = [...page.matchAll(/^\[\d+\]: \.\.\/\.\.\/(.*)$/gm)].map(([, path]) => path)
  t.same(new Set(links), new Set(known.features.flatMap(({ test }) => test ?? [])))
})

t.test('what knocklib has is shown by a test, and what it has not by none', async (t) => {
  for (const { feature, knocklib, test } of known.features) {
    t.equal(test === undefined, knocklib === '–', feature)
    if (test !== undefined) t.ok(existsSync(ROOT + test), `${feature}: ${test}`)
  }
})

t.test('each feature has something of each peer', async (t) => {
  const peers = Object.keys(known.features[0]?.others ?? {})
  t.equal(peers.length, known.peers.length)
  for (const { feature, others } of known.features) t.same(Object.keys(others), peers, feature)
})
