// A spec or an installed table, and its host → warnings. Reads the system only through look.ts.
import type { ValidSpec } from '../spec/model/model.js'
import type { HostWarning } from './host-warning.js'
import { addressesOf, judgeDoors } from './judge-doors.js'
import { judgeInterfaces, type Named } from './judge-interfaces.js'
import { lookAtHost } from './look.js'

/**
 * Reads the host and judges a spec by it. If the host cannot be read, warns only if the spec names
 * interfaces.
 *
 * @param netns - as in `Nft`; undefined: there is no kernel, so there are no warnings.
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

/** Judges an installed table, which knows its hook and interfaces, in the same way. */
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
    `the host's interfaces could not be read (${reason}), so it is unknown ` +
    'whether packets come in there'
  return [{ id: 'host-not-seen', path: '/interfaces', message }]
}
