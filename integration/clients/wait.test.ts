// `knocklib knock --wait`: what it says of a door, to whom, and from where it knocks.
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import type { KnockSpec } from '../../lib/index.js'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CABLE, CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES } from '../setups/service-setup.js'
import { TerminalRun } from '../setups/terminal.js'
import { ClientSetup, HOST, PORTS, startServices } from './client-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('unshare', 'mount', 'script', 'stty')
if (!skip) {
  sweep()
  build()
}

/** Nothing listens there. */
const NOBODY = 2300
const STEPS = ['udp/7000', 'tcp/8000']
/** Another address of the client. */
const OTHER = { 4: '10.77.0.9', 6: 'fd00:77::9' } as const

const sequence = (steps: readonly string[]) =>
  ({ type: 'sequence', steps: [...steps], stepTimeout: '20s' }) as const
const open = { for: '1h' } as const

const specOf = (folder: string): KnockSpec => ({
  doors: [
    {
      ...{ name: 'home', service: [`tcp/${PORTS.echo}`, `tcp/${NOBODY}`], open },
      knock: sequence(STEPS),
    },
    {
      ...{ name: 'counted', service: `tcp/${PORTS.digest}`, open: { ...open, connections: 1 } },
      knock: sequence(['udp/7100']),
    },
    {
      ...{ name: 'both', service: `tcp/${PORTS.source}`, open },
      knock: {
        ...{ type: 'token', port: 'udp/6000', period: '1h' },
        users: [{ name: 'ann', secretFile: join(folder, 'key') }],
      },
    },
    {
      ...{ name: 'slow', service: `tcp/${PORTS.reset}`, open },
      knock: sequence(['udp/7200', 'udp/7201', 'udp/7202']),
    },
  ],
})

const profileOf = (folder: string) => ({
  host: HOST,
  doors: {
    home: { steps: STEPS, gap: '20ms', port: PORTS.echo },
    wrong: { steps: ['udp/7000', 'tcp/8001'], gap: '20ms', port: PORTS.echo },
    counted: { steps: ['udp/7100'], port: PORTS.digest, connections: 1 },
    both: {
      token: { port: 'udp/6000', secretFile: join(folder, 'key'), period: '1h' },
      port: PORTS.source,
    },
    slow: { steps: ['udp/7200', 'udp/7201', 'udp/7202'], gap: '700ms', port: PORTS.reset },
  },
})

