// A failed run of nft → an error with a code and what nft said. Pure.
import { constants } from 'node:os'
import { CapabilityError, NftError, type NftErrorCode, type NftFailure } from '../../errors.js'
import type { NftCommand, NftDocument } from '../../nft/document.js'
import { FULL } from '../nft.js'
import type { Binary } from './binary.js'
import { commandIn, withoutQuotes } from './said.js'

/** A request to nft. */
export interface Asked {
  readonly operation?: string
  /** The object of the request, for the message: `table inet knock`. */
  readonly subject: string
  readonly document?: NftDocument
  /** The most bytes of the answer. */
  readonly longest?: number
  /** Whether nft was given the document as a script in its own language. */
  readonly isScript?: boolean
  /** What the document needs and was found missing after it failed; undefined if not checked. */
  readonly absent?: 'table' | 'part' | 'nothing' | undefined
}

/** How nft was started. */
export interface Place {
  readonly argv: readonly string[]
  readonly binary: Binary
  /** The network namespace, if it is another one. */
  readonly netns?: string | undefined
}

/** How the process ended, with execa's names. */
export interface Ending {
  readonly code?: string | undefined
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  readonly stderr?: unknown
  readonly timedOut: boolean
  readonly isCanceled: boolean
  readonly isMaxBuffer?: boolean
  readonly cause?: unknown
}

/** The most bytes of an answer. */
export const LONGEST_ANSWER = 2 ** 29

const STATE_UNKNOWN = 'whether the change was made is not known'

/** Something is missing on this machine, so that nft did not start or cannot do this. */
interface Lack {
  readonly missing: string
  readonly provider: string
}

interface Explanation {
  readonly code: NftErrorCode
  readonly reason: string
  readonly origin?: string | undefined
}

export function describeFailure(
  ending: Ending,
  place: Place,
  asked: Asked,
): NftError | CapabilityError {
  const stderr = withoutQuotes(String(ending.stderr ?? ''), asked.isScript ?? false)
  const { operation = 'nft', subject } = asked
  const found = explain(ending, stderr, place, asked)
  const cause = ending.cause !== undefined && { cause: ending.cause }
  if ('missing' in found) {
    return new CapabilityError(`${operation}: ${subject}`, found.missing, found.provider, {
      cause: ending.cause ?? new Error(stderr),
    })
  }
  const { code, reason, origin } = found
  const where = origin === undefined ? '' : ` (${origin})`
  const { argv } = place
  const signal = signalOf(ending)
  const { exitCode } = ending
  const failure: NftFailure & ErrorOptions = { argv, stderr, exitCode, signal, origin, ...cause }
  return new NftError(code, `${operation}: ${subject}${where}: ${reason}`, failure)
}

function explain(ending: Ending, stderr: string, place: Place, asked: Asked): Explanation | Lack {
  const { timedOut, isCanceled, isMaxBuffer, code } = ending
  const unknown = asked.document ? `; ${STATE_UNKNOWN}` : ''
  if (timedOut) return { code: 'timed-out', reason: `nft took too long and was ended${unknown}` }
  if (isCanceled) return { code: 'aborted', reason: `aborted${unknown}` }
  if (isMaxBuffer) {
    const most = (asked.longest ?? LONGEST_ANSWER) / 2 ** 20
    const reason = `nft's answer is longer than ${most} MiB, and was not read to its end`
    return { code: 'ended', reason }
  }
  const notStarted = explainStart(code, ending, stderr, place)
  if (notStarted) return notStarted
  const signal = signalOf(ending)
  if (signal !== undefined) return explainSignal(signal, unknown)
  return explainText(stderr, asked)
}

/** Returns the signal that ended nft; a shell that ran nft reports it in its exit code. */
export function signalOf({ signal, exitCode = 0 }: Ending): string | undefined {
  if (signal !== undefined || exitCode <= 128) return signal
  return Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0]
}

const CRASHES = new Set(['SIGSEGV', 'SIGABRT', 'SIGIOT', 'SIGBUS', 'SIGILL', 'SIGFPE'])

function explainSignal(signal: string, unknown: string): Explanation {
  if (CRASHES.has(signal)) {
    const reason =
      `nft crashed (${signal}): it may be that a newer nft has written tables in this ` +
      'network namespace, which this version cannot read; use one version per ' +
      `namespace${unknown}`
    return { code: 'nft-crashed', reason }
  }
  const who =
    signal === 'SIGKILL'
      ? 'by a user, or by the kernel because memory ran out (dmesg shows that)'
      : 'from outside'
  return { code: 'ended', reason: `nft was ended ${who} (${signal})${unknown}` }
}

