// The document of the wanted table and a part of the installed one → whether the elements of the
// part must be listed. Pure.
//
// A timed set that stays keeps its elements unread. So sets that strangers fill are not listed,
// unless such a set is made anew with another size and takes its elements over.
import { BANNED, parseSetName } from '../automaton/language/names.js'
import { parseAdmitted, parseCountSet } from '../automaton/sharing/names.js'
import { CONFIRM_SET } from '../nft/confirm.js'
import type { NftDocument } from '../nft/document.js'
import { parseFamilySet } from '../nft/names.js'
import { isConstant, type Part, partsOf, shapeOf } from '../nft/parts.js'
import { isCarried } from './carry.js'
import { isSpent, isTimedByRules } from './kept.js'

/**
 * Decides for a part of a listing without elements whether its elements must be listed too.
 *
 * @param changes - whether the table is about to be changed; if false it is only compared with its
 * document.
 */
export function neededBy({ nftables }: NftDocument, changes = true): (part: Part) => boolean {
  const objects = nftables.flatMap((command) => ('add' in command ? [command.add] : []))
  const wanted = partsOf(objects)
  return (part) => {
    const { kind, name } = part
    if (isConstant(part) || name === CONFIRM_SET || isSpent(name)) return true
    if (!changes) return false
    return isHeld(name) || (isCarried(name) && isMadeAnew(part, wanted.get(`${kind} ${name}`)))
  }
}

/** How many elements a document gives to sets and maps. */
export const elementCount = ({ nftables }: NftDocument): number =>
  nftables.reduce((sum, command) => {
    const [content] = 'add' in command ? Object.values(command.add) : []
    return sum + (content && 'elem' in content ? (content.elem?.length ?? 0) : 0)
  }, 0)

/**
 * Whether the set is loaded with tokens or ports, or holds bans, grants or their use, which a
 * keeper must know.
 */
function isHeld(name: string): boolean {
  const { set } = parseFamilySet(name) ?? { set: name }
  const role = parseSetName(set)?.role
  if (!role) return set === BANNED || parseAdmitted(set) !== undefined || isCounting(set)
  if (role.kind === 'inner') return /^(?:(?:open\d+|close)_)?(?:tokens|ports)\d+_/.test(set)
  return role.kind === 'grants' || role.kind === 'used'
}

const isCounting = (set: string): boolean => parseCountSet(set) !== undefined

function isMadeAnew(standing: Part, wanted: Part | undefined): boolean {
  if (!wanted) return false
  const ignoresTimeout = isTimedByRules(standing.name)
  return shapeOf(standing, ignoresTimeout) !== shapeOf(wanted, ignoresTimeout)
}
