// A command line and what is around it → one command run, its result printed, an exit code. The
// only importer of commander.
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { withPlaces } from '../files/spec-file.js'
import { createNft, describeWarning, isInvalidSpec, KnockError, type Warning } from '../index.js'
import { printable } from '../text/printable.js'
import {
  type CommandDefinition,
  describeError,
  EXIT,
  exitCodeOf,
  messageOf,
  type Options,
  textOf,
} from './command/command.js'
import type { Context } from './command/context.js'
import { connect } from './commands/client/connect.js'
import { init } from './commands/client/init.js'
import { knock } from './commands/client/knock.js'
import { profile } from './commands/client/profile.js'
import { close } from './commands/doors/close.js'
import { open } from './commands/doors/open.js'
import { unban } from './commands/doors/unban.js'
import { check } from './commands/table/check.js'
import { confirm } from './commands/table/confirm.js'
import { install } from './commands/table/install.js'
import { refill } from './commands/table/refill.js'
import { render } from './commands/table/render.js'
import { restore } from './commands/table/restore.js'
import { run as keepRunning } from './commands/table/run.js'
import { save } from './commands/table/save.js'
import { uninstall } from './commands/table/uninstall.js'
import { metrics } from './commands/views/metrics.js'
import { simulate } from './commands/views/simulate.js'
import { status } from './commands/views/status.js'
import { watch } from './commands/views/watch.js'

const COMMANDS = [
  ...[check, render, install, confirm, keepRunning, refill, uninstall],
  ...[status, watch, open, close, unban],
  ...[save, restore, metrics],
  ...[init, knock, connect, profile, simulate],
]

const EXIT_CODES = `
Exit codes:
  0 done; 1 refused by kernel or nft, or found by status --check;
  2 usage or invalid spec;
  3 missing permission or capability; 4 not found;
  5 to 7 what knock --wait or connect found: see their --help

Environment:
  KNOCKLIB_NFT    the nft binary (default: nft on PATH, in /usr/sbin or in /sbin)
  KNOCKLIB_SSH    the ssh of --host (default: ssh)
  KNOCKLIB_DEBUG  nft: prints each transaction and its time, without secrets`

/**
 * Runs a command line.
 *
 * @param argv - what follows the name of the program.
 * @returns the exit code.
 * @throws if a part of the program that is loaded when it is needed cannot be loaded.
 */
export async function runCommandLine(argv: readonly string[], context: Context): Promise<number> {
  let exitCode: number = EXIT.done
  const program = buildProgram(context, async (definition, args, options) => {
    exitCode = await run(definition, args, options, context)
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    // launch.cts reports it, as it does for what is loaded first.
    if (isOfLoading(error)) throw error
    // Its text alone, since a stack says nothing to who is at the shell.
    const text = error instanceof Error ? error.message : String(error)
    const words = `knocklib: failed in a way it should not: ${printable(text)}\n`
    context.process.stderr.write(words)
    return EXIT.refused
  }
}

const HOST = 'nft there, by ssh, such as root@server: it needs nft, and no Node'

type Arguments = readonly (string | readonly string[])[]
type RunDefinition = (
  definition: CommandDefinition,
  args: Arguments,
  options: Options,
) => Promise<void>

function buildProgram({ process }: Context, run: RunDefinition): Command {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  const program = new Command('knocklib')
    .description('Port knocking by nftables: the kernel alone judges the knocks.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => process.stdout.write(text),
      // It echoes options and commands that it does not know.
      writeErr: (text) => process.stderr.write(printable(text)),
    })
    .showHelpAfterError('(knocklib --help says how)')
    .addHelpText('after', EXIT_CODES)
  for (const definition of COMMANDS) addCommand(program, definition, run)
  return program
}

function addCommand(program: Command, definition: CommandDefinition, run: RunDefinition): void {
  const { usage, summary, examples, options = [], json, table, isRemote } = definition
  const command = program
    .command(usage)
    .description(summary)
    .showHelpAfterError(`(knocklib ${usage.split(' ')[0]} --help says how)`)
    .addHelpText(
      'after',
      ['', 'Examples:', ...examples.map((line) => `  ${line}`.trimEnd())].join('\n'),
    )
  for (const { flags, description, choices, default: value } of options) {
    const option = new Option(flags, description)
    if (choices) option.choices(choices)
    if (value !== undefined) option.default(value)
    command.addOption(option)
  }
  if (table !== false) {
    command.option('--table <name>', "the nft table (default: the spec's, or knock)")
  }
  if (isRemote) command.option('--host <machine>', HOST)
  if (json !== false) command.option('--json', json ?? 'print one JSON document')
  command.action((...given: unknown[]) =>
    run(definition, given.slice(0, -2) as Arguments, given.at(-2) as Options),
  )
}

async function run(
  definition: CommandDefinition,
  args: Arguments,
  options: Options,
  context: Context,
): Promise<number> {
  const { stdout, stderr } = context.process
  try {
    const outcome = await definition.run(args, options, placed(definition, options, context))
    const { json, text, exitCode = EXIT.done, warnings } = outcome
    const printed = options['json'] && json !== undefined
    if (!printed) for (const line of warningLines(definition, warnings)) stderr.write(line)
    const document = warnings && typeof json === 'object' ? { ...json, warnings } : json
    const output = printed
      ? `${JSON.stringify(document, null, 2)}
`
      : text
    // A command that has closed it prints nothing more.
    if (output !== '') stdout.write(output)
    return exitCode
  } catch (thrown) {
    if (!(thrown instanceof KnockError)) throw thrown
    const file = specOf(definition, args)
    const isOfFile = isInvalidSpec(thrown) && file !== undefined
    const error = isOfFile ? await withPlaces(thrown, file) : thrown
    const command = definition.usage.split(' ')[0] as string
    if (options['json']) {
      stdout.write(`${JSON.stringify(describeError(error, command), null, 2)}\n`)
    } else {
      stderr.write(`${messageOf(error, command, file)}\n`)
    }
    return exitCodeOf(error)
  }
}

/** The context of a command, with the nft of the machine that `--host` names. */
function placed({ isRemote }: CommandDefinition, options: Options, context: Context): Context {
  const ssh = isRemote && textOf(options, 'host')
  return ssh === undefined ? context : { ...context, kernel: { nft: createNft({ ssh }) } }
}

function warningLines({ usage }: CommandDefinition, warnings: readonly Warning[] = []): string[] {
  const command = usage.split(' ')[0]
  return warnings.map((warning) => `knocklib ${command}: warning: ${describeWarning(warning)}\n`)
}

/** The file of the spec that a command is given. */
function specOf({ usage }: CommandDefinition, [first]: readonly unknown[]): string | undefined {
  return usage.split(' ')[1] === '<spec>' && typeof first === 'string' ? first : undefined
}

/** Whether a part of the program that is loaded when it is needed could not be. */
const isOfLoading = (error: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'EMFILE', 'ENFILE'].includes(
    (error as NodeJS.ErrnoException | undefined)?.code ?? '',
  )
