// knocklib uninstall: the table out of the kernel, with all that is in it.
import { uninstallKnock } from '../../../index.js'
import { type CommandDefinition, textOf } from '../../command/command.js'

export const uninstall: CommandDefinition = {
  usage: 'uninstall',
  summary: 'remove the table; its services are open to everyone again',
  examples: ['knocklib uninstall', 'knocklib uninstall --table knock2'],
  isRemote: true,
  async run(_args, options, { kernel }) {
    const table = textOf(options, 'table') ?? 'knock'
    await uninstallKnock({ ...kernel, table })
    return { json: { table, removed: true }, text: `table inet ${table} is gone\n` }
  },
}
