// The document that makes a table anew → the same in nft's own language, for `nft -f`. Pure.
import type {
  NftChain,
  NftCommand,
  NftDocument,
  NftFamily,
  NftMap,
  NftObject,
  NftRule,
  NftSet,
  NftTable,
  NftValue,
} from '../document.js'
import { isOfTags, tagsOf } from '../tags.js'
import { unreachable, word } from '../text/expression.js'
import { formatChain, formatMap, formatSet, indent } from '../text/objects.js'

const HEADER = `\
# Port knocking, rendered by knocklib: to change it, change the spec and render it again.
# nft -f loads this file, all of it or nothing. It makes the table anew: grants and attempts under \
way are gone.`

/**
 * Writes the document of `renderRuleset` as text that nft 1.0.6 to 1.1.7 read. The table is made
 * anew whether it exists or not; nft does all of the file or nothing.
 */
export function renderText(document: NftDocument): string {
  const inet = document.nftables.filter((command) => !isOfTags(command))
  const tables = [formatAnew({ nftables: inet }), ...formatTags(document)]
  return `${HEADER}\n\n${tables.join('\n')}`
}

/**
 * Writes the netdev table beside doors at ingress, which has nothing to keep. Empty at other hooks.
 */
export function formatTags(document: NftDocument): string[] {
  const nftables = tagsOf(document)
  return nftables.length > 0 ? [formatAnew({ nftables })] : []
}

function formatAnew(document: NftDocument): string {
  const { family, table, objects } = contentOf(document)
  const name = `table ${word(family)} ${word(table)}`
  const body = formatTable(name, formatContent(partsOf(objects)))
  return `add ${name}\ndelete ${name}\n\n${body}`
}

interface Content {
  readonly family: NftFamily
  readonly table: string
  readonly objects: NftObject[]
}

/** Reads the objects that a document makes, and the name of its table. */
export function contentOf({ nftables }: NftDocument): Content {
  const [first, second, third, ...content] = nftables
  const table = tableOf(first, 'add')
  const same = [tableOf(second, 'delete'), tableOf(third, 'add')]
  if (same.some(({ name }) => name !== table.name)) throw unreachable([second, third])
  const objects = content.map((command) => {
    if (!('add' in command)) throw unreachable(command)
    return command.add
  })
  for (const object of objects) {
    const [content] = Object.values(object)
    if (content.table !== table.name || content.family !== table.family) throw unreachable(object)
  }
  return { family: table.family, table: table.name, objects }
}

/** Writes a table's block; each part is its lines. */
export const formatTable = (name: string, parts: readonly string[][]): string =>
  `${name} {\n${parts.map((part) => indent(part).join('\n')).join('\n\n')}\n}\n`

function tableOf(command: NftCommand | undefined, verb: 'add' | 'delete'): NftTable {
  const object = command && verb in command && Object.values(command)[0]
  if (!object || !('table' in object)) throw unreachable(command)
  return object.table
}

/** The parts of a table by kind; rules by their chain, entries by their map. */
interface TextParts {
  readonly counters: readonly string[]
  readonly sets: readonly NftSet[]
  readonly maps: readonly NftMap[]
  readonly chains: readonly NftChain[]
  readonly rules: ReadonlyMap<string, readonly NftRule[]>
  readonly entries: ReadonlyMap<string, readonly NftValue[]>
}

export function partsOf(objects: readonly NftObject[]): TextParts {
  const counters: string[] = []
  const sets: NftSet[] = []
  const maps: NftMap[] = []
  const chains: NftChain[] = []
  const rules = new Map<string, NftRule[]>()
  const entries = new Map<string, NftValue[]>()
  for (const object of objects) {
    if ('counter' in object) counters.push(`counter ${word(object.counter.name)} {}`)
    else if ('set' in object) sets.push(object.set)
    else if ('map' in object) maps.push(object.map)
    else if ('chain' in object) chains.push(object.chain)
    else if ('rule' in object) gather(rules, object.rule.chain, [object.rule])
    else if ('element' in object) gather(entries, object.element.name, object.element.elem)
    else throw unreachable(object)
  }
  // A rule or an entry without its chain or map would be lost.
  requireOwners(rules, chains)
  requireOwners(entries, maps)
  return { counters, sets, maps, chains, rules, entries }
}

function requireOwners(
  groups: ReadonlyMap<string, unknown>,
  owners: readonly { readonly name: string }[],
): void {
  const names = new Set(owners.map(({ name }) => name))
  for (const [name, left] of groups) if (!names.has(name)) throw unreachable(left)
}

/** Writes the parts of a table in the order in which nft lists them. */
function formatContent({ counters, sets, maps, chains, rules, entries }: TextParts): string[][] {
  return [
    ...(counters.length > 0 ? [[...counters]] : []),
    ...sets.map((set) => formatSet(set)),
    ...maps.map((map) => formatMap(map, entries.get(map.name))),
    ...chains.map((chain) => formatChain(chain, rules.get(chain.name))),
  ]
}

function gather<T>(groups: Map<string, T[]>, name: string, items: readonly T[]): void {
  const group = groups.get(name)
  if (group) group.push(...items)
  else groups.set(name, [...items])
}
