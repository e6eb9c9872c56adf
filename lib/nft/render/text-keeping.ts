// The document that makes a table anew → text that nft -f loads over the installed table, and that
// keeps its grants, bans, counters, tokens and used tokens. Pure.
//
// No listing is at hand when the text is loaded. So it can name only what its own spec has: it
// declares that, flushes what only a spec changes, and makes the rules anew. Parts that only an
// older spec had stay behind, without rules.
import { isOfPorts, parseSetName } from '../../automaton/language/names.js'
import { CONFIRM_SET } from '../confirm.js'
import type { NftDocument, NftRule, NftSet } from '../document.js'
import { parseFamilySet } from '../names.js'
import { isConstant } from '../parts.js'
import { SERIAL_SET } from '../serial.js'
import { isOfTags } from '../tags.js'
import { formatElement, word } from '../text/expression.js'
import { formatChain, formatElements, formatEntry, formatMap, formatSet } from '../text/objects.js'
import { contentOf, formatTable, formatTags, partsOf } from './text.js'

const HEADER = `\
# Port knocking, rendered by knocklib: to change it, change the spec and render it again.
# nft -f loads this file, all of it or nothing. Grants, bans, counters, tokens and what has been \
used stay;
# knocks under way begin again.`

/**
 * Writes the document of `renderRuleset` as text that keeps the contents of an installed table. It
 * also loads if there is no table. nft refuses all of it if a set or a base chain of the same name
 * has another type or hook.
 */
export function renderKeepingText(document: NftDocument): string {
  const inet = document.nftables.filter((command) => !isOfTags(command))
  const { table, objects } = contentOf({ nftables: inet })
  const { counters, sets, maps, chains, rules, entries } = partsOf(objects)
  const name = `inet ${word(table)}`
  const updated = updatedBy([...rules.values()].flat())
  const constants = sets.filter((set) => isConstant({ content: { ...set } }))
  const declared = [
    [...counters],
    ...sets.map((set) => formatSet(declarationOf(set, updated))),
    ...maps.map((map) => formatMap(map)),
    ...chains.map((chain) => formatChain(chain)),
  ]
  // A map that is named after a digest of its entries never changes while it leads packets.
  const changing = <T extends { readonly name: string }>(parts: readonly T[]): T[] =>
    parts.filter(({ name }) => !isOfPorts(parseFamilySet(name)?.set ?? name))
  const emptied = [
    ...[...changing(constants), ...sets.filter(isUnderWay)].map(
      (set) => `set ${name} ${word(set.name)}`,
    ),
    ...changing(maps).map((map) => `map ${name} ${word(map.name)}`),
  ]
  const filled = [
    ...constants.map((set) => [set.name, (set.elem ?? []).map(formatElement)] as const),
    ...maps.map(({ name, map }) => {
      const own = entries.get(name) ?? []
      return [name, own.map((entry) => formatEntry(entry, map === 'verdict'))] as const
    }),
  ].flatMap(([holder, elements]) =>
    elements.length > 0
      ? [formatElements(`add element ${name} ${word(holder)}`, elements).join('\n')]
      : [],
  )
  const filledChains = chains.flatMap((chain) => {
    const own = rules.get(chain.name)
    return own ? [formatChain({ family: chain.family, table, name: chain.name }, own)] : []
  })
  return [
    `${HEADER}\n`,
    `add table ${name}\nflush table ${name}\n`,
    formatTable(
      `table ${name}`,
      declared.filter((part) => part.length > 0),
    ),
    ...MARKS.map((mark) => `add set ${name} ${mark}\ndelete set ${name} ${mark.split(' ', 1)[0]}`),
    '',
    ...emptied.map((holder) => `flush ${holder}`),
    '',
    `${filled.join('\n\n')}\n`,
    formatTable(`table ${name}`, filledChains),
    ...formatTags(document),
  ].join('\n')
}

/**
 * Sets that an install left and that the new rules do not use. Without the serial an install that
 * is under way fails and starts again.
 */
const MARKS = [`${SERIAL_SET} { type mark; }`, `${CONFIRM_SET} { type mark; flags timeout; }`]

/**
 * Whether a set holds attempts under way. The steps may be others now, so that somebody who knows
 * only the first of the old ones and the last of the new ones would get in.
 */
function isUnderWay({ name }: NftSet): boolean {
  const role = parseSetName(parseFamilySet(name)?.set ?? name)?.role
  if (role?.kind === 'inner') return /^(?:(?:open\d+|close)_)?(?:early|window\d+)_/.test(name)
  return role?.kind === 'stage' || role?.kind === 'attempt' || role?.kind === 'armed'
}

/**
 * nft sets `dynamic` by itself, but some versions only if the set is new. Written in the text, it
 * is always the same. nft never sets it for a map.
 */
function declarationOf({ elem: _elem, ...set }: NftSet, updated: ReadonlySet<string>): NftSet {
  if (!updated.has(set.name)) return set
  return { ...set, flags: ['dynamic', ...(set.flags ?? [])] } as NftSet
}

/** The names of the sets that rules add to, refresh, or delete from. */
function updatedBy(rules: readonly NftRule[]): Set<string> {
  const names = rules.flatMap(({ expr }) =>
    expr.flatMap((statement) => {
      const change = (statement as { set?: { set?: unknown } }).set
      return typeof change?.set === 'string' ? [change.set.replace(/^@/, '')] : []
    }),
  )
  return new Set(names)
}
