// The automaton's name of a set and a family ↔ nft's name. Pure.
import { parseAdmitted } from '../automaton/sharing/names.js'
import type { Family } from '../spec/model/model.js'

/** nft's name of a set that has no addresses and serves both families. */
export const commonSet = (set: string): string => `${set}_0`

/** nft's name of a set for one family. */
export const familySet = (set: string, family: Family): string => `${set}_${family}`

/** nft's name of the set that would hold a source; undefined stands for everyone. */
export const sourceSet = (set: string, source: { readonly family: Family } | undefined): string =>
  source ? familySet(set, source.family) : commonSet(set)

/** Whether the keys of a set, by nft's name of it, are a source and the port of a service. */
export const hasPort = (name: string): boolean =>
  parseAdmitted(parseFamilySet(name)?.set ?? name) !== undefined

/**
 * Reads nft's name of a set. `family` is absent if the set serves both. Undefined if the name is
 * not from the automaton.
 */
export function parseFamilySet(name: string): { set: string; family?: Family } | undefined {
  const match = /^([\w-]+)_([046])$/.exec(name)
  if (!match?.[1]) return undefined
  const set = match[1]
  return match[2] === '0' ? { set } : { set, family: match[2] === '4' ? 4 : 6 }
}
