// `knocklib run`, as a service manager and an administrator use it: signals, a file of state,
// metrics, notifications.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import {
  apply,
  CLIENT,
  createPair,
  exec,
  NFT,
  type Pair,
  SERVER,
  start,
} from '../machine/namespaces.js'

const skip = missing('knock', 'nc')
build()

const PATIENCE = 10_000
const DOOR = {
  name: 'ssh',
  service: 'tcp/22',
  knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000'], stepTimeout: '20s' },
  open: { for: '10m' },
}

interface Line {
  readonly event: string
  readonly [more: string]: unknown
}

/** A server where the command runs, and a folder for its files. */
class Site implements AsyncDisposable {
  readonly pair: Pair
  readonly folder: string
  readonly lines: Line[] = []
  stderr = ''
  #child: ChildProcess | undefined
  #exit: Promise<unknown[]> | undefined

  private constructor(pair: Pair, folder: string) {
    this.pair = pair
    this.folder = folder
  }

  static async open(): Promise<Site> {
    const site = new Site(await createPair(), await mkdtemp(join(tmpdir(), 'knocklib-')))
    await site.write('doors.json', { doors: [DOOR] })
    return site
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  async write(name: string, content: object): Promise<void> {
    await writeFile(this.file(name), JSON.stringify(content))
  }

  run(args: readonly string[] = [], env: Record<string, string> = {}): void {
    this.lines.length = 0
    const child = start(
      this.pair.server,
      process.execPath,
      [CLI, 'run', this.file('doors.json'), ...args],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, KNOCKLIB_NFT: NFT, ...env } },
    )
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line)
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.#child = child
    this.#exit = once(child, 'exit')
  }

  get pid(): number {
    return this.#child?.pid as number
  }

  /** Exit code or signal. */
  async end(signal: NodeJS.Signals): Promise<unknown> {
    // nsenter becomes what it starts: the process is ours.
    this.#child?.kill(signal)
    const [code, ended] = (await this.#exit) ?? []
    return code ?? ended
  }

  named(name: string): Line[] {
    return this.lines.filter(({ event }) => event === name)
  }

  async heard(name: string, count = 1): Promise<Line> {
    await until(
      () => this.named(name).length >= count,
      `${count} ${name}`,
      () => [this.stderr, ...this.lines.map((line) => JSON.stringify(line))].join('\n'),
    )
    return this.named(name)[count - 1] as Line
  }

  cli(...args: string[]) {
    const env = { ...process.env, KNOCKLIB_NFT: NFT }
    return exec(this.pair.server, process.execPath, [CLI, ...args], { env })
  }

  async isThere(table = 'knock'): Promise<boolean> {
    return (await exec(this.pair.server, NFT, ['list', 'table', 'inet', table])).code === 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await this.end('SIGKILL')
    await rm(this.folder, { recursive: true, force: true })
    await this.pair[Symbol.asyncDispose]()
  }
}

async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  say: () => string = () => '',
): Promise<void> {
  const end = performance.now() + PATIENCE
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`no ${what} within ${PATIENCE} ms\n${say()}`)
    await sleep(20)
  }
}

const knockAt = (site: Site) =>
  exec(site.pair.client, 'knock', ['-4', '-d', '20', SERVER[4], '7000', '8000:udp'])

const test = (name: string, body: (t: Test, site: Site) => Promise<void>) =>
  t.test(name, { skip, buffered: true }, async (t) => {
    await using site = await Site.open()
    await body(t, site)
  })

