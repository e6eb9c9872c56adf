// The base chains of a namespace → whether anything but our table keeps the doors' services closed. Pure.
import { isContent, listedObjects } from '../nft/parts.js'
import type { Family, ValidSpec } from '../spec/model/model.js'

type Place = Pick<ValidSpec, 'hook' | 'table'>

/** The hooks through which packets to the doors' services go. A door at prerouting or ingress may stand before either way. */
const WAYS: Readonly<Record<ValidSpec['hook'], readonly string[]>> = {
  input: ['ingress', 'prerouting', 'input'],
  forward: ['ingress', 'prerouting', 'forward'],
  prerouting: ['ingress', 'prerouting', 'input', 'forward'],
  ingress: ['ingress', 'prerouting', 'input', 'forward'],
}

/** What each family of tables sees. */
const SEES: Readonly<Record<string, readonly Family[]>> = {
  inet: [4, 6],
  netdev: [4, 6],
  ip: [4],
  ip6: [6],
}

/**
 * The families of addresses for which no base chain of another table drops what no rule accepts. Their rules are not
 * judged: a chain with the policy accept may end with a rule that drops.
 *
 * @param listing - as `nft -j list chains` gives it.
 */
export function familiesWithoutPolicy(listing: unknown, { hook, table }: Place): Family[] {
  const covered = new Set<Family>()
  for (const object of listedObjects(listing)) {
    const chain = isContent(object) ? object['chain'] : undefined
    if (!isContent(chain) || chain['policy'] !== 'drop' || chain['table'] === table) continue
    if (!WAYS[hook].includes(String(chain['hook']))) continue
    for (const family of SEES[String(chain['family'])] ?? []) covered.add(family)
  }
  return ([4, 6] as const).filter((family) => !covered.has(family))
}
