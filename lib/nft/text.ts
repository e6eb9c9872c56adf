// The document that makes a table anew → the same in nft's own language, for a file that nft -f loads. Pure.
import type {
  NftChain,
  NftCommand,
  NftDocument,
  NftExpression,
  NftMap,
  NftObject,
  NftRule,
  NftSet,
  NftTable,
  NftValue,
} from './document.js'
import {
  formatElement,
  formatExpression,
  formatStatement,
  formatVerdict,
  quoted,
  unreachable,
  whole,
  word,
} from './text-expression.js'

const HEADER = `# Port knocking, rendered by knocklib: to change it, change the spec and render it again.
# nft -f loads this file, all of it or nothing. It makes the table anew: grants and attempts under way are gone.`

/**
 * Prints what `renderRuleset` makes: the same table, as text. nft 1.0.6 to 1.1.7 read it.
 * The table is made anew, whether it stands already or not; nft does all of the file or nothing.
 */
export function renderText({ nftables }: NftDocument): string {
  const [first, second, third, ...content] = nftables
  const table = tableOf(first, 'add')
  const same = [tableOf(second, 'delete'), tableOf(third, 'add')]
  if (same.some(({ name }) => name !== table.name)) throw unreachable([second, third])
  const name = `table inet ${word(table.name)}`
  const objects = content.map((command) => {
    if (!('add' in command)) throw unreachable(command)
    return command.add
  })
  for (const object of objects) {
    const [content] = Object.values(object)
    if (content.table !== table.name) throw unreachable(object)
  }
  const blocks = formatContent(objects).map((block) => indent(block).join('\n'))
  const body = `${name} {\n${blocks.join('\n\n')}\n}`
  return `${HEADER}\n\nadd ${name}\ndelete ${name}\n\n${body}\n`
}

function tableOf(command: NftCommand | undefined, verb: 'add' | 'delete'): NftTable {
  const object = command && verb in command && Object.values(command)[0]
  if (!object || !('table' in object)) throw unreachable(command)
  return object.table
}

/** The parts of the table, each as its lines, in the order in which nft lists them. */
function formatContent(objects: readonly NftObject[]): string[][] {
  const counters: string[] = []
  const sets: string[][] = []
  const maps: NftMap[] = []
  const chains: NftChain[] = []
  const rules = new Map<string, NftRule[]>()
  const elements = new Map<string, NftValue[]>()
  for (const object of objects) {
    if ('counter' in object) counters.push(`counter ${word(object.counter.name)} {}`)
    else if ('set' in object) sets.push(formatSet('set', object.set, typeOf(object.set), []))
    else if ('map' in object) maps.push(object.map)
    else if ('chain' in object) chains.push(object.chain)
    else if ('rule' in object) gather(rules, object.rule.chain, [object.rule])
    else if ('element' in object) gather(elements, object.element.name, object.element.elem)
    else throw unreachable(object)
  }
  const verdictMaps = maps.map((map) => {
    const entries = take(elements, map.name).map(formatEntry)
    return formatSet('map', map, `${typeOf(map)} : ${word(map.map)}`, entries)
  })
  const named = chains.map((chain) => formatChain(chain, take(rules, chain.name)))
  // What belongs to nothing here must not be lost.
  for (const left of [...rules.values(), ...elements.values()]) throw unreachable(left)
  return [...(counters.length > 0 ? [counters] : []), ...sets, ...verdictMaps, ...named]
}

function gather<T>(groups: Map<string, T[]>, name: string, items: readonly T[]): void {
  const group = groups.get(name)
  if (group) group.push(...items)
  else groups.set(name, [...items])
}

function take<T>(groups: Map<string, T[]>, name: string): T[] {
  const group = groups.get(name) ?? []
  groups.delete(name)
  return group
}

/** By name, or by an example where types have none. */
function typeOf({ type }: NftSet): string {
  if (typeof type === 'object' && type !== null && !Array.isArray(type) && 'typeof' in type) {
    return `typeof ${formatExpression(type['typeof'] as NftExpression)}`
  }
  return `type ${(Array.isArray(type) ? type : [type]).map(word).join(' . ')}`
}

function formatSet(
  kind: 'set' | 'map',
  { name, flags, timeout, size, elem = [] }: NftSet,
  type: string,
  entries: readonly string[],
): string[] {
  const elements = [...elem.map(formatElement), ...entries]
  return block(`${kind} ${word(name)}`, [
    type,
    ...(flags ? [`flags ${flags.map(word).join(',')}`] : []),
    ...(timeout === undefined ? [] : [`timeout ${whole(timeout)}s`]),
    ...(size === undefined ? [] : [`size ${whole(size)}`]),
    ...(elements.length > 0
      ? block(
          'elements =',
          elements.map((element) => `${element},`),
        )
      : []),
  ])
}

/** A key, and the verdict for it. */
function formatEntry(entry: NftValue): string {
  if (!Array.isArray(entry) || entry.length !== 2) throw unreachable(entry)
  return `${formatElement(entry[0] as NftValue)} : ${formatVerdict(entry[1] as NftValue)}`
}

function formatChain(
  { name, type, hook, dev, prio, policy }: NftChain,
  rules: NftRule[],
): string[] {
  const device = dev === undefined ? '' : ` device ${quoted(dev)}`
  const base =
    type === undefined
      ? []
      : [
          `type ${word(type)} hook ${word(hook)}${device} priority ${whole(prio)}; policy ${word(policy)};`,
        ]
  return block(`chain ${word(name)}`, [...base, ...rules.map(formatRule)])
}

function formatRule({ expr, comment }: NftRule): string {
  const statements = expr.map(formatStatement)
  return [...statements, ...(comment === undefined ? [] : [`comment ${quoted(comment)}`])].join(' ')
}

const block = (head: string, lines: readonly string[]): string[] => [
  `${head} {`,
  ...indent(lines),
  '}',
]

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)
