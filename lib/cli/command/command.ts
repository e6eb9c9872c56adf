// What a command is, and how its result or its error ends: text or JSON, and an exit code. Pure.
import {
  ArgumentError,
  CapabilityError,
  DocumentError,
  isInvalidSpec,
  type KnockError,
  PacketError,
  ProblemError,
  StrictError,
  type Warning,
} from '../../index.js'

/**
 * 0 done; 1 refused by kernel or nft, or `status --check` found something; 2 usage or invalid spec;
 * 3 missing permission or capability; 4 not found.
 */
export const EXIT = { done: 0, refused: 1, usage: 2, missing: 3, notFound: 4 } as const

/**
 * A command's result: what `--json` prints, what people read, and the exit code where it is not 0.
 * Without `json` the command has printed all itself.
 */
export interface Outcome {
  readonly json?: unknown
  readonly text: string
  readonly exitCode?: number
  /** Printed on stderr; with `--json` a key of the document, also if there are none. */
  readonly warnings?: readonly Warning[]
}

interface OptionDefinition {
  /** As commander reads it: `--for <duration>`. */
  readonly flags: string
  readonly description: string
  readonly choices?: readonly string[]
  readonly default?: string
}

/** The options as commander parses them: by name, text or true. */
export type Options = Readonly<Record<string, string | boolean | undefined>>

/** One command, in a file of its own. */
export interface CommandDefinition {
  /** Its name and its arguments, as commander reads them: `open <door> <source>`. */
  readonly usage: string
  readonly summary: string
  readonly examples: readonly string[]
  readonly options?: readonly OptionDefinition[]
  /** What `--json` does, if that is not to print one document; false: it has no such option. */
  readonly json?: string | false
  /** False: it is about no table. */
  readonly table?: false
  run(args: readonly (string | readonly string[])[], options: Options): Promise<Outcome>
}

/** Of commands that can warn. */
export const STRICT: OptionDefinition = {
  flags: '--strict',
  description: 'refuse what would be a warning: exit 2, and nothing has changed',
}

/** An option's text, undefined where it is not given. */
export const textOf = (options: Options, name: string): string | undefined => {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * A duration's text, or its number if it is a plain one: seconds. The library's call reads it
 * further.
 */
export const durationOf = (options: Options, name: string): string | number | undefined => {
  const text = textOf(options, name)
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : text
}

/**
 * What people read of an error. It begins with the call that failed: at a shell that is the
 * command.
 *
 * @param file - the spec's, which the problems of a spec do not name.
 */
export function messageOf(error: KnockError, command: string, file?: string): string {
  const subject =
    (isInvalidSpec(error) || error instanceof StrictError) && file !== undefined ? `${file}: ` : ''
  // A function: a file's name may have a `$`.
  return error.message
    .replace(/^[A-Za-z]+: /, () => `knocklib ${command}: ${subject}`)
    .replace(/ (confirmWithin|for): (?=expected (?:a duration|at most) )/, (_, name: string) =>
      name === 'for' ? ' --for: ' : ' --confirm: ',
    )
}

/** What `--json` prints of an error. */
export function describeError(error: KnockError, command: string): unknown {
  const { code } = error
  const problems = error instanceof ProblemError && { problems: error.problems }
  const warnings = error instanceof StrictError && { warnings: error.warnings }
  return { error: { code, message: messageOf(error, command), ...problems, ...warnings } }
}

const USAGE = [ArgumentError, DocumentError, PacketError, ProblemError, StrictError]
const MISSING = new Set(['not-permitted', 'nft-missing', 'nft-too-old', 'nft-crashed'])

export function exitCodeOf(error: KnockError): number {
  const isUsage = USAGE.some((kind) => error instanceof kind)
  if (isUsage) return EXIT.usage
  if (error instanceof CapabilityError || MISSING.has(error.code)) return EXIT.missing
  return error.code === 'not-found' ? EXIT.notFound : EXIT.refused
}