t.test('knock --wait waits until the door is open', { skip }, async (t) => {
  await using setup = await ClientSetup.open(specOf, { binary: versions[1]?.path })
  await using _services = await startServices(setup.pair.server)
  const { knock, folder } = setup
  await setup.profile('server', profileOf(folder))
  const run = (door: string, ...args: readonly string[]) =>
    setup.run('knocklib', 'knock', 'server', '--door', door, '--wait', ...args)
  const sources = async (door: string): Promise<string[]> =>
    (await knock.door(door).grants()).map(({ source }) => source).sort()
  const close = async (door: string): Promise<void> => {
    for (const source of await sources(door)) await knock.door(door).close(source)
  }

  await t.test('one token opens at both addresses of a name', async (t) => {
    const { code, stdout, stderr } = await run('both', '--json')
    t.same({ code, stderr }, { code: 0, stderr: '' })
    const { addresses, ...said } = JSON.parse(stdout)
    t.same([...addresses].sort(), [SERVER[4], SERVER[6]])
    t.match(said, { host: HOST, sent: 1, verdict: 'open', port: PORTS.source, knocks: 1 })
    t.same(await sources('both'), [CLIENT[4], CLIENT[6]])
  })

  for (const family of FAMILIES) {
    await t.test(`the result is printed over IPv${family}`, async (t) => {
      const only = `-${family}`
      const opened = await run('home', only)
      const [, second] = opened.stdout.split('\n')
      t.match(opened, { code: 0, stderr: '' })
      t.equal(second, `port ${PORTS.echo} of ${SERVER[family]}: open`)
      t.same(await sources('home'), [CLIENT[family]])
      const refused = await run('home', String(NOBODY), only)
      t.match(refused, { code: 5, stderr: '' })
      t.match(refused.stdout, `port ${NOBODY} of ${SERVER[family]}: refused`)
      await close('home')
      const filtered = await run('wrong', only, '--within', '4s', '--json')
      t.equal(filtered.code, 6)
      t.match(JSON.parse(filtered.stdout), { verdict: 'filtered', addresses: [SERVER[family]] })
      t.ok(JSON.parse(filtered.stdout).knocks > 1, 'the command knocked again')
      const unknown = await run('counted', only)
      t.match(unknown, { code: 7, stdout: /not tried: the door opens for a number/ })
      await close('counted')
      t.same(await run('home', only, '--quiet'), { code: 0, stdout: '', stderr: '' })
      await close('home')
    })

    await t.test(`the source address can be chosen over IPv${family}`, async (t) => {
      const { client, server } = setup.pair
      const bits = family === 4 ? '24' : '64'
      const address = `${OTHER[family]}/${bits}`
      // Not preferred: nobody leaves from it unless it is asked for.
      const own = family === 4 ? [] : ['nodad', 'preferred_lft', '0']
      await exec(client, 'ip', ['address', 'add', address, 'dev', CABLE, ...own])
      const place = ['lladdr', CLIENT.mac, 'dev', CABLE, 'nud', 'permanent']
      await exec(server, 'ip', ['neighbour', 'replace', OTHER[family], ...place])
      const there = await run('home', '--source', OTHER[family])
      t.match(there, { code: 0, stderr: '' }, there.stdout)
      t.same(await sources('home'), [OTHER[family]], 'knocks and connection have the same source')
      await close('home')
      await exec(client, 'ip', ['address', 'delete', address, 'dev', CABLE])
      t.match(await run('home', '--interface', CABLE, `-${family}`), { code: 0 })
      t.same(await sources('home'), [CLIENT[family]])
      await close('home')
      t.match(await run('home', '--interface', 'nosuch0'), { code: 2, stderr: /got nosuch0/ })
    })
  }

  await t.test('--then runs a command after the door opens', async (t) => {
    const then = (door: string, command: string, ...args: readonly string[]) =>
      run(door, ...args, '-4', '--quiet', '--then', command)
    const inside = { code: 3, stdout: 'in\n', stderr: '' }
    t.same(
      await then('home', 'echo in; exit 3'),
      inside,
      'knocklib ends with the exit code of the command',
    )
    const refused = { code: 5, stdout: '', stderr: '' }
    t.same(
      await then('home', 'echo in', String(NOBODY)),
      refused,
      'the command does not run if the connection is refused',
    )
    await close('home')
    const shut = { code: 6, stdout: '', stderr: '' }
    t.same(await then('wrong', 'echo in', '--within', '1s'), shut)
    t.match(await then('home', 'kill -9 $$'), { code: 128 })
  })

  await t.test('the progress is shown on a terminal', async (t) => {
    const args = ['knock', SERVER[4], '--profile', join(folder, 'config/knocklib/server.yaml')]
    const options = { columns: 80, rows: 24, cwd: folder, env: setup.env }
    const words = [process.execPath, CLI, ...args, '--door', 'slow', '--wait']
    using shown = new TerminalRun(setup.pair.client, words, options)
    t.equal(await shown.end(), 0)
    for (const sent of [0, 1, 2]) t.match(shown.output, `knocking: ${sent} of 3 packets sent`)
    const lines = shown.output.split('\r\u001b[K')
    t.match(stripVTControlCharacters(lines.at(-1) ?? ''), /^10\.77\.0\.1: 3 packets .*\n.*: open/s)
    using silent = new TerminalRun(setup.pair.client, [...words, '--quiet'], options)
    t.equal(await silent.end(), 0)
    t.equal(silent.output, '')
  })
})
