// A spec's file and options → its table, kept standing until a signal, with events as lines. Starts
// and ends what `run` is made of.
import { Actions } from '../../../actions/actions.js'
import { isoDate } from '../../../clock/clock.js'
import {
  ArgumentError,
  installKnock,
  type KeepEvent,
  type Knock,
  KnockError,
} from '../../../index.js'
import {
  type ListenAddress,
  parseListenAddress,
  serveMetrics,
} from '../../../service/metrics-server.js'
import { createServiceManager, type ServiceManager } from '../../../service/service-manager.js'
import { durationOf, messageOf, type Options, textOf } from '../../command/command.js'
import type { Context } from '../../command/context.js'
import { findExposure } from '../../command/exposed.js'
import { MetricsListener } from '../../command/metrics-listener.js'
import { loadSpec } from '../../command/spec-file.js'
import { loadStateFor, type ReadState, setAside } from '../../command/state-file.js'
import { readBefore, readEvents } from './run-events.js'

/** Milliseconds after which a stop is forced. */
const LONGEST_STOP = 20_000
/** Milliseconds after the end in which it ends by itself. */
const LONGEST_LEAVE = 1000

export class Runner {
  readonly #path: string
  readonly #options: Options
  readonly #context: Context
  readonly #stateFile: string | undefined
  readonly #events: ReadonlySet<string>
  /** Seconds. */
  readonly #before: number | undefined
  readonly #manager: ServiceManager
  readonly #stop = new AbortController()
  /** Ends the keeping of one spec, to go on with the next. */
  #again = new AbortController()
  /** Where it is saved: undefined also where a file that cannot be read stands in the way. */
  #saveFile: string | undefined
  #lostEvents = 0
  #reloadFailed = false
  #lastSaveFailed = false
  #hasStopped = false
  /** Those of a spec that is read anew go on with what waits for them. */
  readonly #actions: Actions
  /** For the service manager and the metrics. */
  #knock: Knock | undefined

