// A table → the same table with a keeper, and what the keeper reports.
import type { KeepEvent, Knock } from '../../lib/index.js'
import { SERVER } from '../machine/namespaces.js'
import { PATIENCE, until } from '../machine/until.js'
import type { ServiceSetup } from './service-setup.js'

/** A kept table, and the events that its keeper reported. */
export class KeptTable implements AsyncDisposable {
  readonly events: KeepEvent[] = []
  readonly #stop = new AbortController()
  readonly ended: Promise<void>

  constructor(knock: Knock, stateFile?: string) {
    this.ended = knock.keepInstalled({
      signal: this.#stop.signal,
      onEvent: (event) => this.events.push(event),
      ...(stateFile !== undefined && { stateFile }),
    })
    this.ended.catch(() => {})
  }

  named(name: KeepEvent['event']): KeepEvent[] {
    return this.events.filter(({ event }) => event === name)
  }

  /** Waits until `count` events of this kind were reported, and returns them. */
  async heard(name: KeepEvent['event'], count = 1, patience = PATIENCE): Promise<KeepEvent[]> {
    await until(
      () => this.named(name).length >= count,
      `${count} ${name}`,
      () => JSON.stringify(this.events),
      patience,
    )
    return this.named(name)
  }

  /** Waits until the keeper misses nothing, and opens the door for one source. */
  async begun(setup: ServiceSetup): Promise<void> {
    await this.heard('watching')
    await setup.knock.doors[0]?.open('203.0.113.250', { for: 600 })
    await this.heard('granted')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.ended
  }
}

export const grantees = async (setup: ServiceSetup) =>
  (await setup.knock.doors[0]?.grants())?.map(({ source }) => source).sort()

export const knockOn = (setup: ServiceSetup, family: 4 | 6, ...ports: string[]) =>
  setup.run('knock', `-${family}`, '-d', '20', SERVER[family], ...ports)
