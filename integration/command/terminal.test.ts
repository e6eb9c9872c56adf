// The built command on a terminal: the view of status, plain text when piped, and the live view of
// watch.
import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { TerminalRun } from '../setups/terminal.js'
import { atServer, type User } from '../setups/user.js'

const skip = missing('script', 'stty', 'knock', 'bash')
if (!skip) {
  sweep()
  build()
}

t.jobs = 2

const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'
const SPEC = {
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7000', 'tcp/8000', 'tcp/9000'], stepTimeout: '2m' },
      open: { for: '20m' },
    },
  ],
}

const onTerminal = (
  user: User,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  size = { columns: 80, rows: 24 },
) =>
  new TerminalRun(user.pair.server, [process.execPath, CLI, ...args], {
    ...{ ...size, cwd: user.folder, env },
  })

async function shown(user: User, env: NodeJS.ProcessEnv = {}, columns = 80): Promise<string> {
  using run = onTerminal(user, ['status'], env, { columns, rows: 24 })
  t.equal(await run.end(), 0)
  return run.output.replaceAll('\r\n', '\n')
}

atServer('status shows a view on a terminal, and plain text in a pipe', skip, async (t, user) => {
  await user.write('ssh.json', SPEC)
  await user.serve(t, 'install', 'ssh.json')
  await user.serve(t, 'open', 'ssh', '203.0.113.7')
  const view = await shown(user)
  const text = stripVTControlCharacters(view)
  t.match(text, /^table inet knock {40}.*1 door · 1 let in\n\nssh {2}tcp\/22 ─+ opens for 20 m\n/)
  t.match(text, /\n {2}203\.0\.113\.7 +━+╌* {2}let in {2}(20 m|1\d m( \d+ s)?) left\n/)
  t.not(view, text, 'the view has colours')
  t.ok(text.split('\n').every((line) => line.length <= 80))
  const plain = await shown(user, { NO_COLOR: '1', LC_ALL: 'C' }, 40)
  t.match(plain, /^[\x20-\x7e\n]*$/, 'plain text has no colours, and is ASCII')
  t.match(plain, /\n {2}203\.0\.113\.7\n {4}#+\.* {2}let in {2}(20 m|1\d m( \d+ s)?) left\n/)
  const piped = await user.serve(t, 'status')
  const door = /^table inet knock\n\nssh {2}tcp\/22\n {2}knocks 0, .*\n/.source
  t.match(piped, new RegExp(`${door}  203\\.0\\.113\\.7  let in  \\d+ s left\n`))
  t.match(await shown(user, { TERM: 'dumb' }), piped.slice(0, 60), 'TERM=dumb gives plain text')
  const both = await user.try(['status'], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })
  t.notMatch(both.stdout, '\u001b[', 'NO_COLOR overrides FORCE_COLOR')
  t.equal(both.stderr, '')
  const forced = await user.try(['status'], { env: { FORCE_COLOR: '1', NO_COLOR: '' } })
  t.match(forced.stdout, '\u001b[32m  203.0.113.7')
  t.match(stripVTControlCharacters(forced.stdout), /\n {2}203\.0\.113\.7 {2}let in {2}\d+ s left\n/)
})

const knockAt = (user: User, host: string, ...ports: readonly string[]) =>
  exec(user.pair.client, 'knock', ['-d', '100', host, ...ports])

atServer('watch shows attempts and grants', skip, async (t, user) => {
  await user.write('ssh.json', SPEC)
  await user.serve(t, 'install', 'ssh.json')
  using run = onTerminal(user, ['watch'])
  t.match(await run.see(/ssh {2}tcp\/22 ─/), /\n {2}nobody\n/)
  await knockAt(user, SERVER[4], '7000')
  t.match(await run.see(/●○○/), new RegExp(`\\n  ${CLIENT[4]} +●○○ +1 of 3  next`))
  await knockAt(user, SERVER[4], '8000')
  t.match(await run.see(/●●○/), new RegExp(`\\n  ${CLIENT[4]} +●●○ +2 of 3  next`))
  await knockAt(user, SERVER[4], '9000')
  const open = await run.see(/━ +let in/)
  t.match(open, new RegExp(`\\n  ${CLIENT[4]} +━+╌* +let in  (20 m|1\\d m( \\d+ s)?) left`))
  t.match(open, new RegExp(`\\d\\d:\\d\\d:\\d\\d  granted +ssh +${CLIENT[4]} +3 of 3, for 20 m`))
  await knockAt(user, SERVER[6], '7000', '8000', '9000')
  t.match(await run.see(/2 let in/), new RegExp(`\\n  ${CLIENT[6]} +━+╌* +let in `), 'IPv6')
  await user.serve(t, 'close', 'ssh', CLIENT[4])
  t.match(await run.see(/ 1 let in/), new RegExp(`  closed +ssh +${CLIENT[4]} +by call`))
  run.type('q')
  t.equal(await run.end(), 0)
  t.ok(run.output.endsWith(LEAVE), 'the cursor and the screen are restored')
})

atServer('a signal ends watch and restores the terminal', skip, async (t, user) => {
  await user.write('ssh.json', SPEC)
  await user.serve(t, 'install', 'ssh.json')
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const script = 'echo $$ > pid; exec "$@"'
    const argv = ['sh', '-c', script, 'sh', process.execPath, CLI, 'watch']
    using run = new TerminalRun(user.pair.server, argv, { columns: 80, rows: 24, cwd: user.folder })
    await run.see(/ssh {2}tcp\/22 ─/)
    process.kill(Number(readFileSync(`${user.folder}/pid`, 'utf8')), signal)
    t.equal(await run.end(), 0)
    t.ok(run.output.endsWith(LEAVE), signal)
  }
})
