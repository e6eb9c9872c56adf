// The actions by which shared doors use the packet's mark → nft's statements. Pure.
import type { Action } from '../../automaton/language/automaton.js'
import { NUMBER_MASK } from '../../automaton/sharing/names.js'
import type { NftExpression, NftStatement } from '../document.js'
import { meta, PORT_KEY, payload } from './keys.js'

const MARK = meta('mark')

const set = (key: NftExpression, value: NftExpression): NftStatement => ({ mangle: { key, value } })

const mapped = (key: NftExpression, name: string): NftExpression => ({
  map: { key, data: `@${name}` },
})

/** Protocol, destination port and mark: the key of maps of moves. */
export const MOVE_KEY: NftExpression = {
  concat: [MARK, meta('l4proto'), payload('th', 'dport')],
}

/** @param from - what a constant map is keyed by. */
export const renderLookUp = (map: string, from: 'port' | 'mark' = 'port'): NftStatement =>
  from === 'port'
    ? set(MARK, mapped(PORT_KEY, map))
    : set(payload('th', 'dport'), mapped(MARK, map))

/** @param key - the packet's key in a map that remembers marks. */
export const renderRecall = (key: NftExpression, map: string): NftStatement =>
  set(MARK, mapped(key, map))

export const renderStage = ({ stage }: Extract<Action, { op: 'stage' }>): NftStatement => {
  const number = { '&': [MARK, NUMBER_MASK] }
  return set(MARK, stage === 0 ? number : { '|': [number, stage] })
}

/** Adds the packet's mark to a map, renews it, or deletes it. */
export const renderRemembering = (
  op: 'add' | 'update' | 'delete',
  elem: NftExpression,
  map: string,
): NftStatement => ({ map: { op, elem, data: MARK, map: `@${map}` } })
