// A packet to a door's service → whether it passes. States who is let in; keeps its records in the
// table.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import { type Door, isGranted, talk, use, userOf } from './oracle-door.js'
import { isConcerned, judge, type Paced } from './oracle-paced.js'
import { contains, isLater, isOnInterface, isService, isSyn } from './oracle-packets.js'
import { begins, isKnockedAt } from './oracle-ports.js'
import type { Table } from './oracle-table.js'

/** `knock`: nothing lets the packet through, but its port is also a knock port. */
type Judgement = 'accept' | 'drop' | 'knock'

export class Gate {
  readonly #spec: ValidSpec
  readonly #table: Table
  readonly #isStateless: boolean
  readonly #remembersAll: boolean
  /** The number of redirected connections. */
  redirected = 0

  /** @param remembersAll - whether to remember also a SYN for which no attempt waits. */
  constructor(spec: ValidSpec, table: Table, remembersAll: boolean) {
    this.#spec = spec
    this.#table = table
    this.#remembersAll = remembersAll
    this.#isStateless = spec.hook === 'prerouting' || spec.hook === 'ingress'
  }

  /** Judges a packet to ports that a door names; returns undefined for other packets. */
  receiveAtPorts(packet: Packet): Judgement | undefined {
    const named = this.#doorsOf(packet, 'ports')
    if (named.length > 0) return this.#serve(named, packet)
    const behind = this.#table.doors.filter((door) => isTarget(door, packet))
    return behind.length > 0 ? this.#refuseDetour(behind, packet) : undefined
  }

  /** Judges a packet for which a door has the service `any`; undefined for other packets. */
  receiveAnywhere(packet: Packet): Judgement | undefined {
    // Related packets are for example ICMP errors and the data connections of FTP.
    if (packet.state === 'related') return 'accept'
    const whole = this.#doorsOf(packet, 'whole')
    return whole.length > 0 ? this.#serve(whole, packet) : undefined
  }

