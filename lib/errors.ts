// The error classes, each with its data first and its text derived, and the predicates on them.
// Pure.
import { printable } from './text/printable.js'
import { listProblems, type SpecProblem } from './text/problems.js'

/**
 * Something that a spec may say and that probably does not do what was meant: it is installed all
 * the same. The one shape for whatever finds such a thing; `installKnock` and `checkKnock` gather
 * them in `warnings`.
 */
export interface Warning {
  /** What it is about, the same in every version, such as `interface-enslaved`. */
  readonly id: string
  /** JSON Pointer into the spec; absent if it is about no place in it. */
  readonly path?: string
  /** What was found, and what to write or do instead. */
  readonly message: string
}

export type NftErrorCode =
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
 * What failed between us and the kernel, or the name of the errno that the kernel answered, such as
 * `ENOBUFS`.
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
  | NetlinkErrorCode

/**
 * The base of every error that knocklib throws on purpose. Its message reads: operation: subject:
 * reason. Control characters of what it echoes are escaped.
 */
export abstract class KnockError extends Error {
  abstract readonly code: KnockErrorCode

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options)
  }
}

/** A document is wrong. Carries every problem that was found, not only those in its message. */
export abstract class ProblemError extends KnockError {
  readonly problems: readonly SpecProblem[]

  /** @param most - how many problems the message shows. */
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

/** The most problems of a spec that its message shows. */
const MOST_SHOWN_OF_SPEC = 1000

/** The spec is valid, but `strict` was asked for and there are warnings. Nothing has changed. */
export class StrictError extends KnockError {
  override readonly name = 'StrictError'
  readonly code = 'warned'
  readonly warnings: readonly Warning[]

  constructor(operation: string, warnings: readonly Warning[]) {
    super(`${operation}: ${warnings.map(describeWarning).join('\n  ')}`)
    this.warnings = warnings
  }
}

/** One line: `PATH: message`, or the message alone. */
export const describeWarning = ({ path, message }: Warning): string =>
  path === undefined ? message : `${path === '' ? '/' : path}: ${message}`

/**
 * The most problems of a state that its message shows: what is no state at all may have a million.
 */
const MOST_SHOWN = 20

/** A saved state is wrong. */
export class StateError extends ProblemError {
  override readonly name = 'StateError'
  /** `other-table`: a state that is right, of another table than it is put into. */
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

/** A file is neither JSON nor YAML, or has a key twice. */
export class DocumentError extends KnockError {
  override readonly name = 'DocumentError'
  readonly code = 'invalid-document'
}

/** An argument is no address, no duration, no step: the value is in the message. */
export class ArgumentError extends KnockError {
  override readonly name = 'ArgumentError'
  readonly code = 'invalid-argument'
}

/** What nft was asked, and what it answered. */
export interface NftFailure {
  readonly argv?: readonly string[] | undefined
  readonly stderr?: string | undefined
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  /** JSON Pointer into the spec of the command that nft named, where it named one. */
  readonly origin?: string | undefined
}

/**
 * nft could not be run, or it refused; nothing has changed, but with `timed-out`, `aborted`,
 * `ended`, `nft-crashed` and `unverified` that is not known.
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

/** A netlink socket failed, or the kernel refused what was asked through one. */
export class NetlinkError extends KnockError {
  override readonly name = 'NetlinkError'
  readonly code: NetlinkErrorCode
  /** What was asked of the kernel. */
  readonly operation: string

  constructor(code: NetlinkErrorCode, operation: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.operation = operation
  }
}

/** nft's listing of our table is not of the form we write. Carries the fragment. */
export class ListingError extends KnockError {
  override readonly name = 'ListingError'
  readonly code = 'unexpected-listing'
  readonly fragment: unknown

  constructor(message: string, fragment: unknown) {
    super(message)
    this.fragment = fragment
  }
}

/** Something that this machine or this process lacks, and who could provide it. */
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

/** A knock could not be sent: the host has no address, or the network refused the packet. */
export class SendError extends KnockError {
  override readonly name = 'SendError'
  readonly code = 'not-sent'
}

const hasCode = (error: unknown, code: KnockErrorCode): error is KnockError =>
  error instanceof KnockError && error.code === code

/** Whether the table, the door or the grant that was asked for is not there. */
export const isNotFound = (error: unknown): error is KnockError => hasCode(error, 'not-found')

/** Whether nft may not change or read the ruleset for want of CAP_NET_ADMIN. */
export const isNotPermitted = (error: unknown): error is KnockError =>
  hasCode(error, 'not-permitted')

/** Whether the spec is wrong; its `problems` say where. */
export const isInvalidSpec = (error: unknown): error is SpecError => error instanceof SpecError
