// Whether this nft will do: a version that is new enough. Pure.
import { NftError } from '../errors.js'

/** The oldest nft that does what we ask; 0.9.8 silently drops statements. */
export const OLDEST_NFT = '1.0.6'

/** @throws NftError `nft-too-old` */
export function requireVersion(version: string, operation: string): void {
  if (compare(version, OLDEST_NFT) >= 0) return
  const reason = `nft ${version} is too old: ${OLDEST_NFT} or newer is needed, older ones drop rules without a word`
  throw new NftError('nft-too-old', `${operation}: ${reason}`)
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
