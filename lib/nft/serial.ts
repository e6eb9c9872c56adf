// A number that each install changes → whether the installed table is still the one that was
// listed. Pure.
import type { NftCommand, NftDocument, NftElements } from './document.js'
import type { Listing } from './listing.js'

/**
 * The set has one element, another one after each install. A transaction that is based on a listing
 * deletes the listed element. If somebody else has installed since, that element is gone, and nft
 * does nothing of the transaction.
 */
export const SERIAL_SET = 'serial'

/** The type `mark` has 32 bits. */
export const SERIALS = 2 ** 32

/** Adds the set with its serial to a document. */
export function withSerial({ nftables }: NftDocument, table: string, serial: number): NftDocument {
  const set = { family: 'inet', table, name: SERIAL_SET, type: 'mark', elem: [serial] } as const
  return { nftables: [...nftables, { add: { set: { ...set, elem: [serial] } } }] }
}

/** Reads the serial; undefined if the table has none, because no install made it. */
export function serialOf({ sets }: Listing): number | undefined {
  const [element] = sets.get(SERIAL_SET)?.elements ?? []
  return element && Number(element.key[0])
}

/**
 * Renders commands that fail if another install has happened since the listing, and then set the
 * next serial. Without `after` the serial stays the same. Empty if there was no serial.
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

/** Changes a document so that it fails if the table exists already. */
export function renderCreation({ nftables: [add, , , ...content] }: NftDocument): NftDocument {
  if (!add || !('add' in add && 'table' in add.add)) throw new Error('unreachable: no table')
  return { nftables: [{ create: add.add }, ...content] }
}
