// A table that is not confirmed: at every hook its doors fall open by the kernel's clock, without
// any process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import {
  attachKnock,
  createNft,
  type Knock,
  type KnockSpec,
  type Nft,
  type PendingConfirm,
} from '../../lib/index.js'
import { build, CLI, LIBRARY } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CABLE, createPair, exec, type Pair, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import type { Program } from '../machine/programs.js'
import { PORT, startService } from '../setups/service-setup.js'

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

/** Seconds to confirm: more, if the machine is so slow that they pass before the first checks. */
const TIMES = [15, 60, 240]

const CODE = `
  import { createNft, installKnock } from '${pathToFileURL(LIBRARY)}'
  const { binary, confirmWithin, targets } = JSON.parse(process.argv[1])
  await Promise.all(targets.map(({ netns, spec }) =>
    installKnock(spec, { nft: createNft({ binary, netns }), confirmWithin })))
  process.kill(process.pid, 'SIGKILL')`

interface Target {
  readonly netns: string
  readonly spec: object
}

/**
 * Installs in a process that has ended when this resolves. It does not block this process, because
 * other tests run at the same time.
 */
async function installAndDie(
  binary: string,
  targets: readonly Target[],
  confirmWithin: number,
): Promise<void> {
  const all = JSON.stringify({ binary, targets, confirmWithin })
  const args = ['--input-type=module', '-e', CODE, all]
  const [, signal] = await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'close')
  if (signal !== 'SIGKILL') throw new Error('the install failed')
}

interface Waiting {
  readonly seconds: number
  readonly setups: readonly {
    readonly setup: ConfirmSetup
    readonly confirm: PendingConfirm | undefined
    readonly isShut: boolean
  }[]
}

/** Installs tables that wait to be confirmed, and looks at them in time. */
async function installed(
  binary: string,
  setups: readonly ConfirmSetup[],
  [seconds = 0, ...longer]: readonly number[] = TIMES,
): Promise<Waiting> {
  const begun = performance.now()
  const targets = setups.map(({ target }) => target)
  await installAndDie(binary, targets, seconds)
  const seen = await Promise.all(
    setups.map(async (setup) => {
      const { confirm } = await (await setup.attach()).status()
      return { setup, confirm, isShut: !(await setup.answers()) }
    }),
  )
  const isLate = performance.now() - begun > (seconds - 1) * 1000
  return isLate && longer.length > 0 ? installed(binary, setups, longer) : { seconds, setups: seen }
}

/** A server behind the doors of a spec, and a client. */
class ConfirmSetup implements AsyncDisposable {
  readonly name: string
  readonly target: Target
  readonly #pair: Pair
  readonly #service: AsyncDisposable
  readonly #nft: Nft

  private constructor(name: string, spec: object, pair: Pair, service: Program, nft: Nft) {
    this.name = name
    this.target = { netns: pair.server, spec }
    this.#pair = pair
    this.#service = service
    this.#nft = nft
  }

  static async open(name: string, spec: object, binary: string): Promise<ConfirmSetup> {
    const pair = await createPair()
    const nft = createNft({ binary, netns: pair.server })
    return new ConfirmSetup(name, spec, pair, await startService(pair.server), nft)
  }

  /** Whether the service answers a stranger. */
  async answers(): Promise<boolean> {
    const run = ['-n', '-w1', SERVER[4], String(PORT)]
    return (await exec(this.#pair.client, 'nc', run)).stdout !== ''
  }

  attach(): Promise<Knock> {
    return attachKnock({ nft: this.#nft })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service[Symbol.asyncDispose]()
    await this.#pair[Symbol.asyncDispose]()
  }
}

/** Opens a setup for each spec. */
async function openAll(
  binary: string,
): Promise<AsyncDisposable & { setups: readonly ConfirmSetup[] }> {
  const setups: ConfirmSetup[] = []
  for (const [name, spec] of Object.entries(SPECS)) {
    setups.push(await ConfirmSetup.open(name, spec, binary))
  }
  return {
    setups,
    async [Symbol.asyncDispose]() {
      for (const setup of setups) await setup[Symbol.asyncDispose]()
    },
  }
}

t.jobs = 4

for (const { version, path } of versions) {
  t.test(`nft ${version}`, { skip, buffered: true }, async (t) => {
    await using open = await openAll(path)
    const { setups } = open
    const each = (check: (setup: ConfirmSetup, knock: Knock) => Promise<unknown>) =>
      Promise.all(setups.map(async (setup) => check(setup, await setup.attach())))

    for (const setup of setups) t.ok(await setup.answers(), `${setup.name}: open before`)
    const { seconds, setups: waiting } = await installed(path, setups)
    for (const { setup, confirm, isShut } of waiting) {
      t.ok(confirm?.expiresIn !== undefined, `${setup.name}: the countdown shows`)
      t.ok(isShut, `${setup.name}: shut`)
    }
    await sleep(seconds * 1000)
    await each(async (setup, knock) => {
      t.ok(await setup.answers(), `${setup.name}: fallen open`)
      const { confirm } = await knock.status()
      t.strictSame(confirm, { fallenOpen: true }, `${setup.name}: status says so`)
      const late = { code: 'timed-out' }
      await t.rejects(knock.confirm(), late, `${setup.name}: too late to confirm`)
    })
    await installAndDie(
      path,
      setups.map(({ target }) => target),
      2 * seconds,
    )
    await each(async ({ name }, knock) => {
      await knock.confirm()
      t.equal((await knock.status()).confirm, undefined, `${name}: confirmed: no countdown`)
    })
    await sleep((2 * seconds + 1) * 1000)
    await each(async (setup) => {
      t.notOk(await setup.answers(), `${setup.name}: confirmed: shut for good`)
    })
  })
}

t.test('on the command line', { skip, buffered: true }, async (t) => {
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
