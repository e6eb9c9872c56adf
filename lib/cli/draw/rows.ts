// Rows of source, gauge, word and time → lines with the same columns on the whole screen. Pure.
import { drawGauge, type Gauge } from './gauge.js'
import { type Line, type Role, span } from './paint.js'
import type { Signs } from './terminal.js'

/** One source, or one set. */
export interface Row {
  /** An address, or the name of a set. */
  readonly source: string
  readonly role: Role
  readonly gauge?: Gauge
  readonly word: string
  readonly time: string
}

/** The widths of the columns. */
export interface Columns {
  /** 0: every source gets its own line. */
  readonly source: number
  readonly gauge: number
  readonly word: number
}

const INDENT = 2
const GAP = 2
const GAUGE = { least: 6, most: 20 } as const
/** Room for the longest usual time, so that columns do not move when 10 s become 9 s. */
const TIME = 'next within 59 s'.length
/** The longest IPv4 address. If even this does not fit, every source gets its own line. */
const SHORT = '255.255.255.255'.length

/** Finds the columns for these rows. */
export function columnsOf(rows: readonly Row[], width: number): Columns {
  const word = Math.max(0, ...rows.map((row) => row.word.length))
  const time = Math.max(TIME, ...rows.map((row) => row.time.length))
  const room = width - INDENT - GAP - GAP - word - GAP - time
  const widest = room - GAUGE.least
  if (widest < SHORT) {
    return { source: 0, gauge: Math.min(Math.max(room - INDENT + GAP, 0), GAUGE.most), word }
  }
  const fitting = rows.map((row) => row.source.length).filter((length) => length <= widest)
  const source = Math.max(SHORT, ...fitting)
  return { source, gauge: Math.min(room - source, GAUGE.most), word }
}

/** Draws one line, or two if the source does not fit into its column. */
export function drawRow(row: Row, columns: Columns, signs: Signs): Line[] {
  const { source, role, word, time, gauge } = row
  const isApart = source.length > columns.source
  const indent = columns.source === 0 ? INDENT + GAP : INDENT + columns.source + GAP
  const drawn =
    columns.gauge === 0
      ? []
      : [
          ...(gauge
            ? drawGauge(gauge, columns.gauge, role, signs)
            : [span(' '.repeat(columns.gauge))]),
          span(' '.repeat(GAP)),
        ]
  const rest = [...drawn, span(word.padEnd(columns.word + GAP), role), span(time)]
  const head = ' '.repeat(INDENT) + source
  if (isApart) return [[span(head)], [span(' '.repeat(indent)), ...rest]]
  return [[span(head.padEnd(indent)), ...rest]]
}
