// nft's JSON, as far as we write and read it (libnftables-json(5)). Types alone.

export type NftValue = string | number | boolean | null | NftValue[] | { [key: string]: NftValue }

export type NftExpression = NftValue
/** One statement: an object with its name as the only key. */
export type NftStatement = { [name: string]: NftValue }

/** Doors stand in tables of inet; netdev sees frames that inet is not shown. */
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

/** What a part of a table is called. */
export interface NftName {
  family: 'inet'
  table: string
  name: string
}

/** A rule that stands; rules have no names. */
export interface NftRuleHandle {
  family: 'inet'
  table: string
  chain: string
  handle: number
}

/** What can be taken away. */
export type NftTarget =
  | { table: NftTable }
  | { element: NftElements }
  | { rule: NftRuleHandle }
  | { chain: NftName }
  | { set: NftName }
  | { map: NftName }
  | { counter: NftName }

/** What can be emptied: a table or a chain of its rules, a set or a map of its elements. */
export type NftContainer =
  | { table: NftTable }
  | { chain: NftName }
  | { set: NftName }
  | { map: NftName }

export type NftCommand =
  | { add: NftObject }
  /** As `add`, but fails where there is such a table already. */
  | { create: { table: NftTable } }
  | { delete: NftTarget }
  | { flush: NftContainer }

/** What `nft -j -f` reads: commands that are done all or none. */
export interface NftDocument {
  nftables: NftCommand[]
}

/** An address, or the number that all sources have in common. */
export type ElementKey = string | number

/** Elements of sets of sources. */
export interface ElementChange extends NftElements {
  elem: (ElementKey | { elem: { val: ElementKey; timeout: number } })[]
}

export type ElementCommand =
  | { add: { element: ElementChange } }
  | { delete: { element: ElementChange } }

/** A document that changes such elements and nothing else. */
export interface ElementDocument extends NftDocument {
  nftables: ElementCommand[]
}
