// A mark that each install changes → whether the table that was listed is still the one that
// stands. Pure.
import type { NftCommand, NftDocument, NftElements } from './document.js'
import type { Listing } from './listing.js'

/**
 * One element, another with each install. A transaction that begins with a listing takes the
 * element away that was listed: where somebody else has been there since, it is gone, and nft does
 * nothing of the transaction.
 */
export const SERIAL_SET = 'serial'

/** Marks are 32 bits. */
export const SERIALS = 2 ** 32

/** The document with a mark of its own. */
export function withSerial({ nftables }: NftDocument, table: string, serial: number): NftDocument {
  const set = { family: 'inet', table, name: SERIAL_SET, type: 'mark', elem: [serial] } as const
  return { nftables: [...nftables, { add: { set: { ...set, elem: [serial] } } }] }
}

/** Undefined where the table has none: it was not made by an install. */
export function serialOf({ sets }: Listing): number | undefined {
  const [element] = sets.get(SERIAL_SET)?.elements ?? []
  return element && Number(element.key[0])
}

/**
 * Fails where another install has been there since; marks the table anew, or with the same mark
 * again.
 */
export function renderNext(
  table: string,
  before: number | undefined,
  after = before,
): NftCommand[] {
  if (before === undefined || after === undefined) return []
  const element = (serial: number): NftElements => {
    return { family: 'inet', table, name: SERIAL_SET, elem: [serial] }
  }
  return [{ delete: { element: element(before) } }, { add: { element: element(after) } }]
}

/** Makes the table of a document, and fails where there is one already. */
export function renderCreation({ nftables: [add, , , ...content] }: NftDocument): NftDocument {
  if (!add || !('add' in add && 'table' in add.add)) throw new Error('unreachable: no table')
  return { nftables: [{ create: add.add }, ...content] }
}
