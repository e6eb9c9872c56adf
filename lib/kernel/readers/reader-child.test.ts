// A real reader process → what is reported if no descriptors are left for it, and if it is killed.
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import { FakeClock } from '../../../integration/fixtures/fake-clock.js'
import { Reader } from './reader.js'

/** Opens as many files as this process may. Returns a function that closes them. */
function takeDescriptors(): () => void {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    return () => taken.forEach((descriptor) => void closeSync(descriptor))
  }
}

t.test('without descriptors a start is refused, and a restart is tried again', async (t) => {
  const path = join(t.testdir(), 'reader.mjs')
  writeFileSync(
    path,
    `const say = (record) => console.log(JSON.stringify(record))
    process.stdin.on('end', () => process.exit()).resume()
    say({ ready: true })
    say({ logged: String(process.pid) })`,
  )
  const clock = new FakeClock()
  const logged: unknown[] = []
  let wake = () => {}
  const log = (entry: unknown) => {
    logged.push(entry)
    wake()
  }
  const until = async (count: number) => {
    while (logged.length < count) await new Promise<void>((resolve) => (wake = resolve))
  }
  const module = relative(import.meta.dirname, path)
  const options = { module, args: [], netns: '', subject: 'the test', clock }
  const listener = {
    record: log,
    died: () => log('died'),
    restarted: () => log('restarted'),
    failed: log,
  }
  const reader = new Reader(options, listener)
  await reader.start()
  await until(1)
  const giveBack = takeDescriptors()
  process.kill(Number((logged[0] as { logged: string }).logged), 'SIGKILL')
  await until(2)
  await clock.pass(1000)
  t.same(logged.slice(1), ['died'])
  giveBack()
  await clock.pass(2000)
  await until(4)
  t.same(logged.slice(1, 3), ['died', 'restarted'])
  await reader.end()
  const again = takeDescriptors()
  const starting = new Reader(options, listener).start()
  const error = await clock.passUntil(starting).catch((error: unknown) => error)
  again()
  t.match(error, { name: 'NetlinkError', code: 'socket', message: /no file descriptors are left/ })
})
