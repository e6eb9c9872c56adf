// A status → text for people and for programs that search it, the same at every width. Pure.
import {
  type Ahead,
  type Counters,
  type DoorStatus,
  describeWarning,
  endsSoon,
  type Fill,
  type Penalised,
  type PendingConfirm,
  type Status,
} from '../../index.js'
import { bySource } from './by-source.js'
import { type Paint, type Role, UNPAINTED } from './paint.js'
import { placeText } from './words.js'

/** Sets that are shown: if the fullest ones have room, all have. */
const FULLEST = 3

/** Renders a status. Colours change nothing else in the text. */
export function formatStatus(status: Status, paint: Paint = UNPAINTED): string {
  const { table, confirm, doors, bans, counters, fill, cut = [], warnings = [], clock } = status
  const parts = [
    [
      paint('name', `table inet ${table}`),
      ...formatConfirm(confirm, paint),
      ...warnings.map((found) => paint('alarm', `warning: ${describeWarning(found)}`)),
    ].join('\n'),
    ...doors.map((door) => formatDoor(door, paint)),
    formatBans(bans, counters, paint),
    formatFill(fill),
    cut.length > 0 ? `not all sources are shown of ${cut.join(', ')}` : '',
    formatClock(clock),
  ]
  return parts
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

function formatClock(clock: Status['clock']): string {
  if (!clock) return ''
  const { synchronised, by } = clock
  if (synchronised === 'unknown') return 'clock  not known whether it is synchronised'
  return `clock  ${synchronised === 'yes' ? '' : 'not '}synchronised, says ${by}`
}

function formatConfirm(confirm: PendingConfirm | undefined, paint: Paint): string[] {
  if (!confirm) return []
  return [
    confirm.fallenOpen
      ? paint('alarm', 'not confirmed in time: open to everyone')
      : paint('alarm', `not confirmed: open to everyone ${timeOf(confirm)}`),
  ]
}

const timeOf = ({ expiresIn = 0 }: PendingConfirm): string =>
  expiresIn === 0 ? 'within a second' : `in ${expiresIn} s`

function formatDoor(door: DoorStatus, paint: Paint): string {
  const { name, grants, progress, penalised = [], usedUp = [], counters } = door
  const sources: readonly (readonly [Role, readonly string[]])[] = [
    ...grants
      .toSorted(bySource)
      .map((grant) => ['open', [grant.source, 'let in', grantedOf(grant)]] as const),
    ...progress.map(({ source, stage, of, expiresIn }) => {
      const next = stage === of ? 'to connect' : 'for the next'
      return ['stage', [source, `knock ${stage} of ${of}`, `${expiresIn} s ${next}`]] as const
    }),
    ...penalised
      .toSorted(bySource)
      .map((one) => ['shut', [one.source, 'penalised', penaltyOf(one)]] as const),
    ...usedUp
      .toSorted((a, b) => a.ago - b.ago || bySource(a, b))
      .map(({ source, ago }) => ['faint', [source, 'used up', `${ago} s ago, ${AGAIN}`]] as const),
  ]
  const lines = alignColumns(sources.map(([, row]) => row)).map((line, index) =>
    paint(sources[index]?.[0] ?? 'faint', line),
  )
  return [
    `${paint('name', name)}  ${placeText(door)}`,
    `  ${formatCounters(counters)}`,
    ...formatAhead(door, paint),
    ...(grants.length + progress.length > 0 ? [] : ['  nobody is let in or on the way']),
    ...lines,
  ].join('\n')
}

function grantedOf({ expiresIn, token }: DoorStatus['grants'][number]): string {
  return `${expiresIn} s left${token ? `, token of ${token.user} ${token.ago} s ago` : ''}`
}

/** Said of a source whose grant is used up. */
const AGAIN = 'must knock again'

/** Most doors have only one knock, `open`, which is not named. */
const penaltyOf = ({ knock, expiresIn }: Penalised): string =>
  `${expiresIn} s left${knock === 'open' ? '' : ` at ${knock}`}`

/** Says until when tokens and sequences are loaded; later none opens. */
function formatAhead({ tokens = [], rotations = [] }: DoorStatus, paint: Paint): string[] {
  const lines: readonly (readonly [Ahead & { until?: string }, string])[] = [
    ...tokens.map((ahead) => [ahead, `tokens of ${ahead.user}`] as const),
    ...rotations.map((ahead) => [ahead, `sequences of ${ahead.knock}`] as const),
  ]
  const rows = lines.map(([{ expiresIn, until }, subject]) => {
    const end = until === undefined ? '' : `, until ${until}`
    return expiresIn > 0
      ? [subject, 'loaded', `${expiresIn} s left${end}`]
      : [subject, 'run out', `none opens${end}`]
  })
  return alignColumns(rows).map((row, index) => {
    const [ahead] = lines[index] as readonly [Ahead, string]
    return endsSoon(ahead) ? paint('alarm', row) : row
  })
}

function formatCounters({ knocks, grants, closes, resets, wrong, denied }: Counters): string {
  const always = `knocks ${knocks}, grants ${grants}, resets ${resets}, denied ${denied}`
  return [always, ...(closes > 0 ? [`closes ${closes}`] : []), `wrong ${wrong}`].join(', ')
}

function formatBans(bans: Status['bans'], counters: Status['counters'], paint: Paint): string {
  const counted = Object.entries(counters).filter(([, count]) => count > 0)
  if (bans.length === 0 && counted.length === 0) return ''
  const lines = bans
    .toSorted(bySource)
    .map(({ source, expiresIn }) => [source, 'banned', `${expiresIn} s left`])
  const counts = counted.map(([name, count]) => `${name} ${count}`).join(', ')
  return [
    `${paint('name', 'guard')}${counts && `  ${counts}`}`,
    ...alignColumns(lines).map((line) => paint('shut', line)),
  ].join('\n')
}

function formatFill(fill: readonly Fill[]): string {
  // A set with a capacity of 1 is always full once it is used.
  const fullest = fill.filter(({ capacity }) => capacity > 1).slice(0, FULLEST)
  if (fullest.length === 0) return ''
  const lines = fullest.map(({ set, elements, capacity, atLeast }) => {
    const [count, share] = [`${elements} of ${capacity}`, percentOf(elements, capacity)]
    if (atLeast) return [set, `at least ${count}`, 'how full is not known']
    return [set, count, `${share} full`]
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
