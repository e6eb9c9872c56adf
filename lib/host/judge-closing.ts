// The base chains of a namespace → whether anything but our table keeps the doors' services closed.
// Pure.
import { isContent, listedObjects } from '../nft/parts.js'
import type { Family, ValidDoor, ValidSpec } from '../spec/model/model.js'

interface Place extends Pick<ValidSpec, 'hook' | 'table'> {
  readonly doors: readonly Pick<ValidDoor, 'addresses'>[]
}

type Hook = 'prerouting' | 'input' | 'forward'

/**
 * Where packets to the services end. Of doors at prerouting and ingress nobody knows whether a
 * service is this host's.
 */
const ENDS: Readonly<Record<ValidSpec['hook'], readonly Hook[]>> = {
  input: ['input'],
  forward: ['forward'],
  prerouting: ['input', 'forward'],
  ingress: ['input', 'forward'],
}

/**
 * What each family of tables sees. Chains of netdev tables stand at one device each, and close no
 * service.
 */
const SEES: Readonly<Record<string, readonly Family[]>> = { inet: [4, 6], ip: [4], ip6: [6] }

/**
 * The families of addresses that the doors judge and for which no base chain of another table drops
 * what no rule accepts. Their rules are not judged: a chain with the policy accept may end with a
 * rule that drops.
 *
 * @param listing - as `nft -j list chains` gives it; of anything else nothing is known, and none is
 * returned.
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
