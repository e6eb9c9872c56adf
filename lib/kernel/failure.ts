// What a failed run of nft means → an NftError that says it. Pure.
import { NftError, type NftErrorCode, type NftFailure } from '../errors.js'
import type { NftDocument } from '../nft/document.js'

/** What was asked of nft. */
export interface Asked {
  readonly operation?: string
  /** What it was about, for the message. */
  readonly subject: string
  readonly document?: NftDocument
}

/** How the process ended, in execa's words. */
export interface Ending {
  readonly code?: string | undefined
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  readonly stderr?: unknown
  readonly timedOut: boolean
  readonly isCanceled: boolean
  readonly cause?: unknown
}

const STATE_UNKNOWN = 'whether the change was made is not known'

export function describeFailure(ending: Ending, argv: readonly string[], asked: Asked): NftError {
  const stderr = String(ending.stderr ?? '').trim()
  const { code, reason, origin } = explain(ending, stderr, asked)
  const { operation = 'nft', subject } = asked
  const where = origin === undefined ? '' : ` (${origin})`
  const failure: NftFailure & ErrorOptions = {
    argv,
    stderr,
    exitCode: ending.exitCode,
    signal: ending.signal,
    origin,
    ...(ending.cause !== undefined && { cause: ending.cause }),
  }
  return new NftError(code, `${operation}: ${subject}${where}: ${reason}`, failure)
}

interface Explanation {
  readonly code: NftErrorCode
  readonly reason: string
  readonly origin?: string | undefined
}

function explain(ending: Ending, stderr: string, { document }: Asked): Explanation {
  const { timedOut, isCanceled, code, signal } = ending
  const unknown = document ? `; ${STATE_UNKNOWN}` : ''
  if (timedOut) return { code: 'timed-out', reason: `nft took too long and was ended${unknown}` }
  if (isCanceled) return { code: 'aborted', reason: `aborted${unknown}` }
  if (code === 'ENOENT' || /nsenter: failed to execute/.test(stderr)) {
    const reason =
      'nft was not found: install the package nftables, or name the binary in KNOCKLIB_NFT'
    return { code: 'nft-missing', reason }
  }
  if (code === 'EACCES') return { code: 'not-permitted', reason: 'nft may not be executed' }
  if (signal !== undefined) {
    const reason = `nft crashed (${signal}): a newer nft has probably written tables in this network namespace, which this version cannot read; use one version per namespace${unknown}`
    return { code: 'nft-crashed', reason }
  }
  return explainText(stderr, document)
}

/** nft's errors are text; the words are the C library's, which LC_ALL=C fixes. */
function explainText(stderr: string, document: NftDocument | undefined): Explanation {
  if (/Operation not permitted|must be root/.test(stderr)) {
    return { code: 'not-permitted', reason: 'not permitted: nft needs CAP_NET_ADMIN (root)' }
  }
  if (/nsenter: (?:cannot open|reassociate)/.test(stderr)) {
    return { code: 'not-found', reason: firstLine(stderr) }
  }
  if (/No such file or directory/.test(stderr)) return { code: 'not-found', reason: 'not there' }
  if (/File exists/.test(stderr)) return { code: 'already-exists', reason: 'there already' }
  const index = /Parsing command array at index (\d+) failed/.exec(stderr)?.[1]
  const origin = index === undefined ? undefined : originOf(document, Number(index))
  return {
    code: 'rejected',
    reason: `nft refused it: ${firstLine(stderr) || 'without a word'}`,
    origin,
  }
}

const firstLine = (text: string): string => text.split('\n')[0] ?? ''

/** The comment of the command that nft named. Where it named none, nothing is guessed. */
function originOf(document: NftDocument | undefined, index: number): string | undefined {
  const command = document?.nftables[index]
  if (!command || !('add' in command) || !('rule' in command.add)) return undefined
  return command.add.rule.comment
}
