// knocklib unban: a source's knocks are heard again.
import { attachKnock } from '../../../index.js'
import { canonicalAddress } from '../../../spec/model/address.js'
import { type CommandDefinition, EXIT, textOf } from '../../command/command.js'

export const unban: CommandDefinition = {
  usage: 'unban <source>',
  summary: "end a source's ban before its time",
  examples: ['knocklib unban 203.0.113.7', 'knocklib status --json | jq .bans'],
  isRemote: true,
  async run([source], options, { kernel }) {
    const knock = await attachKnock({ ...kernel, table: textOf(options, 'table') ?? 'knock' })
    const unbanned = await knock.unban(source as string)
    return {
      json: { source: canonicalAddress(source as string), unbanned },
      text: `${source} ${unbanned ? 'is banned no longer' : 'was not banned'}\n`,
      exitCode: unbanned ? EXIT.done : EXIT.notFound,
    }
  },
}
