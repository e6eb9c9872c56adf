// An automaton → the nft JSON of its table. Pure: the same document, byte for byte, for the same
// automaton.
import type {
  Action,
  Automaton,
  DispatchMap,
  Match,
  Rule,
} from '../../automaton/language/automaton.js'
import { isPerFamily } from '../../automaton/language/sets.js'
import type { Family } from '../../spec/model/packet-model.js'
import { NUMBER } from '../../spec/model/protocol.js'
import { ABOUT_SET, aboutElements, digestCommands, digestDoors, doorsSet } from '../about.js'
import type {
  NftChain,
  NftCommand,
  NftDocument,
  NftObject,
  NftStatement,
  NftValue,
} from '../document.js'
import { renderLoadedSet } from '../loaded.js'
import { commonSet, familySet } from '../names.js'
import { renderTags } from '../tags.js'
import {
  isFamilyMatch,
  type KeyOf,
  matchFamily,
  renderAction,
  renderCidr,
  renderMatch,
  renderRange,
  renderVerdict,
  type Traits,
  type TraitsOf,
} from './expression.js'
import { PERIOD_KEY, renderType } from './keys.js'
import { MOVE_TYPE, renderData, renderDataMap, renderMap, renderMoves } from './maps.js'
import { renderTimedSets } from './timed-set.js'

const FAMILIES = [4, 6] as const
/** For rules that are the same for both families. */
const EITHER = [4] as const

/**
 * Renders the whole table as one transaction that makes it anew: whatever table had this name is
 * gone with all its contents.
 */
export function renderRuleset(automaton: Automaton): NftDocument {
  const renderer = new Renderer(automaton)
  return { nftables: renderer.render() }
}

class Renderer {
  readonly #automaton: Automaton
  readonly #keyOf: KeyOf
  readonly #traitsOf: TraitsOf
  readonly #here: { readonly family: 'inet'; readonly table: string }

