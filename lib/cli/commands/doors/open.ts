// knocklib open: a grant without a knock.
import { attachKnock } from '../../../index.js'
import { type CommandDefinition, durationOf, textOf } from '../../command/command.js'

export const open: CommandDefinition = {
  usage: 'open <door> <source>',
  summary: 'let a source in without a knock; again: renew its time',
  examples: [
    'knocklib open ssh 203.0.113.7',
    'knocklib open ssh 2001:db8::7 --for 10m',
    'knocklib open phone 2001:db8:5:7::a1   # of a door with a prefix: the block around it',
    'knocklib open web everyone   # of a door with "scope": "everyone"',
  ],
  options: [
    {
      flags: '--for <duration>',
      description: 'how long, such as 30s, 10m, 1h (default: as the door says)',
    },
  ],
  isRemote: true,
  async run([door, source], options, { kernel }) {
    const knock = await attachKnock({ ...kernel, table: textOf(options, 'table') ?? 'knock' })
    const duration = durationOf(options, 'for')
    const grant = await knock
      .door(door as string)
      .open(source as string, duration === undefined ? {} : { for: duration })
    const hasFallen = (await knock.pending())?.fallenOpen
    return {
      json: grant,
      text:
        `${grant.door}: ${grant.source} is let in for ${grant.expiresIn} ` +
        `s\n${hasFallen ? FALLEN : ''}`,
    }
  },
}

const FALLEN =
  'and so is everyone: nobody confirmed the table in time, and it fell open; ' +
  'install the spec again\n'
