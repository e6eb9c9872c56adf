// The constant maps of an automaton, as the rules look packets up in them. Pure.
import type { Automaton, Verdict } from '../automaton/language/automaton.js'
import type { DataMap } from '../automaton/language/sets.js'
import type { Packet } from './packet.js'

/** A packet of which a map may change the mark or the port. */
interface Changing {
  readonly protocol: Packet['protocol']
  mark: number
  port?: number
}

/** A verdict that is found in a map. */
type Found = Extract<Verdict, { kind: 'dispatch' | 'move' }>

export class SimulatedMaps {
  readonly #verdicts = new Map<string, ReadonlyMap<string, Verdict>>()
  readonly #data = new Map<string, DataMap & { readonly values: ReadonlyMap<string, number> }>()

  constructor({ maps, moveMaps, dataMaps }: Automaton) {
    for (const { name, entries } of maps) {
      const keyed = entries.map(
        ({ protocol, ports, verdict }) => [`${protocol} ${ports.from}`, verdict] as const,
      )
      this.#verdicts.set(name, new Map(keyed))
    }
    for (const { name, entries } of moveMaps) {
      const keyed = entries.map(
        ({ mark, protocol, ports, verdict }) =>
          [`${mark} ${protocol} ${ports.from}`, verdict] as const,
      )
      this.#verdicts.set(name, new Map(keyed))
    }
    for (const map of dataMaps) this.#data.set(map.name, { ...map, values: valuesOf(map) })
  }

  find({ kind, map }: Found, { mark, protocol, port }: Changing): Verdict | undefined {
    const head = kind === 'move' ? `${mark} ` : ''
    return this.#verdicts.get(map)?.get(`${head}${protocol} ${port}`)
  }

  /** Sets the packet's mark or port to what a map has for it; false if that is nothing. */
  lookUp(name: string, packet: Changing): boolean {
    const { protocol, port, mark } = packet
    const map = this.#data.get(name)
    const value = map?.values.get(map.from === 'mark' ? `${mark}` : `${protocol} ${port}`)
    if (value === undefined) return false
    if (map?.from === 'mark') packet.port = value
    else packet.mark = value
    return true
  }
}

const valuesOf = (map: DataMap): ReadonlyMap<string, number> =>
  new Map(
    map.from === 'mark'
      ? map.entries.map(({ mark, port }) => [`${mark}`, port])
      : map.entries.map(({ protocol, port, mark }) => [`${protocol} ${port}`, mark]),
  )
