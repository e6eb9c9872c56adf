// Many specs → their tables side by side in one namespace: nft runs once for all of them, because
// each of its processes costs more than a table.
import type { NftDocument } from '../../lib/nft/document.js'
import { exec } from '../machine/namespaces.js'

export type Entry = Readonly<Record<string, unknown>>

/** Gives each of some specs a table of its own. */
export const apart = <S extends { readonly table?: string | undefined }>(
  specs: readonly S[],
): (S & { readonly table: string })[] =>
  specs.map((spec, index) => ({ ...spec, table: `table${index}` }))

/** Puts documents together to one. */
export const together = (documents: readonly NftDocument[]): NftDocument => ({
  nftables: documents.flatMap(({ nftables }) => nftables),
})

/** Lists the inet tables of a namespace. Returns the entries of each by its name. */
export async function listAll(
  namespace: string,
  nft: string,
): Promise<ReadonlyMap<string, readonly Entry[]>> {
  const { code, stdout, stderr } = await exec(namespace, nft, ['-j', 'list', 'ruleset', 'inet'])
  if (code !== 0) throw new Error(`nft list ruleset: ${stderr.trim()}`)
  const tables = new Map<string, Entry[]>()
  for (const entry of (JSON.parse(stdout) as { nftables: Entry[] }).nftables) {
    const [kind, content] = Object.entries(entry)[0] as [string, Entry]
    if (kind === 'metainfo') continue
    const table = String(content[kind === 'table' ? 'name' : 'table'])
    tables.set(table, [...(tables.get(table) ?? []), entry])
  }
  return tables
}
