// Notifies a service manager by sd_notify(3): that we are ready, what we do, that we live. Runs
// systemd-notify.
import { execFile } from 'node:child_process'

/** Milliseconds that one notification may take; systemd-notify waits until it has been received. */
const PATIENCE = 5000

interface ServiceManagerOptions {
  /**
   * Where NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are. Default: the process's own
   * environment.
   */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Called once, at the first notification that fails; later failures are like it. */
  readonly onFailure?: (reason: string) => void
}

/**
 * The manager that started this process. Without one all calls do nothing. Notifications are sent
 * in the order of the calls; none of them rejects, since a service does its work whoever listens.
 */
export interface ServiceManager {
  /** Whether there is one. */
  readonly isThere: boolean
  /**
   * Milliseconds between two signs of life: half of what the manager waits for. Undefined: it waits
   * for none.
   */
  readonly watchdogInterval: number | undefined
  /** Says that the service works from now on. */
  ready(status?: string): Promise<void>
  /** Says what the service does, in a line for people. */
  status(text: string): Promise<void>
  /** Says that the configuration is read anew; `ready` ends it. */
  reloading(status?: string): Promise<void>
  /** Says that the service is about to end. */
  stopping(status?: string): Promise<void>
  /**
   * Gives a sign of life now and at each interval, for as long as `isWell` says so: a service that
   * is not, or that does not get round to it, is started anew by the manager. Disposing of it ends
   * that.
   */
  keepWatch(isWell?: () => boolean): Disposable
}

/**
 * Node has no datagram sockets of the family unix: the manager's own program, which comes with it,
 * sends.
 */
export function createServiceManager(options: ServiceManagerOptions = {}): ServiceManager {
  return new SystemdNotify(options)
}

class SystemdNotify implements ServiceManager {
  readonly isThere: boolean
  readonly watchdogInterval: number | undefined
  readonly #env: NodeJS.ProcessEnv
  #onFailure: ((reason: string) => void) | undefined
  #sent: Promise<void> = Promise.resolve()

  constructor({ env = process.env, onFailure }: ServiceManagerOptions) {
    this.isThere = Boolean(env['NOTIFY_SOCKET'])
    this.watchdogInterval = this.isThere ? intervalOf(env) : undefined
    this.#env = { ...env }
    this.#onFailure = onFailure
  }

  ready(status?: string): Promise<void> {
    return this.#send(['READY=1'], status)
  }

  status(text: string): Promise<void> {
    return this.#send([], text)
  }

  reloading(status?: string): Promise<void> {
    return this.#send(['RELOADING=1'], status)
  }

  stopping(status?: string): Promise<void> {
    return this.#send(['STOPPING=1'], status)
  }

  keepWatch(isWell: () => boolean = () => true): Disposable {
    const interval = this.watchdogInterval
    if (interval === undefined) return { [Symbol.dispose]: () => {} }
    let isUnderWay = false
    const notify = async () => {
      // One that takes long is not followed by more of them.
      if (isUnderWay || !isWell()) return
      isUnderWay = true
      await this.#send(['WATCHDOG=1'])
      isUnderWay = false
    }
    void notify()
    const timer = setInterval(notify, interval)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }

  #send(variables: readonly string[], status?: string): Promise<void> {
    if (!this.isThere) return Promise.resolve()
    // A line's end would begin another variable.
    const text = status === undefined ? [] : [`STATUS=${status.replace(/\s+/g, ' ')}`]
    const sent = this.#sent.then(() => this.#run([...variables, ...text]))
    this.#sent = sent
    return sent
  }

  #run(args: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      const options = { env: this.#env, timeout: PATIENCE, killSignal: 'SIGKILL' } as const
      execFile('systemd-notify', args, options, (error, _stdout, stderr) => {
        if (error) this.#reportFailure(stderr.trim() || error.message)
        resolve()
      })
    })
  }

  #reportFailure(reason: string): void {
    this.#onFailure?.(`systemd-notify: ${reason}`)
    this.#onFailure = undefined
  }
}

/** Half of the time in which the manager wants a sign of life of this process. */
function intervalOf(env: ServiceManagerOptions['env'] = {}): number | undefined {
  const { WATCHDOG_USEC: micros = '', WATCHDOG_PID: pid } = env
  if (pid !== undefined && pid !== String(process.pid)) return undefined
  return /^[1-9]\d{3,14}$/.test(micros) ? Number(micros) / 2000 : undefined
}
