// A status → text that people read. Pure.
import type { DoorStatus, Status } from '../index.js'

export function formatStatus({ table, doors }: Status): string {
  return [`table inet ${table}`, ...doors.map(formatDoor)].join('\n\n').concat('\n')
}

function formatDoor({ name, service, grants, progress, counters }: DoorStatus): string {
  const { knocks, grants: made, resets, denied } = counters
  const sources = [
    ...grants.map(({ source, expiresIn }) => [source, 'let in', `${expiresIn} s left`]),
    ...progress.map(({ source, stage, of, expiresIn }) => {
      return [source, `knock ${stage} of ${of}`, `${expiresIn} s for the next`]
    }),
  ]
  return [
    `${name}  ${service.join(', ')}`,
    `  knocks ${knocks}, grants ${made}, resets ${resets}, denied ${denied}`,
    ...(sources.length > 0 ? alignColumns(sources) : ['  nobody is let in or on the way']),
  ].join('\n')
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (found, row) => row.map((cell, index) => Math.max(found[index] ?? 0, cell.length)),
    [],
  )
  return rows.map((row) =>
    `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd(),
  )
}
