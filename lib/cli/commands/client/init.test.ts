// Choices, by options or at a terminal → a folder with a first spec, secrets and profiles.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FakeProcess, runCommand } from '../../../../integration/fakes/command-line.js'
import { loadDocument, loadProfile, validateSpec } from '../../../index.js'
import { choosePort, chooseSteps, portsInUse } from './free-ports.js'

const GIVEN = ['--host', 'server.example', '--users']

async function init(t: Test, users: string, ...more: string[]) {
  const folder = join(t.testdir({}), 'knock')
  const ran = await runCommand(['init', folder, ...GIVEN, users, ...more])
  return { folder, ...ran }
}

t.test('init writes a secret and a profile for each user', async (t) => {
  const { folder, code, stdout } = await init(t, 'ana, ben')
  t.equal(code, 0)
  const spec = validateSpec(await loadDocument(join(folder, 'doors.yaml')))
  t.match(spec.doors, [{ name: 'ssh', knocks: [{ type: 'token', users: [{}, {}] }] }])
  for (const name of ['ana', 'ben']) {
    const key = join(folder, name, `${name}.key`)
    t.match(await readFile(key, 'utf8'), /^[0-9a-f]{64}\n$/)
    t.equal((await stat(key)).mode & 0o777, 0o600)
    const profile = await loadProfile(join(folder, name, 'ssh.yaml'))
    t.match(profile, { host: 'server.example', port: 22, token: { secretFile: `${name}.key` } })
  }
  t.match(
    stdout,
    /knocklib check .*doors\.yaml\n.*install .* --confirm 60s\n(.*\n)*.*knocklib confirm\n/,
  )
  t.notMatch(stdout, /[0-9a-f]{64}/)
})

t.test('init writes one sequence if no user is named', async (t) => {
  const { folder, code, stdout } = await init(
    t,
    '',
    '--service',
    'tcp/443',
    '--door',
    'web',
    '--json',
  )
  t.equal(code, 0)
  t.equal(JSON.parse(stdout).next.length, 4)
  const spec = validateSpec(await loadDocument(join(folder, 'doors.yaml')))
  t.match(spec.doors, [{ name: 'web', knocks: [{ type: 'sequence' }] }])
  const { steps } = await loadProfile(join(folder, 'client', 'web.yaml'))
  t.equal(steps?.length, 4)
  t.equal((await stat(join(folder, 'client', 'web.yaml'))).mode & 0o777, 0o600)
})

t.test('init trusts the address of the present ssh session', async (t) => {
  for (const [address, trusted] of [
    ['203.0.113.7', '203.0.113.7'],
    ['2001:DB8::7', '2001:db8::7'],
  ] as const) {
    const process = new FakeProcess()
    process.env['SSH_CONNECTION'] = `${address} 50000 192.0.2.1 22`
    const folder = join(t.testdir({}), address.length.toString())
    await runCommand(['init', folder, ...GIVEN, 'ana'], { process })
    const { guard } = validateSpec(await loadDocument(join(folder, 'doors.yaml')))
    t.match(guard.trusted, [{ address: trusted }])
  }
})

t.test('init asks for missing answers at a terminal', async (t) => {
  const process = new FakeProcess()
  process.stdin.isTTY = true
  process.stderr.isTTY = true
  const folder = join(t.testdir({}), 'knock')
  const done = runCommand(['init', folder, '--host', 'server.example'], { process })
  for (const [question, answer] of [
    ['behind the door', '\n'],
    ["door's name", 'admin\n'],
    ['Who comes', 'ana\n'],
  ] as const) {
    while (!process.stderr.text.includes(question))
      await new Promise((resolve) => setImmediate(resolve))
    process.stdin.write(answer)
  }
  const { code } = await done
  t.equal(code, 0)
  t.notMatch(process.stderr.text, 'as clients reach it')
  t.match(await readdir(join(folder, 'ana')), ['admin.yaml', 'ana.key'])
})

t.test('init refuses wrong answers, and writes nothing', async (t) => {
  const folder = t.testdir({})
  const wrong: [string[], RegExp][] = [
    [['--users', 'ana'], /expected --host and --users, or a terminal/],
    [['--host', 'a b', '--users', ''], /--host: expected a name or an address, got a b/],
    [[...GIVEN, 'a/b'], /--users: expected names of letters.* got a\/b/],
    [[...GIVEN, 'ana', '--door', 'a: b'], /--door: expected a name of letters.* got a: b/],
    [[...GIVEN, 'ana', '--service', 'tcp/22 #'], /--service: expected such as tcp\/22, got /],
    [[...GIVEN, 'ana', '--service', 'tcp/0'], /\/doors\/0\/service: expected .*tcp\/0/],
    [[...GIVEN, 'ana,ana'], /users\/1\/name/],
  ]
  for (const [argv, message] of wrong) {
    const { code, stderr } = await runCommand(['init', folder, ...argv])
    t.equal(code, 2, argv.join(' '))
    t.match(stderr, message)
  }
  t.same(await readdir(folder), [])
  await mkdir(join(folder, 'ana'))
  await writeFile(join(folder, 'ana', 'ana.key'), 'mine\n')
  const { code, stderr } = await runCommand(['init', folder, ...GIVEN, 'ben,ana'])
  t.equal(code, 2)
  t.match(stderr, /ana\.key: it is there already; nothing is written/)
  t.same((await readdir(folder, { recursive: true })).sort(), ['ana', 'ana/ana.key'])
  await writeFile(join(folder, 'file'), '')
  const below = await runCommand(['init', join(folder, 'file', 'x'), ...GIVEN, ''])
  t.match(below, { code: 2, stderr: /the files cannot be written: ENOTDIR|not a directory/ })
})

t.test('init chooses random unused ports in random order', async (t) => {
  const used = new Set([1024])
  for (let round = 0; round < 200; round += 1) {
    const ports = chooseSteps(used).map((step) => Number(step.split('/')[1]))
    t.same([...new Set(ports)].length, 4)
    const sorted = [...ports].sort((a, b) => a - b)
    t.notSame(ports, sorted)
    t.notSame(ports, sorted.reverse())
  }
  t.ok(chooseSteps(used).some((step) => step.startsWith('tcp/')))
  t.ok(chooseSteps(used).some((step) => step.startsWith('udp/')))
  const all = new Set(
    Array.from({ length: 32768 }, (_, port) => port).filter((port) => port !== 5000),
  )
  t.equal(choosePort(all), 5000)
  t.ok((await portsInUse()) instanceof Set)
})
