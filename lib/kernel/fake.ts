// nft's documents → a ruleset in memory, its listings and errors, as nft gives them. For tests
// without a kernel.
import type {
  NftCommand,
  NftDocument,
  NftElements,
  NftMap,
  NftObject,
  NftSet,
  NftTable,
  NftTarget,
  NftValue,
} from '../nft/document.js'
import {
  checkReferences,
  describe,
  type Element,
  emptyTable,
  failure,
  flush,
  keyOf,
  missing,
  type Ruleset,
  type Table,
  tableKey,
  tableOf,
  throwIfAborted,
  unwrap,
  withoutElements,
} from './fake-ruleset.js'
import { type CallOptions, FULL, type ListQuery, type Nft } from './nft.js'

export interface FakeNftOptions {
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number
  readonly version?: string
}

/**
 * Keeps tables of the families inet and netdev in memory. A document is executed whole or not at
 * all. Elements expire by its clock. It judges no packets: `simulateKnock` does that.
 */
export class FakeNft implements Nft {
  #ruleset: Ruleset = new Map()
  #handle = 0
  readonly #now: () => number
  readonly #version: string

  constructor({ now = Date.now, version = '1.1.3' }: FakeNftOptions = {}) {
    this.#now = now
    this.#version = version
  }

  async apply(document: NftDocument, options: CallOptions = {}): Promise<void> {
    this.#ruleset = this.#attempt(document, options)
  }

  async check(document: NftDocument, options: CallOptions = {}): Promise<void> {
    this.#attempt(document, options)
  }

  async version({ operation, signal }: CallOptions = {}): Promise<string> {
    throwIfAborted(signal, operation, 'nft')
    return this.#version
  }

