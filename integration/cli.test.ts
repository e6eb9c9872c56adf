// The built command, as a user runs it: each command at a server and a client in namespaces, from check to uninstall.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { build, CLI } from './built.js'
import { missing } from './capabilities.js'
import { CLIENT, createPair, exec, NFT, type Pair, SERVER, sweep } from './namespaces.js'

const skip = missing('bash', 'ping')
if (!skip) {
  sweep()
  build()
}

const SPEC = {
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: {
        type: 'sequence',
        steps: ['tcp/7000', 'tcp/7001', 'udp/8000', 'icmp'],
        stepTimeout: 20,
      },
      open: { for: '60s' },
    },
  ],
}

const YAML = `
# What a person would write.
doors:
  - name: ssh
    service: tcp/22
    knock: { type: sequence, steps: [tcp/7000, tcp/7001, udp/8000, icmp], stepTimeout: 20 }
    open: { for: 60s }
  - name: web
    service: [tcp/80, tcp/443, udp/5000-5010]
    knock: { type: sequence, steps: [udp/9000] }
    open: { for: 2m }
`

const STEPS = ['tcp/7000', '7001', '8000:udp', 'icmp']

const TRACE = `
# seconds  source  where to
0    10.77.0.2  tcp/7000
0.5  10.77.0.2  tcp/7001
1    10.77.0.2  udp/8000
1.5  10.77.0.2  icmp
2    10.77.0.2  tcp/22
2    10.77.0.9  tcp/22
`

const JSON_TRACE = JSON.stringify([
  { at: 0, source: 'fd00::1', to: 'tcp/7000' },
  { at: 1, source: 'fd00::2', to: 'tcp/22' },
])

function folderOf(t: Test): string {
  return t.testdir({
    'doors.json': JSON.stringify(SPEC),
    'doors.yaml': YAML,
    'trace.txt': TRACE,
    'trace.json': JSON_TRACE,
    'client.json': JSON.stringify({ steps: STEPS, gap: '20ms' }),
    'client.yaml': `steps:\n${STEPS.map((step) => `  - ${step}\n`).join('')}`,
  })
}

/** A user at the server and at the client, in a folder with files. */
class User {
  readonly pair: Pair
  readonly #folder: string

  constructor(pair: Pair, folder: string) {
    this.pair = pair
    this.#folder = folder
  }

  /** Runs the command at the server; it must succeed without a word on stderr. */
  serve(t: Test, ...args: readonly string[]): Promise<string> {
    return this.#run(t, this.pair.server, args)
  }

  call(t: Test, ...args: readonly string[]): Promise<string> {
    return this.#run(t, this.pair.client, args)
  }

