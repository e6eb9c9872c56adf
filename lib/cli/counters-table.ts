// Doors with their counters → a table with a line for each. Pure.
import type { Counters, DoorStatus } from '../index.js'
import { type Line, type Role, span } from './paint.js'

type Counted = Pick<DoorStatus, 'name' | 'counters'>

const COLUMNS = ['knocks', 'grants', 'resets', 'wrong', 'denied'] as const
const ROLES: Partial<Record<keyof Counters, Role>> = { grants: 'open', wrong: 'shut' }

const INDENT = 2
/** Where less room is left for names, the columns move together. */
const SHORTEST_NAME = 8

/** Of more doors than the limit, those with the most packets; always in the spec's order. */
export function drawCounters(doors: readonly Counted[], width: number, limit: number): Line[] {
  const shown = busiest(doors, limit)
  const columns = COLUMNS.filter(
    (column) => column !== 'wrong' || doors.some(({ counters }) => counters.wrong > 0),
  ).map((column) => {
    const cells = shown.map(({ counters }) => formatCount(counters[column]))
    return { column, cells, width: Math.max(column.length, ...cells.map(({ length }) => length)) }
  })
  const taken = columns.reduce((sum, column) => sum + column.width, INDENT)
  const gap = width - taken - 2 * columns.length >= SHORTEST_NAME ? 2 : 1
  const longest = Math.max('door'.length, ...shown.map(({ name }) => name.length))
  const nameWidth = Math.min(longest, width - taken - gap * columns.length)
  const head = columns.map(({ column, width }) =>
    span(`${' '.repeat(gap)}${column.padStart(width)}`, 'faint'),
  )
  const lines = shown.flatMap(({ name }, index): Line[] => {
    const cells = columns.map(({ column, cells, width }) => {
      const cell = cells[index] as string
      const role = cell === '0' ? 'faint' : ROLES[column]
      return span(' '.repeat(gap) + cell.padStart(width), role)
    })
    // As with sources: a name that does not fit has a line of its own.
    if (name.length > nameWidth)
      return [[span(`  ${name}`)], [span(' '.repeat(INDENT + nameWidth)), ...cells]]
    return [[span(`  ${name.padEnd(nameWidth)}`), ...cells]]
  })
  const rest = doors.length - shown.length
  const more: Line[] = rest > 0 ? [[span(`  and ${rest} more`, 'faint')]] : []
  return [[span(`  ${'door'.padEnd(nameWidth)}`, 'faint'), ...head], ...lines, ...more]
}

function busiest(doors: readonly Counted[], limit: number): readonly Counted[] {
  if (doors.length <= limit) return doors
  const sum = ({ counters }: Counted) => COLUMNS.reduce((total, name) => total + counters[name], 0)
  const chosen = new Set(doors.toSorted((a, b) => sum(b) - sum(a)).slice(0, limit))
  return doors.filter((door) => chosen.has(door))
}

const MILLION = 1_000_000

/** Exact up to a million. */
const formatCount = (count: number): string => {
  if (count < MILLION) return String(count)
  const [amount, unit] = count < 1000 * MILLION ? [count / MILLION, 'M'] : [count / 1e9, 'G']
  return `${(Math.floor(amount * 10) / 10).toFixed(1)}${unit}`
}
