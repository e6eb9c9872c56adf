// A valid spec, or what a table says of itself, and the host where it stands → warnings. Touches
// the system by look.ts alone.
import type { ValidSpec } from '../spec/model/model.js'
import type { HostWarning } from './host-warning.js'
import { addressesOf, judgeDoors } from './judge-doors.js'
import { judgeInterfaces, type Named } from './judge-interfaces.js'
import { lookAtHost } from './look.js'

/**
 * Looks at the host, and judges a spec by what it finds. Nothing is said of what was not found out,
 * but for interfaces that the spec names.
 *
 * @param netns - as `Nft` has it; undefined: a ruleset of no kernel, which stands on no host.
 */
export async function hostWarnings(
  spec: ValidSpec,
  netns: string | undefined,
  operation: string,
): Promise<HostWarning[]> {
  const addresses = addressesOf(spec)
  const isNamed = spec.interfaces.length > 0 || addresses.length > 0 || spec.hook === 'forward'
  if (netns === undefined || !isNamed) return []
  const host = await lookAtHost(netns, addresses, operation)
  if ('reason' in host) return unseen(spec, host.reason)
  return [...judgeInterfaces(spec, host), ...judgeDoors(spec, host)]
}

/** The same of a table that stands, which knows its hook and its interfaces. */
export async function interfaceWarnings(
  named: Named | undefined,
  netns: string | undefined,
  operation: string,
): Promise<HostWarning[]> {
  if (!named || netns === undefined) return []
  const host = await lookAtHost(netns, [], operation)
  return 'reason' in host ? unseen(named, host.reason) : judgeInterfaces(named, host)
}

function unseen({ interfaces }: Pick<Named, 'interfaces'>, reason: string): HostWarning[] {
  if (interfaces.length === 0) return []
  const message =
    `the host's interfaces could not be looked at (${reason}), so nobody knows ` +
    'whether packets come in there'
  return [{ id: 'host-not-seen', path: '/interfaces', message }]
}
