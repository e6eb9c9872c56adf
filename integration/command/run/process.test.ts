// `knocklib run` as a process: its start, the signals that end it, what it leaves behind, and its
// notifications.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec } from '../../machine/namespaces.js'
import { until } from '../../machine/until.js'
import { knockAt, RunSetup, withRunSetup } from '../../setups/run-setup.js'

const skip = missing('knock', 'nc')
build()

t.jobs = 2

const test = (name: string, body: (t: Test, setup: RunSetup) => Promise<void>) =>
  withRunSetup(name, skip, body)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends run, and the table stays`, async (t, setup) => {
    setup.run()
    t.match(await setup.heard('running'), { table: 'knock', doors: ['ssh'] })
    await setup.heard('watching')
    await knockAt(setup)
    t.match(await setup.heard('granted'), { door: 'ssh', source: CLIENT[4], by: 'knock' })
    t.equal(await setup.end(signal), 0)
    t.equal(setup.lines.at(-1)?.event, 'stopped')
    for (const line of setup.lines) t.strictSame(Object.keys(line).slice(0, 2), ['time', 'event'])
    t.equal(setup.stderr, '')
    t.ok(await setup.isThere())
  })
}

test('a wrong spec at the start ends run', async (t, setup) => {
  await setup.write('doors.json', { doors: [] })
  setup.run()
  t.equal(await setup.end('SIGCONT'), 2)
  t.match(setup.stderr, /^knocklib run: /)
})

test('wrong options end run before anything is installed', async (t, setup) => {
  for (const [args, message] of [
    [['--events', 'knock,nothing'], /--events: expected .* got "nothing"/],
    [['--metrics', 'localhost:9477'], /run: --metrics: expected an address and a port/],
  ] as const) {
    const { code, stderr } = await setup.cli('run', setup.file('doors.json'), ...args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
  }
  t.notOk(await setup.isThere())
})

test('a killed run leaves no process behind', async (t, setup) => {
  setup.run()
  await setup.heard('watching')
  const args = ['-o', 'pid=,args=', '--ppid', String(setup.pid)]
  const { stdout } = await exec(setup.pair.server, 'ps', args)
  // An nft that lists the table may run, too.
  const lines = stdout.split('\n').filter((line) => /-reader\.js\b/.test(line))
  const readers = lines.map((line) => Number.parseInt(line, 10))
  t.equal(readers.length, 2)
  await setup.end('SIGKILL')
  const isAlive = (pid: number) => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }
  await until(() => !readers.some(isAlive), 'end of its readers')
  t.ok(await setup.isThere(), 'the table stays without run')
})

const RECEIVER = `
  use Socket; $| = 1;
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die "$!";
  print "bound\\n";
  while (defined recv($s, my $m, 4096, 0)) { $m =~ s/\\n/ /g; print "$m\\n" }`

t.test(
  'run notifies its service manager',
  { skip: skip || missing('systemd-notify'), buffered: true },
  async (t) => {
    await using setup = await RunSetup.open()
    const path = setup.file('notify')
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
    setup.run([], { NOTIFY_SOCKET: path, WATCHDOG_USEC: '1000000' })
    await heard(/READY=1.*STATUS=1 doors? in table inet knock/)
    await heard(/WATCHDOG=1/, 3)
    process.kill(setup.pid, 'SIGHUP')
    await heard(/RELOADING=1/)
    await heard(/READY=1/, 2)
    await setup.write('doors.json', {})
    process.kill(setup.pid, 'SIGHUP')
    await heard(/READY=1.*STATUS=1 door in table inet knock; THE RELOAD FAILED/)
    t.equal(await setup.end('SIGTERM'), 0)
    await heard(/STOPPING=1/)
  },
)