/** Returns why nft did not start; undefined if it did. */
function explainStart(
  code: string | undefined,
  { exitCode }: Ending,
  stderr: string,
  { argv, binary, netns }: Place,
): Explanation | Lack | undefined {
  const { chosen, advice } = binary
  if (code === 'ENOENT' && netns !== undefined && argv[0] === 'nsenter') {
    return { missing: 'nsenter was not found', provider: 'install the package util-linux' }
  }
  if (/^(ENOENT|ENOTDIR|ELOOP)$/.test(code ?? '') || /nsenter: failed to execute/.test(stderr)) {
    return { code: 'nft-missing', reason: `nft was not found (${chosen}): ${advice}` }
  }
  if (code === 'EACCES' || code === 'ENOEXEC' || exitCode === 126) {
    return { code: 'not-permitted', reason: `nft may not be executed (${chosen}): ${advice}` }
  }
  if (code !== undefined && /^E[A-Z0-9]+$/.test(code) && exitCode === undefined) {
    return { missing: `nft cannot be started (${code})`, provider: RESOURCES[code] ?? 'try again' }
  }
  if (/nsenter: (?:cannot open|reassociate)/.test(stderr) && !/not permitted/.test(stderr)) {
    return {
      missing: `network namespace ${netns}: ${firstLine(stderr)}`,
      provider: 'ip netns list shows those that are there',
    }
  }
  if (exitCode === 127) {
    const said = firstLine(stderr) || 'exit code 127'
    const reason = `nft cannot be run (${chosen}): ${said}; ${advice}`
    return { code: 'nft-missing', reason }
  }
  return undefined
}

const DESCRIPTORS = 'raise the limit of open files (ulimit -n, or LimitNOFILE= of the service)'
const PROCESSES = 'raise the limit of processes (ulimit -u, or TasksMax= of the service)'

/** What to do if a process cannot be started, by the system's name of the error. */
export const RESOURCES: Readonly<Record<string, string>> = {
  EMFILE: DESCRIPTORS,
  ENFILE: 'the system has no file descriptor left: raise fs.file-max, or end what holds them',
  EAGAIN: PROCESSES,
  ENOMEM: 'the system has no memory left',
}

/** Reads nft's error text. Its words are the C library's, and LC_ALL=C fixes their language. */
function explainText(stderr: string, asked: Asked): Explanation | Lack {
  const { document, isScript = false } = asked
  if (/Operation not permitted|must be root/.test(stderr)) {
    return { code: 'not-permitted', reason: 'not permitted: nft needs CAP_NET_ADMIN (root)' }
  }
  if (/JSON support not compiled|compiled without JSON/i.test(stderr)) {
    return {
      missing: `nft has no JSON: it says "${firstLine(stderr)}"`,
      provider:
        'install an nft that was built with it (OpenWrt: nftables-json in place of ' +
        'nftables-nojson; Gentoo: USE=json)',
    }
  }
  if (UNSUPPORTED.test(stderr)) return kernelLacks(stderr)
  if (NOTHING.test(stderr)) return explainNothing(stderr, asked)
  if (/Too many open files in system/.test(stderr)) return { code: 'rejected', reason: FULL }
  if (/File exists/.test(stderr)) return { code: 'already-exists', reason: 'there already' }
  const index = commandIn(stderr, isScript)
  const origin = index === undefined ? undefined : originOf(document, index)
  const said = firstLine(stderr) || 'it gave no reason'
  return { code: 'rejected', reason: `nft refused it: ${said}`, origin }
}

const UNSUPPORTED = new RegExp(
  [
    '(?:Operation|Protocol|Address family) not supported',
    'Protocol not available',
    'Function not implemented',
  ].join('|'),
)

/** nft's words for a missing object. Without "Error:" they may be another program's, of a file. */
export const NOTHING = /^(?:\S+ )?Error: (?:Could not process rule: )?No such file or directory/m

/** Whether a listing is needed to say what was missing. */
export const asksWhatIsThere = ({ stderr }: Ending, { document }: Asked): boolean =>
  document !== undefined && NOTHING.test(String(stderr ?? '')) && !makesTable(document)

/**
 * Explains "No such file or directory". For a listing it means that the object does not exist. For
 * a document it can also mean that the kernel lacks a module; if the document makes the table, it
 * cannot mean the table.
 */
function explainNothing(stderr: string, { document, absent }: Asked): Explanation | Lack {
  if (!document || absent === 'table') return { code: 'not-found', reason: 'not there' }
  if (absent === 'part') {
    const reason = `something that it names is not there: ${firstLine(stderr)}`
    return { code: 'not-found', reason }
  }
  return kernelLacks(stderr)
}

function makesTable({ nftables }: NftDocument): boolean {
  return nftables.some(
    (command) => 'create' in command || ('add' in command && 'table' in command.add),
  )
}

/** Whether the kernel may need a module for this command. */
export const makesParts = (command: NftCommand): boolean =>
  'add' in command && !('element' in command.add)

const kernelLacks = (stderr: string): Lack => ({
  missing: `the kernel lacks something that this needs: nft says "${firstLine(stderr)}"`,
  provider:
    'a module of nf_tables may be missing or may not be loaded (modprobe nf_tables; ' +
    'in a container, on the host), or the kernel was built without it',
})

const firstLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '') ?? ''

/** Returns the comment of the rule at an index of the document; undefined if it is not a rule. */
function originOf(document: NftDocument | undefined, index: number): string | undefined {
  const command = document?.nftables[index]
  if (!command || !('add' in command) || !('rule' in command.add)) return undefined
  return command.add.rule.comment
}