  shell(script: string) {
    const env = { ...process.env, KNOCKLIB: `${process.execPath} ${CLI}`, NFT }
    return exec(this.pair.server, 'bash', ['-c', script], { cwd: this.#folder, env })
  }

  async #run(t: Test, namespace: string, args: readonly string[]): Promise<string> {
    const argv = [CLI, ...args]
    const { code, stdout, stderr } = await exec(namespace, process.execPath, argv, {
      cwd: this.#folder,
    })
    t.same({ code, stderr }, { code: 0, stderr: '' }, `knocklib ${args.join(' ')}`)
    return stdout
  }
}

t.jobs = 2

function atServer(name: string, run: (t: Test, user: User) => Promise<void>): void {
  t.test(name, { skip, buffered: true }, async (t) => {
    await using pair = await createPair()
    await run(t, new User(pair, folderOf(t)))
  })
}

atServer('check', async (t, user) => {
  t.equal(await user.serve(t, 'check', 'doors.json'), 'doors.json: valid; nft takes it\n')
  t.equal(await user.serve(t, 'check', 'doors.yaml'), 'doors.yaml: valid; nft takes it\n')
  const checked = JSON.parse(await user.serve(t, 'check', 'doors.yaml', '--json'))
  t.same(checked, { valid: true, nft: 'accepted' })
  t.equal((await user.shell('$NFT list ruleset')).stdout, '', 'nothing was changed')
})

atServer('render: nft loads either form, and both make the same', async (t, user) => {
  const script = (format: string, flags: string) =>
    `set -eo pipefail
     $KNOCKLIB render doors.yaml --format ${format} > ruleset
     $NFT ${flags} -f ruleset
     $NFT -s list table inet knock; $NFT delete table inet knock`
  const text = await user.shell(script('nft', ''))
  const json = await user.shell(script('json', '-j'))
  t.same([text.code, text.stderr, json.code, json.stderr], [0, '', 0, ''])
  t.match(text.stdout, /\btable inet knock\b[^]*\bssh\b/)
  const lines = (listing: string) => listing.split('\n').sort()
  t.same(lines(text.stdout), lines(json.stdout))
  const first = await user.shell('set -o pipefail; $KNOCKLIB render doors.yaml | head -1')
  t.same(first, { code: 0, stdout: '{\n', stderr: '' }, 'a reader that has seen enough')
  const piped = await user.shell('$KNOCKLIB render doors.json | $NFT -j -f /dev/stdin')
  t.same(piped, { code: 0, stdout: '', stderr: '' }, 'the example of --help')
  const named = await user.serve(t, 'render', 'doors.json', '--table', 'other')
  t.notMatch(named, '"knock"')
})

const READY = 'table inet knock stands\n  ssh: tcp/22\n  web: tcp/80, tcp/443, udp/5000-5010\n'

atServer('install, again, status, open, close, uninstall', async (t, user) => {
  t.equal(await user.serve(t, 'install', 'doors.yaml'), READY)
  await user.serve(t, 'open', 'ssh', '203.0.113.7', '--for', '10m')
  t.equal(await user.serve(t, 'install', 'doors.yaml'), READY, 'again')
  t.match(await user.serve(t, 'status'), /203\.0\.113\.7 {2}let in {2}(600|59\d) s left/)
  const mapped = await user.serve(t, 'open', 'web', '2001:DB8:0::7', '--json')
  t.same(JSON.parse(mapped), { door: 'web', source: '2001:db8::7', expiresIn: 120 })
  const opened = await user.serve(t, 'open', 'web', '203.0.113.8')
  t.equal(opened, 'web: 203.0.113.8 is let in for 120 s\n')
  const closed = await user.serve(t, 'close', 'web', '203.0.113.8')
  t.equal(closed, 'web: 203.0.113.8 is let in no longer\n')
  const closedJson = JSON.parse(await user.serve(t, 'close', 'web', '2001:db8::7', '--json'))
  t.same(closedJson, { door: 'web', source: '2001:db8::7', closed: true })
  await user.serve(t, 'install', 'doors.json', '--table', 'second')
  t.match(await user.serve(t, 'status', '--table', 'second'), /^table inet second\n/)
  t.equal(await user.serve(t, 'uninstall', '--table', 'second'), 'table inet second is gone\n')
  const removed = JSON.parse(await user.serve(t, 'uninstall', '--json'))
  t.same(removed, { table: 'knock', removed: true })
  t.equal((await user.shell('$NFT list ruleset')).stdout, '')
})

const sorted = (value: object): string[] => Object.keys(value).sort()

atServer('status: the stable keys, and the same for people', async (t, user) => {
  await user.serve(t, 'install', 'doors.yaml')
  const listStatus = async () => JSON.parse(await user.serve(t, 'status', '--json'))
  const none = { knocks: 0, grants: 0, resets: 0, denied: 0 }
  const web = {
    name: 'web',
    service: ['tcp/80', 'tcp/443', 'udp/5000-5010'],
    grants: [],
    progress: [],
    counters: none,
  }
  t.same(await listStatus(), {
    table: 'knock',
    doors: [{ name: 'ssh', service: ['tcp/22'], grants: [], progress: [], counters: none }, web],
  })
  const sent = await user.call(t, 'knock', SERVER[4], ...STEPS.slice(0, 2))
  t.equal(sent, `${SERVER[4]}: 2 packets sent; a door gives no answer\n`)
  await user.call(t, 'knock', SERVER[6], ...STEPS)
  const { doors } = await listStatus()
  const [ssh] = doors
  t.same(doors[1], web)
  t.same(sorted(ssh), ['counters', 'grants', 'name', 'progress', 'service'])
  t.same(ssh.counters, { knocks: 6, grants: 1, resets: 0, denied: 0 })
  const [[grant], [progress]] = [ssh.grants, ssh.progress]
  t.same(sorted(grant), ['expiresIn', 'source'])
  t.equal(grant.source, CLIENT[6])
  t.ok(Number.isInteger(grant.expiresIn) && grant.expiresIn > 30 && grant.expiresIn < 60)
  t.same(sorted(progress), ['expiresIn', 'of', 'source', 'stage'])
  t.match(progress, { source: CLIENT[4], stage: 2, of: 4 })
  const text = await user.serve(t, 'status')
  t.match(text, /\nssh {2}tcp\/22\n {2}knocks 6, grants 1, resets 0, denied 0\n/)
  t.match(text, /\n {2}fd00:77::2 +let in +\d+ s left\n {2}10\.77\.0\.2 +knock 2 of 4 +\d+ s for/)
  t.match(text, /\nweb .*\n.*\n {2}nobody is let in or on the way\n$/)
})

atServer('knock: steps, profiles, the pause', async (t, user) => {
  await user.serve(t, 'install', 'doors.json')
  const grants = async (): Promise<string[]> => {
    const { doors } = JSON.parse(await user.serve(t, 'status', '--json'))
    return doors[0].grants.map(({ source }: { source: string }) => source).sort()
  }
  await user.call(t, 'knock', SERVER[4], '--profile', 'client.json')
  await user.call(t, 'knock', '-6', SERVER[6], '--profile', 'client.yaml', '--gap', '10ms')
  t.same(await grants(), [CLIENT[4], CLIENT[6]])
  for (const source of await grants()) await user.serve(t, 'close', 'ssh', source)
  const began = performance.now()
  const sent = await user.call(t, 'knock', SERVER[4], ...STEPS, '--gap', '1s', '--json')
  t.ok(performance.now() - began > 3000, 'three pauses of one second')
  t.same(JSON.parse(sent), { host: SERVER[4], sent: 4 })
  t.same(await grants(), [CLIENT[4]])
})

atServer('simulate', async (t, user) => {
  const text = await user.serve(t, 'simulate', 'doors.json', 'trace.txt')
  t.match(text, /^ +1\.5 +10\.77\.0\.2 +icmp +drop$/m)
  t.match(text, /^ +2 +10\.77\.0\.2 +tcp\/22 +accept$/m)
  t.match(text, /^ +2 +10\.77\.0\.9 +tcp\/22 +drop$/m)
  t.match(text, /knocks 4, grants 1, resets 0, denied 1\n {2}10\.77\.0\.2 {2}let in {2}59 s left/)
  const json = JSON.parse(await user.serve(t, 'simulate', 'doors.json', 'trace.json', '--json'))
  t.same(
    json.packets.map(({ verdict }: { verdict: string }) => verdict),
    ['drop', 'drop'],
  )
  t.same(json.status.doors[0].progress, [{ source: 'fd00::1', stage: 1, of: 4, expiresIn: 19 }])
})

const PACKAGE = JSON.parse(readFileSync(join(CLI, '../../../package.json'), 'utf8'))

atServer('--help and --version', async (t, user) => {
  t.equal(await user.serve(t, '--version'), `${PACKAGE.version}\n`)
  const help = await user.serve(t, '--help')
  t.match(help, /Exit codes:/)
  const commands = [...help.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name)
  t.ok(commands.length >= 9)
  for (const name of commands) {
    const text = await user.serve(t, name as string, '--help')
    t.match(text, new RegExp(`\\nExamples:\\n[^]*knocklib ${name} |\\| knocklib ${name}`), name)
    t.match(text, /--table[^]*--json/, name)
  }
})
