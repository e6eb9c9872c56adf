// knocklib restore: a saved state into a table that stands.
import { ArgumentError, attachKnock, loadState, type RestoreReport } from '../../../index.js'
import { type CommandDefinition, textOf } from '../../command/command.js'

export const restore: CommandDefinition = {
  usage: 'restore <file>',
  summary: 'put a saved state into the table that stands; what it holds already stays as it is',
  examples: [
    'knocklib restore /var/lib/knocklib/state.json',
    '# in place before the first packet:',
    'knocklib install /etc/knock/doors.yaml --state /var/lib/knocklib/state.json',
  ],
  isRemote: true,
  async run([path], options, { kernel }) {
    const file = path as string
    const table = textOf(options, 'table') ?? 'knock'
    const state = await loadState(file, { table })
    if (!state) throw new ArgumentError(`restore: ${file}: no such file`)
    const knock = await attachKnock({ ...kernel, table })
    const report = await knock.restore(state)
    return { json: { table: knock.table, ...report }, text: formatReport(knock.table, report) }
  },
}

function formatReport(table: string, { restored, skipped, unknownDoors }: RestoreReport): string {
  const words = (counts: Readonly<Record<string, number>>, always: boolean) =>
    Object.entries(counts)
      .filter(([, count]) => always || count > 0)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')
  const left = words(skipped, false)
  const gone = unknownDoors.join(', ')
  return [
    `table inet ${table}: ${words(restored, true)} restored\n`,
    left === '' ? '' : `left out: ${left}\n`,
    gone === '' ? '' : `no such door any more: ${gone}\n`,
  ].join('')
}
