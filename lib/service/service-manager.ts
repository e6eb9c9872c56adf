// A service's state → notifications for its manager (sd_notify(3)): ready, status, watchdog. Runs
// systemd-notify.
import { execFile } from 'node:child_process'

/** Milliseconds for one notification; systemd-notify waits until it has been received. */
const PATIENCE = 5000

interface ServiceManagerOptions {
  /**
   * Where NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are. Default: the process's environment.
   */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Called with the first notification that fails, and never again. */
  readonly onFailure?: (reason: string) => void
}

/**
 * The manager that started this process. Without one all calls do nothing. Notifications are sent
 * in the order of the calls. No call rejects: a service works even if its manager does not listen.
 */
export interface ServiceManager {
  /** Whether there is a manager. */
  readonly isThere: boolean
  /**
   * Milliseconds between two watchdog notifications: half of what the manager allows. Undefined if
   * it expects none.
   */
  readonly watchdogInterval: number | undefined
  /** Says that the service works from now on. */
  ready(status?: string): Promise<void>
  /** Sets the status line for people. */
  status(text: string): Promise<void>
  /** Says that the configuration is being read again, until `ready`. */
  reloading(status?: string): Promise<void>
  /** Says that the service is about to end. */
  stopping(status?: string): Promise<void>
  /**
   * Notifies the watchdog now and at each interval, while `isWell` returns true. Without
   * notifications the manager restarts the service. Dispose to stop.
   */
  keepWatch(isWell?: () => boolean): Disposable
}

/**
 * Creates the connection to the manager. Uses systemd-notify, because Node has no unix datagram
 * sockets.
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
      // Skips a turn if the notification before is still under way.
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
    // A newline would start another variable.
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

/** Half of WATCHDOG_USEC in milliseconds, if it is for this process. */
function intervalOf(env: ServiceManagerOptions['env'] = {}): number | undefined {
  const { WATCHDOG_USEC: micros = '', WATCHDOG_PID: pid } = env
  if (pid !== undefined && pid !== String(process.pid)) return undefined
  return /^[1-9]\d{3,14}$/.test(micros) ? Number(micros) / 2000 : undefined
}
