// The document of a table that must be confirmed → the same with rules by which the kernel itself
// lets every packet pass if nobody confirms it in time. Pure.
import type { NftCommand, NftDocument, NftRule, NftStatement } from './document.js'
import { type Listing, parseListing } from './listing.js'
import { isContent, listedObjects } from './parts.js'
import { renderNext, serialOf } from './serial.js'
import { isOfTags } from './tags.js'

/**
 * The set has one element, which expires with the time to confirm. A table without the set needs no
 * confirmation. The name must not change: installed tables of all versions have it.
 */
export const CONFIRM_SET = 'trial'
const COMMENT = 'unconfirmed'

/** Accepts every packet while the set is empty. The key is a constant. */
const UNCONFIRMED: NftStatement[] = [
  { match: { op: '!=', left: { '&': [{ meta: { key: 'mark' } }, 0] }, right: `@${CONFIRM_SET}` } },
  { accept: null },
]

/** The seconds that remain, or `over`: the table has fallen open. */
type ConfirmState = { readonly expiresIn: number } | 'over'

/**
 * Adds a pending confirmation to a table's document. When the element expires, the first rule of
 * each base chain accepts all packets, as if there were no table. No process need be alive for
 * that.
 *
 * @param seconds - with 0 the doors are open to everyone at once.
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

/** Reads the pending confirmation; undefined if the table needs none. */
export function confirmOf({ sets }: Listing): ConfirmState | undefined {
  const set = sets.get(CONFIRM_SET)
  if (!set) return undefined
  const [element] = set.elements
  return element ? { expiresIn: element.expires ?? 0 } : 'over'
}

/**
 * Renders the confirmation of a table, with a new serial, so that a concurrent change fails. nft
 * answers "not found" if the time has run out.
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
 * Whether a listed rule belongs to the pending confirmation: it accepts what the set does not hold,
 * and does nothing else.
 */
export function isConfirmRule({ comment, expr }: Pick<NftRule, 'comment' | 'expr'>): boolean {
  if (comment !== COMMENT || !Array.isArray(expr) || expr.length !== 2) return false
  const [first, verdict] = expr as unknown[]
  const match = isContent(first) ? first['match'] : undefined
  const { op, right } = isContent(match) ? match : {}
  return op === '!=' && right === `@${CONFIRM_SET}` && isContent(verdict) && 'accept' in verdict
}
