// A condition → the moment when it holds, or an error that says what did not come.
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds to wait for what must come: a loaded machine is slow. */
export const PATIENCE = 20_000

/**
 * Waits until something is so.
 *
 * @param what - what is waited for, in words.
 * @param say - returns what has come instead.
 */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  say: () => string = () => '',
  patience: number = PATIENCE,
): Promise<void> {
  const end = performance.now() + patience
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`no ${what} within ${patience} ms\n${say()}`)
    await sleep(10)
  }
}
