// Reading processes that say nothing, or that end → what who started them is reported.
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import { Reader } from './reader.js'

/** A reader of a process that runs this, and what it tells. */
function readerOf(test: { testdir(): string }, code: string, patience: number) {
  const directory = test.testdir()
  const path = join(directory, 'reader.mjs')
  const log = join(directory, 'started')
  writeFileSync(log, '')
  const head = `import { appendFileSync, readFileSync } from 'node:fs'
    appendFileSync(${JSON.stringify(log)}, 'x')
    const starts = readFileSync(${JSON.stringify(log)}, 'utf8').length
    const say = (record) => console.log(JSON.stringify(record))
    process.stdin.on('end', () => process.exit()).resume()\n`
  writeFileSync(path, head + code)
  const logged: unknown[] = []
  const reader = new Reader(
    {
      module: relative(import.meta.dirname, path),
      args: [],
      netns: '',
      subject: 'the test',
      pause: 10,
      patience,
    },
    {
      record: (record) => logged.push(record),
      died: () => logged.push('died'),
      restarted: () => logged.push('restarted'),
      failed: (error) => logged.push(error),
    },
  )
  return { reader, logged, starts: () => readFileSync(log, 'utf8').length }
}

t.test('one that never says that it reads is replaced, and in the end refused', async (t) => {
  const { reader, logged, starts } = readerOf(t, '', 2000)
  await t.rejects(reader.start(), {
    name: 'NetlinkError',
    code: 'socket',
    message: 'watch: the test: the process that reads it was not ready after 2000 ms',
  })
  t.equal(starts(), 3)
  t.same(logged, [])
})

t.test('one that is slow the first time', async (t) => {
  const { reader, starts } = readerOf(t, `if (starts > 1) say({ ready: true })`, 4000)
  await reader.start()
  t.equal(starts(), 2)
  await reader.end()
})

t.test('one that is ready stays, however long it is silent', async (t) => {
  const { reader, logged, starts } = readerOf(t, 'say({ ready: true })', 4000)
  await reader.start()
  await new Promise((resolve) => setTimeout(resolve, 4500))
  t.equal(starts(), 1)
  t.same(logged, [])
  await reader.end()
})

/** All that this process may open; gives them back. */
function takeDescriptors(): () => void {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    return () => taken.forEach((descriptor) => void closeSync(descriptor))
  }
}

t.test('with no descriptors left it is refused, and a restart tried again', async (t) => {
  const { reader, logged } = readerOf(
    t,
    `say({ ready: true }); say({ logged: String(process.pid) })`,
    4000,
  )
  const until = async (count: number) => {
    for (let tries = 0; tries < 500 && logged.length < count; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  await reader.start()
  await until(1)
  const giveBack = takeDescriptors()
  process.kill(Number((logged[0] as { logged: string }).logged), 'SIGKILL')
  await until(2)
  await new Promise((resolve) => setTimeout(resolve, 200))
  giveBack()
  await until(4)
  t.same(logged.slice(1, 3), ['died', 'restarted'])
  await reader.end()
  const again = takeDescriptors()
  const error = await reader.start().catch((error: unknown) => error)
  again()
  t.match(error, { name: 'NetlinkError', code: 'socket', message: /no file descriptors are left/ })
})
