// A status → the lines of a screen for people. Pure.
import { describeWarning } from '../../index.js'
import { drawCounters } from './counters-table.js'
import { formatSeconds } from './gauge.js'
import { clipLine, clipText, type Line, type Role, span, widthOf } from './paint.js'
import { type Columns, columnsOf, drawRow, type Row } from './rows.js'
import type { Signs, Terminal } from './terminal.js'
import {
  aheadLine,
  aheadRows,
  banRow,
  fillRows,
  grantRow,
  penalisedRow,
  progressRow,
  sortByTime,
  sortProgress,
  sortUsedUp,
  usedUpRow,
  type Viewed,
  type ViewedDoor,
} from './viewed.js'
import { headingLine, listLine, placeText, wrapSpans, wrapWords } from './words.js'

/** Limits for what may be long. */
export interface Limits {
  /** Rows of each list: a door's grants, its attempts, the bans. */
  readonly rows: number
  /**
   * Doors with a block of their own. If there are more doors, those without sources share one line.
   */
  readonly doors: number
  readonly counters: number
  /** Leaves out the empty lines between parts. */
  readonly isDense?: true
}

export const STATUS_LIMITS: Limits = { rows: 20, doors: 12, counters: 20 }

type Place = Pick<Terminal, 'width' | 'signs'>
type Block = readonly (Line | Row)[]

/** Draws a status. Every line fits the width. */
export function viewStatus(status: Viewed, place: Place, limits: Limits = STATUS_LIMITS): Line[] {
  const { width, signs } = place
  const blocks: Block[] = [
    [
      ...viewSummary(status, width, signs),
      ...viewConfirm(status.confirm, width),
      ...viewWarnings(status.warnings, width),
    ],
    ...viewDoors(status.doors, place, limits),
    viewBans(status, place, limits),
    viewFill(status.fill, place, limits),
    viewCounters(status.doors, place, limits),
  ].filter((block) => block.length > 0)
  const columns = columnsOf(blocks.flat().filter(isRow), width)
  return blocks.flatMap((block, index) => [
    ...(index === 0 || limits.isDense ? [] : [[]]),
    ...block.flatMap((part) => drawPart(part, columns, place)),
  ])
}

const isRow = (part: Line | Row): part is Row => 'source' in part

const drawPart = (part: Line | Row, columns: Columns, { width, signs }: Place): Line[] =>
  (isRow(part) ? drawRow(part, columns, signs) : [part]).map((line) =>
    clipLine(line, width, signs.ellipsis),
  )

function viewSummary({ table, doors, bans }: Viewed, width: number, signs: Signs): Line[] {
  const sum = (count: (door: ViewedDoor) => number) =>
    doors.reduce((total, door) => total + count(door), 0)
  const amounts: readonly (readonly [number, string, Role?])[] = [
    [doors.length, doors.length === 1 ? 'door' : 'doors'],
    [sum(({ grants }) => grants.length), 'let in', 'open'],
    [sum(({ progress }) => progress.length), 'on the way', 'stage'],
    [sum(({ penalised = [] }) => penalised.length), 'penalised', 'shut'],
    [bans.length, 'banned', 'shut'],
  ]
  const pieces = amounts
    .filter(([amount], index) => index < 2 || amount > 0)
    .map(([amount, word, role]) => span(`${amount} ${word}`, amount > 0 ? role : undefined))
  const lines = wrapSpans(pieces, span(` ${signs.dot} `, 'faint'), width)
  const title = [span(`table inet ${table}`, 'name')]
  const [first = []] = lines
  const rest = width - widthOf(title) - widthOf(first)
  if (lines.length > 1 || rest < 2) return [title, ...lines]
  return [[...title, span(' '.repeat(rest)), ...first]]
}

function viewConfirm(confirm: Viewed['confirm'], width: number): Line[] {
  if (!confirm) return []
  const { expiresIn = 0 } = confirm
  const left = formatSeconds(expiresIn).replaceAll(' ', '\u00a0')
  const time = expiresIn === 0 ? 'within a second' : `in ${left}`
  const words = confirm.fallenOpen
    ? '!! OPEN TO EVERYONE: nobody confirmed the table in time'
    : `! NOT CONFIRMED: open to everyone ${time}, unless knocklib\u00a0confirm comes first`
  return [[], ...wrapWords(words, width, 'alarm')]
}

