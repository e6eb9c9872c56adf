// Processes in a namespace that install, open, close and uninstall → how each of their calls ended.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isIntact } from '../../lib/change/intact.js'
import { createNft, installKnock, type KnockSpec, renderKnock } from '../../lib/index.js'
import { LIBRARY } from '../machine/built.js'

/** What an installer process does in turns until it is ended. */
export interface InstallerOptions {
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

/** A process that installs, in a process group of its own, so that its nft ends with it. */
export class Installer {
  readonly #child
  readonly #closed: Promise<unknown[]>
  #text = ''

  private constructor(options: InstallerOptions) {
    const args = ['--input-type=module', '-e', CODE, JSON.stringify(options)]
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

  /** Starts a process. Resolves at its first output, or when it has ended. */
  static async start(options: InstallerOptions): Promise<Installer> {
    const installer = new Installer(options)
    await Promise.race([once(installer.#child.stdout, 'data'), installer.#closed])
    return installer
  }

  /** Kills the process and its children at any point of their work. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null) process.kill(-this.#group, 'SIGKILL')
    await this.#closed
    await this.#until((state) => 'ZX'.includes(state))
  }

  /**
   * Stops the process and its children at any point of their work. A system call under way is
   * finished first.
   */
  async hold(): Promise<void> {
    if (this.#child.exitCode === null) process.kill(-this.#group, 'SIGSTOP')
    await this.#until((state) => 'TZX'.includes(state))
  }

  /** Continues a stopped process. */
  release(): void {
    if (this.#child.exitCode === null) process.kill(-this.#group, 'SIGCONT')
  }

  get #group(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error('no process')
    return pid
  }

  /** Resolves when the states of all its threads, as `ps` names them, satisfy `isSo`. */
  async #until(isSo: (state: string) => boolean): Promise<void> {
    while (!statesOf(this.#group).every(isSo)) await sleep(1)
  }

  /** Lets the process finish its turn. Returns its lines: each a call, and how it ended. */
  async end(): Promise<string[]> {
    this.#child.stdin.end()
    await this.#closed
    return this.lines
  }

  /** Its lines so far. */
  get lines(): string[] {
    return this.#text.split('\n').filter((line) => line !== '' && line !== 'begun')
  }
}

/** Calls `run` while all installers and their children are stopped. */
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
 * Returns the states of all threads of a process group: `T` for a stopped one, `Z` or `X` for an
 * ended one.
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

/** Reads a stat file of /proc; undefined if the process has ended. */
function readStat(path: string): { state: string; group: number } | undefined {
  const text = orGone(() => readFileSync(path, 'latin1'))
  // The name in parentheses may itself contain spaces and parentheses.
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
 * Returns the index of the spec that the table completely matches; -1 if it matches none; undefined
 * if there is no table. Nothing may change the table meanwhile: while the kernel prepares a
 * transaction that will fail, it lists some rules twice or not at all, and the generation's number
 * does not show it.
 */
export async function wholeOf({
  binary,
  netns,
  specs,
}: InstallerOptions): Promise<number | undefined> {
  const nft = createNft({ binary, netns })
  const listing = await nft.list({ table: 'knock' }).catch((error: { code?: string }) => {
    if (error.code === 'not-found') return undefined
    throw error
  })
  if (listing === undefined) return undefined
  return specs.findIndex((spec) => isIntact(listing, renderKnock(spec)))
}

/**
 * Kills installer processes, each at another moment. Returns how often the table matched each spec
 * completely after that.
 */
export async function killInstallers(
  options: InstallerOptions,
  kills: number,
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const nft = createNft({ binary: options.binary, netns: options.netns })
  await installKnock(options.specs[0] as KnockSpec, { nft })
  for (let kill = 0; kill < kills; kill += 1) {
    const installer = await Installer.start(options)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1000))
    await installer.kill()
    const whole = await wholeOf(options)
    const name = whole === undefined ? 'none' : whole < 0 ? 'broken' : `spec ${whole + 1}`
    found.set(name, (found.get(name) ?? 0) + 1)
  }
  return found
}
