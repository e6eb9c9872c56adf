// A listing and the document of the table → whether the table is unchanged. Pure.
//
// The digest in the table is not enough: it stays the same when somebody changes the table by hand.
import { canonicalText, isSameText } from '../nft/canonical.js'
import { CONFIRM_SET, isConfirmRule } from '../nft/confirm.js'
import type { NftDocument, NftRule } from '../nft/document.js'
import { elementText, isConstant, isContent, listedObjects, listOf, partsOf } from '../nft/parts.js'
import { SERIAL_SET } from '../nft/serial.js'
import { isOfTags } from '../nft/tags.js'
import { isTimedByRules } from './kept.js'
import { spentBeyond } from './reload.js'
import { retiredBefore } from './retired.js'

/** A document is compared at each look at its table, and never changes. */
const shapes = new WeakMap<NftDocument, Map<string, string>>()

/**
 * Compares a document with nft's listing: the table's flags; hook, priority, policy and device of
 * base chains; each rule's statements; type, flags, size and timeout of sets and maps; the
 * elements of constant sets and maps. Not compared: the elements of timed ones, and the counters'
 * values.
 */
export function isIntact(listing: unknown, document: NftDocument): boolean {
  const made = document.nftables.flatMap((command) =>
    'add' in command && !isOfTags(command) ? [command.add] : [],
  )
  const objects = withoutExtras(listedObjects(listing), made)
  const [expected, found] = [shapes.get(document) ?? shapeOf(made), shapeOf(objects)]
  shapes.set(document, expected)
  const devices = devicesOf(made)
  return (
    expected.size === found.size &&
    [...expected].every(([key, text]) => isSameText(text, found.get(key) ?? '')) &&
    [...devicesOf(objects)].every(([chain, device]) => devices.get(chain) === device)
  )
}

type Content = Readonly<Record<string, unknown>>

/**
 * Leaves out the rules and sets that an unchanged table may have in addition: the serial, a pending
 * confirmation, sets of used tokens and sequences of doors that are gone, and what an earlier
 * change left behind for packets under way.
 */
function withoutExtras(objects: readonly unknown[], made: readonly unknown[]): readonly unknown[] {
  const [standing, wanted] = [partsOf(objects), new Set(partsOf(made).keys())]
  const beyond = new Set(spentBeyond(standing.values(), wanted))
  const retired = retiredBefore(standing, wanted)
  return objects.filter((object) => {
    const [[kind = '', content] = []] = Object.entries(isContent(object) ? object : {})
    if (kind === 'rule') return !isConfirmRule(content as NftRule)
    if (isContent(content) && retired.has(`${kind} ${content['name']}`)) return false
    const { set } = (isContent(object) ? object : {}) as { set?: Content }
    const name = set?.['name']
    return name !== SERIAL_SET && name !== CONFIRM_SET && !beyond.has(String(name))
  })
}

/** Maps each part of a table, by kind and name, to a text of everything that must not change. */
export function shapeOf(objects: readonly unknown[]): Map<string, string> {
  const parts = new Map<string, unknown[]>()
  const note = (key: string, ...values: unknown[]) => {
    parts.set(key, [...(parts.get(key) ?? []), ...values])
  }
  const rules = new Map<string, unknown[]>()
  for (const object of objects) {
    const [kind, content] = Object.entries(isContent(object) ? object : {})[0] ?? []
    if (kind === undefined || !isContent(content)) continue
    const { name, flags, type, timeout, size, stmt, hook, prio, policy, elem } = content
    switch (kind) {
      case 'table':
        parts.set('table', [flags ?? []])
        break
      case 'chain':
        note(`chain ${name}`, type, hook, prio, policy)
        break
      case 'rule': {
        // Not `note`: a chain of a thousand rules would be copied a thousand times.
        const chain = `rules ${content['chain']}`
        const own = rules.get(chain) ?? []
        own.push(content['comment'], listOf(content['expr']).map(canonicalText))
        rules.set(chain, own)
        break
      }
      case 'set':
        note(
          `set ${name}`,
          type,
          flagsOf(flags),
          isConstant({ content }) || !isTimedByRules(String(name)) ? timeout : undefined,
          size,
          listOf(stmt).map(canonicalText),
          isConstant({ content }) ? elementsOf(elem) : [],
        )
        break
      case 'map':
        note(`shape of map ${name}`, type, content['map'], flagsOf(flags), timeout, size)
        // Packets add to a map that is not constant.
        note(`map ${name}`, ...(isConstant({ content }) ? elementsOf(elem) : []))
        break
      case 'element':
        note(`map ${name}`, ...elementsOf(elem))
        break
      case 'counter':
        note(`counter ${name}`)
        break
      default:
        break
    }
  }
  const entries = [...parts, ...rules].map(
    ([key, values]) => [key, JSON.stringify(values)] as const,
  )
  return new Map(entries)
}

/** The devices by chain, of the chains that have one. nft 1.0.6 does not list devices. */
export function devicesOf(objects: readonly unknown[]): Map<unknown, unknown> {
  const chains = objects.flatMap((object) => (isContent(object) ? [object['chain']] : []))
  return new Map(
    chains.flatMap((chain) =>
      isContent(chain) && chain['dev'] !== undefined
        ? [[chain['name'], chain['dev']] as const]
        : [],
    ),
  )
}

/** nft adds `dynamic` by itself, and some versions list a single flag as a string. */
const flagsOf = (flags: unknown): unknown[] =>
  (typeof flags === 'string' ? [flags] : listOf(flags))
    .filter((flag) => flag !== 'dynamic')
    .toSorted()

/** Sorted, since nft lists elements in any order. */
const elementsOf = (elements: unknown): string[] => listOf(elements).map(elementText).sort()
