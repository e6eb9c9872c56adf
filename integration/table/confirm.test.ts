// A table that is not confirmed: at every hook its doors fall open by the kernel's clock, without
// any process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { attachKnock, createNft, type KnockSpec } from '../../lib/index.js'
import { build, CLI, LIBRARY } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CABLE, createPair, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { PORT, startService } from '../scene/house.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc')
if (!skip) {
  sweep()
  build()
}

const door = (parts: object = {}) => ({
  name: 'service',
  service: `tcp/${PORT}`,
  knock: { type: 'sequence', steps: ['tcp/7000', 'icmp'] },
  open: { for: '60s' },
  ...parts,
})

const SPECS: Readonly<Record<string, object>> = {
  input: { doors: [door()] },
  'input, a whole protocol that is cut': {
    doors: [door({ service: 'any', open: { for: '60s', established: 'cut' } })],
  },
  prerouting: { hook: 'prerouting', doors: [door({ address: SERVER[4] })] },
  ingress: { hook: 'ingress', interfaces: [CABLE], doors: [door()] },
  'ingress of two interfaces': { hook: 'ingress', interfaces: [CABLE, 'lo'], doors: [door()] },
}

/** The time to confirm. On a loaded machine some of it passes before the first check. */
const SECONDS = 12

const CODE = `
  import { createNft, installKnock } from '${pathToFileURL(LIBRARY)}'
  const { binary, netns, spec, confirmWithin } = JSON.parse(process.argv[1])
  await installKnock(spec, { nft: createNft({ binary, netns }), confirmWithin })
  process.kill(process.pid, 'SIGKILL')`

/**
 * Installs in a process that has ended when this resolves. It does not block this process, because
 * other tests run at the same time.
 */
async function installAndDie(binary: string, netns: string, spec: object): Promise<void> {
  const orders = JSON.stringify({ binary, netns, spec, confirmWithin: SECONDS })
  const args = ['--input-type=module', '-e', CODE, orders]
  const [, signal] = await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'close')
  if (signal !== 'SIGKILL') throw new Error('the install failed')
}

t.jobs = 8

for (const { version, path } of versions) {
  for (const [name, spec] of Object.entries(SPECS)) {
    t.test(`${name}, nft ${version}`, { skip, buffered: true }, async (t) => {
      await using pair = await createPair()
      await using _service = await startService(pair.server)
      const nft = createNft({ binary: path, netns: pair.server })
      const answers = async (): Promise<boolean> => {
        const run = ['-n', '-w1', SERVER[4], String(PORT)]
        return (await exec(pair.client, 'nc', run)).stdout !== ''
      }
      t.ok(await answers(), 'open before')
      await installAndDie(path, pair.server, spec)
      // What a machine under load takes long for comes last: `answers` waits for what is dropped.
      const knock = await attachKnock({ nft })
      t.ok((await knock.status()).confirm?.expiresIn !== undefined, 'the countdown shows')
      t.notOk(await answers(), 'shut')
      await sleep(SECONDS * 1000)
      t.ok(await answers(), 'fallen open')
      t.strictSame((await knock.status()).confirm, { fallenOpen: true }, 'status says so')
      await t.rejects(knock.confirm(), { code: 'timed-out' }, 'too late to confirm')
      await installAndDie(path, pair.server, spec)
      await knock.confirm()
      t.equal((await knock.status()).confirm, undefined, 'confirmed: no countdown')
      await sleep((SECONDS + 1) * 1000)
      t.notOk(await answers(), 'confirmed: shut for good')
    })
  }
}

t.test('on the command line', { skip }, async (t) => {
  const [newest] = versions.slice(-1)
  await using pair = await createPair()
  const env = { ...process.env, KNOCKLIB_NFT: newest?.path ?? '' }
  const folder = t.testdir({ 'doors.json': JSON.stringify(SPECS['input'] as KnockSpec) })
  const run = (...args: string[]) => exec(pair.server, process.execPath, [CLI, ...args], { env })
  const installed = await run('install', `${folder}/doors.json`, '--confirm', '60s')
  t.match(installed, { code: 0, stdout: /unless confirmed within 60s/ })
  t.match((await run('status')).stdout, /not confirmed: open to everyone in \d+ s/)
  t.match(await run('confirm'), { code: 0, stdout: /confirmed/ })
  t.match(await run('confirm'), { code: 4 })
  t.match(await run('install', `${folder}/doors.json`, '--confirm', '1x'), { code: 2 })
  t.notMatch((await run('open', 'service', '10.0.0.1')).stdout, /everyone/)
  await run('install', `${folder}/doors.json`, '--confirm', '1s')
  await sleep(1500)
  t.match(await run('open', 'service', '10.0.0.1'), { code: 0, stdout: /and so is everyone: / })
  t.match((await run('save', `${folder}/state.json`)).stdout, /: 1 grant, 0 bans, /)
})
