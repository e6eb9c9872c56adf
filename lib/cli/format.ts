// A status → text that people read. Pure.
import type { Counters, DoorStatus, Fill, Status } from '../index.js'

/** The sets that are shown: when the fullest has room, all have. */
const FULLEST = 3

export function formatStatus({ table, doors, bans, counters, fill }: Status): string {
  const parts = [
    `table inet ${table}`,
    ...doors.map(formatDoor),
    formatBans(bans, counters),
    formatFill(fill),
  ]
  return parts
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

function formatDoor({ name, service, grants, progress, counters }: DoorStatus): string {
  const sources = [
    ...grants.map(({ source, expiresIn }) => [source, 'let in', `${expiresIn} s left`]),
    ...progress.map(({ source, stage, of, expiresIn }) => {
      const next = stage === of ? 'to connect' : 'for the next'
      return [source, `knock ${stage} of ${of}`, `${expiresIn} s ${next}`]
    }),
  ]
  return [
    `${name}  ${service.join(', ')}`,
    `  ${formatCounters(counters)}`,
    ...(sources.length > 0 ? alignColumns(sources) : ['  nobody is let in or on the way']),
  ].join('\n')
}

function formatCounters({ knocks, grants, resets, wrong, denied }: Counters): string {
  const always = `knocks ${knocks}, grants ${grants}, resets ${resets}, denied ${denied}`
  return wrong > 0 ? `${always}, wrong ${wrong}` : always
}

function formatBans(bans: Status['bans'], counters: Status['counters']): string {
  const counted = Object.entries(counters).filter(([, count]) => count > 0)
  if (bans.length === 0 && counted.length === 0) return ''
  const lines = bans.map(({ source, expiresIn }) => [source, 'banned', `${expiresIn} s left`])
  return [
    ['guard', counted.map(([name, count]) => `${name} ${count}`).join(', ')].join('  ').trimEnd(),
    ...alignColumns(lines),
  ].join('\n')
}

function formatFill(fill: readonly Fill[]): string {
  // A set of one is full as soon as it is used.
  const fullest = fill.filter(({ capacity }) => capacity > 1).slice(0, FULLEST)
  if (fullest.length === 0) return ''
  const lines = fullest.map(({ set, elements, capacity }) => {
    return [set, `${elements} of ${capacity}`, `${percentOf(elements, capacity)} full`]
  })
  return ['the fullest sets', ...alignColumns(lines)].join('\n')
}

function percentOf(elements: number, capacity: number): string {
  const percent = Math.floor((100 * elements) / capacity)
  return percent === 0 ? 'under 1%' : `${percent}%`
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