function viewWarnings(warnings: Viewed['warnings'] = [], width: number): Line[] {
  if (warnings.length === 0) return []
  return [
    [],
    ...warnings.flatMap((found) => wrapWords(`! ${describeWarning(found)}`, width, 'alarm')),
  ]
}

function viewDoors(doors: readonly ViewedDoor[], place: Place, limits: Limits): Block[] {
  const isQuiet = (door: ViewedDoor) => {
    const { grants, progress, penalised = [], usedUp = [] } = door
    return [...grants, ...progress, ...penalised, ...usedUp, ...aheadRows(door)].length === 0
  }
  const areMany = doors.length > limits.doors
  const own = areMany ? doors.filter((door) => !isQuiet(door)) : doors
  const quiet = areMany ? doors.filter(isQuiet).map(({ name }) => name) : []
  const rest = own.length - limits.doors
  return [
    ...own.slice(0, limits.doors).map((door) => viewDoor(door, place, limits)),
    rest > 0 ? [[span(moreDoors(rest), 'faint')]] : [],
    quiet.length > 0 ? [listLine('nobody at', quiet, place.width)] : [],
  ]
}

const moreDoors = (rest: number): string =>
  `and ${rest} more ${rest === 1 ? 'door' : 'doors'} with sources`

function viewDoor(door: ViewedDoor, { width, signs }: Place, limits: Limits): Block {
  const { name, openFor, grants, progress, penalised = [], usedUp = [] } = door
  const duration = `opens for ${formatSeconds(openFor)}`
  const heading = headingLine(name, placeText(door), duration, width, signs)
  const ahead = aheadLine(door)
  const loaded: Block = [
    ...(ahead === undefined ? [] : [[span(`  ${ahead}`, 'faint')]]),
    ...cut(aheadRows(door), (row) => row, limits.rows, 'that run out'),
  ]
  const parts = [
    ...cut(sortByTime(grants), (grant) => grantRow(grant, openFor), limits.rows, 'let in'),
    ...cut(sortProgress(progress), progressRow, limits.rows, 'on the way'),
  ]
  const inVain = [
    ...cut(sortByTime(penalised), penalisedRow, limits.rows, 'penalised'),
    ...cut(sortUsedUp(usedUp), usedUpRow, limits.rows, 'used up'),
  ]
  const there = parts.length > 0 ? parts : [[span('  nobody', 'faint')]]
  return [heading, ...loaded, ...there, ...inVain]
}

function cut<T>(
  members: readonly T[],
  rowOf: (member: T) => Row,
  limit: number,
  what: string,
): Block {
  // The line `1 more` takes as much room as that row.
  if (members.length <= limit + 1) return members.map(rowOf)
  const rest = `  and ${members.length - limit} more ${what}`
  return [...members.slice(0, limit).map(rowOf), [span(rest, 'faint')]]
}

function viewBans({ bans, counters }: Viewed, { width, signs }: Place, limits: Limits): Block {
  const counts = Object.entries(counters).filter(([, count]) => count > 0)
  if (bans.length === 0 && counts.length === 0) return []
  const counted = counts.map(([name, count]) => `${name} ${count}`).join(', ')
  const heading = headingLine('guard', '', counted, width, signs)
  return [heading, ...cut(sortByTime(bans), banRow, limits.rows, 'banned')]
}

function viewFill(fill: Viewed['fill'], { width, signs }: Place, limits: Limits): Block {
  const rows = fillRows(fill).map((row) => {
    return { ...row, source: clipText(row.source, width - 2, signs.ellipsis) }
  })
  if (rows.length === 0) return []
  const heading = headingLine('filling up', '', 'full sets refuse new sources', width, signs)
  return [heading, ...cut(rows, (row) => row, limits.rows, 'sets')]
}

function viewCounters(doors: readonly ViewedDoor[], place: Place, limits: Limits): Block {
  const { width, signs } = place
  if (doors.length === 0 || limits.counters === 0) return []
  const heading = headingLine('counted', '', 'since the table was made', width, signs)
  return [heading, ...drawCounters(doors, width, limits.counters)]
}
