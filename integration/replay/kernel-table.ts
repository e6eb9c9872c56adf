// nft's listings → the kernel's sets and counters of a table, and the packets that passed it.
import type { DoorSummary } from '../../lib/automaton/language/summary.js'
import { parseListing } from '../../lib/nft/listing.js'
import { apply, listTable } from '../machine/namespaces.js'
import { type Contents, contentsOfListing } from './state.js'

type Listed = Readonly<Record<string, unknown>>

interface ListedSet {
  readonly name: string
  readonly elem?: readonly unknown[]
}

/** Returns the elements of each set of a listing, by nft's name of the set. */
function setsOf(listing: readonly Listed[]): Map<string, readonly ListedElement[]> {
  const sets = listing.flatMap((object) => (object['set'] ? [object['set'] as ListedSet] : []))
  return new Map(sets.map(({ name, elem = [] }) => [name, elem.map(elementOf)]))
}

interface ListedElement {
  readonly key: string
  readonly expires: number
  readonly packets: number
}

function elementOf(listed: unknown): ListedElement {
  const { elem } = (typeof listed === 'string' ? {} : listed) as {
    elem?: { val: unknown; expires?: number; counter?: { packets: number } }
  }
  const value = elem ? elem.val : listed
  const parts = typeof value === 'string' ? [value] : (value as { concat?: unknown[] }).concat
  // Prefixes and ranges are only in constant sets, which no test reads.
  const key = parts ? parts.map(String).join(' ') : JSON.stringify(value)
  return { key, expires: elem?.expires ?? 0, packets: elem?.counter?.packets ?? 0 }
}

/**
 * Reads a listing of a table with the automaton's names. Times are whole seconds, rounded down.
 */
export const contentsOf = (listing: readonly Listed[], doors: Iterable<DoorSummary>): Contents =>
  contentsOfListing(parseListing({ nftables: listing }), doors)

const ARRIVALS = 'arrivals'

/**
 * Sets up a table after all others that counts arriving packets, by source and `th sport` and `th
 * dport`. `silent`: the server does not answer, so that conntrack calls each packet from outside
 * new. `hook`: where it counts. Default: `input`.
 */
export async function watchArrivals(
  server: string,
  { silent, hook = 'input' }: { silent: boolean; hook?: 'input' | 'forward' },
): Promise<void> {
  const set = (name: string, type: string) =>
    `set ${name} { type ${type} . inet_service . inet_service; size 65535; flags ` +
    'dynamic; counter; }'
  // Before conntrack (-200), to which an answer would confirm the connection.
  const silence = 'chain out { type filter hook output priority -300; policy drop; }'
  await apply(
    server,
    `table inet ${ARRIVALS} {
      ${set('arrived_4', 'ipv4_addr')}
      ${set('arrived_6', 'ipv6_addr')}
      chain in {
        type filter hook ${hook} priority 100
        add @arrived_4 { ip saddr . th sport . th dport }
        add @arrived_6 { ip6 saddr . th sport . th dport }
      }
      ${silent ? silence : ''}
    }`,
  )
}

/** Returns how often each flow arrived, by `arrivalKey`. */
export async function listArrivals(server: string): Promise<Map<string, number>> {
  const sets = setsOf((await listTable(server, ARRIVALS)) ?? [])
  const elements = [...(sets.get('arrived_4') ?? []), ...(sets.get('arrived_6') ?? [])]
  return new Map(elements.map(({ key, packets }) => [key, packets]))
}
