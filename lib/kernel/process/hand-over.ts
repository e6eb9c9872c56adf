// A document → the nft process that reads it, through a pipe, or a file if a pipe does not work.
import { randomUUID } from 'node:crypto'
import { mkdtemp, open, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ending } from './failure.js'

/** The arguments and the stdin with which nft is started. */
export interface Given {
  /** The value of `-f`. */
  readonly file: string
  /** What is written to its stdin. */
  readonly input?: string
  /** The file descriptor that becomes its stdin. */
  readonly descriptor?: number
  /**
   * Whether the input goes through `cat`: then stdin is a pipe instead of the socket that Node
   * makes.
   */
  readonly isPiped?: boolean
  /** Whether a shell on another machine writes the input to a file that becomes nft's stdin. */
  readonly isFiled?: boolean
}

type Run<T extends Ending> = (given: Given) => Promise<T>

type Name = 'stdin' | 'file' | 'pipe' | 'named'
type Way = <T extends Ending>(text: string, run: Run<T>) => Promise<T>

/**
 * The path at which a process can open its own stdin. /dev/fd and /dev/stdin are links to it, and
 * some machines lack them.
 */
export const OWN_STDIN = '/proc/self/fd/0'

/**
 * The ways to give nft a document. No other user may read it, and it is never among nft's
 * arguments: it contains the knocks.
 *
 * - `stdin`: nft reads the socket that it inherits. It opens nothing, so SELinux allows it. Older
 *   versions (1.0.6) open /dev/stdin instead, which fails for a socket before anything changes.
 * - `file`: a deleted file as stdin. nft opens it again.
 * - `pipe`: as `stdin`, but with a pipe, which can be opened. It needs no disk. nft 1.0.6 reports
 *   success for JSON that ends half-way, so `cat` reports if it did not write everything.
 * - `named`: a file in a private folder, for a machine without /proc.
 */
const WAYS: Readonly<Partial<Record<Name, Way>>> = {
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

/**
 * How an nft on another machine is given a document: the input goes through ssh to a shell there,
 * which makes the file. Whether its stdin is a pipe or a socket does not matter then.
 */
export const REMOTE_WAYS: typeof WAYS = {
  file: (input, run) => run({ file: OWN_STDIN, input, isFiled: true }),
}

/** Newer versions read stdin without opening it. In the end all ways are tried. */
const ORDERS: Readonly<Record<'newer' | 'older', readonly Name[]>> = {
  newer: ['stdin', 'file', 'pipe', 'named'],
  older: ['file', 'pipe', 'stdin', 'named'],
}

/**
 * The ways that start nft when the whole text is in a file. nft executes a script that is cut off
 * as far as it goes.
 */
const WHOLE: readonly Name[] = ['file', 'named']

/** The reasons for which each way failed, in the words of the system or of nft. */
export interface Unreadable {
  readonly reasons: readonly string[]
}

export class HandOver {
  #order: readonly Name[] = ORDERS.newer
  /** Whether a way has worked. */
  #isKnown = false
  readonly #ways: typeof WAYS

  constructor(ways = WAYS) {
    this.#ways = ways
  }

  /** Begins with the cheapest way for such a version, unless a way has already worked. */
  expect(version: 'newer' | 'older'): void {
    if (!this.#isKnown) this.#order = ORDERS[version]
  }

  /**
   * Gives a document to nft by the way that worked last, and then by the others in order. That is
   * safe because an nft that cannot open its input has changed nothing.
   *
   * @param form - `script`: nft's own language, for which a pipe is no way.
   * @throws the errors of `run`, and the system's error if no file descriptor is left.
   */
  async give<T extends Ending>(
    text: string,
    run: Run<T>,
    form: 'json' | 'script' = 'json',
  ): Promise<T | Unreadable> {
    const reasons: string[] = []
    const names = this.#order.filter((name) => form === 'json' || WHOLE.includes(name))
    for (const name of names) {
      const way = this.#ways[name]
      if (!way) continue
      const done = await attempt(name, way, text, run)
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

/** Tries one way. Returns how nft ended, or as text why the way does not work here. */
async function attempt<T extends Ending>(
  name: Name,
  way: Way,
  text: string,
  run: Run<T>,
): Promise<T | string> {
  let isStarted = false
  try {
    const ending = await way(text, (given) => {
      isStarted = true
      return run(given)
    })
    return unread(ending, name) ?? ending
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // The file cannot be written: no space, a read-only file system, or no such folder.
    if (isStarted || code === undefined || /^E[MN]FILE$/.test(code)) throw error
    return message
  }
}

/** What the script of the pipe writes if `cat` fails. */
export const CUT_OFF = 'knocklib: the document was cut off'

/** What the shell of another machine writes if it cannot make a file. */
export const NO_FILE = 'knocklib: no folder takes a file'

/** Returns why nft has not read the document; undefined if it has. */
function unread({ exitCode, stderr, code }: Ending, name: Name): string | undefined {
  const text = String(stderr ?? '')
  if (name === 'pipe' && code === 'ENOENT') return 'there is no /bin/sh'
  if (exitCode === 0) return name === 'pipe' && text.includes(CUT_OFF) ? CUT_OFF : undefined
  const shell = [CUT_OFF, NO_FILE].find((words) => text.includes(words))
  if (shell !== undefined) return shell.replace('knocklib: ', '')
  const line = /^.*Could not open file "[^"]*".*$/m.exec(text)?.[0]
  if (line !== undefined) return line.replace(/^.*Error: /, '')
  // This version parses stdin as its own language first, so no JSON is left to read.
  const isMisread = name === 'stdin' && /^\/dev\/stdin:1:1-1: Error: syntax error/m.test(text)
  return isMisread ? 'nft does not read JSON from its stdin' : undefined
}
