// Whether the chains of a table, as listed without its elements, are still those of its document.
// Pure.
//
// It costs little, so a keeper asks each second: of a base chain that goes with its device (before
// Linux 6.16) the kernel notifies nobody. What is not compared here comes by the kernel's
// notifications: sets, maps and their elements.
import { isSameText } from '../nft/canonical.js'
import { isConfirmRule } from '../nft/confirm.js'
import type { NftDocument, NftRule } from '../nft/document.js'
import { isContent, partsOf } from '../nft/parts.js'
import { isOfTags } from '../nft/tags.js'
import { devicesOf, shapeOf } from './intact.js'

/**
 * @returns a function that says of the objects of a listing whether the table's flags, its base
 * chains (hook, priority, policy, and device if nft lists it: 1.0.6 doesn't) and the rules of its
 * chains are those of the document, and no base chain is there besides.
 */
export function compareChains({ nftables }: NftDocument): (objects: readonly unknown[]) => boolean {
  // The table of tags is of another family, and no part of a listing.
  const own = nftables.filter((command) => !isOfTags(command))
  const made = own.flatMap((command) => ('add' in command ? [command.add] : []))
  const wanted = made.filter(isOfChains)
  const [expected, devices] = [shapeOf(wanted), devicesOf(wanted)]
  return (objects) => {
    const own = objects.filter(isOfChains)
    const found = shapeOf(own)
    return (
      [...expected].every(([key, text]) => isSameText(text, found.get(key) ?? '')) &&
      // A chain that only a retired map leads to has no hook.
      baseChainsOf(own).every(({ name }) => expected.has(`chain ${name}`)) &&
      [...devicesOf(own)].every(([chain, device]) => devices.get(chain) === device)
    )
  }
}

/** The chains to which the kernel gives packets. */
export const baseChainsOf = (objects: readonly unknown[]) =>
  [...partsOf(objects).values()].filter(
    ({ kind, content }) => kind === 'chain' && content['hook'] !== undefined,
  )

function isOfChains(object: unknown): boolean {
  const [[kind, content] = []] = Object.entries(isContent(object) ? object : {})
  if (kind === 'rule') return !isConfirmRule(content as NftRule)
  return kind === 'table' || kind === 'chain'
}
