// The simulator's lines that the cookbook shows → what `knocklib simulate` prints for the spec of
// the page and the packets in those lines.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { build, CLI } from '../machine/built.js'
import { Page, pageNames } from './page.js'

const exec = promisify(execFile)
const SHOWN = /^```\n\$ knocklib simulate doors\.yaml trace\.txt\n(.*?)^```$/ms

build()

t.test('the pages show the output of the simulator', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const shown: string[] = []
  for (const name of pageNames()) {
    const page = new Page(name)
    const lines = SHOWN.exec(page.text)?.[1]
    if (lines === undefined) continue
    await writeFile(join(folder, 'doors.yaml'), page.block('spec'), { mode: 0o600 })
    await writeFile(join(folder, 'trace.txt'), lines.replace(/^( *\S+ +\S+ +\S+).*$/gm, '$1'))
    const line = [CLI, 'simulate', 'doors.yaml', 'trace.txt']
    const { stdout } = await exec(process.execPath, line, { cwd: folder })
    t.equal(stdout.slice(0, lines.length), lines, name)
    t.equal(stdout.slice(lines.length, lines.length + 1), '\n', `${name}: no packet is left out`)
    shown.push(name)
  }
  t.ok(shown.length >= 8, shown.join(' '))
})

t.test('the first page shows the lines of its recipe', async (t) => {
  const index = new Page('index', 'docs/start/cookbook/README.md').text
  const recipe = new Page('start-and-stop')
  t.equal(SHOWN.exec(index)?.[1], SHOWN.exec(recipe.text)?.[1])
  t.match(index, `\`\`\`yaml\n${recipe.block('spec')}`)
})
