// Changes of a table that stands: one grant opened or closed, or the whole removed → nft JSON. Pure.
import type { Address } from '../spec/address.js'
import type { NftCommand, NftDocument, NftElements } from './document.js'
import { commonSet, familySet } from './names.js'

export interface GrantChange {
  readonly table: string
  /** None: everyone. */
  readonly source: Address | undefined
  /** The door's grants, and its other sets of sources that count the grant's use. */
  readonly grants: string
  readonly used: readonly string[]
}

/** Opens: the grant lasts `seconds` from now, whether there was one or not, with no connection used. */
export function renderOpen(change: GrantChange, seconds: number): NftDocument {
  const { source, grants, used } = change
  const grant = elements(change, grants, { elem: { val: keyOf(source), timeout: seconds } })
  return {
    nftables: [
      ...clear(change, grants),
      { add: { element: grant } },
      ...used.flatMap((set) => clear(change, set)),
    ],
  }
}

/** Closes; nft answers that it is not found where there is no grant. */
export function renderClose(change: GrantChange): NftDocument {
  return { nftables: [{ delete: { element: elements(change, change.grants) } }] }
}

/** Ends a source's ban; nft answers that it is not found where there is no ban. */
export function renderUnban(table: string, source: Address, banned: string): NftDocument {
  return { nftables: [{ delete: { element: elements({ table, source }, banned) } }] }
}

/** Removes the table with all that is in it. */
export function renderUninstall(table: string): NftDocument {
  return { nftables: [{ delete: { table: { family: 'inet', name: table } } }] }
}

/** Takes an element out, whether it is there or not: an `add` alone would leave the time of one that is. */
function clear(change: GrantChange, set: string): NftCommand[] {
  const element = elements(change, set)
  return [{ add: { element } }, { delete: { element } }]
}

function elements(
  { table, source }: Pick<GrantChange, 'table' | 'source'>,
  set: string,
  elem: NftElements['elem'][number] = keyOf(source),
): NftElements {
  const name = source ? familySet(set, source.family) : commonSet(set)
  return { family: 'inet', table, name, elem: [elem] }
}

/** All sources have the same key: the constant that is looked up for each packet. */
const keyOf = (source: Address | undefined): string | number => source?.address ?? 0