  /**
   * Judges a packet that could be for any door at its destination: every one must let it in.
   */
  receiveUnread(packet: Packet): 'accept' | 'drop' {
    if (this.isTrusted(packet)) return 'accept'
    const refusing = this.#table.doors.find(
      (door) => canBeFor(door, packet) && (!isBlind(door) || !isGranted(door, packet)),
    )
    return refusing ? deny([refusing], packet) : 'accept'
  }

  /** Judges a packet of an established connection. */
  goOn(packet: Packet): Judgement {
    const named = this.#doorsOf(packet, 'ports')
    const doors = named.length > 0 ? named : this.#doorsOf(packet, 'whole')
    if (!packet.isReply) for (const door of doors) talk(door, packet)
    const cutting = doors.filter(cuts)
    if (cutting.length === 0 || packet.isReply || this.isTrusted(packet)) return 'accept'
    if (cutting.some((door) => isGranted(door, packet)) || isRst(packet)) return 'accept'
    return deny(cutting, packet)
  }

  #doorsOf(packet: Packet, kind: 'ports' | 'whole'): Door[] {
    return this.#table.doors.filter(({ spec }) => isService(spec, packet, kind))
  }

  isTrusted({ source }: Packet): boolean {
    return this.#spec.guard.trusted.some((cidr) => contains(cidr, source))
  }

  #serve(doors: readonly Door[], packet: Packet): Judgement {
    if (this.isTrusted(packet)) return 'accept'
    for (const door of doors) {
      const judgement = this.#serveAt(door, packet)
      // A repeated SYN was judged when it came first, so no other door is asked.
      if (judgement === 'again') return 'drop'
      if (judgement !== 'drop') return judgement
    }
    return 'drop'
  }

  #serveAt(door: Door, packet: Packet): Judgement | 'again' {
    const granted = isGranted(door, packet)
    const isCounted = door.spec.open.connections !== undefined
    if (isCounted && !door.spec.open.redirectTo && isLater(packet)) {
      // A packet in the middle of a connection does not count.
      if (granted || packet.at < (door.begun.get(userOf(door, packet.source)) ?? 0)) return 'accept'
    } else if (granted && this.#lets(door, packet)) return this.#pass(door, packet)
    // A source without a grant reaches another service there.
    if (door.spec.open.redirectTo || (isOwn(packet) && !cuts(door))) return 'accept'
    const waiting = this.#table.attempts.filter(
      (attempt): attempt is Paced => attempt.kind === 'paced' && attempt.door === door,
    )
    const isKnocked = isService(door.spec, packet, 'ports')
    if (isKnocked && waiting.some((paced) => isKnockedAt(paced, packet))) return 'knock'
    return this.#isAwaited(waiting, packet) ? 'accept' : deny([door], packet)
  }

  /**
   * Whether a grant lets such packets in. A grant that counts or redirects lets in connections, as
   * far as conntrack knows them.
   */
  #lets({ spec: { open } }: Door, packet: Packet): boolean {
    const { state = 'new' } = packet
    if (open.redirectTo) return state === 'new'
    if (open.connections === undefined) return true
    if (packet.protocol === 'tcp') return isSyn(packet)
    return this.#isStateless || state === 'new' || state === 'untracked'
  }

  #pass(door: Door, packet: Packet): 'accept' | 'again' {
    const { connections, redirectTo } = door.spec.open
    const isCounted = connections !== undefined && !redirectTo
    if (isCounted && isSyn(packet) && this.#table.guard.isCountedAgain(packet)) return 'again'
    use(door, packet)
    if (door.spec.open.redirectTo) this.redirected += 1
    return 'accept'
  }

  /** Whether a rate or a rhythm waits for a packet that no grant lets through. */
  #isAwaited(waiting: readonly Paced[], packet: Packet): boolean {
    const { guard } = this.#table
    const concerned = waiting.filter((paced) => isConcerned(paced, packet))
    const isJudged = concerned.length > 0 || (this.#remembersAll && waiting.length > 0)
    if (!isJudged || guard.isBanned(packet) || !begins(packet)) return false
    if (isSyn(packet) && guard.isAgain(packet)) return false
    return concerned.some((paced) => judge(paced, packet, 'service'))
  }

  #refuseDetour(doors: readonly Door[], packet: Packet): Judgement {
    return this.isTrusted(packet) || isOwn(packet) ? 'accept' : deny(doors, packet)
  }
}

/** Whether a packet can be for a door if only its interface and addresses are known. */
function canBeFor(
  { spec: { interfaces, addresses, open } }: Door,
  { destination = '', interface: name }: Packet,
): boolean {
  if (interfaces.length > 0 && !isOnInterface(interfaces, name)) return false
  const own = addresses.filter(({ family }) => family === 6)
  if (addresses.length > 0 && own.length === 0) return false
  const isAnywhere = addresses.length === 0 || open.redirectTo !== undefined
  return isAnywhere || /^ff/i.test(destination) || own.some((cidr) => contains(cidr, destination))
}

/** Whether a door's grant lets in all packets. */
const isBlind = ({ spec: { open } }: Door): boolean =>
  open.connections === undefined && open.redirectTo === undefined

function deny(doors: readonly Door[], packet: Packet): 'drop' {
  for (const door of doors) {
    door.counters.denied += 1
    door.events.met(door, 'denied', packet)
  }
  return 'drop'
}

/** Whether connections need a live grant all the time. */
const cuts = ({ spec }: Door): boolean => spec.open.established === 'cut'

/** Whether a packet is of a connection that the host has, and neither SYN nor RST. */
const isOwn = ({ protocol, flags = 0x02, connected = false }: Packet): boolean =>
  protocol === 'tcp' && (flags & 0x06) === 0 && connected

/** Whether a packet is sent directly to the port to which a door redirects. */
function isTarget({ spec }: Door, { protocol, port, interface: name }: Packet): boolean {
  if (spec.interfaces.length > 0 && !isOnInterface(spec.interfaces, name)) return false
  const target = spec.open.redirectTo
  if (!target || target.address !== undefined || target.port !== port) return false
  return spec.services.some((service) => service.protocol === protocol)
}

const isRst = ({ protocol, flags = 0x02 }: Packet): boolean =>
  protocol === 'tcp' && (flags & 0x04) !== 0