t.jobs = 2

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends it, and the table stays`, async (t, site) => {
    site.run()
    t.match(await site.heard('running'), { table: 'knock', doors: ['ssh'] })
    await site.heard('watching')
    await knockAt(site)
    t.match(await site.heard('granted'), { door: 'ssh', source: CLIENT[4], by: 'knock' })
    t.equal(await site.end(signal), 0)
    t.equal(site.lines.at(-1)?.event, 'stopped')
    for (const line of site.lines) t.strictSame(Object.keys(line).slice(0, 2), ['time', 'event'])
    t.equal(site.stderr, '')
    t.ok(await site.isThere())
  })
}

test('a flushed ruleset is put back', async (t, site) => {
  site.run(['--events', 'restored,watching'])
  await site.heard('watching')
  await knockAt(site)
  await sleep(1500)
  await exec(site.pair.server, NFT, ['flush', 'ruleset'])
  t.match(await site.heard('restored'), { was: 'gone', grants: 1 })
  t.strictSame(site.named('granted'), [], 'not asked for')
  t.match((await site.cli('status')).stdout, CLIENT[4])
})

test('what was known outlives a reboot', async (t, site) => {
  const file = site.file('state.json')
  site.run(['--state', file])
  await site.heard('watching')
  await knockAt(site)
  await site.heard('granted')
  await until(
    async () => (await readFile(file, 'utf8').catch(() => '')).includes(CLIENT[4]),
    'file',
  )
  t.equal((await stat(file)).mode & 0o777, 0o600)
  // No time to write anything more: as when the power fails.
  t.equal(await site.end('SIGKILL'), 'SIGKILL')
  await exec(site.pair.server, NFT, ['flush', 'ruleset'])
  site.run(['--state', file])
  await site.heard('watching')
  t.match((await site.cli('status')).stdout, CLIENT[4])
  t.equal(await site.end('SIGTERM'), 0)
})

test('a state that cannot be written is reported at the start, and by the exit code', async (t, site) => {
  site.run(['--state', '/nonexistent/folder/state.json'])
  const { message, what } = await site.heard('failed')
  t.equal(what, 'save')
  t.match(message, /state\.json: .*: there is no directory \/nonexistent\/folder$/)
  await site.heard('watching')
  await knockAt(site)
  await site.heard('granted')
  await sleep(1500)
  t.equal(site.named('failed').length, 1, 'once')
  t.equal(await site.end('SIGTERM'), 1)
  t.equal(site.named('stopped').length, 1)
  const saved = await site.cli('save', '/nonexistent/folder/state.json')
  t.equal(saved.code, 2)
  t.match(saved.stderr, /there is no directory \/nonexistent\/folder\n$/)
})

test('SIGHUP reads the spec anew; a wrong one changes nothing', async (t, site) => {
  site.run()
  await site.heard('watching')
  await knockAt(site)
  await site.heard('granted')
  const web = {
    ...DOOR,
    name: 'web',
    service: 'tcp/443',
    knock: { ...DOOR.knock, steps: ['udp/9000'] },
  }
  await site.write('doors.json', { doors: [{ ...DOOR, open: { for: '20m' } }, web] })
  process.kill(site.pid, 'SIGHUP')
  t.match(await site.heard('reloaded'), { table: 'knock', doors: ['ssh', 'web'] })
  await site.heard('watching', 2)
  const { stdout } = await site.cli('status')
  t.match(stdout, /^web {2}/m)
  t.match(stdout, CLIENT[4], 'the grant is kept')
  await site.write('doors.json', { doors: [{ ...web, service: 'tcp/0' }] })
  process.kill(site.pid, 'SIGHUP')
  t.match(await site.heard('failed'), {
    what: 'reload',
    message:
      /^\S+\/doors\.json: \/doors\/0\/service: .*; nothing was changed: the spec before still stands$/,
  })
  await site.write('doors.json', { doors: [web], table: 'other' })
  process.kill(site.pid, 'SIGHUP')
  t.match(await site.heard('failed', 2), { message: /expected knock as before, got other/ })
  await site.heard('watching', 4)
  t.equal(site.named('reloaded').length, 1)
  t.notOk(await site.isThere('other'))
  await exec(site.pair.server, NFT, ['flush', 'ruleset'])
  await site.heard('restored')
  t.match((await site.cli('status')).stdout, /^web {2}/m, 'the one before goes on')
})

test('a flush right after a reload takes no grant along', async (t, site) => {
  site.run()
  await site.heard('watching')
  await site.cli('open', 'ssh', CLIENT[4], '--for', '5m')
  for (let turn = 1; turn <= 5; turn += 1) {
    process.kill(site.pid, 'SIGHUP')
    await site.heard('reloaded', turn)
    await exec(site.pair.server, NFT, ['flush', 'ruleset'])
    t.match(await site.heard('restored', turn), { was: 'gone', grants: 1 })
    await site.heard('watching', turn + 1)
  }
  t.match((await site.cli('status')).stdout, CLIENT[4])
})

test(
  'says that a table awaits to be confirmed, and that it fell open; and leaves it ' + 'open',
  async (t, site) => {
    site.run()
    await site.heard('watching')
    t.equal((await site.cli('install', site.file('doors.json'), '--confirm', '3s')).code, 0)
    t.match(await site.heard('unconfirmed'), { expiresIn: Number })
    t.match(await site.heard('failed'), { what: 'confirm', message: /OPEN TO EVERYONE/ })
    await sleep(2500)
    t.equal(site.named('failed').length, 1, 'once')
    t.match((await site.cli('status')).stdout, /open to everyone/, 'as it was asked for')
    await exec(site.pair.server, NFT, ['flush', 'ruleset'])
    await site.heard('restored')
    t.match((await site.cli('status')).stdout, /open to everyone/)
    t.equal((await site.cli('install', site.file('doors.json'), '--confirm', '60s')).code, 0)
    await site.heard('unconfirmed', 2)
    await site.write('other.json', { doors: [{ ...DOOR, name: 'web' }] })
    t.equal((await site.cli('install', site.file('other.json'))).code, 0)
    await site.heard('restored', 2)
    t.match((await site.cli('status')).stdout, /confirmed/, 'it still waits')
    t.equal((await site.cli('confirm')).code, 0)
    // Before the table is listed again.
    await sleep(200)
    await exec(site.pair.server, NFT, ['flush', 'ruleset'])
    await site.heard('restored', 3)
    t.notMatch((await site.cli('status')).stdout, /confirmed/)
  },
)

test('a spec that is wrong at the start ends it', async (t, site) => {
  await site.write('doors.json', { doors: [] })
  site.run()
  t.equal(await site.end('SIGCONT'), 2)
  t.match(site.stderr, /^knocklib run: /)
})

test('a state that cannot be read leaves no service without its door, and is kept', async (t, site) => {
  await site.write('state.json', { nothing: 1 })
  await chmod(site.file('state.json'), 0o600)
  site.run(['--state', site.file('state.json')])
  t.match(await site.heard('failed'), {
    what: 'state',
    message:
      /\/nothing: expected no such key(.|\n)* the file is kept as \S+state\.json\.unreadable$/,
  })
  await site.heard('watching')
  t.ok(await site.isThere())
  await site.end('SIGTERM')
  t.equal(await readFile(site.file('state.json.unreadable'), 'utf8'), '{"nothing":1}')
  t.match(await readFile(site.file('state.json'), 'utf8'), '"grants": []')
  const knock = { type: 'sequence', oneTime: [['tcp/7000']] }
  await site.write('doors.json', { doors: [{ ...DOOR, knock }] })
  site.run(['--state', site.file('doors.json')])
  t.equal(await site.end('SIGCONT'), 2, 'where something works once it would work once more')
  t.match(site.stderr, /nothing was installed or changed: (.|\n)*restore the file, or move it away/)
})

test('wrong options end it before anything is installed', async (t, site) => {
  for (const [args, message] of [
    [['--events', 'knock,nothing'], /--events: expected .* got "nothing"/],
    [['--metrics', 'localhost:9477'], /run: --metrics: expected an address and a port/],
  ] as const) {
    const { code, stderr } = await site.cli('run', site.file('doors.json'), ...args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
  }
  t.notOk(await site.isThere())
})

test('any number can watch beside it, and go on when it is killed', async (t, site) => {
  site.run(['--events', 'removed,watching'])
  await site.heard('watching')
  const env = { ...process.env, KNOCKLIB_NFT: NFT }
  const watchers = [1, 2, 3].map(() => {
    const child = start(site.pair.server, process.execPath, [CLI, 'watch', '--json'], { env })
    const lines: Line[] = []
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      lines.push(JSON.parse(line) as Line)
    })
    t.teardown(() => child.kill('SIGKILL'))
    return { child, lines }
  })
  const haveAll = (name: string, some = watchers) =>
    some.every(({ lines }) => lines.some(({ event }) => event === name))
  // Who begins to watch says nothing.
  await until(async () => {
    await site.cli('open', 'ssh', CLIENT[6])
    return haveAll('granted')
  }, 'grant at each watcher')
  const [first, second, stopped] = watchers as [Watch, Watch, Watch]
  stopped.child.kill('SIGSTOP')
  const knocks = ({ lines }: Watch) => lines.filter(({ source }) => source === CLIENT[4])
  await knockAt(site)
  await until(() => knocks(first).length + knocks(second).length === 4, 'those that run')
  t.strictSame(
    knocks(first).map(({ event }) => event),
    ['knock', 'granted'],
  )
  t.strictSame(knocks(second), knocks(first))
  t.equal(site.named('granted').length, 0, 'whatever it writes itself')
  stopped.child.kill('SIGCONT')
  await until(() => knocks(stopped).length === 2, 'the one that was stopped')
  t.strictSame(knocks(stopped), knocks(first))
  await site.end('SIGKILL')
  await until(() => haveAll('overrun'), 'word of the gap')
})

interface Watch {
  readonly child: ChildProcess
  readonly lines: Line[]
}

test('killed, it leaves no process behind', async (t, site) => {
  site.run()
  await site.heard('watching')
  const args = ['-o', 'pid=,args=', '--ppid', String(site.pid)]
  const { stdout } = await exec(site.pair.server, 'ps', args)
  // Beside them an nft may be listing the table.
  const lines = stdout.split('\n').filter((line) => /-reader\.js\b/.test(line))
  const readers = lines.map((line) => Number.parseInt(line, 10))
  t.equal(readers.length, 2)
  await site.end('SIGKILL')
  const isAlive = (pid: number) => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }
  await until(() => !readers.some(isAlive), 'end of its readers')
  t.ok(await site.isThere(), 'the doors are guarded without it')
})

test('serves metrics', async (t, site) => {
  site.run(['--metrics', '127.0.0.1:0'])
  const { port } = await site.heard('serving')
  await site.heard('watching')
  await knockAt(site)
  await site.heard('granted')
  const get =
    `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' ` +
    '>&3; cat <&3'
  const { stdout } = await exec(site.pair.server, 'bash', ['-c', get])
  t.match(stdout, /^HTTP\/1\.1 200 OK/)
  t.match(stdout, /^knocklib_grants_total\{table="knock",door="ssh"\} 1$/m)
  t.match(stdout, /^knocklib_active_grants\{table="knock",door="ssh"\} 1$/m)
  t.match(stdout, /^knocklib_lost_events_total\{table="knock"\} 0$/m)
  t.match(stdout, /^knocklib_foreign_log_packets_total\{table="knock"\} 0$/m)
})

