// The error classes and the predicates on them. Each error has its data in fields; its message is
// derived from them. Pure.
import { printable } from './text/printable.js'
import { listProblems, type SpecProblem } from './text/problems.js'
import { describeWarning, type Warning } from './text/warning.js'

/** Why nft on another machine was not reached. */
export type SshErrorCode = 'ssh-missing' | 'unreachable' | 'host-key' | 'login-refused'

export type NftErrorCode =
  | SshErrorCode
  | 'not-found'
  | 'already-exists'
  | 'conflict'
  | 'not-permitted'
  | 'nft-missing'
  | 'nft-too-old'
  | 'nft-crashed'
  | 'timed-out'
  | 'aborted'
  | 'ended'
  | 'rejected'
  | 'unverified'

/**
 * What failed in the exchange with the kernel, or the name of the errno that the kernel answered,
 * such as `ENOBUFS`.
 */
export type NetlinkErrorCode = 'socket' | 'malformed' | 'overrun' | 'interrupted' | `E${string}`

export type KnockErrorCode =
  | NftErrorCode
  | 'invalid-spec'
  | 'warned'
  | 'invalid-argument'
  | 'invalid-document'
  | 'invalid-packet'
  | 'invalid-state'
  | 'other-table'
  | 'unexpected-listing'
  | 'missing-capability'
  | 'not-sent'
  | 'refused'
  | 'filtered'
  | NetlinkErrorCode

/**
 * The base of every error that knocklib throws on purpose. Its message reads "operation: subject:
 * reason". Control characters in echoed values are escaped.
 */
export abstract class KnockError extends Error {
  abstract readonly code: KnockErrorCode

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options)
  }
}

/** A document is wrong. `problems` has all problems; the message shows the first ones. */
export abstract class ProblemError extends KnockError {
  readonly problems: readonly SpecProblem[]

  /** @param most - how many problems the message shows at most. */
  constructor(
    subject: string,
    problems: readonly SpecProblem[],
    most: number,
    options?: ErrorOptions,
  ) {
    super(`${subject}: ${listProblems(problems, most)}`, options)
    this.problems = problems
  }
}

/** The spec is wrong. */
export class SpecError extends ProblemError {
  override readonly name = 'SpecError'
  readonly code = 'invalid-spec'

  constructor(operation: string, problems: readonly SpecProblem[], options?: ErrorOptions) {
    super(operation, problems, MOST_SHOWN_OF_SPEC, options)
  }
}

/** How many problems of a spec the message shows at most. */
const MOST_SHOWN_OF_SPEC = 1000

/** The spec is valid but has warnings, and the caller asked for `strict`. Nothing has changed. */
export class StrictError extends KnockError {
  override readonly name = 'StrictError'
  readonly code = 'warned'
  readonly warnings: readonly Warning[]

  constructor(operation: string, warnings: readonly Warning[]) {
    super(`${operation}: ${warnings.map(describeWarning).join('\n  ')}`)
    this.warnings = warnings
  }
}

/**
 * How many problems of a state or a profile the message shows at most: a file that is no state at
 * all may have a million.
 */
const MOST_SHOWN = 20

/** A saved state is wrong. */
export class StateError extends ProblemError {
  override readonly name = 'StateError'
  /** `other-table`: the state is valid, but it was saved from another table. */
  readonly code: 'invalid-state' | 'other-table'

  constructor(
    subject: string,
    problems: readonly SpecProblem[],
    options: ErrorOptions & { readonly code?: 'other-table' } = {},
  ) {
    super(subject, problems, MOST_SHOWN, options)
    this.code = options.code ?? 'invalid-state'
  }
}

/** A client's profile is wrong. */
export class ProfileError extends ProblemError {
  override readonly name = 'ProfileError'
  readonly code = 'invalid-argument'

  constructor(subject: string, problems: readonly SpecProblem[], options?: ErrorOptions) {
    super(subject, problems, MOST_SHOWN, options)
  }
}

/** A file is neither JSON nor YAML, or it has a key twice. */
export class DocumentError extends KnockError {
  override readonly name = 'DocumentError'
  readonly code = 'invalid-document'
}

/** An argument is no address, no duration or no step. The message echoes it. */
export class ArgumentError extends KnockError {
  override readonly name = 'ArgumentError'
  readonly code = 'invalid-argument'
}

/** How nft was called and what it answered. */
export interface NftFailure {
  readonly argv?: readonly string[] | undefined
  readonly stderr?: string | undefined
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  /** JSON Pointer into the spec; undefined if nft did not name the command that failed. */
  readonly origin?: string | undefined
}

/**
 * nft could not be run, or it refused. Nothing has changed, except that with `timed-out`,
 * `aborted`, `ended`, `nft-crashed` and `unverified` it is not known whether the transaction was
 * applied.
 */
export class NftError extends KnockError {
  override readonly name = 'NftError'
  readonly code: NftErrorCode
  readonly argv: readonly string[]
  readonly stderr: string
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly origin: string | undefined

  constructor(code: NftErrorCode, message: string, failure: NftFailure & ErrorOptions = {}) {
    super(message, 'cause' in failure ? { cause: failure.cause } : undefined)
    this.code = code
    this.argv = failure.argv ?? []
    this.stderr = failure.stderr ?? ''
    this.exitCode = failure.exitCode
    this.signal = failure.signal
    this.origin = failure.origin
  }
}

/** A netlink socket failed, or the kernel refused a request that was sent through one. */
export class NetlinkError extends KnockError {
  override readonly name = 'NetlinkError'
  readonly code: NetlinkErrorCode
  /** The request that failed. */
  readonly operation: string

  constructor(code: NetlinkErrorCode, operation: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.operation = operation
  }
}

/** nft's listing of a table has not the form that knocklib writes: see `fragment`. */
export class ListingError extends KnockError {
  override readonly name = 'ListingError'
  readonly code = 'unexpected-listing'
  readonly fragment: unknown

  constructor(message: string, fragment: unknown) {
    super(message)
    this.fragment = fragment
  }
}

/** The machine or the process lacks something: `missing`. `provider` says how to get it. */
export class CapabilityError extends KnockError {
  override readonly name = 'CapabilityError'
  readonly code = 'missing-capability'
  readonly missing: string
  readonly provider: string

  constructor(operation: string, missing: string, provider: string, options?: ErrorOptions) {
    super(`${operation}: ${missing}: ${provider}`, options)
    this.missing = missing
    this.provider = provider
  }
}

/** A knock could not be sent: the host's name has no address, or the network refused the packet. */
export class SendError extends KnockError {
  override readonly name = 'SendError'
  readonly code = 'not-sent'
}

/**
 * A knock was sent, and no connection came about. `refused`: the host answered that nothing listens
 * there; `filtered`: nothing came back.
 */
export class ConnectError extends KnockError {
  override readonly name = 'ConnectError'
  readonly code: 'refused' | 'filtered'

  constructor(code: 'refused' | 'filtered', message: string) {
    super(message)
    this.code = code
  }
}

const hasCode = (error: unknown, code: KnockErrorCode): error is KnockError =>
  error instanceof KnockError && error.code === code

/** Whether the error says that the table, the door or the grant does not exist. */
export const isNotFound = (error: unknown): error is KnockError => hasCode(error, 'not-found')

/** Whether the error says that CAP_NET_ADMIN is missing, which nft needs. */
export const isNotPermitted = (error: unknown): error is KnockError =>
  hasCode(error, 'not-permitted')

/** Whether the error says that the spec is wrong. `problems` then says where. */
export const isInvalidSpec = (error: unknown): error is SpecError => error instanceof SpecError
