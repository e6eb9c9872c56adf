// A keeper that a test plays: `keepInstalled` of every handle waits for its signal, and reports
// what the test says. Replaces a method of `Knock`.
import type { Test } from 'tap'
import { type KeepEvent, type KeepOptions, Knock } from '../../lib/index.js'
import { FakeProcess, type Ran, runCommand, type Surroundings } from './command-line.js'

export type Line = Readonly<Record<string, unknown>> & { readonly event: string }

export class FakeKeeper {
  /** The options of each call. */
  readonly calls: KeepOptions[] = []
  /** What is reported after the signal is aborted. */
  atEnd: readonly KeepEvent[] = []
  /** What each call waits for after its signal. */
  hold: Promise<void> = Promise.resolve()

  constructor(t: Test) {
    const { keepInstalled } = Knock.prototype
    t.teardown(() => {
      Knock.prototype.keepInstalled = keepInstalled
    })
    Knock.prototype.keepInstalled = async (options) => {
      this.calls.push(options)
      const { signal } = options
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await this.hold
      for (const event of this.atEnd) options.onEvent?.(event)
    }
  }

  /** Reports an event to the last call. */
  report(event: KeepEvent): void {
    this.calls.at(-1)?.onEvent?.(event)
  }
}

/** `knocklib run` in this process. */
export class FakeRun {
  readonly process = new FakeProcess()
  readonly ended: Promise<Ran>

  constructor(argv: readonly string[], around: Surroundings) {
    const { process } = this
    this.ended = runCommand(['run', ...argv], { ...around, process })
  }

  get lines(): Line[] {
    const { text } = this.process.stdout
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]))
  }

  /** Waits for the nth line with this event. */
  async heard(event: string, count = 1): Promise<Line> {
    for (;;) {
      const line = this.lines.filter((each) => each.event === event)[count - 1]
      if (line) return line
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  end(signal = 'SIGTERM'): Promise<Ran> {
    this.process.emit(signal)
    return this.ended
  }
}
