// A command line → a process's output and exit. The only importer of execa.
import { CapabilityError, NftError } from '../../errors.js'
import { searchPath } from './binary.js'
import { type Asked, type Ending, LONGEST_ANSWER, RESOURCES, signalOf } from './failure.js'
import { CUT_OFF, type Given } from './hand-over.js'

/** How a run of nft ended. */
export interface Result extends Ending {
  readonly argv: readonly string[]
  readonly failed: boolean
  readonly stdout: string
  readonly stderr: string
}

/** Says how a run ended, without what nft wrote: that may quote the document and its secrets. */
export function outcomeOf(result: Result): string {
  const { failed, timedOut, isCanceled, isMaxBuffer, code, exitCode } = result
  if (!failed) return 'done'
  if (timedOut) return 'timed out'
  if (isCanceled) return 'aborted'
  if (isMaxBuffer) return 'answer too long'
  const signal = signalOf(result)
  if (signal !== undefined) return `ended by ${signal}`
  return exitCode === undefined ? `not started (${code})` : `exit code ${exitCode}`
}

/** nft is the last command of the pipe, so the shell's exit code is nft's. */
const THROUGH_CAT = `{ cat || echo '${CUT_OFF}' >&2; } | "$@"`

/** Ends the processes that an ended shell has started: they are in its group. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has ended already.
  }
}

/** Loads execa with the first run: it takes longer than everything else at the start. */
async function loadExeca(asked: Asked): Promise<typeof import('execa')['execa']> {
  try {
    return (await import('execa')).execa
  } catch (error) {
    throw exhausted(error, asked)
  }
}

/** Returns a CapabilityError if a resource of the system is used up, else the error unchanged. */
export function exhausted(error: unknown, { operation = 'nft', subject }: Asked): unknown {
  const { code = '' } = error as NodeJS.ErrnoException
  const provider = RESOURCES[code]
  if (provider === undefined) return error
  return new CapabilityError(
    `${operation}: ${subject}`,
    `no file can be opened (${code})`,
    provider,
    {
      cause: error,
    },
  )
}

export interface Limits extends Asked {
  readonly signal?: AbortSignal
  /** In milliseconds. */
  readonly timeout: number
}

/**
 * Runs nft once. Resolves with the result also if nft fails.
 *
 * @throws NftError `aborted` if the signal is already aborted; then nothing is started.
 * @throws CapabilityError if no file descriptor is left.
 */
export async function run(
  argv: readonly string[],
  asked: Limits,
  { input, descriptor, isPiped = false }: Partial<Given>,
): Promise<Result> {
  // With an aborted signal execa would start nft and then end it, perhaps after the change.
  if (asked.signal?.aborted) {
    throw new NftError('aborted', `${asked.operation ?? 'nft'}: ${asked.subject}: aborted`)
  }
  const execa = await loadExeca(asked)
  const [command, ...rest] = isPiped ? ['/bin/sh', '-c', THROUGH_CAT, 'sh', ...argv] : argv
  const child = execa(command as string, rest, {
    // Any descriptor works; execa's types name only the small ones.
    ...(input === undefined ? { stdin: (descriptor as 3 | undefined) ?? 'ignore' } : { input }),
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: searchPath() },
    reject: false,
    timeout: asked.timeout,
    maxBuffer: asked.longest ?? LONGEST_ANSWER,
    // A process group of its own, so that nft can be ended together with its shell.
    detached: isPiped,
    ...(asked.signal && { cancelSignal: asked.signal }),
  })
  // On `exit`, not on `close`: nft holds the shell's stdout, too, and would keep it open.
  if (isPiped) child.once('exit', (_code, by) => by !== null && endGroup(child.pid))
  const result = await child
  const { failed, stdout, stderr, exitCode, signal, code, cause } = result
  const { timedOut, isCanceled, isMaxBuffer } = result
  const ending = { exitCode, signal, code, cause, timedOut, isCanceled, isMaxBuffer }
  return { ...ending, failed, argv, stdout: String(stdout ?? ''), stderr: String(stderr ?? '') }
}
