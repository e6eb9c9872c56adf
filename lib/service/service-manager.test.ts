// Notifications, received by a manager that is a socket in a folder.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { createServiceManager } from './service-manager.js'

const RECEIVER = `
  use Socket; $| = 1;
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die "$!";
  print "there\\n";
  $SIG{ALRM} = sub { exit }; alarm 30;
  while (defined recv($s, my $m, 65536, 0)) {
    $m =~ s/\\n/|/g; print "$m\\n" unless $m eq 'BARRIER=1'
  }`

/** A manager; what it was reported can be read line by line. */
class Manager implements AsyncDisposable {
  readonly path: string
  readonly lines: string[] = []
  readonly #child: ChildProcess

  constructor(t: Test) {
    // A socket's path has 107 bytes at most, and the folder of the checkout may be a long one.
    const folder = mkdtempSync(join(tmpdir(), 'notify-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    this.path = join(folder, 'socket')
    this.#child = spawn('perl', ['-e', RECEIVER, this.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  }

  async begin(): Promise<void> {
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    await once(lines, 'line')
    lines.on('line', (line) => this.lines.push(line))
  }

  async heard(count: number): Promise<readonly string[]> {
    for (let left = 200; left > 0 && this.lines.length < count; left -= 1) {
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    return this.lines
  }

  /** Waits for a line. */
  async saw(line: string): Promise<void> {
    while (!this.lines.includes(line)) await this.heard(this.lines.length + 1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill()
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await once(this.#child, 'exit')
  }
}

const { PATH } = process.env
const probe = spawn('systemd-notify', ['--version'], { stdio: 'ignore' })
const [hasNotify] = await Promise.race([
  once(probe, 'exit').then(() => [true]),
  once(probe, 'error').then(() => [false]),
])
const skip = hasNotify ? false : 'missing capability: systemd-notify'
if (skip && process.env['CI'] === 'true') throw new Error(skip)

t.test('each state is reported in order', { skip }, async (t) => {
  await using manager = new Manager(t)
  await manager.begin()
  const heard = createServiceManager({
    env: { PATH, NOTIFY_SOCKET: manager.path },
    onFailure: (reason) => t.fail(reason),
  })
  t.equal(heard.isThere, true)
  t.equal(heard.watchdogInterval, undefined)
  await Promise.all([
    heard.ready('2 doors'),
    heard.status('reads\nREADY=1\nSTATUS=lies'),
    heard.reloading(),
    heard.ready(),
    heard.stopping('saves'),
  ])
  t.strictSame(await manager.heard(5), [
    'READY=1|STATUS=2 doors',
    'STATUS=reads READY=1 STATUS=lies',
    'RELOADING=1',
    'READY=1',
    'STOPPING=1|STATUS=saves',
  ])
  heard.keepWatch()[Symbol.dispose]()
  t.equal(manager.lines.length, 5, 'without a watchdog no keep-alive message is sent')
})

t.test('keep-alive while all is well', { skip }, async (t) => {
  await using manager = new Manager(t)
  await manager.begin()
  const heard = createServiceManager({
    env: {
      PATH,
      NOTIFY_SOCKET: manager.path,
      WATCHDOG_USEC: '40000',
      WATCHDOG_PID: String(process.pid),
    },
  })
  t.equal(heard.watchdogInterval, 20)
  let isWell = true
  const watch = heard.keepWatch(() => isWell)
  const lines = await manager.heard(3)
  t.ok(lines.length >= 3 && lines.every((line) => line === 'WATCHDOG=1'))
  isWell = false
  await heard.status('ill')
  await manager.saw('STATUS=ill')
  const until = manager.lines.length
  await new Promise((resolve) => setTimeout(resolve, 200))
  t.equal(manager.lines.length, until, 'no more messages are sent')
  watch[Symbol.dispose]()
})

t.test('nothing is sent without a manager, or to one of another process', async (t) => {
  const none = createServiceManager({ env: { PATH, WATCHDOG_USEC: '400000' }, onFailure: t.fail })
  t.equal(none.isThere, false)
  t.equal(none.watchdogInterval, undefined)
  await none.ready('nobody listens')
  none.keepWatch()[Symbol.dispose]()
  const socket = { NOTIFY_SOCKET: '/nosuch/notify' }
  for (const env of [
    { WATCHDOG_USEC: '0' },
    { WATCHDOG_USEC: 'x' },
    { WATCHDOG_USEC: '400000', WATCHDOG_PID: '1' },
  ]) {
    t.equal(createServiceManager({ env: { ...socket, ...env } }).watchdogInterval, undefined)
  }
})

t.test('a failure is reported once and ends nothing', async (t) => {
  const failures: string[] = []
  const onFailure = (reason: string) => failures.push(reason)
  const heard = createServiceManager({ env: { PATH, NOTIFY_SOCKET: '/nosuch/notify' }, onFailure })
  await heard.ready()
  await heard.status('still there')
  t.equal(failures.length, 1)
  t.match(failures[0], /^systemd-notify: ./)
  const without = createServiceManager({ env: { PATH: '/nosuch', NOTIFY_SOCKET: '/x' }, onFailure })
  await without.ready()
  t.match(failures[1], /^systemd-notify: .*ENOENT/)
})
