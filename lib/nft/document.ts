// The types of nft's JSON, as far as knocklib writes and reads it (libnftables-json(5)).

export type NftValue = string | number | boolean | null | NftValue[] | { [key: string]: NftValue }

export type NftExpression = NftValue
/** One statement: an object with its name as the only key. */
export type NftStatement = { [name: string]: NftValue }

/**
 * Doors are in tables of family inet. The table against tags is of family netdev, which sees frames
 * that inet does not.
 */
export type NftFamily = 'inet' | 'netdev'

export interface NftTable {
  family: NftFamily
  name: string
}

export interface NftSet {
  family: 'inet'
  table: string
  name: string
  type: NftValue
  flags?: string[]
  timeout?: number
  size?: number
  elem?: NftValue[]
  /** Statements that each element has, such as a counter. */
  stmt?: NftStatement[]
}

export interface NftMap extends NftSet {
  map: string
}

export interface NftChain {
  family: NftFamily
  table: string
  name: string
  type?: 'filter' | 'nat'
  hook?: 'input' | 'forward' | 'prerouting' | 'ingress'
  dev?: string
  prio?: number
  policy?: 'accept'
}

export interface NftRule {
  family: NftFamily
  table: string
  chain: string
  comment?: string
  expr: NftStatement[]
}

export interface NftElements {
  family: 'inet'
  table: string
  name: string
  elem: NftValue[]
}

export interface NftCounter {
  family: 'inet'
  table: string
  name: string
  packets?: number
  bytes?: number
}

export type NftObject =
  | { table: NftTable }
  | { chain: NftChain }
  | { rule: NftRule }
  | { set: NftSet }
  | { map: NftMap }
  | { element: NftElements }
  | { counter: NftCounter }

/** The name of a set, map, chain or counter of a table. */
export interface NftName {
  family: 'inet'
  table: string
  name: string
}

/** A rule in the kernel, which has a handle and no name. */
export interface NftRuleHandle {
  family: 'inet'
  table: string
  chain: string
  handle: number
}

/** An object that can be deleted. */
export type NftTarget =
  | { table: NftTable }
  | { element: NftElements }
  | { rule: NftRuleHandle }
  | { chain: NftName }
  | { set: NftName }
  | { map: NftName }
  | { counter: NftName }

/**
 * An object that can be flushed: a table or a chain of its rules, a set or a map of its elements.
 */
export type NftContainer =
  | { table: NftTable }
  | { chain: NftName }
  | { set: NftName }
  | { map: NftName }

export type NftCommand =
  | { add: NftObject }
  /** As `add`, but fails if the table exists already. */
  | { create: { table: NftTable } }
  | { delete: NftTarget }
  | { flush: NftContainer }

/** The input of `nft -j -f`: one transaction, of which nft does all or nothing. */
export interface NftDocument {
  nftables: NftCommand[]
}

/** An address, alone or with the port of a service, or the constant key for all sources. */
export type ElementKey = string | number | { concat: [address: string, port: number] }

/** Elements of sets whose keys are sources. */
export interface ElementChange extends NftElements {
  elem: (ElementKey | { elem: { val: ElementKey; timeout: number } })[]
}

export type ElementCommand =
  | { add: { element: ElementChange } }
  | { delete: { element: ElementChange } }

/** A document that changes only elements of sets of sources. */
export interface ElementDocument extends NftDocument {
  nftables: ElementCommand[]
}
