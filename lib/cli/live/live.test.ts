// The live view on streams that are no terminals: what it asks for, what it draws, and that it
// always gives the terminal back.
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadStream, WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import type { KnockEvent, Status } from '../../index.js'
import { runLive } from './live.js'

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'

const STATUS: Status = {
  table: 'knock',
  doors: [
    {
      ...{ name: 'ssh', service: ['tcp/22'], openFor: 30, grants: [], progress: [] },
      counters: { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 },
    },
  ],
  ...{ bans: [], counters: { bans: 0, ignored: 0, repeated: 0, unlogged: 0 }, fill: [] },
}

class Output extends EventEmitter {
  readonly isTTY = true
  columns = 80
  rows = 20
  text = ''
  writableNeedDrain = false
  write(text: string): boolean {
    this.text += text
    return true
  }
  /** The last frame. */
  get frame(): string {
    return stripVTControlCharacters(this.text.split('\u001b[?2026h').at(-1) ?? '')
  }
}

/** Events that come when they are put in, and end with the signal. */
class Feed {
  readonly #emitter = new EventEmitter()
  put(event: KnockEvent): void {
    this.#emitter.emit('event', event)
  }
  fail(error: Error): void {
    this.#emitter.emit('event', error)
  }
  async *watch({ signal }: { signal: AbortSignal }): AsyncGenerator<KnockEvent> {
    const waiting: (KnockEvent | Error)[] = []
    let wake = () => {}
    this.#emitter.on('event', (event) => {
      waiting.push(event)
      wake()
    })
    signal.addEventListener('abort', () => wake())
    while (!signal.aborted) {
      const event = waiting.shift()
      if (event instanceof Error) throw event
      if (event) yield event
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
}

function begin(status: () => Promise<Status> = async () => STATUS) {
  const [stdin, stdout, feed] = [new PassThrough(), new Output(), new Feed()]
  const modes: boolean[] = []
  const tty = Object.assign(stdin, { isTTY: true, setRawMode: (mode: boolean) => modes.push(mode) })
  const ended = runLive({
    table: 'knock',
    status,
    watch: (options) => feed.watch(options),
    stdin: tty as unknown as ReadStream,
    stdout: stdout as unknown as WriteStream,
    env: { LANG: 'C.UTF-8' },
  })
  return { stdin, stdout, feed, modes, ended }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGCONT', 'uncaughtExceptionMonitor']
const listeners = () => SIGNALS.map((name) => process.listenerCount(name))
const until = async (isSo: () => boolean) => {
  for (let n = 0; n < 500 && !isSo(); n += 1) await sleep(10)
  return isSo()
}
const event = (stage: number): KnockEvent => {
  const time = new Date().toISOString()
  return { time, event: 'knock', door: 'ssh', source: '203.0.113.7', stage, of: 3 }
}

t.test('the view shows readings and events, and q restores the terminal', async (t) => {
  const before = listeners()
  const { stdin, stdout, feed, modes, ended } = begin()
  t.ok(stdout.text.startsWith(ENTER))
  t.ok(await until(() => stdout.frame.includes('ssh  tcp/22')))
  feed.put(event(2))
  t.ok(await until(() => /203\.0\.113\.7 +●●○ +2 of 3/.test(stdout.frame)))
  t.equal(stdout.frame.split('\r\n').length, 20)
  stdout.columns = 60
  stdout.rows = 12
  stdout.emit('resize')
  t.equal(stdout.frame.split('\r\n').length, 12)
  stdin.write('xq')
  await ended
  t.ok(stdout.text.endsWith(LEAVE))
  t.same(modes, [true, false])
  t.same(listeners(), before, 'no listener is left')
})

t.test('signals, Ctrl-C and a closed terminal restore the terminal, too', async (t) => {
  const ends: readonly ((run: ReturnType<typeof begin>) => void)[] = [
    ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => () => process.emit(name)),
    ({ stdin }) => stdin.write('\u0003'),
    ({ stdout }) => stdout.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' })),
    ({ stdin }) => stdin.emit('error', Object.assign(new Error('gone'), { code: 'EIO' })),
  ]
  for (const end of ends) {
    const run = begin()
    end(run)
    await run.ended
    t.ok(run.stdout.text.endsWith(LEAVE), String(end))
    t.equal(run.stdout.text.split(LEAVE).length, 2, 'the terminal is restored once')
  }
})

t.test('an error of the watcher is thrown after the terminal is restored', async (t) => {
  const { stdout, feed, ended } = begin()
  feed.fail(new Error('no such group'))
  await t.rejects(ended, { message: 'no such group' })
  t.ok(stdout.text.endsWith(LEAVE))
})

t.test('an uncaught error and the end of the process restore the terminal', async (t) => {
  for (const name of ['uncaughtExceptionMonitor', 'exit']) {
    const before = new Set(process.listeners(name as 'exit'))
    const { stdout, ended } = begin()
    const ours = process.listeners(name as 'exit').filter((listener) => !before.has(listener))
    for (const listener of ours) listener(1)
    t.ok(stdout.text.endsWith(LEAVE), name)
    process.emit('SIGTERM')
    await ended
    t.equal(stdout.text.split(LEAVE).length, 2, 'the terminal is restored once')
  }
})

t.test('the table is never read twice at once, however many events come', async (t) => {
  let running = 0
  let most = 0
  let times = 0
  const { stdin, feed, ended } = begin(async () => {
    times += 1
    running += 1
    most = Math.max(most, running)
    await sleep(50)
    running -= 1
    return STATUS
  })
  for (let n = 0; n < 60; n += 1) {
    feed.put(event(1 + (n % 3)))
    await sleep(20)
  }
  t.equal(most, 1)
  t.ok(times <= 4, `${times} readings in little more than a second`)
  stdin.write('q')
  await ended
})

t.test('a failed status is shown, and read again', async (t) => {
  const { stdin, stdout, ended } = begin(() => Promise.reject(new Error('nft is missing')))
  t.ok(await until(() => stdout.frame.includes('! the kernel was not read yet: nft is missing')))
  stdin.write('q')
  await ended
})

t.test('frames are left out while the terminal does not accept output', async (t) => {
  const { stdin, stdout, ended } = begin()
  stdout.writableNeedDrain = true
  const { length } = stdout.text
  stdout.emit('resize')
  t.equal(stdout.text.length, length)
  stdin.write('q')
  await ended
  t.ok(stdout.text.endsWith(LEAVE))
})
