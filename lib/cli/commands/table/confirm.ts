// knocklib confirm: the doors of a table that was installed with --confirm stay.
import { confirmKnock } from '../../../index.js'
import { type CommandDefinition, textOf } from '../../command/command.js'

export const confirm: CommandDefinition = {
  usage: 'confirm',
  summary: 'keep a table that was installed with --confirm; refused where its time has run out',
  examples: ['knocklib install doors.yaml --confirm 60s', 'knocklib confirm'],
  isRemote: true,
  async run(_args, options, { kernel }) {
    const table = textOf(options, 'table') ?? 'knock'
    await confirmKnock({ ...kernel, table })
    return { json: { table, confirmed: true }, text: `table inet ${table} is confirmed\n` }
  },
}
