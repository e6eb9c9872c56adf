// What an action does and what it gets → done, or why not. The interface, and the one that runs
// programs and sends requests.
import { type Clock, systemClock } from '../clock/clock.js'
import type { ActionDoes } from '../spec/model/model.js'
import { postDocument } from './post.js'
import { runProgram } from './program.js'
import { ENDED, type Told } from './told.js'

export interface ActionRunner {
  /**
   * Does an action once. Resolves with undefined if it succeeded, otherwise with the reason in
   * words. Never rejects. When the signal is aborted, it ends what it began; nothing is begun with
   * a signal that is aborted already.
   */
  run(does: ActionDoes, told: Told, signal: AbortSignal): Promise<string | undefined>
}

export class SystemRunner implements ActionRunner {
  readonly #clock: Pick<Clock, 'after'>

  constructor(clock: Pick<Clock, 'after'> = systemClock) {
    this.#clock = clock
  }

  async run(does: ActionDoes, told: Told, signal: AbortSignal): Promise<string | undefined> {
    if (signal.aborted) return ENDED
    try {
      return 'run' in does
        ? await runProgram(does.run, told, signal, this.#clock)
        : await postDocument(does.post, told.document, signal)
    } catch (error) {
      // Of the system's own words only the code: they may have the address with its secrets.
      return `cannot be started (${(error as NodeJS.ErrnoException).code ?? 'an unknown reason'})`
    }
  }
}
