// The events of one action → it is done for each in turn, a few at a time. What waits is bounded.
import type { Clock } from '../clock/clock.js'
import { formatDuration } from '../spec/model/duration.js'
import type { ValidAction } from '../spec/model/model.js'
import { type ActionReport, ActionReports } from './reports.js'
import type { ActionRunner } from './runner.js'
import { type ActedEvent, laneOf, tellOf } from './told.js'

/** The most events that wait for an action, and that it is done for at a time. */
export const MOST_WAITING = 100
export const MOST_RUNNING = 4

/** What became of the events of an action. */
export interface ActionCounts {
  /** The action's index in the spec's `actions`. */
  readonly action: number
  readonly done: number
  readonly failed: number
  /** Events that were left out because too many waited. */
  readonly lost: number
}

export interface QueueOptions {
  readonly table: string
  readonly clock: Clock
  readonly runner: ActionRunner
  readonly report: (report: ActionReport & { readonly action: number }) => void
}

export class ActionQueue {
  readonly action: ValidAction
  /** The action's index in the spec that is kept now. */
  index: number
  /** The turn in which it was begun last. */
  begun = 0
  readonly #options: QueueOptions
  readonly #reports: ActionReports
  readonly #waiting: ActedEvent[] = []
  /** The lanes in which it is under way, each with what ends it. */
  readonly #running = new Map<string, AbortController>()
  #done = 0
  #failed = 0
  #lost = 0

  constructor(action: ValidAction, index: number, options: QueueOptions) {
    this.action = action
    this.index = index
    this.#options = options
    this.#reports = new ActionReports(options.clock, (report) =>
      options.report({ ...report, action: this.index }),
    )
  }

  get counts(): ActionCounts {
    const [action, done, failed, lost] = [this.index, this.#done, this.#failed, this.#lost]
    return { action, done, failed, lost }
  }

  /** Whether nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#running.size === 0
  }

  /** Whether there is an event that it can be done for now. */
  get isReady(): boolean {
    return this.#running.size < MOST_RUNNING && this.#next() >= 0
  }

  add(event: ActedEvent): void {
    this.#waiting.push(event)
    if (this.#waiting.length > MOST_WAITING) this.#leaveOne()
  }

  /**
   * Leaves out the oldest event of the kind and door of which the most wait: a flood of what
   * anybody can cause leaves out its own, and the newest says how things are.
   */
  #leaveOne(): void {
    const kindOf = (event: ActedEvent) => `${event.event} ${'door' in event ? event.door : ''}`
    const counts = new Map<string, number>()
    for (const event of this.#waiting) {
      counts.set(kindOf(event), (counts.get(kindOf(event)) ?? 0) + 1)
    }
    const most = Math.max(...counts.values())
    const index = this.#waiting.findIndex((event) => counts.get(kindOf(event)) === most)
    this.#waiting.splice(index, 1)
    this.#leaveOut(1)
  }

  #leaveOut(count: number): void {
    this.#lost += count
    this.#reports.leftOut(count)
  }

  /** The index of the first waiting event whose lane is free; -1 if there is none. */
  #next(): number {
    return this.#waiting.findIndex((event) => !this.#running.has(laneOf(event)))
  }

  /** Does it for the next event. Settles when that is over; never rejects. */
  async begin(): Promise<void> {
    const [event] = this.#waiting.splice(this.#next(), 1)
    if (!event) return
    const { clock, runner, table } = this.#options
    const { does, timeout } = this.action
    const lane = laneOf(event)
    const end = new AbortController()
    this.#running.set(lane, end)
    const late = `took longer than ${formatDuration(timeout)}, and was ended`
    const cancel = clock.after(1000 * timeout, () => end.abort(late))
    const failure = await runner.run(does, tellOf(event, table), end.signal)
    cancel()
    this.#running.delete(lane)
    if (failure === undefined) this.#done += 1
    else {
      this.#failed += 1
      this.#reports.failed(event, end.signal.aborted ? String(end.signal.reason) : failure)
    }
  }

  /** Leaves out what waits. What is under way goes on. */
  drop(): void {
    this.#leaveOut(this.#waiting.splice(0).length)
    this.#reports.flush()
  }

  /** Ends what is under way, for a reason in words. */
  end(reason: string): void {
    for (const end of this.#running.values()) end.abort(reason)
  }

  /** Reports at once what is not reported yet. */
  flush(): void {
    this.#reports.flush()
  }
}
