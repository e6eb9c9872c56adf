// Runs the unit tests and reports which lines they cover, by room; ends with 1 if one failed, or a
// room is below its floor.
import { readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { coveredByRoom } from './coverage.mjs'
import { root, runFiles } from './files.mjs'

const coverage = join(root, '.cache/coverage')
/** Percent of lines. */
const FLOOR = 95

/**
 * These take longest, and begin first, so that none of them runs on when all others have ended.
 * Which lines they run is not recorded: that would take a quarter of their time, and other tests
 * run the same.
 */
const LONG = ['random', 'kinds', 'doors'].map((name) => `integration/pure/oracle/${name}.test.ts`)

const found = ['lib', 'integration/pure'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`)
    .sort(),
)
const lost = LONG.filter((name) => !found.includes(name))
if (lost.length > 0) throw new Error(`no such test: ${lost.join(', ')}`)
const files = [...LONG, ...found.filter((name) => !LONG.includes(name))]
rmSync(coverage, { recursive: true, force: true })
// More than there are processors, because some tests wait for clocks.
const jobs = availableParallelism() + 2
const env = (path) => (LONG.includes(path) ? {} : { NODE_V8_COVERAGE: coverage })
await runFiles(t, 'unit', { files, jobs, env })
t.strictSame(
  roomsBelow(await coveredByRoom(coverage)),
  [],
  'rooms whose lines are covered too little',
)

function roomsBelow(rooms) {
  for (const [room, percent] of Object.entries(rooms)) t.comment(`${room}: ${percent} %`)
  return Object.entries(rooms)
    .filter(([, percent]) => percent < FLOOR)
    .map(([room, percent]) => `${room}: ${percent} %, at least ${FLOOR}`)
}
