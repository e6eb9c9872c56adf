// nft's version → an error if it is too old. Pure.
import type { Automaton } from '../../automaton/language/automaton.js'
import { CapabilityError, NftError } from '../../errors.js'

/** The oldest nft that works; 0.9.8 silently drops statements. */
export const OLDEST_NFT = '1.0.6'

/** @throws NftError `nft-too-old` */
export function requireVersion(version: string, operation: string): void {
  if (compare(version, OLDEST_NFT) >= 0) return
  const reason =
    `nft ${version} is too old: ${OLDEST_NFT} or newer is needed, because older versions ` +
    'drop rules silently'
  throw new NftError('nft-too-old', `${operation}: ${reason}`)
}

/** The oldest nft whose JSON has sets of raw payload and of time. */
const OLDEST_TYPEOF = '1.1.0'

/** Whether this nft knows sets of tokens, and sets of ports with their periods. */
export const knowsTypeof = (version: string): boolean => compare(version, OLDEST_TYPEOF) >= 0

/**
 * @throws CapabilityError if a table has tokens or rotating sequences, and this nft does not know
 * the sets that they need.
 */
export function requireFeatures(
  { sets, periodSets }: Automaton,
  version: string,
  operation: string,
): void {
  const hasTokens = sets.some(({ key }) => key.some((field) => field.endsWith('-token')))
  if ((!hasTokens && periodSets.length === 0) || knowsTypeof(version)) return
  const what = hasTokens ? 'tokens' : 'rotating sequences'
  const newer = `nft ${OLDEST_TYPEOF} or newer knows such sets (Debian 13 has 1.1.3)`
  throw new CapabilityError(operation, what, `${newer}, this is ${version}`)
}

function compare(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)]
  const index = left.findIndex((part, i) => part !== right[i])
  return index < 0 ? 0 : (left[index] as number) - (right[index] as number)
}

const parse = (version: string): number[] => {
  const parts = version.split('.').map(Number)
  return [0, 1, 2].map((index) => parts[index] || 0)
}
