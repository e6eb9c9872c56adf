// knocklib status: doors, who is let in, who is on the way, what happened.
import { attachKnock } from '../index.js'
import { type CommandDefinition, textOf } from './command.js'
import { formatStatus } from './format.js'

export const status: CommandDefinition = {
  usage: 'status',
  summary: 'doors, grants, attempts under way, counters, bans and how full the sets are',
  examples: ['knocklib status', 'knocklib status --json | jq .doors[0].grants'],
  async run(_args, options) {
    const knock = await attachKnock({ table: textOf(options, 'table') ?? 'knock' })
    const json = await knock.status()
    return { json, text: formatStatus(json) }
  },
}
