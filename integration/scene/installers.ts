// Processes in a namespace that install, open, close and uninstall → how each of their calls ended.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isIntact } from '../../lib/change/intact.js'
import { createNft, installKnock, type KnockSpec, renderKnock } from '../../lib/index.js'
import { LIBRARY } from '../machine/built.js'

/** What a process does until it is ended, in turns. */
export interface Orders {
  readonly binary: string
  readonly netns: string
  readonly specs: readonly KnockSpec[]
  /** Whether every third turn ends with the table removed. */
  readonly uninstalls: boolean
}

const CODE = `
  import { createNft, installKnock, KnockError } from '${pathToFileURL(LIBRARY)}'
  const { binary, netns, specs, uninstalls } = JSON.parse(process.argv[1])
  let ended = false
  process.stdin.on('end', () => { ended = true }).resume()
  const nft = createNft({ binary, netns })
  const tell = async (call, run) => {
    try {
      await run()
      console.log(call, 'done')
    } catch (error) {
      console.log(call, error instanceof KnockError ? error.code : 'unforeseen', String(error))
    }
  }
  console.log('begun')
  for (let turn = 0; !ended; turn += 1) {
    await tell('install', async () => {
      const confirmWithin = turn % 2 ? 600 : undefined
      const knock = await installKnock(specs[turn % specs.length], { nft, confirmWithin })
      const [door] = knock.doors
      await tell('open', () => door.open('192.0.2.' + (1 + turn % 250)))
      await tell('close', () => door.close('192.0.2.' + (1 + turn % 250)))
      if (turn % 2) await tell('confirm', () => knock.confirm())
      if (uninstalls && turn % 3 === 2) await tell('uninstall', () => knock.uninstall())
    })
  }
  process.exit()`

/** A process with a group of its own, so that nft ends with it. */
export class Installer {
  readonly #child
  readonly #closed: Promise<unknown[]>
  #text = ''

  private constructor(orders: Orders) {
    const args = ['--input-type=module', '-e', CODE, JSON.stringify(orders)]
    this.#child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    })
    this.#closed = once(this.#child, 'close')
    this.#child.stdin.on('error', () => {})
    this.#child.stdout.setEncoding('utf8').on('data', (part: string) => {
      this.#text += part
    })
  }

  /** It has begun when the promise is settled. */
  static async start(orders: Orders): Promise<Installer> {
    const installer = new Installer(orders)
    await Promise.race([once(installer.#child.stdout, 'data'), installer.#closed])
    return installer
  }

  /** Kills it and what it has started, wherever they are. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null) process.kill(-this.#group, 'SIGKILL')
    await this.#closed
    await this.#until((state) => 'ZX'.includes(state))
  }

  /**
   * Holds it and what it has started, wherever they are; what they ask of the kernel at that moment
   * is done first.
   */
  async hold(): Promise<void> {
    if (this.#child.exitCode === null) process.kill(-this.#group, 'SIGSTOP')
    await this.#until((state) => 'TZX'.includes(state))
  }

  /** Lets it go on. */
  release(): void {
    if (this.#child.exitCode === null) process.kill(-this.#group, 'SIGCONT')
  }

  get #group(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error('no process')
    return pid
  }

  /** Resolves when all processes of its group are in such a state, as `ps` names it. */
  async #until(isSo: (state: string) => boolean): Promise<void> {
    while (!statesOf(this.#group).every(isSo)) await sleep(1)
  }

  /** Lets it end its turn. Its lines: a call, and how it ended. */
  async end(): Promise<string[]> {
    this.#child.stdin.end()
    await this.#closed
    return this.#text.split('\n').filter((line) => line !== '' && line !== 'begun')
  }
}

/** Runs something while nothing that the installers have started changes anything. */
export async function whileHeld<T>(
  installers: readonly Installer[],
  run: () => Promise<T>,
): Promise<T> {
  try {
    await Promise.all(installers.map((installer) => installer.hold()))
    return await run()
  } finally {
    for (const installer of installers) installer.release()
  }
}

/**
 * The states of all threads of a group's processes: `T` for one that is held, `Z` or `X` for one
 * that has ended.
 */
function statesOf(group: number): string[] {
  return processes()
    .filter((pid) => readStat(`/proc/${pid}/stat`)?.group === group)
    .flatMap((pid) => {
      const tasks = `/proc/${pid}/task`
      return (
        orGone(() => readdirSync(tasks))?.map((task) => readStat(`${tasks}/${task}/stat`)) ?? []
      )
    })
    .flatMap((stat) => (stat ? [stat.state] : []))
}

const processes = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name))

/** Undefined where the process has ended. */
function readStat(path: string): { state: string; group: number } | undefined {
  const text = orGone(() => readFileSync(path, 'latin1'))
  // The name, in parentheses, may have blanks and parentheses in it.
  const [state, , group] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? []
  return state === undefined ? undefined : { state, group: Number(group) }
}

function orGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/**
 * Which of the specs a table is of, whole; -1: none of them, or not whole. Undefined: there is no
 * table. Nobody may change it meanwhile: while the kernel prepares a change that fails in the end,
 * it lists rules twice or leaves some out, of a table that is whole, and no number of a generation
 * tells.
 */
export async function wholeOf({ binary, netns, specs }: Orders): Promise<number | undefined> {
  const nft = createNft({ binary, netns })
  const listing = await nft.list({ table: 'knock' }).catch((error: { code?: string }) => {
    if (error.code === 'not-found') return undefined
    throw error
  })
  if (listing === undefined) return undefined
  return specs.findIndex((spec) => isIntact(listing, renderKnock(spec)))
}

/**
 * Kills a process that installs, so many times, each at a moment of its own; how often each spec
 * stood after that, whole.
 */
export async function killInstallers(orders: Orders, kills: number): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const nft = createNft({ binary: orders.binary, netns: orders.netns })
  await installKnock(orders.specs[0] as KnockSpec, { nft })
  for (let kill = 0; kill < kills; kill += 1) {
    const installer = await Installer.start(orders)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1000))
    await installer.kill()
    const whole = await wholeOf(orders)
    const name = whole === undefined ? 'none' : whole < 0 ? 'broken' : `spec ${whole + 1}`
    found.set(name, (found.get(name) ?? 0) + 1)
  }
  return found
}
