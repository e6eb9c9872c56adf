// knocklib watch: what happens at the doors, as it happens: a live view on a terminal, else a line
// for each event.
import { once } from 'node:events'
import { attachKnock, KnockError, type KnockEvent } from '../../../index.js'
import {
  type CommandDefinition,
  describeError,
  exitCodeOf,
  type Options,
  type Outcome,
  textOf,
} from '../../command/command.js'
import type { Context } from '../../command/context.js'
import { formatEvent } from '../../draw/event-line.js'
import { isTerminal } from '../../draw/terminal.js'
import { runLive } from '../../live/live.js'
import { doorsOf } from './status.js'

export const watch: CommandDefinition = {
  usage: 'watch [doors...]',
  summary: 'what happens at the doors, as it happens, until Ctrl-C',
  examples: [
    'knocklib watch                 # on a terminal: doors, grants and events, live',
    'knocklib watch ssh             # one door of many',
    'knocklib watch | grep granted  # else one line for each event',
    'knocklib watch --json | jq -c \'select(.event == "granted")\'',
  ],
  json: 'print one line of JSON for each event',
  async run([names], options, context) {
    const doors = doorsOf(names)
    if (!options['json']) {
      await runWatch(options, context, doors, formatEvent)
      return { text: '' }
    }
    try {
      await runWatch(options, context, doors, JSON.stringify)
      return { text: '' }
    } catch (error) {
      // What reads lines gets a line.
      return describeAsLine(error)
    }
  },
}

function describeAsLine(error: unknown): Outcome {
  if (!(error instanceof KnockError)) throw error
  return {
    text: `${JSON.stringify(describeError(error, 'watch'))}\n`,
    exitCode: exitCodeOf(error),
  }
}

async function runWatch(
  options: Options,
  { process, kernel }: Context,
  doors: readonly string[] | undefined,
  format: (event: KnockEvent) => string,
): Promise<void> {
  const table = textOf(options, 'table') ?? 'knock'
  const knock = await attachKnock({ ...kernel, table })
  // A name that no door has is an error now, and not silence for ever.
  for (const name of doors ?? []) knock.door(name)
  const { env, stdin, stdout } = process
  if (!options['json'] && isTerminal(stdout, env)) {
    const status = async () => (await attachKnock({ ...kernel, table })).status({ doors })
    const start = (given: { readonly signal: AbortSignal }) => knock.watch({ ...given, doors })
    await runLive({ table, status, watch: start, stdin, stdout, env })
    return
  }
  const stop = new AbortController()
  const end = () => stop.abort()
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, end)
  // A reader that has seen enough, as `head`, ends the watch.
  stdout.on('error', end)
  try {
    for await (const event of knock.watch({ signal: stop.signal, doors })) {
      if (!stdout.write(`${format(event)}\n`)) {
        await once(stdout, 'drain', { signal: stop.signal }).catch(() => {})
      }
    }
  } finally {
    for (const signal of signals) process.off(signal, end)
    stdout.off('error', end)
  }
}
