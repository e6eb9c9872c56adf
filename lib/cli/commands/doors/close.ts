// knocklib close: a grant taken away, or all of them.
import { ArgumentError, attachKnock, type Knock } from '../../../index.js'
import { type CommandDefinition, EXIT, type Outcome, textOf } from '../../command/command.js'

export const close: CommandDefinition = {
  usage: 'close [door] [source]',
  summary: "take a source's grant away; its connections live on unless the door cuts them",
  examples: [
    'knocklib close ssh 203.0.113.7',
    'knocklib close ssh 203.0.113.7 --cut   # refused where the door has not "established": "cut"',
    'knocklib close ssh 2001:db8:5:7::/64   # of a door with a prefix',
    'knocklib close web everyone            # of a door with "scope": "everyone"',
    'knocklib close --all                   # every grant of every door, at once',
  ],
  options: [
    { flags: '--cut', description: 'insist that established connections end, too' },
    { flags: '--all', description: 'every grant of every door, in one transaction' },
  ],
  isRemote: true,
  async run([door, source], options, { kernel }) {
    const isAll = options['all'] === true
    if (isAll ? door !== undefined : source === undefined) {
      const given = isAll ? 'both' : (door ?? 'neither')
      throw new ArgumentError(`close: expected a door and a source, or --all, got ${given}`)
    }
    const knock = await attachKnock({ ...kernel, table: textOf(options, 'table') ?? 'knock' })
    const cut = options['cut'] === true
    if (isAll) return closeAll(knock, cut)
    const named = knock.door(door as string)
    const closed = await named.close(source as string, { cut })
    const holder = named.sourceFor(source as string)
    return {
      json: { door, source: holder, closed },
      text: `${door}: ${holder} ${closed ? END : 'had no grant'}\n`,
      exitCode: closed ? EXIT.done : EXIT.notFound,
    }
  },
}

const END = 'is let in no longer'

/** Ends with 0 also if there was no grant: nobody is let in now, as was asked for. */
async function closeAll(knock: Knock, cut: boolean): Promise<Outcome> {
  const closed = await knock.closeAll({ cut })
  const lines = closed.map(({ door, source }) => `${door}: ${source} ${END}\n`)
  return { json: { closed }, text: lines.join('') || 'nobody had a grant\n' }
}
