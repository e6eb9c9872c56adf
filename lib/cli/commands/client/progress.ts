// How far a knock is → a line on a terminal, and none elsewhere.
import type { SendProgress } from '../../../index.js'

/** Milliseconds that a knock may still take without a line about it. */
const SHORT = 1000

/** Where the line is written: process.stderr. */
interface Screen {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Writes over a line of its own, which `end` takes away. */
export class ProgressLine {
  readonly #screen: Screen
  #isShown = false

  constructor(screen: Screen) {
    this.#screen = screen
  }

  show({ sent, of, remaining }: SendProgress): void {
    if (!this.#isShown && remaining < SHORT) return
    const seconds = Math.ceil(remaining / 1000)
    this.say(`knocking: ${sent} of ${of} packets sent, ${seconds} s left`)
  }

  /** Says something else in its place. */
  say(text: string): void {
    if (!this.#screen.isTTY) return
    this.#isShown = true
    this.#screen.write(`\r\u001b[K${text}`)
  }

  end(): void {
    if (this.#isShown) this.#screen.write('\r\u001b[K')
    this.#isShown = false
  }
}
