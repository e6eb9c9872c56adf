// The files of lib/ → no room has more than a dozen, and no file is outside the rooms.
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ROWS } from '../integration/fixtures/rooms.js'

const root = fileURLToPath(new URL('.', import.meta.url))
const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !/\.(test|d)\.ts$/.test(path))
  .filter((path) => !path.includes('generated/'))
  .sort()

t.test('a room has at most a dozen files, and each file is in a room', async (t) => {
  for (const room of Object.keys(ROWS)) {
    const files = paths.filter((path) => dirname(path) === room)
    t.ok(files.length > 0 && files.length <= 12, `${room}: ${files.length} files`)
  }
  t.strictSame(
    paths.filter((path) => dirname(path) === '.'),
    ['client.ts', 'errors.ts', 'index.ts'],
  )
})
