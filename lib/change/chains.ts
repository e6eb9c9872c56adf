// A listing without elements and the document of the table → whether the chains are unchanged.
// Pure.
//
// This is cheap, so a keeper does it each second: before Linux 6.16 the kernel notifies nobody when
// a base chain goes with its device. Changes of sets, maps and elements come as notifications, so
// they are not compared here.
import { isSameText } from '../nft/canonical.js'
import { isConfirmRule } from '../nft/confirm.js'
import type { NftDocument, NftRule } from '../nft/document.js'
import { isContent, partsOf } from '../nft/parts.js'
import { isOfTags } from '../nft/tags.js'
import { devicesOf, shapeOf } from './intact.js'

/**
 * Compares a table's chains with its document: the table's flags, the base chains (hook, priority,
 * policy, and device unless nft leaves it out, as 1.0.6 does) and the rules of all chains.
 *
 * @returns a function from the objects of a listing to whether all of that is as in the document
 * and there is no other base chain.
 */
export function compareChains({ nftables }: NftDocument): (objects: readonly unknown[]) => boolean {
  // The table against tags has another family, so it is no part of this listing.
  const own = nftables.filter((command) => !isOfTags(command))
  const made = own.flatMap((command) => ('add' in command ? [command.add] : []))
  const wanted = made.filter(isOfChains)
  const [expected, devices] = [shapeOf(wanted), devicesOf(wanted)]
  return (objects) => {
    const own = objects.filter(isOfChains)
    const found = shapeOf(own)
    return (
      [...expected].every(([key, text]) => isSameText(text, found.get(key) ?? '')) &&
      // Chains without a hook may be there: a retired map still leads to them.
      baseChainsOf(own).every(({ name }) => expected.has(`chain ${name}`)) &&
      [...devicesOf(own)].every(([chain, device]) => devices.get(chain) === device)
    )
  }
}

/** Filters the base chains: those to which the kernel itself gives packets. */
export const baseChainsOf = (objects: readonly unknown[]) =>
  [...partsOf(objects).values()].filter(
    ({ kind, content }) => kind === 'chain' && content['hook'] !== undefined,
  )

function isOfChains(object: unknown): boolean {
  const [[kind, content] = []] = Object.entries(isContent(object) ? object : {})
  if (kind === 'rule') return !isConfirmRule(content as NftRule)
  return kind === 'table' || kind === 'chain'
}
