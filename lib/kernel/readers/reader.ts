// Supervises a reader process: forwards its records and restarts it when it dies.
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '../../clock/clock.js'
import { CapabilityError, KnockError, NetlinkError, type NetlinkErrorCode } from '../../errors.js'
import { inNamespace, launch } from '../process/launch.js'
import { Questions } from './questions.js'
import type { ReaderRecord } from './records.js'

/** A reader's callbacks. */
export interface ReaderListener {
  record(record: ReaderRecord): void
  /** The process has ended. Records are lost from what it had read last until `restarted`. */
  died(): void
  restarted(): void
  /** The process cannot be restarted. This is the last call. */
  failed(error: Error): void
}

export interface ReaderOptions {
  /** The main module of the process, such as `log-reader.js`. */
  readonly module: string
  readonly args: readonly string[]
  /** As in `NftOptions`; empty: this process's own. */
  readonly netns: string
  /** What it reads, for error messages. */
  readonly subject: string
  /** Milliseconds before the first restart; twice as many each time. */
  readonly pause?: number
  /** Milliseconds in which a process must say that it reads; then it is replaced. */
  readonly patience?: number
  readonly clock?: Clock
  /** Starts a process, or returns why it cannot. Default: with `spawn`. */
  readonly launch?: typeof launch
}

/** Without these options V8 lets a busy reader take 45 MB for short-lived objects. */
const LEAN = ['--max-semi-space-size=1', '--single-threaded-gc']

const FIRST_PAUSE = 50
/** Characters of a process's last output on stderr that a message quotes. */
const LAST_WORDS = 500
const LONGEST_PAUSE = 5_000
/** Attempts to start the first process. */
const FIRST_TRIES = 3
/** Milliseconds; a loaded machine starts a process within two seconds. */
const PATIENCE = 20_000
/** Milliseconds after which a process counts as stable, so that pauses are short again. */
const LIVES_LONG = 10_000

/** Runs a reader process, and a new one when it dies. */
export class Reader {
  readonly #options: ReaderOptions
  readonly #listener: ReaderListener
  #child: ChildProcess | undefined
  readonly #clock: Clock
  /** Interrupts the pause before a restart. */
  #pausing: AbortController | undefined
  #pause: number
  #hasEnded = false
  #isHeld = true
  readonly #questions: Questions

  constructor(options: ReaderOptions, listener: ReaderListener) {
    this.#options = options
    this.#listener = listener
    this.#pause = options.pause ?? FIRST_PAUSE
    this.#clock = options.clock ?? systemClock
    this.#questions = new Questions(this.#clock)
  }

