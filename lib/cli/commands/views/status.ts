// knocklib status: doors, who is let in, who is on the way, what happened.
import { attachKnock, checkStatus, type Status, type StatusCheckOptions } from '../../../index.js'
import {
  type CommandDefinition,
  durationOf,
  EXIT,
  type Outcome,
  textOf,
} from '../../command/command.js'
import { formatStatus } from '../../draw/format.js'
import { PAINTED, paintLine, UNPAINTED } from '../../draw/paint.js'
import { viewStatus } from '../../draw/status-view.js'
import {
  type Environment,
  isTerminal,
  type Stream,
  takesColour,
  terminalOf,
} from '../../draw/terminal.js'

export const status: CommandDefinition = {
  usage: 'status [doors...]',
  summary: 'doors, grants, attempts under way, counters, bans and how full the sets are',
  examples: [
    'knocklib status                                # on a terminal: with bars, cut ' +
      'where it is long',
    "knocklib status | grep 'let in'                # piped: plain, whole, and the " +
      'same at any width',
    'knocklib status ssh                            # one door of many',
    'knocklib status --json | jq .doors[0].grants',
    'knocklib status --check                        # for a monitor: exit 1, and ' +
      'why, if something needs you',
    'knocklib status --check --before 14d           # two weeks before a user ends',
    '',
    'NO_COLOR=1 and FORCE_COLOR=1 are heeded; no colour says what the words do not.',
  ],
  options: [
    {
      flags: '--check',
      description:
        'say what needs somebody, and exit 1 if anything does: tokens that run out, ' +
        'users that end, full sets, not confirmed, interfaces, the clock',
    },
    {
      flags: '--before <duration>',
      description:
        'with --check: how long before tokens or users end (default: a tenth of what ' +
        'was loaded, at most 1d; 7d for users)',
    },
  ],
  isRemote: true,
  async run([doors], options, { process, kernel }) {
    const knock = await attachKnock({ ...kernel, table: textOf(options, 'table') ?? 'knock' })
    const json = await knock.status({ doors: doorsOf(doors) })
    if (options['check']) return checked(json, { before: durationOf(options, 'before') })
    return { json, text: drawStatus(json, process.stdout, process.env) }
  },
}

/** The doors that are asked for; undefined: all. */
export const doorsOf = (names: string | readonly string[] = []): readonly string[] | undefined =>
  names.length > 0 ? [names].flat() : undefined

/** What a monitor asks for. */
export function checked(status: Status, options: StatusCheckOptions = {}): Outcome {
  const check = checkStatus(status, options)
  const subject = `table inet ${status.table}`
  const lines = check.map(({ id, message }) => `${subject}: ${message} (${id})\n`)
  return {
    json: { ...status, check },
    text: lines.length > 0 ? lines.join('') : `${subject}: nothing needs to be done\n`,
    exitCode: lines.length > 0 ? EXIT.refused : EXIT.done,
  }
}

/** For a terminal the view, for all else the plain text. */
export function drawStatus(status: Status, stream: Stream, env: Environment): string {
  const paint = takesColour(stream, env) ? PAINTED : UNPAINTED
  if (!isTerminal(stream, env)) return formatStatus(status, paint)
  const lines = viewStatus(status, terminalOf(stream, env))
  return lines.map((line) => `${paintLine(line, paint)}\n`).join('')
}
