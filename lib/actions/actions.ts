// The actions of a spec and the events of its table → programs that run, and requests that are
// sent. Nobody waits for them, and nothing here throws.
import { type Clock, systemClock } from '../clock/clock.js'
import type { ValidAction } from '../spec/model/model.js'
import type { ActionFailedEvent, ActionOverrunEvent, KnockEvent } from '../view/event.js'
import { Pace } from './pace.js'
import { type ActionCounts, ActionQueue } from './queue.js'
import { type ActionRunner, SystemRunner } from './runner.js'
import { isActedOn } from './told.js'

/** Milliseconds at the end: for what waits and runs, and then for what is being ended. */
const LAST = 5000
const ENDING = 3000

const AT_THE_END = 'was ended, because the keeper ends'

export interface ActionsOptions {
  readonly clock?: Clock
  readonly runner?: ActionRunner
}

/** Whose events are acted on. */
export interface Acting {
  readonly table: string
  /** Called with failures, and with the number of events that were left out. Must not throw. */
  readonly report: (event: ActionFailedEvent | ActionOverrunEvent) => void
  /** Whether this process is the one that acts for the table. Asked for each event. */
  readonly isOurs: () => boolean
}

export class Actions {
  readonly #clock: Clock
  readonly #runner: ActionRunner
  readonly #pace = new Pace()
  #queues: ActionQueue[] = []
  /** Queues of actions that the spec no longer has, while they are under way. */
  readonly #retired = new Set<ActionQueue>()
  #acting: Acting | undefined
  #turns = 0
  /** Cancels the wait until the next may be begun. */
  #waits: (() => void) | undefined
  #ended: Promise<void> | undefined
  /** Called when something is over. */
  #over = () => {}

  constructor({ clock = systemClock, runner = new SystemRunner(clock) }: ActionsOptions = {}) {
    this.#clock = clock
    this.#runner = runner
  }

  get counts(): readonly ActionCounts[] {
    return this.#queues.map(({ counts }) => counts)
  }

  /**
   * From now on these are the actions. Those that were there before keep what waits for them. What
   * waits for others is left out; what is under way ends by itself.
   */
  use(actions: readonly ValidAction[], acting: Acting): void {
    this.#acting = acting
    const before = [...this.#queues]
    const { table } = acting
    const options = {
      ...{ table, clock: this.#clock, runner: this.#runner },
      // The one that acts then, which may be another.
      report: (event: ActionFailedEvent | ActionOverrunEvent) => this.#acting?.report(event),
    }
    this.#queues = actions.map((action, index) => {
      const same = before.findIndex((queue) => isSame(queue.action, action))
      const [queue = new ActionQueue(action, index, options)] =
        same < 0 ? [] : before.splice(same, 1)
      queue.index = index
      return queue
    })
    for (const queue of before) {
      queue.drop()
      if (!queue.isIdle) this.#retired.add(queue)
    }
  }

  take(event: KnockEvent): void {
    if (this.#ended) return
    const queues = this.#queues.filter(({ action }) => isActedOn(action, event))
    if (queues.length === 0 || !this.#acting?.isOurs()) return
    for (const queue of queues) if (isActedOn(queue.action, event)) queue.add(event)
    this.#begin()
  }

  /** Begins what can be begun: in turn, so that no action keeps others waiting. */
  #begin(): void {
    for (;;) {
      const ready = this.#queues.filter(({ isReady }) => isReady)
      const [queue] = ready.toSorted((a, b) => a.begun - b.begun)
      if (!queue || this.#waits) return
      const wait = this.#pace.wait(this.#clock.now())
      if (wait > 0) {
        this.#waits = this.#clock.after(wait, () => {
          this.#waits = undefined
          this.#begin()
        })
        return
      }
      this.#pace.take()
      this.#turns += 1
      queue.begun = this.#turns
      void queue.begin().then(() => {
        if (queue.isIdle) this.#retired.delete(queue)
        this.#begin()
        this.#over()
      })
    }
  }

  /**
   * Takes no more events. What waits and runs has five seconds more, and is then ended. Resolves
   * when nothing is under way, and at the latest three seconds after that.
   */
  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    const all = () => [...this.#queues, ...this.#retired]
    await this.#idle(LAST)
    for (const queue of all()) {
      queue.drop()
      queue.end(AT_THE_END)
    }
    await this.#idle(ENDING)
    this.#waits?.()
    for (const queue of all()) queue.flush()
  }

  /** Resolves when nothing is under way, or after some milliseconds. */
  async #idle(milliseconds: number): Promise<void> {
    const limit = new AbortController()
    this.#over = () => {
      if ([...this.#queues, ...this.#retired].every(({ isIdle }) => isIdle)) limit.abort()
    }
    this.#over()
    await this.#clock.pause(milliseconds, limit.signal)
  }
}

const isSame = (a: ValidAction, b: ValidAction): boolean => keyOf(a) === keyOf(b)

const keyOf = ({ on, doors, does, timeout }: ValidAction): string =>
  JSON.stringify([on, doors, does, timeout])
