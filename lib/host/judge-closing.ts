// The base chains of a namespace → whether another table keeps the doors' services closed. Pure.
import { isContent, listedObjects } from '../nft/parts.js'
import type { ValidDoor, ValidSpec } from '../spec/model/model.js'
import type { Family } from '../spec/model/packet-model.js'

interface Place extends Pick<ValidSpec, 'hook' | 'table'> {
  readonly doors: readonly Pick<ValidDoor, 'addresses'>[]
}

type Hook = 'prerouting' | 'input' | 'forward'

/**
 * The hooks where packets to the services end. At prerouting and ingress it is unknown whether a
 * service is on this host, so both count.
 */
const ENDS: Readonly<Record<ValidSpec['hook'], readonly Hook[]>> = {
  input: ['input'],
  forward: ['forward'],
  prerouting: ['input', 'forward'],
  ingress: ['input', 'forward'],
}

/**
 * The address families that a table's family sees. A netdev table's chain sees one device and does
 * not close a service.
 */
const SEES: Readonly<Record<string, readonly Family[]>> = { inet: [4, 6], ip: [4], ip6: [6] }

/**
 * Finds the address families of the doors for which no base chain of another table has policy drop.
 * The rules in chains are not judged: a chain with policy accept may still end with a rule that
 * drops.
 *
 * @param listing - what `nft -j list chains` gives. Anything else counts as unknown and gives an
 * empty list.
 */
export function familiesWithoutPolicy(listing: unknown, { hook, table, doors }: Place): Family[] {
  if (!isContent(listing) || !Array.isArray(listing['nftables'])) return []
  const drops = new Set<string>()
  for (const object of listedObjects(listing)) {
    const chain = isContent(object) ? object['chain'] : undefined
    if (!isContent(chain) || chain['policy'] !== 'drop') continue
    if (chain['family'] === 'inet' && chain['table'] === table) continue
    for (const family of SEES[String(chain['family'])] ?? [])
      drops.add(`${chain['hook']} ${family}`)
  }
  const isJudged = (family: Family) =>
    doors.some(
      ({ addresses }) => addresses.length === 0 || addresses.some((cidr) => cidr.family === family),
    )
  const isClosed = (family: Family, end: Hook) =>
    drops.has(`prerouting ${family}`) || drops.has(`${end} ${family}`)
  return ([4, 6] as const).filter(
    (family) => isJudged(family) && !ENDS[hook].every((end) => isClosed(family, end)),
  )
}
