// `knocklib init`, asked on a terminal: what the answers become, which secrets are nowhere but in
// their files, and that an interrupted one writes nothing.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { loadDocument, loadProfile, validateSpec } from '../../lib/index.js'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { sweep } from '../machine/namespaces.js'
import { TerminalRun } from '../setups/terminal.js'
import { atServer, type User } from '../setups/user.js'

const skip = missing('script', 'stty')
if (!skip) {
  sweep()
  build()
}

const QUESTIONS = [
  'What stands behind the door? [tcp/22]: ',
  "The door's name? [ssh]: ",
  'Who comes? Names with commas [nobody: one sequence for all]: ',
  'This server, as clients reach it? [',
]

const ask = (user: User, env: NodeJS.ProcessEnv = {}): TerminalRun =>
  new TerminalRun(user.pair.server, [process.execPath, CLI, 'init', 'knock'], {
    ...{ columns: 100, rows: 24, cwd: user.folder, env },
  })

/** Answers the questions one by one. Returns all that the terminal showed. */
async function answer(user: User, answers: readonly string[], env: NodeJS.ProcessEnv = {}) {
  using run = ask(user, env)
  for (const [index, text] of answers.entries()) {
    await run.read(QUESTIONS[index] as string)
    run.type(`${text}\r`)
  }
  const code = await run.end()
  return { code, output: run.output }
}

async function filesIn(user: User): Promise<Record<string, string>> {
  const folder = join(user.folder, 'knock')
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = found.filter((entry) => entry.isFile())
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort()
  const read = async (path: string) => [path.slice(folder.length + 1), await readFile(path, 'utf8')]
  return Object.fromEntries(await Promise.all(paths.map(read)))
}

const KEY = /^[0-9a-f]{64}\n$/

atServer('init asks, and makes a token for each of two users', skip, async (t, user) => {
  const env = { SSH_CONNECTION: '203.0.113.7 50000 192.0.2.1 22' }
  const answers = ['', 'admin', 'ana, ben', 'server.example']
  const { code, output } = await answer(user, answers, env)
  t.equal(code, 0, output)
  const files = await filesIn(user)
  const [ana = '', ben = ''] = [files['ana/ana.key'], files['ben/ben.key']]
  t.strictSame(Object.keys(files), [
    ...['ana/admin.yaml', 'ana/ana.key', 'ben/admin.yaml', 'ben/ben.key', 'doors.yaml'],
  ])
  for (const name of Object.keys(files)) {
    t.equal((await stat(join(user.folder, 'knock', name))).mode & 0o777, 0o600, name)
    t.match(output, `/knock/${name} written\r\n`)
  }
  t.match(ana, KEY)
  t.match(ben, KEY)
  t.not(ana, ben)
  const shown = [output, files['doors.yaml'], files['ana/admin.yaml'], files['ben/admin.yaml']]
  for (const secret of [ana, ben]) {
    t.notOk(shown.join('').includes(secret.trim()), 'a secret is only in its file')
  }
  const spec = validateSpec(await loadDocument(join(user.folder, 'knock/doors.yaml')))
  const users = [{ name: 'ana' }, { name: 'ben' }]
  t.match(spec.doors, [{ name: 'admin', knocks: [{ type: 'token', users }] }])
  t.match(spec.guard.trusted, [{ address: '203.0.113.7' }])
  const profile = await loadProfile(join(user.folder, 'knock/ana/admin.yaml'))
  t.match(profile, { host: 'server.example', port: 22, token: { secretFile: 'ana.key' } })
  t.match(output, /knocklib check \/.*doors\.yaml\r\n(.*\r\n)*.*knocklib confirm\r\n/)
})

atServer('init asks, and makes one sequence without printing it', skip, async (t, user) => {
  const { code, output } = await answer(user, ['', '', '', 'server.example'])
  t.equal(code, 0, output)
  t.strictSame(Object.keys(await filesIn(user)), ['client/ssh.yaml', 'doors.yaml'])
  const { steps = [] } = await loadProfile(join(user.folder, 'knock/client/ssh.yaml'))
  t.equal(steps.length, 4)
  for (const step of steps) t.notOk(output.includes(String(step).slice('tcp/'.length)))
})

atServer('init accepts answers that are pasted at once', skip, async (t, user) => {
  using run = ask(user)
  await run.read(QUESTIONS[0] as string)
  run.type('tcp/443\rweb\rana\rserver.example\r')
  t.equal(await run.end(), 0, run.output)
  t.strictSame(Object.keys(await filesIn(user)), ['ana/ana.key', 'ana/web.yaml', 'doors.yaml'])
})

atServer('init writes nothing if it is interrupted', skip, async (t, user) => {
  for (const [key, code, message] of [
    ['\u0003', 130, ''],
    ['\u0004', 2, 'knocklib init: the questions were not answered; nothing is written\r\n'],
  ] as const) {
    using run = ask(user)
    await run.read(QUESTIONS[0] as string)
    run.type('\r')
    await run.read(QUESTIONS[1] as string)
    run.type(key)
    t.equal(await run.end(), code, run.output)
    const [, rest = ''] = run.output.split(QUESTIONS[1] as string)
    t.equal(stripVTControlCharacters(rest), `\r\n${message}`)
    t.strictSame(await filesIn(user), {})
  }
})

atServer('init refuses a wrong answer, and writes nothing', skip, async (t, user) => {
  const { code, output } = await answer(user, ['', '', 'ana ben', 'server.example'])
  t.equal(code, 2)
  t.match(output, 'knocklib init: --users: expected names of letters, digits and _')
  t.strictSame(await filesIn(user), {})
})