  constructor(path: string, options: Options, context: Context) {
    this.#path = path
    this.#options = options
    this.#context = context
    this.#actions = new Actions({ clock: context.clock })
    this.#stateFile = textOf(options, 'state')
    this.#events = readEvents(textOf(options, 'events'))
    this.#before = readBefore(durationOf(options, 'before'))
    this.#manager = createServiceManager({
      env: context.process.env,
      onFailure: (message) => this.#fail('notify', message),
    })
  }

  /** Whether all that happened is saved, where that is asked for. */
  async run(): Promise<boolean> {
    const { process, clock } = this.#context
    const metrics = textOf(this.#options, 'metrics')
    const address =
      metrics === undefined ? undefined : parseListenAddress(metrics, 'run: --metrics')
    const signals = { SIGTERM: this.#end, SIGINT: this.#end, SIGHUP: this.#reload }
    for (const [name, listener] of Object.entries(signals)) process.on(name, listener)
    try {
      const knock = await this.#install()
      using _watch = this.#manager.keepWatch()
      this.#write({ event: 'running', ...outlineOf(knock) })
      await using _listener = address && (await this.#listen(address))
      await this.#keep(knock)
      await this.#actions.end()
      await this.#manager.stopping()
      this.#write({ event: 'stopped', table: knock.table })
      this.#hasStopped = true
      // A nft that hangs would keep this process.
      clock.after(LONGEST_LEAVE, () => process.exit())
      return !this.#lastSaveFailed && this.#saveFile === this.#stateFile
    } finally {
      for (const [name, listener] of Object.entries(signals)) process.off(name, listener)
    }
  }

  async #keep(first: Knock): Promise<void> {
    let knock = first
    for (;;) {
      this.#knock = knock
      await knock.keepInstalled({
        signal: AbortSignal.any([this.#stop.signal, this.#again.signal]),
        ...(this.#saveFile !== undefined && { stateFile: this.#saveFile }),
        ...(this.#before !== undefined && { warnBefore: this.#before }),
        onEvent: this.#take,
        actions: this.#actions,
      })
      if (this.#stop.signal.aborted) return
      this.#again = new AbortController()
      await this.#manager.reloading()
      knock = await this.#installAgain(knock)
    }
  }

  async #install(before?: string): Promise<Knock> {
    const spec = await loadSpec(this.#path, this.#options)
    const { table } = spec
    if (before !== undefined && table !== before) {
      const reason = `table: expected ${before} as before, got ${table}`
      throw new ArgumentError(`run: ${this.#path}: ${reason}; start anew for another table`)
    }
    const file = this.#stateFile
    this.#saveFile = file
    const { state, error, isOthers } =
      file === undefined ? NO_STATE : await loadStateFor(spec, file)
    if (isOthers) {
      this.#saveFile = undefined
      this.#fail('state', `${error}\n  the file stays as it is, so nothing is saved`)
    } else if (file !== undefined && error !== undefined) await this.#setAside(file, error)
    const warnings = await findExposure(this.#path, spec)
    const isForeign = warnings.some(({ id }) => id === 'spec-writable')
    if (isForeign && spec.actions.some(({ does }) => 'run' in does)) {
      const reason = 'other users can write it, and it names programs that are run: chmod 600 it'
      throw new ArgumentError(`run: ${this.#path}: ${reason}`)
    }
    return installKnock(spec, { ...this.#context.kernel, state, warnings })
  }

  /** What is saved from now on must not replace what somebody may still mend. */
  async #setAside(file: string, error: string): Promise<void> {
    try {
      this.#fail('state', `${error}\n  the file is kept as ${await setAside(file)}`)
    } catch (failure) {
      if (!(failure instanceof KnockError)) throw failure
      this.#saveFile = undefined
      this.#fail('state', `${error}\n  ${failure.message}; so nothing is saved`)
    }
  }

  /** A spec that is wrong changes nothing: the one before goes on. */
  async #installAgain(before: Knock): Promise<Knock> {
    try {
      const knock = await this.#install(before.table)
      this.#write({ event: 'reloaded', ...outlineOf(knock) })
      this.#reloadFailed = false
      return knock
    } catch (error) {
      if (!(error instanceof KnockError)) throw error
      const reason = messageOf(error, 'run', this.#path).replace(/^knocklib run: /, '')
      this.#fail('reload', `${reason}; nothing was changed: the spec before still stands`)
      this.#reloadFailed = true
      return before
    }
  }

  /**
   * Doors without a keeper would be worse than doors without metrics: an address may come with the
   * network.
   */
  #listen(address: ListenAddress): Promise<MetricsListener> {
    return MetricsListener.start(address, {
      serve: serveMetrics,
      render: () => this.#metrics(),
      onServed: (place) => this.#write({ event: 'serving', ...place }),
      onFailure: (message) => this.#fail('metrics', `${message}; it is tried again`),
    })
  }

  async #metrics(): Promise<string> {
    const knock = this.#knock
    if (!knock) throw new Error('the table is being installed')
    return knock.metrics({ lostEvents: this.#lostEvents, actions: this.#actions.counts })
  }

  readonly #take = (event: KeepEvent): void => {
    if (event.event === 'overrun') this.#lostEvents += event.lost ?? 1
    if (event.event === 'watching') this.#ready()
    // The doors stand, and are put back; who has the group may keep it for ever.
    if (event.event === 'failed' && event.what === 'events') this.#ready(NOT_HEARD)
    if (event.event === 'failed' && event.what === 'save') {
      // Once it is to stop, only the last one counts.
      this.#lastSaveFailed = this.#stop.signal.aborted
    }
    if (this.#events.has(event.event)) this.#write(event)
  }

  #ready(more = ''): void {
    const { doors, table } = this.#knock as Knock
    const stand = `${doors.length} ${doors.length === 1 ? 'door' : 'doors'} in table inet ${table}`
    const not = this.#reloadFailed ? '; THE RELOAD FAILED, the spec before still stands' : ''
    void this.#manager.ready(`${stand}${not}${more}`)
  }

  #write(line: Line | KeepEvent): void {
    const { process, clock } = this.#context
    // Whoever reads lines finds it in the same place of all.
    const { time = isoDate(clock), ...rest } = line
    process.stdout.write(`${JSON.stringify({ time, ...rest })}\n`)
  }

  #fail(what: string, message: string): void {
    this.#write({ event: 'failed', what, message })
  }

  readonly #end = (): void => {
    // Who asks twice is in a hurry.
    if (this.#stop.signal.aborted) this.#endNow()
    this.#stop.abort()
    // Beside the end of the keeper.
    void this.#actions.end()
    // Whatever hangs: a file that is a pipe, nft, a disk.
    this.#context.clock.after(LONGEST_STOP, this.#endNow)
  }

  readonly #endNow = (): void => {
    if (!this.#hasStopped) {
      this.#fail(
        'stop',
        'not ended in time: something that was begun hangs; the table stays as it is',
      )
      this.#write({ event: 'stopped', ...(this.#knock && { table: this.#knock.table }) })
    }
    // node itself would wait for a file that cannot be opened.
    const { process } = this.#context
    process.kill(process.pid, 'SIGKILL')
  }

  readonly #reload = (): void => this.#again.abort()
}

const NOT_HEARD = '; what packets do is not reported: another process has the NFLOG group'

const NO_STATE: ReadState = { state: undefined }

const outlineOf = ({ table, doors }: Knock) => ({ table, doors: doors.map(({ name }) => name) })

interface Line {
  readonly event: string
  readonly time?: string
  readonly [more: string]: unknown
}
