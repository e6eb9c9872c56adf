// A fake process with a command line → its output, its exit code, and what ends its output.
import t from 'tap'
import { FakeProcess } from '../../integration/fakes/command-line.js'
import { runProcess } from './command-process.js'

/** Runs a process with this command line to its end. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const process = new FakeProcess()
  process.argv.push('node', 'knocklib', ...args)
  Object.assign(process.env, env)
  await runProcess(process as unknown as Parameters<typeof runProcess>[0])
  return process
}

t.test('the exit code is that of the command', async (t) => {
  const done = await run(['--version'])
  t.match(done.stdout.text, /^\d+\.\d+\.\d+\n$/)
  t.equal(done.exitCode, 0)
  const refused = await run(['nosuch'])
  t.match(refused.stderr.text, /unknown command 'nosuch'/)
  t.equal(refused.exitCode, 2)
})

t.test('NO_COLOR overrides FORCE_COLOR', async (t) => {
  const both = await run(['--version'], { NO_COLOR: '1', FORCE_COLOR: '1' })
  t.same(both.env, { NO_COLOR: '1' })
  const one = await run(['--version'], { FORCE_COLOR: '1' })
  t.same(one.env, { FORCE_COLOR: '1' })
})

t.test('a reader that closes the output early causes no failure', async (t) => {
  const process = await run(['--version'])
  process.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  t.equal(process.exitCode, 0)
  t.equal(process.stderr.text, '')
})

t.test('an output that cannot be written causes a failure', async (t) => {
  const process = await run(['--version'])
  process.stdout.emit('error', Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' }))
  t.equal(process.exitCode, 1)
  t.equal(process.stderr.text, 'knocklib: the output cannot be written: write ENOSPC\n')
})
