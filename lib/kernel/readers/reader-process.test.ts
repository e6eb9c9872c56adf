// A fake process → what a reader writes, what it is asked, and when it ends.
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { read } from '../../../integration/captures/fake-child.js'
import { CapabilityError, NetlinkError } from '../../errors.js'
import { type ReaderProcess, runReader, type Settle } from './reader-process.js'

class FakeProcess extends EventEmitter {
  readonly stdin = new PassThrough()
  readonly stdout = new PassThrough()
  exits = 0

  exit(): void {
    this.exits += 1
  }

  /** Reads the records that were written since the last call. */
  async records(): Promise<unknown[]> {
    await read()
    const lines = String(this.stdout.read() ?? '').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }
}

const run = (process: FakeProcess, open: Parameters<typeof runReader>[1], most?: number) =>
  runReader(process as unknown as ReaderProcess, open, most)

t.test('each line of standard input is a question', async (t) => {
  const process = new FakeProcess()
  const asked: number[] = []
  const settle: Settle = (number) => void asked.push(number)
  const opening = run(process, async () => settle)
  process.stdin.write('1\n')
  await opening
  await read()
  asked.length = 0
  process.stdin.write('2\n3\n')
  await read()
  t.same(asked, [2, 3])
})

t.test('a question to a reader that cannot be asked changes nothing', async (t) => {
  const process = new FakeProcess()
  await run(process, async (output) => {
    output.report({ ready: true })
    return undefined
  })
  process.stdin.write('1\n')
  t.same(await process.records(), [{ ready: true }])
  t.equal(process.exits, 0)
})

t.test('as many records wait as the reader says', async (t) => {
  const process = new FakeProcess()
  await run(
    process,
    async (output) => {
      for (let n = 0; n < 3; n += 1) output.report({ n })
      return undefined
    },
    2,
  )
  t.same(await process.records(), [{ n: 0 }, { n: 1 }, { lost: 1 }])
})

t.test('the process ends with its standard input, or if nobody reads its output', async (t) => {
  const open = async () => undefined
  const closed = new FakeProcess()
  await run(closed, open)
  closed.stdin.end()
  await read()
  t.ok(closed.exits > 0, 'its standard input has ended')
  const broken = new FakeProcess()
  await run(broken, open)
  broken.stdout.emit('error', new Error('EPIPE'))
  t.equal(broken.exits, 1, 'its output is broken')
})

t.test('signals of the terminal do not end the process', async (t) => {
  const process = new FakeProcess()
  await run(process, async () => undefined)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) t.ok(process.emit(signal), signal)
  t.equal(process.exits, 0)
})

t.test('a reader that cannot begin reports why', async (t) => {
  const failed = async (error: unknown) => {
    const process = new FakeProcess()
    await run(process, () => Promise.reject(error))
    return process.records()
  }
  const reason = 'the reason'
  const refused = new NetlinkError('EPERM', 'watch', reason)
  t.same(await failed(refused), [{ failed: { code: 'EPERM', reason } }])
  t.same(await failed(new Error(reason)), [{ failed: { code: 'socket', reason } }])
  t.same(await failed(reason), [{ failed: { code: 'socket', reason } }])
  const cause = new CapabilityError(
    'netlink',
    'the optional package netlink',
    'npm install netlink',
  )
  const absent = new NetlinkError('socket', 'watch', reason, { cause })
  t.same(await failed(absent), [{ failed: { code: 'missing-capability', reason } }])
})
