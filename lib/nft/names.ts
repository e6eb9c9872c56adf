// The automaton's name of a set and a family ↔ nft's name. Pure.
import { parseAdmitted } from '../automaton/sharing/names.js'
import type { Family, Prefix } from '../spec/model/packet-model.js'
import { lengthIn } from '../spec/model/prefix.js'

/** nft's name of a set that has no addresses and serves both families. */
export const commonSet = (set: string): string => `${set}_0`

/**
 * nft's name of a set for one family. If the sources in it are blocks, the name has their length.
 * So a set is another one under another prefix, and no element is ever taken for a block that it is
 * not.
 */
export function familySet(set: string, family: Family, prefix?: Partial<Prefix>): string {
  const length = lengthIn(prefix, family)
  return `${set}_${family}${length === undefined ? '' : `p${length}`}`
}

/** nft's name of the set that would hold a source; undefined stands for everyone. */
export const sourceSet = (
  set: string,
  source: { readonly family: Family } | undefined,
  prefix?: Prefix,
): string => (source ? familySet(set, source.family, prefix) : commonSet(set))

/** nft's names of the sets of both families. */
export const familySets = (set: string, prefix?: Prefix): [string, string] => [
  familySet(set, 4, prefix),
  familySet(set, 6, prefix),
]

/** Whether the keys of a set, by nft's name of it, are a source and the port of a service. */
export const hasPort = (name: string): boolean =>
  parseAdmitted(parseFamilySet(name)?.set ?? name) !== undefined

/** A set of the automaton, and what nft's name of it says besides. */
interface NamedSet {
  readonly set: string
  /** Absent if the set serves both families. */
  readonly family?: Family
  /** Present if the sources in it are blocks. */
  readonly prefix?: Partial<Prefix>
}

/** Reads nft's name of a set. Undefined if the name is not from the automaton. */
export function parseFamilySet(name: string): NamedSet | undefined {
  const [, set, digit, length] = /^([\w-]+)_(?:0|([46])(?:p(\d{1,3}))?)$/.exec(name) ?? []
  if (set === undefined) return undefined
  if (digit === undefined) return { set }
  const family = digit === '4' ? 4 : 6
  return length === undefined
    ? { set, family }
    : { set, family, prefix: { [family]: Number(length) } }
}

/** Writes a source as people read it: with the length of its block, if it is one. */
export function sourceText(address: string, family: Family, prefix?: Partial<Prefix>): string {
  const length = lengthIn(prefix, family)
  return length === undefined ? address : `${address}/${length}`
}

/** Reads the address that a set has for a source. */
export const addressIn = (source: string): string => source.split('/', 1)[0] as string
