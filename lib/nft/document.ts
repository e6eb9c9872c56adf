// nft's JSON, as far as we write and read it (libnftables-json(5)). Types alone.

export type NftValue = string | number | boolean | null | NftValue[] | { [key: string]: NftValue }

export type NftExpression = NftValue
/** One statement: an object with its name as the only key. */
export type NftStatement = { [name: string]: NftValue }

export interface NftTable {
  family: 'inet'
  name: string
}

export interface NftSet {
  family: 'inet'
  table: string
  name: string
  type: string | string[]
  flags?: string[]
  timeout?: number
  size?: number
  elem?: NftValue[]
}

export interface NftMap extends NftSet {
  map: string
}

export interface NftChain {
  family: 'inet'
  table: string
  name: string
  type?: 'filter'
  hook?: 'input'
  prio?: number
  policy?: 'accept'
}

export interface NftRule {
  family: 'inet'
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

export type NftCommand = { add: NftObject } | { delete: NftObject } | { flush: NftObject }

/** What `nft -j -f` reads: commands that are done all or none. */
export interface NftDocument {
  nftables: NftCommand[]
}
