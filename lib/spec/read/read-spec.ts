// A document of which some parts have the schema's form → those parts in valid form, defaults
// filled in. Pure.

import type {
  BanSpec,
  DoorSpec,
  GuardSpec,
  KnockSpec,
  LogSpec,
  TrapsSpec,
} from '../generated/knock-types.js'
import { mergeCidrs, readCidrs } from '../model/address.js'
import type { Findings } from '../model/findings.js'
import type {
  ReadSpec,
  TrapPorts,
  ValidBan,
  ValidDoor,
  ValidLog,
  ValidTraps,
} from '../model/model.js'
import { readDuration, readServices, readValue } from '../model/read-values.js'
import { readActions } from './read-actions.js'
import { readCloses, readKnocks } from './read-knock.js'
import { readOpen } from './read-open.js'
import { readPrefix } from './read-prefix.js'

/**
 * The default for `guard.capacity`, the sources that one set can hold. Each takes about 100 bytes,
 * only while it is in the set.
 */
const DEFAULT_CAPACITY = 262144

/**
 * The default rates: more than a person can watch, and less than what overflows a reader's buffer.
 */
const DEFAULT_LOG: ValidLog = { group: 5, rate: 1000, deniedRate: 10 }

/**
 * Reads a spec. Parts that the schema refused are left out, so that contradictions between the
 * others are still found.
 */
export function readSpec(spec: KnockSpec, findings: Findings): ReadSpec {
  const doors = readValue(spec.doors, '/doors', [], findings)
  const log = readValue(spec.log, '/log', {}, findings)
  return {
    table: readValue(spec.table, '/table', 'knock', findings),
    hook: readValue(spec.hook, '/hook', 'input', findings),
    interfaces: readValue(spec.interfaces, '/interfaces', [], findings),
    ...(log !== false && { log: readLog(log, findings) }),
    guard: readGuard(readValue(spec.guard, '/guard', {}, findings), findings),
    doors: doors.flatMap((door, index) => {
      const origin = `/doors/${index}`
      return findings.isClean(origin) ? [readDoor(door, origin, findings)] : []
    }),
    actions: readActions(spec.actions, findings),
  }
}

function readLog({ group, rate, deniedRate }: LogSpec, findings: Findings): ValidLog {
  return {
    group: readValue(group, '/log/group', DEFAULT_LOG.group, findings),
    rate: readValue(rate, '/log/rate', DEFAULT_LOG.rate, findings),
    deniedRate: readValue(deniedRate, '/log/deniedRate', DEFAULT_LOG.deniedRate, findings),
  }
}

function readGuard(guard: GuardSpec, findings: Findings): ReadSpec['guard'] {
  const { trusted, ignore, ban, traps, capacity } = guard
  const prefix = readPrefix(guard.prefix, '/guard/prefix', findings)
  const cidrs = readValue(trusted, '/guard/trusted', [], findings)
  const services = readValue(ignore, '/guard/ignore', [], findings)
  return {
    trusted: mergeCidrs(readCidrs(cidrs, '/guard/trusted', findings)),
    ignore: readServices(services, '/guard/ignore', findings),
    ...(ban !== undefined && findings.isClean('/guard/ban') && { ban: readBan(ban, findings) }),
    ...(traps !== undefined &&
      findings.isClean('/guard/traps') && { traps: readTraps(traps, findings) }),
    capacity: readValue(capacity, '/guard/capacity', DEFAULT_CAPACITY, findings),
    ...(prefix && { prefix }),
  }
}

function readBan(ban: BanSpec, findings: Findings): ValidBan {
  return {
    after: readValue(ban.after, '/guard/ban/after', 1, findings),
    within: readDuration(ban.within, '/guard/ban/within', findings),
    for: readDuration(ban.for, '/guard/ban/for', findings),
  }
}

function readTraps(traps: TrapsSpec, findings: Findings): ValidTraps {
  const path = '/guard/traps/ports'
  const ports = readServices(readValue(traps.ports, path, [], findings), path, findings)
  return {
    // The schema refuses whole protocols.
    ports: ports as TrapPorts[],
    for: readDuration(traps.for, '/guard/traps/for', findings),
  }
}

function readDoor(door: DoorSpec, origin: string, findings: Findings): ValidDoor {
  const services = readValue(door.service, `${origin}/service`, [], findings)
  const addresses = readValue(door.address, `${origin}/address`, [], findings)
  const knocks = readKnocks(door.knock, `${origin}/knock`, findings)
  const closes = readCloses(door.close, `${origin}/close`, findings)
  return {
    // A door without a name is called by its place in messages.
    name: readValue(door.name, `${origin}/name`, origin, findings),
    origin,
    services: readServices(services, `${origin}/service`, findings),
    interfaces: readValue(door.interfaces, `${origin}/interfaces`, [], findings),
    addresses: mergeCidrs(readCidrs(addresses, `${origin}/address`, findings)),
    knocks,
    closes,
    open: readOpen(door, `${origin}/open`, knocks, findings),
  }
}
