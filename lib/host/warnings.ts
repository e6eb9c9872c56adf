// A spec or an installed table, and its host → warnings. Reads the system only through look.ts.
import type { ValidSpec } from '../spec/model/model.js'
import type { HostWarning } from './host-warning.js'
import { addressesOf, judgeDoors } from './judge-doors.js'
import { judgePlaces, type Places } from './judge-interfaces.js'
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
  const places = placesOf(spec)
  const isNamed = hasInterfaces(places) || addresses.length > 0 || spec.hook === 'forward'
  if (netns === undefined || !isNamed) return []
  const host = await lookAtHost(netns, addresses, operation)
  if ('reason' in host) return unseen(places, host.reason)
  return [...judgePlaces(places, host), ...judgeDoors(spec, host)]
}

function placesOf({ hook, interfaces, doors }: ValidSpec): Places {
  return {
    table: { hook, interfaces },
    doors: doors.map((door) => ({ hook, interfaces: door.interfaces })),
  }
}

const hasInterfaces = ({ table, doors }: Places): boolean =>
  [table, ...doors].some((named) => named !== undefined && named.interfaces.length > 0)

/** Judges an installed table, which knows its hook and all interfaces, in the same way. */
export async function interfaceWarnings(
  places: Places,
  netns: string | undefined,
  operation: string,
): Promise<HostWarning[]> {
  if (!hasInterfaces(places) || netns === undefined) return []
  const host = await lookAtHost(netns, [], operation)
  return 'reason' in host ? unseen(places, host.reason) : judgePlaces(places, host)
}

function unseen(places: Places, reason: string): HostWarning[] {
  if (!hasInterfaces(places)) return []
  const message =
    `the host's interfaces could not be read (${reason}), so it is unknown ` +
    'whether packets come in there'
  return [{ id: 'host-not-seen', path: '/interfaces', message }]
}
