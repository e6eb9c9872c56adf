// Files, names and sockets of Node, for a client. Touches the network and the file system.
import { SendError } from '../../errors.js'
import type { Address } from '../../spec/model/address.js'
import type { Family } from '../../spec/model/packet-model.js'
import { takeSequence } from './one-time.js'
import { chooseOutlet, type Outlet, type OutletOptions } from './outlet.js'
import { sendShot, type Way } from './packet.js'
import { probePort } from './probe.js'
import { readProfileFile, readSecretOf } from './profile-file.js'
import { resolveHost } from './resolve.js'
import type { System } from './system.js'

/** @throws ArgumentError if the machine has no such source or interface. */
export function nodeSystem(options: OutletOptions, operation: string): System {
  const outlet = chooseOutlet(options, operation)
  const way = (address: Address): Way => ({ ...address, source: outlet?.get(address.family) })
  return {
    readDocument: (path) => readProfileFile(path, operation),
    readSecret: (file, profile) => readSecretOf(file, profile, operation),
    resolve: (host, families) => resolveHost(host, reachable(outlet, families, options)),
    senderTo: (address) => (shot) => sendShot(shot, way(address)),
    probe: (address, port, time) => probePort(way(address), port, time),
    takeSequence: (from) => takeSequence(from, operation),
  }
}

/** The families that packets can leave by. */
function reachable(
  outlet: Outlet | undefined,
  families: readonly Family[],
  { source, interface: name }: OutletOptions,
): readonly Family[] {
  const able = families.filter((family) => outlet?.has(family) ?? true)
  if (able.length > 0) return able
  const kind = families.map((family) => `IPv${family}`).join(' or ')
  throw new SendError(`sendKnock: ${source ?? name}: no address of ${kind} to send from`)
}
