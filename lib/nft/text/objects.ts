// The parts of a table as nft's JSON has them → nft's own language. Pure.
import type {
  NftChain,
  NftExpression,
  NftMap,
  NftRule,
  NftSet,
  NftStatement,
  NftValue,
} from '../document.js'
import { formatElement, formatExpression, quoted, unreachable, whole, word } from './expression.js'
import { formatStatement, formatVerdict } from './statement.js'

/** Writes the type by name, or by an example if it has no name. */
function typeOf({ type }: NftSet): string {
  if (typeof type === 'object' && type !== null && !Array.isArray(type) && 'typeof' in type) {
    return `typeof ${formatExpression(type['typeof'] as NftExpression)}`
  }
  return `type ${(Array.isArray(type) ? type : [type]).map(word).join(' . ')}`
}

/** Writes what a set or a map is, without its elements, as the lines of its block. */
export function traitsOf(holder: NftSet | NftMap): string[] {
  const { flags, timeout, size, stmt = [] } = holder
  const data = 'map' in holder ? ` : ${word(holder.map)}` : ''
  return [
    `${typeOf(holder)}${data}`,
    ...(flags ? [`flags ${flags.map(word).join(',')}`] : []),
    ...(timeout === undefined ? [] : [`timeout ${whole(timeout)}s`]),
    ...(size === undefined ? [] : [`size ${whole(size)}`]),
    ...stmt.map(formatCounted),
  ]
}

/** Writes what each element of a set has. */
function formatCounted(stmt: NftStatement): string {
  if (JSON.stringify(stmt) !== '{"counter":null}') throw unreachable(stmt)
  return 'counter'
}

export const formatSet = (set: NftSet): string[] =>
  formatHolder('set', set, (set.elem ?? []).map(formatElement))

export const formatMap = (map: NftMap, entries: readonly NftValue[] = []): string[] =>
  formatHolder(
    'map',
    map,
    entries.map((entry) => formatEntry(entry, map.map === 'verdict')),
  )

function formatHolder(kind: 'set' | 'map', holder: NftSet, elements: readonly string[]): string[] {
  return block(`${kind} ${word(holder.name)}`, [
    ...traitsOf(holder),
    ...(elements.length > 0 ? formatElements('elements =', elements) : []),
  ])
}

/** Writes a block with one element a line. */
export const formatElements = (head: string, elements: readonly string[]): string[] =>
  block(
    head,
    elements.map((element) => `${element},`),
  )

/** Writes a key of a map and its verdict or value. */
export function formatEntry(entry: NftValue, isVerdict: boolean): string {
  if (!Array.isArray(entry) || entry.length !== 2) throw unreachable(entry)
  const [key, value] = entry as [NftValue, NftValue]
  return `${formatElement(key)} : ${isVerdict ? formatVerdict(value) : whole(value)}`
}

/** Writes the place of a base chain; empty for a chain to which others jump. */
export function placeOf({ type, hook, dev, prio, policy }: NftChain): string[] {
  if (type === undefined) return []
  const device = dev === undefined ? '' : ` device ${quoted(dev)}`
  const place = `type ${word(type)} hook ${word(hook)}${device} priority ${whole(prio)}`
  return [`${place}; policy ${word(policy)};`]
}

export const formatChain = (chain: NftChain, rules: readonly NftRule[] = []): string[] =>
  block(`chain ${word(chain.name)}`, [...placeOf(chain), ...rules.map(formatRule)])

export function formatRule({ expr, comment }: NftRule): string {
  const statements = expr.map(formatStatement)
  return [...statements, ...(comment === undefined ? [] : [`comment ${quoted(comment)}`])].join(' ')
}

const block = (head: string, lines: readonly string[]): string[] => [
  `${head} {`,
  ...indent(lines),
  '}',
]

export const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)
