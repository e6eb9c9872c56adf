// knocklib close: a grant taken away.
import { attachKnock } from '../../../index.js'
import { canonicalAddress } from '../../../spec/model/address.js'
import { type CommandDefinition, EXIT, textOf } from '../../command/command.js'

export const close: CommandDefinition = {
  usage: 'close <door> <source>',
  summary: "take a source's grant away; its connections live on unless the door cuts them",
  examples: [
    'knocklib close ssh 203.0.113.7',
    'knocklib close ssh 203.0.113.7 --cut   # refused where the door has not "established": "cut"',
    'knocklib close web everyone            # of a door with "scope": "everyone"',
  ],
  options: [{ flags: '--cut', description: 'insist that established connections end, too' }],
  async run([door, source], options, { kernel }) {
    const knock = await attachKnock({ ...kernel, table: textOf(options, 'table') ?? 'knock' })
    const cut = options['cut'] === true
    const closed = await knock.door(door as string).close(source as string, { cut })
    return {
      json: { door, source: canonicalAddress(source as string), closed },
      text: `${door}: ${source} ${closed ? 'is let in no longer' : 'had no grant'}\n`,
      exitCode: closed ? EXIT.done : EXIT.notFound,
    }
  },
}
