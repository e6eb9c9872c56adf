// knocklib save: what a reboot would lose, into a file.
import { attachKnock, saveState } from '../../../index.js'
import { type CommandDefinition, textOf } from '../../command/command.js'

export const save: CommandDefinition = {
  usage: 'save <file>',
  summary: 'save grants, bans and what has been used, for install --state and restore',
  examples: [
    'knocklib save /var/lib/knocklib/state.json',
    'knocklib save /var/lib/knocklib/state.json --table knock2',
  ],
  isRemote: true,
  async run([path], options, { kernel }) {
    const file = path as string
    const knock = await attachKnock({ ...kernel, table: textOf(options, 'table') ?? 'knock' })
    const state = await knock.save()
    await saveState(file, state)
    const { grants, bans, tokens, sequences } = state
    const counts = {
      grants: grants.length,
      bans: bans.length,
      tokens: tokens.length,
      sequences: sequences.length,
    }
    const words = Object.entries(counts).map(
      ([kind, count]) => `${count} ${count === 1 ? kind.slice(0, -1) : kind}`,
    )
    return {
      json: { table: knock.table, file, ...counts },
      text: `${file}: ${words.join(', ')}\n`,
    }
  },
}
