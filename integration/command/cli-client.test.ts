// The built command without a table: knock, simulate, help and version.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, SERVER, sweep } from '../machine/namespaces.js'
import { atServer, STEPS } from '../setups/user.js'

const skip = missing('ping')
if (!skip) {
  sweep()
  build()
}

t.jobs = 2

atServer('knock sends steps and profiles, with a pause', skip, async (t, user) => {
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
  const sent = await user.call(t, 'knock', SERVER[4], ...STEPS, '--gap', '500ms', '--json')
  t.ok(performance.now() - began > 1500, 'three pauses have passed')
  t.same(JSON.parse(sent), { host: SERVER[4], sent: 4, addresses: [SERVER[4]] })
  t.same(await grants(), [CLIENT[4]])
})

atServer('simulate prints verdicts and the status', skip, async (t, user) => {
  const text = await user.serve(t, 'simulate', 'doors.json', 'trace.txt')
  t.match(text, /^ +1\.5 +10\.77\.0\.2 +icmp +drop {4}granted ssh 4\/4$/m)
  t.match(text, /^ +2 +10\.77\.0\.2 +tcp\/22 +accept$/m)
  t.match(text, /^ +2 +10\.77\.0\.9 +tcp\/22 +drop {4}denied ssh$/m)
  t.match(
    text,
    /knocks 4, grants 1, resets 0, denied 1, wrong 0\n {2}10\.77\.0\.2 {2}let in {2}59 s left/,
  )
  const json = JSON.parse(await user.serve(t, 'simulate', 'doors.json', 'trace.json', '--json'))
  t.same(
    json.packets.map(({ verdict }: { verdict: string }) => verdict),
    ['drop', 'drop'],
  )
  t.match(json.events[0], { packet: 0, source: 'fd00::1', event: 'knock', door: 'ssh', stage: 1 })
  t.same(json.status.doors[0].progress, [{ source: 'fd00::1', stage: 1, of: 4, expiresIn: 19 }])
})

const PACKAGE = JSON.parse(readFileSync(join(CLI, '../../../package.json'), 'utf8'))

atServer('--help and --version print their text', skip, async (t, user) => {
  t.equal(await user.serve(t, '--version'), `${PACKAGE.version}\n`)
  const help = await user.serve(t, '--help')
  t.match(help, /Exit codes:/)
  const commands = [...help.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name)
  t.ok(commands.length >= 9)
  for (const name of commands) {
    const text = await user.serve(t, name as string, '--help')
    const [options = '', examples = ''] = text.split('\nExamples:\n')
    const hasTable = !['init', 'knock', 'connect', 'profile'].includes(name as string)
    t.equal(
      options.includes('--table'),
      hasTable,
      `${name}: the help has --table if the command takes it`,
    )
    const hasJson = !['run', 'connect'].includes(name as string)
    t.equal(
      options.includes('--json'),
      hasJson,
      `${name}: the help has --json if the command takes it`,
    )
    t.ok(examples.includes(`knocklib ${name}`), `${name}: the help has an example`)
  }
})
