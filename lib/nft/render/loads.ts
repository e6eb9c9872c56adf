// What sets hold that depends on secrets and on the time → nft JSON that puts it there. Pure.

import type { Loads } from '../../automaton/language/loads.js'
import { NUMBER } from '../../spec/model/protocol.js'
import type { NftCommand, NftValue } from '../document.js'
import type { Listing } from '../listing.js'
import { type LoadedSet, renderLoaded } from '../loaded.js'
import { commonSet } from '../names.js'

/** Elements of one command: one with millions would be a single string too long for JSON. */
const AT_ONCE = 50_000

/**
 * Renders the commands that load tokens and ports. The sets of tokens are emptied first: one that
 * has been used is among them again, and is refused all the same, since the door remembers it.
 * Ports are added to those that are there: the kernel takes milliseconds to take one away. The set
 * `loaded` holds until when each of them is loaded.
 *
 * @param now - seconds since 1970.
 */
export function renderLoads(table: string, { tokens, ports }: Loads, now: number): NftCommand[] {
  const ends: LoadedSet[] = []
  const commands = [
    ...tokens.flatMap(({ set, tokens: loaded }) => {
      let last = 0
      const elements = loaded.flatMap(({ token, until }): NftValue[] => {
        // A timeout of 0 would be for ever.
        const timeout = Math.floor(until - now)
        last = Math.max(last, timeout)
        return timeout > 0 ? [{ elem: { val: `0x${token}`, timeout } }] : []
      })
      ends.push({ set, seconds: last })
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

/** Of what would be loaded, that whose sets are empty. */
export function missingOf({ tokens, ports }: Loads, { sets }: Listing): Loads {
  const isEmpty = ({ set }: { readonly set: string }) =>
    (sets.get(commonSet(set))?.elements ?? []).length === 0
  return { tokens: tokens.filter(isEmpty), ports: ports.filter(isEmpty) }
}

/**
 * Whether a table has ports of another secret: other ones in a period that would be loaded. Other
 * periods say nothing: clocks step, hosts sleep, and a spec may look less far ahead.
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
 * The start of a range of times, which nft lists in numbers or as `2026-11-21 07:00:00`, in UTC as
 * it is run.
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