  /**
   * Starts the process. Resolves when it misses nothing any more.
   * @throws NetlinkError `EBUSY` if another process has the group, `EPERM`, or `socket`.
   * @throws CapabilityError if the package netlink is not installed.
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.#begin(resolve, reject, FIRST_TRIES))
  }

  /** Starts the first process. Tries again because a flood may end one before it is ready. */
  #begin(ready: () => void, refused: (error: Error) => void, tries: number): void {
    this.#spawn(ready, (error) => {
      if (tries === 1 || isFinal(error)) refused(error)
      else void this.#after(() => this.#begin(ready, refused, tries - 1))
    })
  }

  /** Sets whether the reader keeps this process alive. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    const child = this.#child
    const { stdin, stdout, stderr } = child ?? {}
    const parts = [child, stdin, stdout, stderr] as (Held | undefined)[]
    for (const part of parts) part?.[isHeld ? 'ref' : 'unref']()
    this.#pausing?.abort()
  }

  /**
   * Resolves with true when the listener has everything that the kernel had sent by this call. With
   * false if the process ends first, or needs longer than `patience` milliseconds.
   */
  settled(patience: number): Promise<boolean> {
    const stdin = this.#child?.stdin
    if (!stdin?.writable) return Promise.resolve(false)
    return this.#questions.ask((number) => stdin.write(`${number}\n`), patience)
  }

  /** Ends the process. Resolves when it is gone. */
  async end(): Promise<void> {
    this.#hasEnded = true
    this.#pausing?.abort()
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    const gone = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await gone
  }

  #spawn(ready: () => void, refused: (error: Error) => void): void {
    const { netns, patience = PATIENCE, launch: start = launch } = this.#options
    const argv = [process.execPath, ...LEAN, pathOf(this.#options.module), ...this.#options.args]
    const [command = '', ...args] = netns === '' ? argv : [...inNamespace(netns), ...argv]
    const begun = this.#clock.now()
    let isReady = false
    // NODE_OPTIONS is meant for this process only.
    const env = { ...process.env, NODE_OPTIONS: undefined }
    const child = start(command, args, env)
    if (child instanceof Error) {
      refused(this.#refusal({ code: 'socket', reason: child.message }))
      return
    }
    this.#child = child
    let failure: Error | undefined
    const inTime = this.#clock.after(patience, () => {
      const reason = `the process that reads it was not ready after ${patience} ms`
      failure = this.#refusal({ code: 'socket', reason })
      child.kill('SIGKILL')
    })
    const take = (record: ReaderRecord) => {
      if (this.#hasEnded) return
      if ('ready' in record) {
        isReady = true
        inTime()
        ready()
      } else if ('failed' in record) {
        failure = this.#refusal(record.failed)
        child.kill('SIGKILL')
      } else if ('settled' in record) {
        this.#questions.answer(record.settled)
      } else {
        this.#listener.record(record)
      }
    }
    readLines(child, take)
    let words = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-LAST_WORDS)
    })
    child.stdin.on('error', () => {})
    child.on('error', (error) => {
      failure ??= this.#refusal({ code: 'socket', reason: error.message })
    })
    child.on('close', () => {
      this.#child = undefined
      inTime()
      this.#questions.giveUp()
      if (this.#hasEnded) return
      if (!isReady) refused(failure ?? this.#refusal({ code: 'socket', reason: ended(words) }))
      else this.#restart(this.#clock.now() - begun)
    })
    this.hold(this.#isHeld)
  }

  #restart(lived: number): void {
    const { pause = FIRST_PAUSE } = this.#options
    this.#pause = lived > LIVES_LONG ? pause : Math.min(this.#pause * 2, LONGEST_PAUSE)
    this.#listener.died()
    this.#again()
  }

  #again(): void {
    void this.#after(() => {
      this.#spawn(
        () => this.#listener.restarted(),
        (error) => this.#refused(error),
      )
    })
  }

  /** Pauses before a restart. `hold` interrupts the pause, which continues with the new setting. */
  async #after(start: () => void): Promise<void> {
    const end = this.#clock.now() + this.#pause
    for (let isOver = false; !isOver && !this.#hasEnded; ) {
      this.#pausing = new AbortController()
      const left = end - this.#clock.now()
      isOver = await this.#clock.pause(left, this.#pausing.signal, this.#isHeld)
    }
    if (!this.#hasEnded) start()
  }

  /** Tries again after a passing failure, such as no memory; a final one is reported. */
  #refused(error: Error): void {
    if (isFinal(error)) this.#listener.failed(error)
    else {
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
      this.#again()
    }
  }

  #refusal({ code, reason }: { code: string; reason: string }): KnockError {
    const { subject } = this.#options
    if (code === 'missing-capability') {
      const provider = 'it is not installed; npm install netlink'
      return new CapabilityError('watch', `${subject}: the optional package netlink`, provider)
    }
    const message = `watch: ${subject}: ${reason}`
    return new NetlinkError(code as NetlinkErrorCode, 'watch', message)
  }
}

/** Whether another try would fail in the same way: the process reported its reason. */
const isFinal = (error: Error): boolean => error instanceof KnockError && error.code !== 'socket'

const ended = (words: string): string =>
  ['the process that reads it ended', words.trim().replace(/\s+/g, ' ')].filter(Boolean).join(': ')

type Held = { ref(): void; unref(): void }

/**
 * Finds a module beside this one, compiled or in the bundle. If this module runs from its source,
 * finds the built one.
 */
function pathOf(module: string): string {
  const built = fileURLToPath(new URL(module, import.meta.url))
  return existsSync(built)
    ? built
    : fileURLToPath(new URL(`../../../dist/kernel/readers/${module}`, import.meta.url))
}

function readLines({ stdout }: ChildProcess, take: (record: ReaderRecord) => void): void {
  let rest = ''
  stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line) as ReaderRecord)
  })
}
