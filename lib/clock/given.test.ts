// The sources of modules that are given a clock → they use no other clock or timer, so that their
// tests take no time.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('.d.ts'))
  .map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }))
  .filter(({ path, text }) => path.startsWith('keep/') || text.includes('/clock/clock.js'))

const COMMENTS = /^\s*(\/\/|\/?\*).*$/gm
const TIME = /\b(Date\.now|new Date\(\)|performance\.|setTimeout|setInterval|hrtime)/g

/** Finds the clocks and timers that a source uses directly. */
const timesIn = (text: string): string[] => text.replace(COMMENTS, '').match(TIME) ?? []

t.test('modules that are given a clock use no other', async (t) => {
  t.ok(sources.some(({ path }) => path === 'api/keep-installed.ts'))
  for (const { path, text } of sources) t.strictSame(timesIn(text), [], path)
})

t.test('each way to use another clock is found', async (t) => {
  const timers = `import { setImmediate, setTimeout as sleep } from 'node:timers/promises'`
  t.strictSame(timesIn(timers), ['setTimeout'])
  t.strictSame(timesIn('performance.now() + Date.now()'), ['performance.', 'Date.now'])
  t.strictSame(timesIn('new Date().toISOString()\nsetInterval(f)'), ['new Date()', 'setInterval'])
  t.strictSame(timesIn('// by `performance.now()`\nconst then = new Date(text)'), [])
})
