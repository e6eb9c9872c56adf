// knocklib metrics: what is counted and what there is now, as OpenMetrics text.
import { attachKnock } from '../../../index.js'
import { type CommandDefinition, textOf } from '../../command/command.js'

export const metrics: CommandDefinition = {
  usage: 'metrics',
  summary: 'counters and gauges as OpenMetrics text, for Prometheus',
  examples: ['knocklib metrics', 'knocklib metrics --table knock2'],
  isRemote: true,
  async run(_args, options, { kernel }) {
    const knock = await attachKnock({ ...kernel, table: textOf(options, 'table') ?? 'knock' })
    const text = await knock.metrics()
    return { json: { table: knock.table, metrics: text }, text }
  },
}
