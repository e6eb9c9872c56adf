// Command lines → the command that they name, its output and its exit code; and what is said of
// those that name none.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { runCommand } from '../../integration/fakes/command-line.js'
import { FakeNft } from '../kernel/fake.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const DOOR = {
  name: 'ssh',
  service: 'tcp/22',
  knock: { type: 'sequence', steps: ['tcp/7000'] },
  open: { for: '10m' },
}

t.test('--host takes the place of the nft here, for commands that have it', async (t) => {
  const nft = new FakeNft()
  const before = process.env['KNOCKLIB_SSH']
  t.teardown(() => {
    if (before === undefined) delete process.env['KNOCKLIB_SSH']
    else process.env['KNOCKLIB_SSH'] = before
  })
  process.env['KNOCKLIB_SSH'] = '/nonexistent/ssh'
  const status = await runCommand(['status', '--host', 'root@server'], { nft })
  t.match(status, { code: 3, stderr: /^knocklib status: root@server: ssh cannot be run/ })
  const wrong = { code: 2, stderr: /--host: expected a machine such as .*, got "-v"\n$/ }
  t.match(await runCommand(['status', '--host', '-v'], { nft }), wrong)
  t.match(await runCommand(['watch', '--host', 'root@server'], { nft }), { code: 2 })
})

t.test('--version and --help end with 0', async (t) => {
  t.strictSame(await runCommand(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
  const { code, stdout } = await runCommand(['--help'])
  t.equal(code, 0)
  t.match(stdout, /Usage: knocklib .*Exit codes:\n {2}0 done;.*KNOCKLIB_NFT/s)
  const help = await runCommand(['open', '--help'])
  t.match(help, { code: 0, stdout: /Examples:\n {2}knocklib open ssh 203\.0\.113\.7\n/ })
  t.match(help.stdout, /--table <name> .*\n(.*\n)+ +--json +print one JSON document/)
})

t.test('wrong usage ends with 2, and control characters in it are escaped', async (t) => {
  for (const argv of [['nosuch\u001b[2J'], ['open'], ['open', 'ssh', 'a', '--nosuch\u001b[2J']]) {
    const { code, stdout, stderr } = await runCommand(argv)
    t.same([code, stdout], [2, ''], argv.join(' '))
    t.match(stderr, /^error: .*\(knocklib .*--help says how\)/s)
    t.notMatch(stderr, '\u001b')
  }
  const { code, stderr } = await runCommand(['render', 'x.json', '--format', 'xml'])
  t.equal(code, 2)
  t.match(stderr, /--format <format>.* Allowed choices are json, nft/)
})

t.test('an error goes to stderr in words, or to stdout as JSON', async (t) => {
  const message = 'knocklib status: table inet knock: not there'
  const words = await runCommand(['status'])
  t.match(words, { code: 4, stdout: '' })
  t.equal(words.stderr.startsWith(message), true, words.stderr)
  const json = await runCommand(['status', '--json'])
  t.match(json, { code: 4, stderr: '' })
  const { error } = JSON.parse(json.stdout)
  t.equal(error.code, 'not-found')
  t.equal(error.message.startsWith(message), true, error.message)
})

t.test('a problem of a spec has its file and line', async (t) => {
  const path = `${t.testdir({ 'a.json': JSON.stringify({ doors: [{ ...DOOR, x: 1 }] }, null, 1) })}`
  const file = `${path}/a.json`
  const { code, stderr } = await runCommand(['render', file])
  t.equal(code, 2)
  t.match(stderr, `knocklib render: ${file}: /doors/0`)
  t.match(stderr, /a\.json:\d+:\d+|line \d+/)
})

t.test('an unexpected error is one line and ends with 1', async (t) => {
  class Broken extends FakeNft {
    override async version(): Promise<string> {
      throw new TypeError('a bug\u001b[2J')
    }
  }
  const { code, stdout, stderr } = await runCommand(['status'], { nft: new Broken() })
  t.same([code, stdout], [1, ''])
  t.match(stderr, /^knocklib: failed in a way it should not: a bug[^\n]+\n$/)
  t.notMatch(stderr, '\u001b')
})

t.test('an error of loading a module is thrown', async (t) => {
  class Gone extends FakeNft {
    override async version(): Promise<string> {
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    }
  }
  await t.rejects(runCommand(['status'], { nft: new Gone() }), { code: 'EMFILE' })
})
