// The constant maps of shared doors → nft's maps and their elements. Pure.
import type { MoveMap } from '../../automaton/language/automaton.js'
import type { DataMap } from '../../automaton/language/sets.js'
import { NUMBER } from '../../spec/model/protocol.js'
import type { NftCommand, NftValue } from '../document.js'
import { renderVerdict } from './expression.js'

/** The table to which a map belongs. */
interface Here {
  readonly family: 'inet'
  readonly table: string
}

const PORT_TYPE = ['inet_proto', 'inet_service']
export const MOVE_TYPE = ['mark', ...PORT_TYPE]

export const renderMap = (here: Here, name: string, type: NftValue, map: string): NftCommand => ({
  add: { map: { ...here, name, type, map } },
})

export const renderDataMap = (here: Here, { name, from }: DataMap): NftCommand =>
  from === 'port'
    ? renderMap(here, name, PORT_TYPE, 'mark')
    : renderMap(here, name, 'mark', 'inet_service')

export const renderMoves = (here: Here, { name, entries }: MoveMap): NftCommand[] =>
  elementsOf(
    here,
    name,
    entries.map(({ mark, protocol, ports, verdict }) => [
      { concat: [mark, NUMBER[protocol], ports.from] },
      renderVerdict(verdict),
    ]),
  )

export const renderData = (here: Here, map: DataMap): NftCommand[] =>
  elementsOf(
    here,
    map.name,
    map.from === 'mark'
      ? map.entries.map(({ mark, port }) => [mark, port])
      : map.entries.map(({ protocol, port, mark, comment }) => {
          const val = { concat: [NUMBER[protocol], port] }
          return [{ elem: { val, comment } }, mark]
        }),
  )

function elementsOf(here: Here, name: string, elem: NftValue[]): NftCommand[] {
  return elem.length > 0 ? [{ add: { element: { ...here, name, elem } } }] : []
}
