// A document → the nft process that reads it, through a pipe, or a file if a pipe does not work.
import { randomUUID } from 'node:crypto'
import { mkdtemp, open, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ending } from './failure.js'

/** What nft is started with. */
export interface Given {
  /** What stands behind `-f`. */
  readonly file: string
  /** What is written to its stdin. */
  readonly input?: string
  /** Its stdin. */
  readonly descriptor?: number
  /**
   * Whether the input goes through `cat`: then stdin is a pipe, and not the socket that Node makes.
   */
  readonly isPiped?: boolean
}

type Run<T extends Ending> = (given: Given) => Promise<T>

type Name = 'stdin' | 'file' | 'pipe' | 'named'
type Way = <T extends Ending>(text: string, run: Run<T>) => Promise<T>

/**
 * An own stdin by a name that can be opened. /dev/fd and /dev/stdin are links to it, and some
 * machines lack them.
 */
const OWN_STDIN = '/proc/self/fd/0'

/**
 * Nobody else may read the document, and it never stands in nft's arguments: it shows the knocks.
 *
 * - `stdin`: nft reads what it inherits and opens nothing, so SELinux allows it. Older versions
 *   (1.0.6) open /dev/stdin instead, which fails for a socket before anything is done.
 * - `file`: a file that has no name any more, as stdin. nft opens it again.
 * - `pipe`: as `stdin`, with a pipe that can be opened. It needs no disk. An nft that opens a pipe
 *   (1.0.6) answers JSON that ends half-way with success, so `cat` says if it did not give all of
 *   it.
 * - `named`: a file in a private folder, for a machine without /proc.
 */
const WAYS: Readonly<Record<Name, Way>> = {
  stdin: (input, run) => run({ file: '-', input }),
  async file(text, run) {
    const path = join(tmpdir(), `knocklib-${randomUUID()}`)
    const file = await open(path, 'wx+', 0o600)
    try {
      await unlink(path)
      await file.writeFile(text)
      return await run({ file: OWN_STDIN, descriptor: file.fd })
    } finally {
      await file.close()
    }
  },
  pipe: (input, run) => run({ file: OWN_STDIN, input, isPiped: true }),
  async named(text, run) {
    const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
    try {
      const path = join(folder, 'document')
      await writeFile(path, text, { flag: 'wx', mode: 0o600 })
      return await run({ file: path })
    } finally {
      await rm(folder, { recursive: true })
    }
  },
}

/** Versions that read stdin without opening it, and older ones. All ways are tried in the end. */
const ORDERS: Readonly<Record<'newer' | 'older', readonly Name[]>> = {
  newer: ['stdin', 'file', 'pipe', 'named'],
  older: ['file', 'pipe', 'stdin', 'named'],
}

/** How each way failed, in the words of the system or of nft. */
export interface Unreadable {
  readonly reasons: readonly string[]
}

export class HandOver {
  #order: readonly Name[] = ORDERS.newer
  /** Whether a way was found. */
  #isKnown = false

  /** Begins with the way that costs such a version least, unless one was found already. */
  expect(version: 'newer' | 'older'): void {
    if (!this.#isKnown) this.#order = ORDERS[version]
  }

  /**
   * Gives a document to nft by the way that worked last, or else by the others in order. If nft
   * cannot open what it is given, it has done nothing.
   *
   * @throws what `run` throws, and the system's error if no file descriptor is left.
   */
  async give<T extends Ending>(text: string, run: Run<T>): Promise<T | Unreadable> {
    const reasons: string[] = []
    for (const name of this.#order) {
      const done = await attempt(name, text, run)
      if (typeof done === 'string') {
        reasons.push(done)
        continue
      }
      this.#isKnown = true
      this.#order = [name, ...this.#order.filter((other) => other !== name)]
      return done
    }
    return { reasons: [...new Set(reasons)] }
  }
}

/** What came of one way; text: why it cannot be used here. */
async function attempt<T extends Ending>(
  name: Name,
  text: string,
  run: Run<T>,
): Promise<T | string> {
  let isStarted = false
  try {
    const ending = await WAYS[name](text, (given) => {
      isStarted = true
      return run(given)
    })
    return unread(ending, name) ?? ending
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // The file could not be written: no space, a system that is read-only, no such folder.
    if (isStarted || code === undefined || /^E[MN]FILE$/.test(code)) throw error
    return message
  }
}

/** `cat`'s failure, as the script of the pipe reports it. */
export const CUT_OFF = 'knocklib: the document was cut off'

/** Why nft has not read the document; undefined if it has. */
function unread({ exitCode, stderr, code }: Ending, name: Name): string | undefined {
  const text = String(stderr ?? '')
  if (name === 'pipe' && code === 'ENOENT') return 'there is no /bin/sh'
  if (exitCode === 0) return name === 'pipe' && text.includes(CUT_OFF) ? CUT_OFF : undefined
  const line = /^.*Could not open file "[^"]*".*$/m.exec(text)?.[0]
  if (line !== undefined) return line.replace(/^.*Error: /, '')
  // A version that keeps its stdin for its own language alone: for JSON there is nothing left.
  const isMisread = name === 'stdin' && /^\/dev\/stdin:1:1-1: Error: syntax error/m.test(text)
  return isMisread ? 'nft does not read JSON from its stdin' : undefined
}
