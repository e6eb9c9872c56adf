// Tables in memory: their content, their references, and the text of refusals. Pure; fake.ts runs
// the commands.
import { NftError } from '../errors.js'
import type {
  NftChain,
  NftContainer,
  NftCounter,
  NftObject,
  NftRule,
  NftSet,
  NftStatement,
  NftTable,
  NftTarget,
  NftValue,
} from '../nft/document.js'

export interface Table {
  readonly chains: Map<string, { chain: NftChain; rules: (NftRule & { handle: number })[] }>
  readonly sets: Map<string, { kind: 'set' | 'map'; set: NftSet; elements: Map<string, Element> }>
  readonly counters: Map<string, NftCounter>
}

export interface Element {
  readonly value: NftValue
  /** In seconds. Without `timeout` and `expiry` the element stays. */
  readonly timeout?: number
  /** In milliseconds since 1970. */
  readonly expiry?: number
  readonly comment?: string
}

/** By family and name, with a space between them. */
export type Ruleset = Map<string, Table>

/** Removes the rules of one chain or of all chains, or the elements of a set. */
export function flush(ruleset: Ruleset, object: NftContainer, operation: string | undefined): void {
  const table = tableOf(ruleset, object, operation)
  if ('table' in object) {
    for (const chain of table.chains.values()) chain.rules.length = 0
    return
  }
  if ('chain' in object) {
    const chain = table.chains.get(object.chain.name)
    if (!chain) throw missing(operation, describe(object))
    chain.rules.length = 0
    return
  }
  const entry = table.sets.get('map' in object ? object.map.name : object.set.name)
  if (!entry) throw missing(operation, describe(object))
  entry.elements.clear()
}

export const emptyTable = (): Table => ({ chains: new Map(), sets: new Map(), counters: new Map() })

/**
 * Throws if a rule or verdict names a chain or set that does not exist. The kernel checks that at
 * the end of a transaction.
 */
export function checkReferences(ruleset: Ruleset, operation: string | undefined): void {
  for (const [name, table] of ruleset) {
    const values = [...table.sets.values()].flatMap(({ elements }) =>
      [...elements.values()].map(({ value }) => value),
    )
    const statements = [...table.chains.values()].flatMap(({ rules }) =>
      rules.flatMap(({ expr }): NftStatement[] => expr),
    )
    for (const { kind, target } of references([...values, ...statements])) {
      const found = kind === 'chain' ? table.chains.has(target) : table.sets.has(target)
      if (!found) throw missing(operation, `${kind} ${name} ${target}`)
    }
  }
}

function references(value: unknown): { kind: 'chain' | 'set'; target: string }[] {
  if (typeof value === 'string' && value.startsWith('@'))
    return [{ kind: 'set', target: value.slice(1) }]
  if (typeof value !== 'object' || value === null) return []
  if ('target' in value) return [{ kind: 'chain', target: String(value.target) }]
  return Object.values(value).flatMap(references)
}

/** Reads an element, which is bare or in `{"elem": {"val", "timeout", "comment"}}`. */
export function unwrap(item: NftValue): { value: NftValue; timeout?: number; comment?: string } {
  if (item && typeof item === 'object' && !Array.isArray(item) && item['elem']) {
    const { val, ...rest } = item['elem'] as { val: NftValue; timeout?: number; comment?: string }
    return { value: val, ...rest }
  }
  return { value: item }
}

/** Returns an element's key; an element of a map is a pair of key and data. */
export const keyOf = (value: NftValue): string =>
  JSON.stringify(Array.isArray(value) ? value[0] : value)

export const tableKey = ({ family, name }: NftTable): string => `${family} ${name}`

export function tableOf(ruleset: Ruleset, object: Named, operation: string | undefined): Table {
  const [content] = Object.values(object) as [{ table?: string } & Partial<NftTable>]
  const key = tableKey({
    family: content.family ?? 'inet',
    name: content.table ?? content.name ?? '',
  })
  const table = ruleset.get(key)
  if (!table) throw missing(operation, `table ${key}`)
  return table
}

type Named = NftObject | NftTarget | NftContainer

export function describe(object: Named): string {
  const [kind, content] = Object.entries(object)[0] as [string, { table?: string; name: string }]
  return `${kind} inet ${content.table ? `${content.table} ` : ''}${content.name}`
}

type Code = 'not-found' | 'already-exists' | 'rejected' | 'aborted'

export const failure = (code: Code, operation = 'nft', subject: string, reason: string): NftError =>
  new NftError(code, `${operation}: ${subject}: ${reason}`)

export const missing = (operation: string | undefined, subject: string): NftError =>
  failure('not-found', operation, subject, 'not there')

export function throwIfAborted(
  signal: AbortSignal | undefined,
  operation: string | undefined,
  subject: string,
) {
  if (signal?.aborted) throw failure('aborted', operation, subject, 'aborted')
}

export function withoutElements({ set }: { readonly set: NftSet }): NftSet {
  const { elem: _, ...rest } = set
  return rest
}
