// The demo → it runs to the end, and an interruption leaves nothing behind.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { missing } from '../machine/capabilities.js'

const skip = missing()
const root = fileURLToPath(new URL('../..', import.meta.url))

function startDemo(): { child: ChildProcess; text: () => string } {
  const child = spawn(process.execPath, ['.cache/integration/demo/demo.js'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  }
  return { child, text: () => text }
}

const namespacesOf = ({ pid }: ChildProcess): string[] =>
  readdirSync('/run/netns').filter((name) => name.startsWith(`knl-${pid}-`))

t.before(() => {
  if (skip) return
  const built = spawnSync('npm', ['run', '--silent', 'build:integration'], { cwd: root })
  if (built.status !== 0) throw new Error(`build:integration: ${built.stdout}`)
})

t.test('runs to the end', { skip }, async (t) => {
  const { child, text } = startDemo()
  const [code] = await once(child, 'close')
  t.equal(code, 0, text())
  for (const line of [
    'The door is closed.',
    'The door is open.',
    'over IPv6',
    'all as it should be',
  ]) {
    t.match(text(), line)
  }
  t.strictSame(namespacesOf(child), [])
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`cleans up after ${signal}`, { skip }, async (t) => {
    const { child, text } = startDemo()
    while (!text().includes('The door is open.')) {
      await Promise.race([
        once(child.stdout as NodeJS.ReadableStream, 'data'),
        once(child, 'close'),
      ])
      if (child.exitCode !== null) throw new Error(text())
    }
    t.equal(namespacesOf(child).length, 2)
    child.kill(signal)
    const [code, endedBy] = await once(child, 'close')
    t.ok(code !== 0 || endedBy === signal)
    t.strictSame(namespacesOf(child), [])
  })
}
