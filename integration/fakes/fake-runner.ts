// A runner of actions that a test plays: it remembers what was begun, and ends it when the test
// says so.
import type { ActionRunner } from '../../lib/actions/runner.js'
import { ENDED, type Told } from '../../lib/actions/told.js'
import type { ActionDoes } from '../../lib/spec/model/model.js'

export interface FakeAction {
  readonly does: ActionDoes
  readonly told: Told
  readonly signal: AbortSignal
  /** Ends it, with the reason why it failed. */
  end(reason?: string): void
}

export class FakeRunner implements ActionRunner {
  /** All that were begun, in order. */
  readonly begun: FakeAction[] = []
  /** Those that are under way. */
  readonly running = new Set<FakeAction>()
  /** Whether each action succeeds at once. */
  isQuick = false
  /** Whether what is ended by its signal ends. */
  endsWhenAborted = true

  run(does: ActionDoes, told: Told, signal: AbortSignal): Promise<string | undefined> {
    if (signal.aborted) return Promise.resolve(ENDED)
    return new Promise((resolve) => {
      const end = (reason?: string) => {
        this.running.delete(action)
        resolve(reason)
      }
      const action = { does, told, signal, end }
      this.begun.push(action)
      this.running.add(action)
      if (this.isQuick) end()
      signal.addEventListener('abort', () => this.endsWhenAborted && end(ENDED))
    })
  }

  /** The sources of the events for which something was begun. */
  get sources(): (string | undefined)[] {
    return this.begun.map(({ told }) => told.variables['KNOCK_SOURCE'])
  }
}
