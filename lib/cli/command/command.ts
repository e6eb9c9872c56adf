// A command's definition; its result or error → text or JSON, and an exit code. Pure.
import {
  ArgumentError,
  CapabilityError,
  ConnectError,
  DocumentError,
  isInvalidSpec,
  type KnockError,
  PacketError,
  ProblemError,
  StrictError,
  type Warning,
} from '../../index.js'
import type { Context } from './context.js'

/**
 * 0: done. 1: refused by kernel or nft, or `status --check` found something. 2: wrong usage or
 * invalid spec. 3: missing permission or capability. 4: not found. A client's: 5: nothing listens
 * at the service's port. 6: nothing came back from it. 7: it was not tried.
 */
export const EXIT = {
  ...{ done: 0, refused: 1, usage: 2, missing: 3, notFound: 4 },
  ...{ portRefused: 5, portFiltered: 6, portNotTried: 7 },
} as const

/**
 * A command's result: what `--json` prints, what people read, and the exit code unless it is 0.
 * Without `json` the command has already printed everything.
 */
export interface Outcome {
  readonly json?: unknown
  readonly text: string
  readonly exitCode?: number
  /** Printed on stderr. With `--json` a key of the document, even if the list is empty. */
  readonly warnings?: readonly Warning[]
}

interface OptionDefinition {
  /** As commander reads it: `--for <duration>`. */
  readonly flags: string
  readonly description: string
  readonly choices?: readonly string[]
  readonly default?: string
}

/** The options as commander parsed them: text or true, by name. */
export type Options = Readonly<Record<string, string | boolean | undefined>>

/** One command, in a file of its own. */
export interface CommandDefinition {
  /** Its name and its arguments, as commander reads them: `open <door> <source>`. */
  readonly usage: string
  readonly summary: string
  readonly examples: readonly string[]
  readonly options?: readonly OptionDefinition[]
  /** What `--json` does, unless it prints one document; false: the command has no such option. */
  readonly json?: string | false
  /** False: the command needs no table. */
  readonly table?: false
  /** Whether nft can be on another machine: then the command has `--host`. */
  readonly isRemote?: true
  run(
    args: readonly (string | readonly string[])[],
    options: Options,
    context: Context,
  ): Promise<Outcome>
}

/** The option of commands that can warn. */
export const STRICT: OptionDefinition = {
  flags: '--strict',
  description: 'refuse what would be a warning: exit 2, and nothing has changed',
}

/** Returns an option's text; undefined if it is not given. */
export const textOf = (options: Options, name: string): string | undefined => {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * Returns a duration's text, or a number of seconds if it has only digits. The library parses it.
 */
export const durationOf = (options: Options, name: string): string | number | undefined => {
  const text = textOf(options, name)
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : text
}

/**
 * Renders an error for people. Replaces the library call's name by the command's.
 *
 * @param file - the spec's file, because the problems of a spec do not name it.
 */
export function messageOf(error: KnockError, command: string, file?: string): string {
  const subject =
    (isInvalidSpec(error) || error instanceof StrictError) && file !== undefined ? `${file}: ` : ''
  // As a function, because a file's name may contain `$`.
  return error.message
    .replace(/^[A-Za-z]+: /, () => `knocklib ${command}: ${subject}`)
    .replace(/ ssh: (?=expected a machine)/, ' --host: ')
    .replace(
      / (confirmWithin|for|before): (?=expected (?:a duration|at most) )/,
      (_, name: string) => (name === 'confirmWithin' ? ' --confirm: ' : ` --${name}: `),
    )
}

/** Returns what `--json` prints for an error. */
export function describeError(error: KnockError, command: string): unknown {
  const { code } = error
  const problems = error instanceof ProblemError && { problems: error.problems }
  const warnings = error instanceof StrictError && { warnings: error.warnings }
  return { error: { code, message: messageOf(error, command), ...problems, ...warnings } }
}

const USAGE = [ArgumentError, DocumentError, PacketError, ProblemError, StrictError]
const MISSING = new Set([
  ...['not-permitted', 'nft-missing', 'nft-too-old', 'nft-crashed'],
  ...['ssh-missing', 'host-key', 'login-refused'],
])

export function exitCodeOf(error: KnockError): number {
  const isUsage = USAGE.some((kind) => error instanceof kind)
  if (isUsage) return EXIT.usage
  if (error instanceof CapabilityError || MISSING.has(error.code)) return EXIT.missing
  if (error instanceof ConnectError) {
    return error.code === 'refused' ? EXIT.portRefused : EXIT.portFiltered
  }
  return error.code === 'not-found' ? EXIT.notFound : EXIT.refused
}
