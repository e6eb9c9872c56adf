// The names of nft's sets: the automaton's name, and the family that this one is for. Pure.
import type { Family } from '../spec/model/model.js'

/** nft's set that knows no addresses and is for both families. */
export const commonSet = (set: string): string => `${set}_0`

/** nft's set of one family. */
export const familySet = (set: string, family: Family): string => `${set}_${family}`

/** nft's set that has a source; none: everyone. */
export const sourceSet = (set: string, source: { readonly family: Family } | undefined): string =>
  source ? familySet(set, source.family) : commonSet(set)

/**
 * Reads nft's name of a set back, without a family where it is for both; undefined where it is none
 * of the automaton's.
 */
export function parseFamilySet(name: string): { set: string; family?: Family } | undefined {
  const match = /^(\w+)_([046])$/.exec(name)
  if (!match?.[1]) return undefined
  const set = match[1]
  return match[2] === '0' ? { set } : { set, family: match[2] === '4' ? 4 : 6 }
}
