// knocklib status: doors, who is let in, who is on the way, what happened.
import { attachKnock, type Status } from '../index.js'
import { type CommandDefinition, textOf } from './command.js'
import { formatStatus } from './format.js'
import { PAINTED, paintLine, UNPAINTED } from './paint.js'
import { viewStatus } from './status-view.js'
import { type Environment, isTerminal, type Stream, takesColour, terminalOf } from './terminal.js'

export const status: CommandDefinition = {
  usage: 'status',
  summary: 'doors, grants, attempts under way, counters, bans and how full the sets are',
  examples: [
    'knocklib status                                # on a terminal: with bars, cut where it is long',
    "knocklib status | grep 'let in'                # piped: plain, whole, and the same at any width",
    'knocklib status --json | jq .doors[0].grants',
    '',
    'NO_COLOR=1 and FORCE_COLOR=1 are heeded; no colour says what the words do not.',
  ],
  async run(_args, options) {
    const knock = await attachKnock({ table: textOf(options, 'table') ?? 'knock' })
    const json = await knock.status()
    return { json, text: drawStatus(json, process.stdout, process.env) }
  },
}

/** For a terminal the view, for all else the plain text. */
export function drawStatus(status: Status, stream: Stream, env: Environment): string {
  const paint = takesColour(stream, env) ? PAINTED : UNPAINTED
  if (!isTerminal(stream, env)) return formatStatus(status, paint)
  const lines = viewStatus(status, terminalOf(stream, env))
  return lines.map((line) => `${paintLine(line, paint)}\n`).join('')
}