  async list(
    { family = 'inet', table, chain, terse, ...query }: ListQuery,
    options: CallOptions = {},
  ): Promise<unknown> {
    const set = query.set ?? query.map
    const name = set ?? chain
    const kind = query.map ? 'map' : set ? 'set' : 'chain'
    const subject =
      name === undefined ? `table ${family} ${table}` : `${kind} ${family} ${table} ${name}`
    throwIfAborted(options.signal, options.operation, subject)
    const found = this.#ruleset.get(`${family} ${table}`)
    const present = set ? found?.sets.has(set) : chain ? found?.chains.has(chain) : found
    if (!found || !present) throw failure('not-found', options.operation, subject, 'not there')
    const chains = [...found.chains].filter(([key]) => !set && (!chain || key === chain))
    const sets = [...found.sets].filter(([key]) => !chain && (!set || key === set))
    const counters = name === undefined ? [...found.counters.values()] : []
    return {
      nftables: [
        { metainfo: { version: this.#version, release_name: 'fake', json_schema_version: 1 } },
        ...(name === undefined ? [{ table: { family, name: table } }] : []),
        ...counters.map((counter) => ({ counter: { packets: 0, bytes: 0, ...counter } })),
        ...sets.map(([, entry]) => ({
          [entry.kind]: terse && name === undefined ? withoutElements(entry) : this.#listSet(entry),
        })),
        ...chains.map(([, entry]) => ({ chain: entry.chain })),
        ...chains.flatMap(([, entry]) => entry.rules.map((rule) => ({ rule }))),
      ],
    }
  }

  #listSet({ set, elements }: { set: NftSet; elements: ReadonlyMap<string, Element> }): NftSet {
    const live = [...elements.values()].filter((element) => this.#isLive(element))
    const elem = live.map(({ value, timeout, expiry, comment }): NftValue => {
      const time = timeout !== undefined && expiry !== undefined
      if (!time && comment === undefined) return value
      const expires = Math.floor(((expiry ?? 0) - this.#now()) / 1000)
      return {
        elem: { val: value, ...(time && { timeout, expires }), ...(comment && { comment }) },
      }
    })
    return elem.length > 0 ? { ...set, elem } : set
  }

  #isLive({ expiry }: Element): boolean {
    return expiry === undefined || expiry > this.#now()
  }

  /** Returns the ruleset that the document would make of the present one. */
  #attempt(document: NftDocument, { signal, operation }: CallOptions): Ruleset {
    throwIfAborted(signal, operation, 'apply')
    const next = structuredClone(this.#ruleset)
    for (const command of document.nftables) this.#do(next, command, operation)
    checkReferences(next, operation)
    return next
  }

  #do(ruleset: Ruleset, command: NftCommand, operation: string | undefined): void {
    if ('add' in command) this.#add(ruleset, command.add, operation)
    else if ('create' in command) this.#create(ruleset, command.create.table, operation)
    else if ('delete' in command) this.#delete(ruleset, command.delete, operation)
    else flush(ruleset, command.flush, operation)
  }

  #create(ruleset: Ruleset, table: NftTable, operation: string | undefined): void {
    const key = tableKey(table)
    if (ruleset.has(key)) {
      throw failure('already-exists', operation, `table ${key}`, 'there already')
    }
    ruleset.set(key, emptyTable())
  }

  #add(ruleset: Ruleset, object: NftObject, operation: string | undefined): void {
    if ('table' in object) {
      const key = tableKey(object.table)
      if (!ruleset.has(key)) ruleset.set(key, emptyTable())
      return
    }
    const table = tableOf(ruleset, object, operation)
    if ('chain' in object) {
      const { name } = object.chain
      if (!table.chains.has(name)) table.chains.set(name, { chain: object.chain, rules: [] })
    } else if ('rule' in object) {
      const entry = table.chains.get(object.rule.chain)
      if (!entry) throw missing(operation, `chain inet ${object.rule.table} ${object.rule.chain}`)
      this.#handle += 1
      entry.rules.push({ ...object.rule, handle: this.#handle })
    } else if ('counter' in object) {
      if (!table.counters.has(object.counter.name)) {
        table.counters.set(object.counter.name, object.counter)
      }
    } else if ('element' in object) {
      this.#addElements(table, object.element, operation)
    } else {
      const kind = 'map' in object ? 'map' : 'set'
      const { elem = [], ...set } = ('map' in object ? object.map : object.set) as NftMap
      if (table.sets.has(set.name)) return
      table.sets.set(set.name, { kind, set, elements: new Map() })
      this.#addElements(
        table,
        { family: 'inet', table: set.table, name: set.name, elem },
        operation,
      )
    }
  }

  #addElements(table: Table, { name, elem, table: of }: NftElements, operation?: string): void {
    const entry = table.sets.get(name)
    if (!entry) throw missing(operation, `set inet ${of} ${name}`)
    const { set, elements } = entry
    let live = [...elements.values()].filter((element) => this.#isLive(element)).length
    for (const item of elem) {
      const { value, timeout = set.timeout, comment } = unwrap(item)
      const key = keyOf(value)
      const known = elements.get(key)
      if (known && this.#isLive(known)) continue
      if (set.size !== undefined && live >= set.size) {
        throw failure('rejected', operation, `set inet ${of} ${name}`, FULL)
      }
      const life = timeout === undefined ? {} : { timeout, expiry: this.#now() + timeout * 1000 }
      elements.set(key, { value, ...life, ...(comment !== undefined && { comment }) })
      live += 1
    }
  }

  #delete(ruleset: Ruleset, object: NftTarget, operation: string | undefined): void {
    if ('table' in object) {
      if (!ruleset.delete(tableKey(object.table))) throw missing(operation, describe(object))
      return
    }
    const table = tableOf(ruleset, object, operation)
    if ('element' in object) {
      const { name, elem } = object.element
      const elements = table.sets.get(name)?.elements
      for (const item of elem) {
        const key = keyOf(unwrap(item).value)
        const known = elements?.get(key)
        if (!elements || !known || !this.#isLive(known)) throw missing(operation, describe(object))
        elements.delete(key)
      }
      return
    }
    if ('rule' in object) {
      const { chain, handle } = object.rule
      const rules = table.chains.get(chain)?.rules ?? []
      const index = rules.findIndex((rule) => rule.handle === handle)
      if (index < 0) throw missing(operation, `rule inet ${object.rule.table} ${chain}`)
      rules.splice(index, 1)
      return
    }
    const [kind, { name }] = Object.entries(object)[0] as [string, { name: string }]
    const from = { chain: table.chains, set: table.sets, map: table.sets, counter: table.counters }[
      kind
    ]
    if (!from?.delete(name)) throw missing(operation, describe(object))
  }
}
