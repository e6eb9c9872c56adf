// The results of benchmarks → the tables of the page. Pure.
import { table } from '../../peers/markdown.js'
import type { Result, Row } from '../report.js'
import {
  beyond,
  count,
  find,
  nanoseconds,
  numbersOf,
  rate,
  ratio,
  rowsOf,
  time,
  variantsOf,
} from './values.js'

/** A row for each variant, and a column for each number of what grows. */
function growthTable(head: string, rows: readonly Row[], cell: (row: Row) => string): string {
  const numbers = numbersOf(rows)
  const lines = variantsOf(rows).map((variant) => [
    variant,
    ...numbers.map((x) => {
      const row = rows.find((one) => one.variant === variant && one.x === x)
      return row ? cell(row) : ''
    }),
  ])
  return table([head, ...numbers.map(count)], lines)
}

export function packetsTables(result: Result): string {
  const rows = rowsOf(result, 'packets')
  const single = rows.filter(({ x }) => x === undefined || x === 1)
  const named = ({ variant, x }: Row) => (x === undefined ? variant : `${variant}, one door`)
  const lines = single.map((row) => [
    named(row),
    nanoseconds(row.value),
    nanoseconds(beyond(row)),
    ratio(row.ratio),
  ])
  const head = ['In front of it', 'a packet', 'beyond the generator', 'to the plain firewall']
  const growing = rows.filter(({ x }) => x !== undefined)
  return [
    table(head, lines),
    'By the number of doors, to the plain firewall:',
    growthTable('', growing, (row) => ratio(row.ratio)),
  ].join('\n\n')
}

export function scanTable(result: Result): string {
  const head = ['', 'a packet', 'to the plain firewall', 'to rules by hand', 'to `log: false`']
  const lines = rowsOf(result, 'to the plain firewall').map((row) => [
    row.variant,
    nanoseconds(beyond(row)),
    ratio(row.ratio),
    ratio(find(result, 'to rules by hand', row.variant)?.ratio),
    ratio(find(result, 'to no log', row.variant)?.ratio),
  ])
  return table(head, lines)
}

export function establishedTable(result: Result): string {
  const cells = (row: Row | undefined) =>
    row ? [`${row.value.toPrecision(3)} Gbit/s`, ratio(row.ratio)] : ['', '']
  const lines = variantsOf(result.rows).map((variant) => [
    variant,
    ...cells(find(result, 'large segments', variant)),
    ...cells(find(result, 'one by one', variant)),
  ])
  return table(['', 'large segments', 'to no table', 'one by one', 'to no table'], lines)
}

export const installTable = (result: Result): string =>
  growthTable('Doors', rowsOf(result, 'install'), ({ value }) => time(value))

const mebibytes = ({ value }: Row): string => (value < 1 ? 'below 1 MiB' : `${count(value)} MiB`)

export function sourcesTables(result: Result): string {
  const letIn = rowsOf(result, 'let in')
  const costs = rowsOf(result, 'a packet of the flood')
  return [
    `The client is let in, ${letIn[0]?.unit ?? ''}:`,
    growthTable('Sources', letIn, ({ value }) => count(value)),
    'A packet of the flood, beyond the generator:',
    growthTable('Sources', costs, (row) => nanoseconds(beyond(row))),
    'What the memory of the kernel grows by, with other work of the machine:',
    growthTable('Sources', rowsOf(result, 'kernel memory'), mebibytes),
  ].join('\n\n')
}

const perSecond = (each: number): string => rate(1e9 / each)

export function guessesTables(result: Result): string {
  const hooks = rowsOf(result, 'a wrong token').map((row) => {
    const letIn = find(result, 'let in', row.variant)
    return [
      row.variant,
      nanoseconds(beyond(row)),
      perSecond(row.value),
      perSecond(beyond(row)),
      letIn ? `${count(letIn.value)} ${letIn.unit}` : '',
    ]
  })
  const head = ['', 'a wrong token', 'dropped a second, generator included', 'receiving alone']
  return [
    table([...head, 'right ones let in'], hooks),
    'At `input`, by the number of tokens that one user has loaded:',
    growthOfTokens(result, 'tokens', 'Tokens'),
    'At `input`, by the number of users, who have 1,000 tokens each:',
    growthOfTokens(result, 'users', 'Users'),
  ].join('\n\n')
}

function growthOfTokens(result: Result, part: string, head: string): string {
  const lines = rowsOf(result, part).map((row) => {
    const letIn = find(result, `${part}: let in`, row.variant, row.x)
    return [
      count(row.x ?? 0),
      time(find(result, `${part}: installed in`, row.variant, row.x)?.value ?? Number.NaN),
      nanoseconds(beyond(row)),
      letIn ? `${count(letIn.value)} ${letIn.unit}` : '',
    ]
  })
  return table([head, 'installed in', 'a wrong token', 'right ones let in'], lines)
}
