// The rooms of integration/ → each imports only rooms above it in the list, and has at most a dozen
// files.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseSource } from '../fixtures/source.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const HERE = `${ROOT}integration/`

/** From what nothing of integration/ needs to imports, to what is built on the others. */
const ROOMS = [
  ...['captures', 'fixtures', 'machine', 'oracle', 'suite'],
  ...['random', 'fakes', 'wire', 'traces', 'setups', 'replay', 'browsers'],
  ...['contract', 'contract/failures', 'demo', 'clients', 'command', 'command/run'],
  ...['cookbook', 'cookbook/programs', 'remote'],
  ...[
    'doors',
    'load',
    'meaning',
    'paced',
    'ruleset',
    'table',
    'table/keep',
    'table/prefix',
    'table/watch',
  ],
  ...['peers/traces', 'peers'],
  ...['bench', 'bench/rivals', 'bench/growth', 'bench/path', 'bench/table', 'bench/figures'],
  ...['pure', 'pure/client', 'pure/oracle'],
]

const files = readdirSync(HERE, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|mjs)$/.test(path) && !path.endsWith('.d.ts'))
  .sort()
const roomOf = (path: string): string => path.split('/').slice(0, -1).join('/')
const imports = files
  .filter((path) => path.endsWith('.ts'))
  .flatMap((path) => {
    const source = parseSource(`integration/${path}`, readFileSync(HERE + path, 'utf8'))
    return source.imports.map(({ from }) => ({ path, from }))
  })

t.test('arrows go upwards in the list alone', async (t) => {
  const crossing = imports.flatMap(({ path, from }) => {
    if (!from.startsWith('integration/')) return []
    const [own, other] = [roomOf(path), roomOf(from.replace('integration/', ''))]
    if (own === other || ROOMS.indexOf(other) < ROOMS.indexOf(own)) return []
    return [`${path} imports ${from}, of a room below`]
  })
  t.same(crossing, [])
})

t.test('each room has a place, and each place a room', async (t) => {
  t.same([...new Set(files.map(roomOf))].sort(), [...ROOMS].sort())
  for (const room of ROOMS) {
    const count = files.filter((path) => roomOf(path) === room).length
    t.ok(count <= 12, `${room}: ${count} files`)
  }
})
