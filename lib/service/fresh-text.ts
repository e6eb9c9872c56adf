// What makes a text → what gives it to all who ask within a second, made by one call at a time.
import type { Clock } from '../clock/clock.js'

/** Milliseconds for which a text is reused: more requests do not ask the kernel more often. */
const FRESH = 1000

/**
 * Makes one call at a time and reuses its text until it is too old. A failure also goes to all who
 * wait for that call.
 */
export function freshText(
  render: () => Promise<string>,
  clock: Pick<Clock, 'now'>,
): () => Promise<string> {
  let last: { readonly text: Promise<string>; readonly until: number } | undefined
  return async () => {
    if (last && clock.now() < last.until) return last.text
    const text = render()
    last = { text, until: Number.POSITIVE_INFINITY }
    try {
      await text
      last = { text, until: clock.now() + FRESH }
    } catch {
      last = undefined
    }
    return text
  }
}