  constructor(automaton: Automaton) {
    this.#automaton = automaton
    const keys = new Map<string, ReturnType<KeyOf>>()
    for (const set of automaton.sets) keys.set(set.name, set)
    for (const { name } of automaton.addressSets) keys.set(name, { key: ['source'] })
    for (const { name } of automaton.portSets) keys.set(name, { key: ['port'] })
    for (const { name } of automaton.periodSets) keys.set(name, 'period')
    this.#keyOf = (set) => {
      const key = keys.get(set)
      if (!key) throw new Error(`unreachable: no set ${set}`)
      return key
    }
    const traits = new Map<string, Traits>(
      automaton.dataMaps.map(({ name, from }) => [name, { from }]),
    )
    for (const { name, timeout, perElement, remembers } of automaton.sets) {
      const own = perElement && timeout !== undefined && { timeout }
      traits.set(name, { ...own, ...(remembers && { remembers }) })
    }
    this.#traitsOf = (name) => traits.get(name) ?? {}
    this.#here = { family: 'inet', table: automaton.table }
  }

  render(): NftCommand[] {
    const { chains, maps, moveMaps, dataMaps } = this.#automaton
    const table = { table: { family: 'inet', name: this.#automaton.table } } as const
    const content: NftCommand[] = [
      ...this.#counters(),
      ...this.#sets(),
      ...this.#chains(),
      ...maps.map((map) => this.#map(map)),
      ...moveMaps.map(({ name }) => renderMap(this.#here, name, MOVE_TYPE, 'verdict')),
      ...dataMaps.map((map) => renderDataMap(this.#here, map)),
      ...maps.flatMap((map) => this.#entries(map)),
      ...moveMaps.flatMap((map) => renderMoves(this.#here, map)),
      ...dataMaps.flatMap((map) => renderData(this.#here, map)),
    ]
    // A thousand doors have tens of thousands of rules: this is the loop that counts.
    for (const { name, rules } of chains) {
      for (const rule of rules) this.#rules(name, rule, content)
    }
    const name = doorsSet(digestDoors(this.#automaton))
    content.push(added({ set: { ...this.#here, name, type: 'mark', elem: [0] } }))
    const tags = renderTags(this.#automaton)
    const elem = aboutElements(this.#automaton, digestCommands([...content, ...tags]))
    const about = added({ set: { ...this.#here, name: ABOUT_SET, type: 'mark', elem } })
    return [{ add: table }, { delete: table }, { add: table }, ...content, about, ...tags]
  }

  #counters(): NftCommand[] {
    return this.#automaton.counters.map((name) => added({ counter: { ...this.#here, name } }))
  }

  #sets(): NftCommand[] {
    const timed = this.#automaton.sets.flatMap((set) => renderTimedSets(this.#automaton.table, set))
    const flags = ['interval', 'timeout']
    const periods = this.#automaton.periodSets.map(({ name }) =>
      added({
        set: { ...this.#here, name: commonSet(name), type: { typeof: PERIOD_KEY }, flags },
      }),
    )
    const constant = this.#automaton.addressSets.flatMap(({ name, addresses }) =>
      FAMILIES.map((family) => {
        const type = renderType(['source'], family)
        const set = { ...this.#here, name: familySet(name, family), type }
        const elem = addresses.filter((cidr) => cidr.family === family).map(renderCidr)
        return added({ set: { ...set, flags: ['interval'], ...(elem.length > 0 && { elem }) } })
      }),
    )
    const ports = this.#automaton.portSets.map(({ name, ports }) => {
      const set = { ...this.#here, name: commonSet(name), type: renderType(['port'], 4) }
      return added({ set: { ...set, ...(ports.length > 0 && { elem: [...ports] }) } })
    })
    const loaded = renderLoadedSet(this.#automaton).map((set) => added({ set }))
    return [...timed, ...periods, ...loaded, ...constant, ...ports]
  }

  #chains(): NftCommand[] {
    return this.#automaton.chains.map(({ name, base }) => {
      const chain: NftChain = { ...this.#here, name }
      if (!base) return added({ chain })
      const { type, hook, device: dev, priority: prio } = base
      const place = { type, hook, ...(dev !== undefined && { dev }), prio }
      return added({ chain: { ...chain, ...place, policy: 'accept' } })
    })
  }

  #map({ name }: DispatchMap): NftCommand {
    const type = ['inet_proto', 'inet_service']
    return added({ map: { ...this.#here, name, type, map: 'verdict' } })
  }

  #entries({ name, entries }: DispatchMap): NftCommand[] {
    if (entries.length === 0) return []
    const elem = entries.map(({ protocol, ports, verdict }): NftValue => {
      return [{ concat: [NUMBER[protocol], renderRange(ports)] }, renderVerdict(verdict)]
    })
    return [added({ element: { ...this.#here, name, elem } })]
  }

  /** Renders one rule, or one for each family if it differs. */
  #rules(chain: string, rule: Rule, to: NftCommand[]): void {
    const { when, then = [], families } = rule
    const differs = [...when, ...then].some((part) => this.#isPerFamily(part))
    for (const family of families ?? (differs ? FAMILIES : EITHER)) {
      const expr = this.#statements(rule, family)
      if (!expr) continue
      // nft adds its own match of the family only before the first part that needs it. What comes
      // before that would be done for both families.
      if ((families && !differs) || this.#actsEarly(rule)) expr.unshift(matchFamily(family))
      to.push(this.#rule(chain, rule.comment, expr))
    }
  }

  /** Whether an action comes before the first part of the rule that is for one family only. */
  #actsEarly({ when, then = [] }: Rule): boolean {
    const first = then.findIndex((action) => this.#isPerFamily(action))
    return first > 0 && !when.some((match) => this.#isPerFamily(match))
  }

  /** Whether a part of a rule is rendered differently for IPv4 and IPv6. */
  #isPerFamily(part: Match | Action): boolean {
    if (!('set' in part)) return 'kind' in part && isFamilyMatch(part)
    const key = this.#keyOf(part.set)
    return key !== 'period' && isPerFamily(key)
  }

  #statements({ when, then = [], verdict }: Rule, family: Family): NftStatement[] | undefined {
    const statements: NftStatement[] = []
    for (const match of when) {
      const rendered = renderMatch(match, family, this.#keyOf)
      if (!rendered) return undefined
      statements.push(rendered)
    }
    for (const action of then) {
      statements.push(renderAction(action, family, this.#keyOf, this.#traitsOf))
    }
    if (verdict) statements.push(renderVerdict(verdict))
    return statements
  }

  #rule(chain: string, comment: string, expr: NftStatement[]): NftCommand {
    const { family, table } = this.#here
    return { add: { rule: { family, table, chain, comment, expr } } }
  }
}

const added = (object: NftObject): NftCommand => ({ add: object })
