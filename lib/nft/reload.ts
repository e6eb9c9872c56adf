// The document that makes a table anew, and nft's listing of the one that stands → one that keeps some of its sets. Pure.
import type { NftCommand, NftDocument, NftTarget } from './document.js'

/**
 * Rewrites a document for a table that stands: all of it is replaced but the sets to be kept, which keep their elements.
 * nft does all of it or nothing. A set is kept only where the new table has the same one.
 */
export function renderReload(
  { nftables }: NftDocument,
  listing: unknown,
  keeps: (set: string) => boolean,
): NftDocument {
  const [add, _delete, _add, ...content] = nftables
  if (!add || !('add' in add && 'table' in add.add)) throw new Error('unreachable: no table')
  const { table } = add.add
  const here = { family: 'inet', table: table.name } as const
  const wanted = new Map(
    content.flatMap((command) => {
      const set = 'add' in command && 'set' in command.add ? command.add.set : undefined
      return set && keeps(set.name) ? [[set.name, shapeOf(set)] as const] : []
    }),
  )
  const listed = namesOf(listing)
  const kept = new Set(
    listed.flatMap(({ kind, name, shape }) =>
      kind === 'set' && wanted.get(name) === shape ? [name] : [],
    ),
  )
  const of = (kind: string) => listed.filter((object) => object.kind === kind)
  const gone = (kind: 'chain' | 'set' | 'map' | 'counter') =>
    of(kind)
      .filter(({ name }) => !kept.has(name))
      .map(({ name }) => ({ delete: { [kind]: { ...here, name } } as unknown as NftTarget }))
  return {
    nftables: [
      // Rules and verdicts first: they hold on to what they name.
      { flush: { table } },
      ...of('map').map(({ name }): NftCommand => ({ flush: { map: { ...here, name } } })),
      ...gone('chain'),
      ...gone('map'),
      ...gone('set'),
      ...gone('counter'),
      ...content.filter(
        (command) => !('add' in command && 'set' in command.add && kept.has(command.add.set.name)),
      ),
    ],
  }
}

interface Listed {
  readonly kind: string
  readonly name: string
  readonly shape: string
}

function namesOf(listing: unknown): Listed[] {
  const objects = (listing as { nftables?: Record<string, Record<string, unknown>>[] }).nftables
  return (objects ?? []).flatMap((object) => {
    const [kind, content] = Object.entries(object)[0] ?? []
    if (kind === undefined || typeof content?.['name'] !== 'string') return []
    return [{ kind, name: content['name'], shape: shapeOf(content) }]
  })
}

/** What cannot be changed of a set that stands. Its flags are left out: nft itself adds to them. */
const shapeOf = (set: { type?: unknown; timeout?: unknown; size?: unknown }): string =>
  JSON.stringify([set.type, set.timeout, set.size])
