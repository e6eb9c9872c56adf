// Tokens and ports, derived from secrets and the time → nft JSON that loads them into their sets.
// Pure.

import type { Loads } from '../../automaton/language/loads.js'
import { NUMBER } from '../../spec/model/protocol.js'
import type { NftCommand, NftValue } from '../document.js'
import type { Listing } from '../listing.js'
import { type LoadedSet, loadedIn, renderLoaded } from '../loaded.js'
import { commonSet } from '../names.js'

/** Elements per command. A command with millions would be one string that is too long for JSON. */
const AT_ONCE = 50_000

/**
 * Renders the commands that load tokens and ports. Sets of tokens are flushed first. A used token
 * is loaded again, but the door refuses it, since it remembers used tokens. Ports are added to the
 * existing ones: to delete one takes the kernel milliseconds. The set `loaded` then says until when
 * each set is loaded.
 *
 * @param now - seconds since 1970.
 */
export function renderLoads(table: string, { tokens, ports }: Loads, now: number): NftCommand[] {
  const ends: LoadedSet[] = []
  const commands = [
    ...tokens.flatMap(({ set, tokens: loaded, until: end }) => {
      const elements = loaded.flatMap(({ token, until }): NftValue[] => {
        // nft reads a timeout of 0 as "for ever".
        const timeout = Math.floor(until - now)
        return timeout > 0 ? [{ elem: { val: `0x${token}`, timeout } }] : []
      })
      ends.push({ set, seconds: Math.floor(end - now) })
      const name = commonSet(set)
      const empty: NftCommand = { flush: { set: { family: 'inet', table, name } } }
      return [empty, ...add(table, name, elements)]
    }),
    ...ports.flatMap(({ set, periods }) => {
      let last = 0
      const elements = periods.flatMap(({ protocol, port, from, to }): NftValue[] => {
        const val = { concat: [NUMBER[protocol], port, { range: [from, to] }] }
        const timeout = Math.ceil(to - now)
        last = Math.max(last, timeout)
        return timeout > 0 ? [{ elem: { val, timeout } }] : []
      })
      ends.push({ set, seconds: last })
      return add(table, commonSet(set), elements)
    }),
  ]
  return [...commands, ...renderLoaded(table, ends)]
}

/**
 * Keeps the loads of sets that are empty in a listing. A set into which nothing belongs now is
 * missing if the table does not say until when that is known.
 *
 * @param now - seconds since 1970.
 */
export function missingOf({ tokens, ports }: Loads, listing: Listing, now: number): Loads {
  const isEmpty = ({ set }: { readonly set: string }) =>
    (listing.sets.get(commonSet(set))?.elements ?? []).length === 0
  const known = loadedIn(listing)
  const isMissing = (load: Loads['tokens'][number]) =>
    isEmpty(load) && (load.tokens.length > 0 || (load.until > now && !known?.has(load.set)))
  return { tokens: tokens.filter(isMissing), ports: ports.filter(isEmpty) }
}

/**
 * Whether a table has ports of another secret: for a period of the loads it has another port.
 * Periods that are not in the loads prove nothing: clocks step, hosts sleep, and a spec may have a
 * shorter horizon.
 */
export function hasForeignPorts({ sets }: Listing, { ports }: Loads): boolean {
  return ports.some(({ set, periods }) => {
    const own = new Map(periods.map(({ from, port }) => [from, String(port)]))
    return sets.get(commonSet(set))?.elements.some(({ key: [, port, period = ''] }) => {
      const expected = own.get(startOf(period))
      return expected !== undefined && expected !== port
    })
  })
}

/**
 * Reads the start of a range of times, in seconds since 1970. nft lists it as a number or as
 * `2026-11-21 07:00:00`; knocklib runs nft with TZ=UTC.
 */
function startOf(range: string): number {
  const [text = ''] = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d+)/.exec(range) ?? []
  return text.includes(' ') ? Date.parse(`${text.replace(' ', 'T')}Z`) / 1000 : Number(text)
}

function add(table: string, name: string, elements: readonly NftValue[]): NftCommand[] {
  const commands: NftCommand[] = []
  for (let first = 0; first < elements.length; first += AT_ONCE) {
    const elem = elements.slice(first, first + AT_ONCE)
    commands.push({ add: { element: { family: 'inet', table, name, elem } } })
  }
  return commands
}
