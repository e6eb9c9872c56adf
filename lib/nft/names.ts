// The names of nft's sets: the automaton's name, and the family that this one is for. Pure.
import type { Family } from '../spec/model.js'

/** nft's set of one family. */
export const familySet = (set: string, family: Family): string => `${set}_${family}`

/** Reads nft's name of a set back; undefined where it bears no family. */
export function parseFamilySet(name: string): { set: string; family: Family } | undefined {
  const match = /^(\w+)_([46])$/.exec(name)
  return match?.[1] ? { set: match[1], family: match[2] === '4' ? 4 : 6 } : undefined
}
