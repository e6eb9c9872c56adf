// Grants to open or close, a ban to end, or a table to remove → nft JSON. Pure.
import type { Address } from '../spec/model/address.js'
import type { Prefix } from '../spec/model/packet-model.js'
import type { ElementChange, ElementCommand, ElementDocument, NftDocument } from './document.js'
import { commonSet, familySet } from './names.js'
import { grantKey } from './own-sets.js'
import { renderNext } from './serial.js'
import { renderNoTags } from './tags.js'

export interface GrantChange {
  readonly table: string
  /**
   * A set that exists as long as the table has the doors for which the change was made. Without it
   * nothing of the change is done.
   */
  readonly while?: string
  /** Undefined stands for everyone. No source may be in the list twice. */
  readonly sources: readonly (Address | undefined)[]
  /** The set of the door's grants, and its sets that count the use of grants. */
  readonly grants: string
  readonly used: readonly string[]
  /** The service's port, if the set of grants has those of several doors. */
  readonly port?: number
  /** The blocks that the sources are. Absent: addresses. */
  readonly prefix?: Prefix
}

/**
 * Renders grants that last `seconds` from now, with no connection used. Existing grants are
 * replaced.
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

/** Renders the end of grants. nft answers "not found" if one of the sources has no grant. */
export function renderClose(change: Omit<GrantChange, 'used'>): ElementDocument {
  return {
    nftables: [
      ...whileThere(change),
      ...elements(change, change.grants).map((element) => ({ delete: { element } })),
    ],
  }
}

/** Adds an element that exists already. That changes nothing, and fails if the set is gone. */
export function whileThere({
  table,
  while: name,
}: Pick<GrantChange, 'table' | 'while'>): ElementCommand[] {
  if (name === undefined) return []
  return [{ add: { element: { family: 'inet', table, name, elem: [0] } } }]
}

/** Renders the end of a ban. nft answers "not found" if the source is not banned. */
export const renderUnban = (
  place: Pick<GrantChange, 'table' | 'while' | 'prefix'>,
  source: Address,
  banned: string,
): ElementDocument => renderClose({ ...place, sources: [source], grants: banned })

/**
 * Renders the removal of a table.
 *
 * @param serial - if given, the removal fails if another install has happened since.
 * @param hasTags - whether there is also a table against tags, which is removed with it.
 */
export function renderUninstall(table: string, serial?: number, hasTags = false): NftDocument {
  const [unchanged] = renderNext(table, serial)
  const remove = { delete: { table: { family: 'inet', name: table } } } as const
  const tags = hasTags ? renderNoTags(table) : []
  return { nftables: [...(unchanged ? [unchanged] : []), remove, ...tags] }
}

/**
 * Deletes elements whether they exist or not. Each is added first, since nft cannot delete a
 * missing one.
 */
function clear(change: Omit<GrantChange, 'used'>, set: string): ElementCommand[] {
  const changes = elements(change, set)
  return [
    ...changes.map((element) => ({ add: { element } })),
    ...changes.map((element) => ({ delete: { element } })),
  ]
}

/** Sorts the sources into the sets of their families. */
function elements(
  change: Omit<GrantChange, 'used'>,
  set: string,
  timeout?: number,
): ElementChange[] {
  const { table, sources, prefix } = change
  return ([4, 6, undefined] as const).flatMap((family) => {
    const own = sources.filter((source) => source?.family === family)
    if (own.length === 0) return []
    const name = family ? familySet(set, family, prefix) : commonSet(set)
    const elem = own.map((source) => {
      const val = grantKey(change, source?.address)
      return timeout === undefined ? val : { elem: { val, timeout } }
    })
    return [{ family: 'inet', table, name, elem }]
  })
}
