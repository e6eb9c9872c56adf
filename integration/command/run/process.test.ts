// `knocklib run` as a process: its start, the signals that end it, what it leaves behind, and its
// notifications.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec } from '../../machine/namespaces.js'
import { until } from '../../machine/until.js'
import { atSite, knockAt, Site } from '../../setups/site.js'

const skip = missing('knock', 'nc')
build()

t.jobs = 2

const test = (name: string, body: (t: Test, site: Site) => Promise<void>) =>
  atSite(name, skip, body)

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

test('a spec that is wrong at the start ends it', async (t, site) => {
  await site.write('doors.json', { doors: [] })
  site.run()
  t.equal(await site.end('SIGCONT'), 2)
  t.match(site.stderr, /^knocklib run: /)
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

test('killed, it leaves no process behind', async (t, site) => {
  site.run()
  await site.heard('watching')
  const args = ['-o', 'pid=,args=', '--ppid', String(site.pid)]
  const { stdout } = await exec(site.pair.server, 'ps', args)
  // An nft that lists the table may run, too.
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