test('refuses and counts packets that others log into the group', async (t, site) => {
  site.run(['--metrics', '127.0.0.1:0'])
  const { port } = await site.heard('serving')
  await site.heard('watching')
  const { server, client } = site.pair
  const rule = (prefix: string) => `icmp type echo-request log group 5 prefix "${prefix}"`
  await apply(
    server,
    `table ip other { chain c { type filter hook input priority -300;
      ${rule('somebody else')}
      ${rule('kl other knock ssh - 1/2 -')}
      ${rule('kl knock granted \u009b31m - - -')}
    }
    }`,
  )
  await exec(client, 'ping', ['-c', '3', '-i', '0.05', SERVER[4]])
  const get =
    `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' ` +
    '>&3; cat <&3'
  let counted = ''
  await until(async () => {
    const { stdout } = await exec(server, 'bash', ['-c', get])
    counted = /^knocklib_foreign_log_packets_total.* (\d+)$/m.exec(stdout)?.[1] ?? ''
    return Number(counted) >= 6
  }, 'the count')
  await sleep(1500)
  await until(async () => {
    const { stdout } = await exec(server, 'bash', ['-c', get])
    counted = /^knocklib_foreign_log_packets_total.* (\d+)$/m.exec(stdout)?.[1] ?? ''
    return counted !== ''
  }, 'another look')
  t.equal(counted, '6', 'what cannot be ours, and not what is of another table')
  t.same(site.named('granted'), [])
})

