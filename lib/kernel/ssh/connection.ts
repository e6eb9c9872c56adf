// A destination → one connection of ssh for many calls, and the words that run a command through
// it. Starts ssh.
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { launch, type Piped } from '../process/launch.js'
import { holdRemotely } from './remote-command.js'
import {
  endOf,
  makeFolder,
  NotConnected,
  removeFolder,
  type SshEnding,
  untilStarted,
} from './ssh-child.js'
import { OF_SSH } from './ssh-failure.js'

/**
 * No terminal, and nothing forwarded: nft needs none of it, and a port that is forwarded already
 * would be an error. A RemoteCommand of the user's configuration would be one, too.
 */
const PLAIN = ['-T', '-a', '-x', '-o', 'ClearAllForwardings=yes', '-o', 'RemoteCommand=none']

/** Milliseconds after the last call until the connection is closed. */
const IDLE = 60_000

/** sshd allows ten sessions in a connection; one of them keeps it open. */
const MOST_AT_ONCE = 4

/**
 * Connects at the first call, and again after the connection has ended.
 *
 * All calls share one connection. Otherwise each would log in, and none could after the transaction
 * that closes ssh's own port. An established connection stays.
 */
export class SshConnection {
  readonly #place: readonly string[]
  readonly #program: string
  #opened: Promise<readonly string[]> | undefined
  #child: Piped | undefined
  #isReady = false
  /** How often it was ended. */
  #closes = 0
  #calls = 0
  readonly #waiting: (() => void)[] = []
  #idle: NodeJS.Timeout | undefined

  /** @param place - as `readDestination` gives it. */
  constructor(place: readonly string[], program: string) {
    this.#place = place
    this.#program = program
  }

  /**
   * Runs a call with the words that stand before a command.
   *
   * @param until - ends the wait for the connection.
   * @throws NotConnected if the connection does not come about; the signal's reason.
   */
  async use<T>(call: (words: readonly string[]) => Promise<T>, until: AbortSignal): Promise<T> {
    clearTimeout(this.#idle)
    this.#calls += 1
    try {
      if (this.#calls > MOST_AT_ONCE) {
        await new Promise<void>((go) => this.#waiting.push(go))
      }
      this.#opened ??= this.#open()
      return await call(await beforeAborted(this.#opened, until))
    } finally {
      this.#calls -= 1
      this.#waiting.shift()?.()
      if (this.#calls === 0) this.#rest()
    }
  }

  /** Ends the connection. The next call connects again. */
  close(): void {
    clearTimeout(this.#idle)
    this.#closes += 1
    this.#child?.kill()
    this.#forget()
  }

  #rest(): void {
    if (!this.#isReady) this.close()
    else this.#idle = setTimeout(() => this.close(), IDLE).unref()
  }

  #forget(): void {
    this.#child = undefined
    this.#opened = undefined
    this.#isReady = false
  }

  async #open(): Promise<readonly string[]> {
    const words = [this.#program, ...PLAIN]
    const place = this.#place
    const closes = this.#closes
    if (await this.#isShared()) {
      this.#isReady = true
      return [...words, ...place]
    }
    const folder = await makeFolder()
    if (this.#closes !== closes) {
      // Nobody waits for this one any more, and nothing would end it.
      removeFolder(folder)
      throw new NotConnected({ exitCode: OF_SSH, stderr: 'closed before it was open' })
    }
    const socket = join(folder, 's')
    const master = ['-M', '-S', socket, '-o', 'ControlPersist=no']
    const { child, ended } = this.#start([...PLAIN, ...master, ...place, holdRemotely()])
    this.#child = child
    void ended.then(() => {
      removeFolder(folder)
      if (this.#child === child) this.#forget()
    })
    await untilStarted(child, ended)
    this.#isReady = true
    // The connection does not keep this process alive, and ends with it.
    child.unref()
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket).unref()
    // If the master has gone, the call must fail, and not log in by itself.
    return [...words, '-S', socket, '-o', 'ProxyCommand=false', ...place]
  }

  /** Whether the user's configuration shares a connection that is open now. */
  async #isShared(): Promise<boolean> {
    const ending = await this.#start(['-O', 'check', ...this.#place]).ended
    if (ending.code !== undefined) throw new NotConnected(ending)
    return ending.exitCode === 0
  }

  #start(args: readonly string[]): { child: Piped; ended: Promise<SshEnding> } {
    const child = launch(this.#program, args, { ...process.env, LC_ALL: 'C' })
    if (child instanceof Error) {
      const { code = 'EMFILE', message } = child as NodeJS.ErrnoException
      throw new NotConnected({ code, stderr: message })
    }
    child.stdin.on('error', () => {})
    return { child, ended: endOf(child) }
  }
}

/** Returns what the promise gives. Rejects with the signal's reason if that is aborted first. */
export function beforeAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    const done = () => signal.removeEventListener('abort', stop)
    promise.then(resolve, reject).finally(done)
  })
}
