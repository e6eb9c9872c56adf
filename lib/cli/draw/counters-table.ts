// Doors and their counters → a table with a line for each door, or words if a table is too wide.
// Pure.
import type { Counters, DoorStatus } from '../../index.js'
import { type Line, type Role, span } from './paint.js'
import { wrapSpans } from './words.js'

type Counted = Pick<DoorStatus, 'name' | 'counters'>
type CounterName = keyof Counters

const COLUMNS = ['knocks', 'grants', 'closes', 'resets', 'wrong', 'denied'] as const
/** Left out if they are 0 at each door: most doors do not use them. */
const RARE: ReadonlySet<CounterName> = new Set(['closes', 'wrong'])
const ROLES: Partial<Record<CounterName, Role>> = { grants: 'open', wrong: 'shut' }

const INDENT = 2
/** With less room for names, the gap between columns is one blank. */
const SHORTEST_NAME = 8
/** With less room for names than this, there is no table. */
const LEAST_NAME = 'door'.length

/**
 * Draws the doors in the spec's order. If there are more than `limit`, those with the most packets.
 */
export function drawCounters(doors: readonly Counted[], width: number, limit: number): Line[] {
  const shown = busiest(doors, limit)
  const columns = COLUMNS.filter(
    (column) => !RARE.has(column) || doors.some(({ counters }) => counters[column] > 0),
  )
  const rest = doors.length - shown.length
  const more: Line[] = rest > 0 ? [[span(`  and ${rest} more`, 'faint')]] : []
  return [...(drawTable(shown, columns, width) ?? drawWords(shown, columns, width)), ...more]
}

/** Undefined if the table does not fit. */
function drawTable(
  doors: readonly Counted[],
  names: readonly CounterName[],
  width: number,
): Line[] | undefined {
  const columns = names.map((name) => {
    const cells = doors.map(({ counters }) => formatCount(counters[name]))
    return { name, cells, width: Math.max(name.length, ...cells.map(({ length }) => length)) }
  })
  const taken = columns.reduce((sum, column) => sum + column.width, INDENT)
  const gap = width - taken - 2 * columns.length >= SHORTEST_NAME ? 2 : 1
  const longest = Math.max(LEAST_NAME, ...doors.map(({ name }) => name.length))
  const nameWidth = Math.min(longest, width - taken - gap * columns.length)
  if (nameWidth < LEAST_NAME) return undefined
  const cell = (text: string, width: number, role?: Role) =>
    span(' '.repeat(gap) + text.padStart(width), role)
  const lines = doors.flatMap(({ name }, index): Line[] => {
    const cells = columns.map((column) => {
      const text = column.cells[index] as string
      return cell(text, column.width, text === '0' ? 'faint' : ROLES[column.name])
    })
    if (name.length <= nameWidth) return [[span(`  ${name.padEnd(nameWidth)}`), ...cells]]
    // A name that does not fit gets its own line, as sources do.
    return [[span(`  ${name}`)], [span(' '.repeat(INDENT + nameWidth)), ...cells]]
  })
  const head = columns.map(({ name, width }) => cell(name, width, 'faint'))
  return [[span(`  ${'door'.padEnd(nameWidth)}`, 'faint'), ...head], ...lines]
}

const drawWords = (
  doors: readonly Counted[],
  names: readonly CounterName[],
  width: number,
): Line[] =>
  doors.flatMap(({ name, counters }) => {
    const words = names.map((counter) =>
      span(`${counter} ${formatCount(counters[counter])}`, ROLES[counter]),
    )
    const lines = wrapSpans(words, span(', '), width - 2 * INDENT)
    return [[span(`  ${name}`)], ...lines.map((line) => [span(' '.repeat(2 * INDENT)), ...line])]
  })

function busiest(doors: readonly Counted[], limit: number): readonly Counted[] {
  if (doors.length <= limit) return doors
  const sum = ({ counters }: Counted) => COLUMNS.reduce((total, name) => total + counters[name], 0)
  const chosen = new Set(doors.toSorted((a, b) => sum(b) - sum(a)).slice(0, limit))
  return doors.filter((door) => chosen.has(door))
}

const MILLION = 1_000_000

/** Exact below one million. */
const formatCount = (count: number): string => {
  if (count < MILLION) return String(count)
  const [amount, unit] = count < 1000 * MILLION ? [count / MILLION, 'M'] : [count / 1e9, 'G']
  return `${(Math.floor(amount * 10) / 10).toFixed(1)}${unit}`
}
