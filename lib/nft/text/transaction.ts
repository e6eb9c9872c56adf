// A document of commands → the same transaction in nft's own language, a command a line. Pure.
import type {
  NftCommand,
  NftContainer,
  NftCounter,
  NftDocument,
  NftElements,
  NftObject,
  NftTarget,
  NftValue,
} from '../document.js'
import { entryOf, formatElement, unreachable, whole, word } from './expression.js'
import { formatEntry, formatRule, placeOf, traitsOf } from './objects.js'

/**
 * Writes a document for `nft -f`. Line N is command N, so that a line that nft names leads to its
 * command. The commands are in their order, and nft does all of them or nothing.
 */
export const formatTransaction = ({ nftables }: NftDocument): string =>
  nftables.map((command) => `${formatCommand(command)}\n`).join('')

/** Whether a rule of a document changes a map. */
export const hasMapStatement = ({ nftables }: NftDocument): boolean =>
  nftables.some(
    (command) =>
      'add' in command &&
      'rule' in command.add &&
      command.add.rule.expr.some((statement) => 'map' in statement),
  )

function formatCommand(command: NftCommand): string {
  if ('add' in command) return `add ${formatAdded(command.add)}`
  if ('create' in command) return `create ${formatNamed(command.create)}`
  if ('delete' in command) return `delete ${formatDeleted(command.delete)}`
  if ('flush' in command) return `flush ${formatNamed(command.flush)}`
  throw unreachable(command)
}

function formatAdded(object: NftObject): string {
  if ('rule' in object) return `rule ${inTable(object.rule, 'chain')} ${formatRule(object.rule)}`
  if ('element' in object) return formatMembers(object.element, formatMember)
  const name = formatNamed(object)
  if ('table' in object) return name
  if ('counter' in object) return [name, ...beginningOf(object.counter)].join(' ')
  if ('chain' in object) return [name, ...bodyOf(placeOf(object.chain))].join(' ')
  const { elem = [] } = 'set' in object ? object.set : object.map
  const elements = elem.length > 0 ? [`elements = { ${elem.map(formatMember).join(', ')} }`] : []
  return [
    name,
    ...bodyOf([...traitsOf('set' in object ? object.set : object.map), ...elements]),
  ].join(' ')
}

/** Writes with what a counter begins. */
function beginningOf({ packets, bytes = 0 }: NftCounter): string[] {
  return packets === undefined ? [] : [`{ packets ${whole(packets)} bytes ${whole(bytes)} }`]
}

function formatDeleted(target: NftTarget): string {
  if ('rule' in target) {
    return `rule ${inTable(target.rule, 'chain')} handle ${whole(target.rule.handle)}`
  }
  return 'element' in target ? formatMembers(target.element, formatKey) : formatNamed(target)
}

/** Writes what kind of object it is, and its name. */
function formatNamed(object: NftObject | NftTarget | NftContainer): string {
  const [kind, content] = entryOf(object as unknown as NftValue)
  const named = content as { [name: string]: NftValue }
  if (kind === 'table') return `table ${word(named['family'])} ${word(named['name'])}`
  return `${word(kind)} ${inTable(named, 'name')}`
}

/** Writes the table of a part, and the part by its name. */
function inTable(part: object, by: 'name' | 'chain'): string {
  const { family, table, ...rest } = part as { [name: string]: NftValue }
  const name = rest[by]
  // A part that others have put into the table can have any name that nft can write.
  if (typeof name !== 'string' || !/^[A-Za-z_][\w./-]*$/.test(name)) throw unreachable(part)
  return [word(family), word(table), name].join(' ')
}

const bodyOf = (lines: readonly string[]): string[] =>
  lines.length > 0 ? [`{ ${lines.map((line) => line.replace(/;$/, '')).join('; ')}; }`] : []

function formatMembers(element: NftElements, format: (member: NftValue) => string): string {
  const { elem } = element
  if (elem.length === 0) throw unreachable(element)
  return `element ${inTable(element, 'name')} { ${elem.map(format).join(', ')} }`
}

/** Writes an element of a set, or an entry of a map. */
function formatMember(member: NftValue): string {
  return Array.isArray(member)
    ? formatEntry(member, typeof member[1] !== 'number')
    : formatElement(member)
}

/** Writes an element that is deleted. Its times and its comment do not matter. */
function formatKey(member: NftValue): string {
  if (!Array.isArray(member)) return formatElement(keyOf(member))
  const [key, value] = member as [NftValue, NftValue]
  return formatEntry([keyOf(key), value], typeof value !== 'number')
}

function keyOf(member: NftValue): NftValue {
  const isOwned = typeof member === 'object' && member !== null && !Array.isArray(member)
  const own = isOwned ? member['elem'] : undefined
  const isObject = typeof own === 'object' && own !== null && !Array.isArray(own)
  return isObject ? (own['val'] as NftValue) : member
}