test('keeps the doors where metrics cannot be served yet', async (t, site) => {
  site.run(['--metrics', '192.0.2.1:9477'])
  t.match(await site.heard('failed'), { what: 'metrics', message: /this host has no such address/ })
  await site.heard('watching')
  await exec(site.pair.server, 'ip', ['address', 'add', '192.0.2.1/32', 'dev', 'lo'])
  t.match(await site.heard('serving'), { address: '192.0.2.1', port: 9477 })
  t.equal(site.named('failed').length, 1)
  t.equal(await site.end('SIGTERM'), 0)
})

const RECEIVER = `
  use Socket; $| = 1;
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die "$!";
  print "bound\\n";
  while (defined recv($s, my $m, 4096, 0)) { $m =~ s/\\n/ /g; print "$m\\n" }`

t.test(
  'tells its service manager',
  { skip: skip || missing('systemd-notify'), buffered: true },
  async (t) => {
    await using site = await Site.open()
    const path = site.file('notify')
    const manager = spawn('perl', ['-e', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => manager.kill())
    const said: string[] = []
    createInterface({ input: manager.stdout }).on('line', (line) => said.push(line))
    await until(() => said.includes('bound'), 'socket')
    const heard = (pattern: RegExp, count = 1) =>
      until(
        () => said.filter((line) => pattern.test(line)).length >= count,
        `${count} ${pattern}`,
        () => said.join('\n'),
      )
    site.run([], { NOTIFY_SOCKET: path, WATCHDOG_USEC: '1000000' })
    await heard(/READY=1.*STATUS=1 doors? in table inet knock/)
    await heard(/WATCHDOG=1/, 3)
    process.kill(site.pid, 'SIGHUP')
    await heard(/RELOADING=1/)
    await heard(/READY=1/, 2)
    await site.write('doors.json', {})
    process.kill(site.pid, 'SIGHUP')
    await heard(/READY=1.*STATUS=1 door in table inet knock; THE RELOAD FAILED/)
    t.equal(await site.end('SIGTERM'), 0)
    await heard(/STOPPING=1/)
  },
)
