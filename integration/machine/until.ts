// A condition → the moment when it holds, or an error that says what did not come. What a loaded
// machine can spoil → the same again.
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

/**
 * Plays something by the clock until it is right. A loaded machine may keep no pause of a client,
 * and a person would knock again, too.
 *
 * @param tries - how often it is played at the most.
 * @returns what it gave last.
 */
export async function again<T>(
  play: () => Promise<T>,
  isRight: (seen: T) => boolean,
  tries = 3,
): Promise<T> {
  const seen = await play()
  return isRight(seen) || tries === 1 ? seen : again(play, isRight, tries - 1)
}
