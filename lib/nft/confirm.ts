// A table that is to be confirmed → the rules by which the kernel itself lets its doors fall open
// when nobody does. Pure.
import type { NftCommand, NftDocument, NftRule, NftStatement } from './document.js'
import { type Listing, parseListing } from './listing.js'
import { listedObjects } from './parts.js'
import { renderNext, serialOf } from './serial.js'
import { isOfTags } from './tags.js'

/** One element that ends with the time; without the set nothing awaits to be confirmed. */
/** Its name in the kernel stays: tables of every version have it. */
export const CONFIRM_SET = 'trial'
const COMMENT = 'unconfirmed'

/** What is compared with the set's element: the same for all packets. */
const UNCONFIRMED: NftStatement[] = [
  { match: { op: '!=', left: { '&': [{ meta: { key: 'mark' } }, 0] }, right: `@${CONFIRM_SET}` } },
  { accept: null },
]

/** Seconds that remain, or that it is over and the doors are open to everyone. */
type ConfirmState = { readonly expiresIn: number } | 'over'

/**
 * The document of a table that waits to be confirmed: once the element is gone, the first rule of
 * each base chain accepts all packets, as if there were no table. No process need live for that. 0
 * seconds: they are open at once.
 */
export function withConfirm(
  { nftables }: NftDocument,
  table: string,
  seconds: number,
): NftDocument {
  const here = { family: 'inet', table } as const
  const elem = seconds > 0 ? { elem: [{ elem: { val: 0, timeout: seconds } }] } : {}
  const set = { ...here, name: CONFIRM_SET, type: 'mark', flags: ['timeout'], ...elem }
  const chains = nftables.flatMap((command) =>
    'add' in command &&
    'chain' in command.add &&
    command.add.chain.hook !== undefined &&
    !isOfTags(command)
      ? [command.add.chain.name]
      : [],
  )
  const rules = chains.map((chain): NftCommand => {
    return { add: { rule: { ...here, chain, comment: COMMENT, expr: UNCONFIRMED } } }
  })
  const first = nftables.findIndex((command) => 'add' in command && 'rule' in command.add)
  const place = first < 0 ? nftables.length : first
  const pending = [{ add: { set } }, ...rules]
  return { nftables: [...nftables.slice(0, place), ...pending, ...nftables.slice(place)] }
}

/** Undefined where nothing awaits to be confirmed. */
export function confirmOf({ sets }: Listing): ConfirmState | undefined {
  const set = sets.get(CONFIRM_SET)
  if (!set) return undefined
  const [element] = set.elements
  return element ? { expiresIn: element.expires ?? 0 } : 'over'
}

/**
 * Ends the waiting for good, and marks the table anew for whoever is about to change it. nft
 * answers that something is not found where its time has run out meanwhile.
 */
export function renderConfirmation(table: string, listing: unknown, serial: number): NftDocument {
  const here = { family: 'inet', table } as const
  const rules = listedObjects(listing).flatMap((object): NftCommand[] => {
    const rule = (object as { rule?: NftRule & { handle?: number } }).rule
    if (!rule || !isConfirmRule(rule) || rule.handle === undefined) return []
    return [{ delete: { rule: { ...here, chain: rule.chain, handle: rule.handle } } }]
  })
  return {
    nftables: [
      { delete: { element: { ...here, name: CONFIRM_SET, elem: [0] } } },
      ...rules,
      { delete: { set: { ...here, name: CONFIRM_SET } } },
      ...renderNext(table, serialOf(parseListing(listing)), serial),
    ],
  }
}

/**
 * Whether a rule, as listed, is one of those that wait for the confirmation: it lets through what
 * the set does not hold, and nothing else.
 */
export function isConfirmRule({ comment, expr }: Pick<NftRule, 'comment' | 'expr'>): boolean {
  if (comment !== COMMENT || !Array.isArray(expr) || expr.length !== 2) return false
  const [match, verdict] = expr as [NftStatement, NftStatement]
  const { op, right } = (match['match'] ?? {}) as { op?: unknown; right?: unknown }
  return op === '!=' && right === `@${CONFIRM_SET}` && 'accept' in verdict
}
