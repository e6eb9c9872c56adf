// Changes of a table that stands: grants opened or closed, a ban ended, or the whole removed → nft
// JSON. Pure.
import type { Address } from '../spec/model/address.js'
import type { ElementChange, ElementCommand, ElementDocument, NftDocument } from './document.js'
import { commonSet, familySet } from './names.js'
import { renderNext } from './serial.js'
import { renderNoTags } from './tags.js'

export interface GrantChange {
  readonly table: string
  /**
   * A set that is there as long as the table has the doors that the change is for; else nothing is
   * done of it.
   */
  readonly while?: string
  /** None: everyone. Each once. */
  readonly sources: readonly (Address | undefined)[]
  /** The door's grants, and its other sets of sources that count the grant's use. */
  readonly grants: string
  readonly used: readonly string[]
}

/**
 * Opens: the grants last `seconds` from now, whether there were any or not, with no connection
 * used.
 */
export function renderOpen(change: GrantChange, seconds: number): ElementDocument {
  const { grants, used } = change
  return {
    nftables: [
      ...whileThere(change),
      ...clear(change, grants),
      ...elements(change, grants, seconds).map((element) => ({ add: { element } })),
      ...used.flatMap((set) => clear(change, set)),
    ],
  }
}

/** Closes; nft answers that it is not found where one has no grant. */
export function renderClose(change: Omit<GrantChange, 'used'>): ElementDocument {
  return {
    nftables: [
      ...whileThere(change),
      ...elements(change, change.grants).map((element) => ({ delete: { element } })),
    ],
  }
}

/** Adds what is there already: that changes nothing, and fails if the set is gone. */
export function whileThere({
  table,
  while: name,
}: Pick<GrantChange, 'table' | 'while'>): ElementCommand[] {
  if (name === undefined) return []
  return [{ add: { element: { family: 'inet', table, name, elem: [0] } } }]
}

/** Ends a source's ban; nft answers that it is not found where there is no ban. */
export function renderUnban(table: string, source: Address, banned: string): ElementDocument {
  return renderClose({ table, sources: [source], grants: banned })
}

/**
 * Removes the table with all that is in it; with a serial only if no other install has been there
 * since.
 *
 * @param hasTags - whether it has a table against tags at its side, which goes with it.
 */
export function renderUninstall(table: string, serial?: number, hasTags = false): NftDocument {
  const [unchanged] = renderNext(table, serial)
  const remove = { delete: { table: { family: 'inet', name: table } } } as const
  const tags = hasTags ? renderNoTags(table) : []
  return { nftables: [...(unchanged ? [unchanged] : []), remove, ...tags] }
}

/**
 * Takes elements out, whether they are there or not: an `add` alone would leave the time of one
 * that is.
 */
function clear(change: Omit<GrantChange, 'used'>, set: string): ElementCommand[] {
  const changes = elements(change, set)
  return [
    ...changes.map((element) => ({ add: { element } })),
    ...changes.map((element) => ({ delete: { element } })),
  ]
}

/** Of each family's set those that belong there. */
function elements(
  { table, sources }: Omit<GrantChange, 'used'>,
  set: string,
  timeout?: number,
): ElementChange[] {
  return ([4, 6, undefined] as const).flatMap((family) => {
    const own = sources.filter((source) => source?.family === family)
    if (own.length === 0) return []
    const name = family ? familySet(set, family) : commonSet(set)
    const elem = own.map((source) => {
      // All sources have the same key: the constant that is looked up for each packet.
      const val = source?.address ?? 0
      return timeout === undefined ? val : { elem: { val, timeout } }
    })
    return [{ family: 'inet', table, name, elem }]
  })
}
