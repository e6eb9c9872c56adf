// A valid spec and packets → what the documented meaning of a sequence says of them. Pure; the tests' witness, which
// shares no code with the compiler: it keeps a record for each source, where the compiler builds sets and rules.
import type { Packet } from '../lib/automaton/simulate.js'
import type { Step, ValidSpec } from '../lib/spec/model.js'
import { type Attempt, type Counters, type Door, end, move, stageOf } from './oracle-attempts.js'
import {
  contains,
  covers,
  flowOf,
  isAt,
  isOdd,
  isOnInterface,
  isService,
  isStep,
  isSyn,
} from './oracle-packets.js'

export type Verdict = 'accept' | 'drop'

/** Who is where with one door; sources that are nowhere are left out. */
export interface DoorState {
  /** Seconds that each source's grant still lives. */
  readonly grants: Readonly<Record<string, number>>
  /** Steps that each source has done of the opening and of the closing knock. */
  readonly open: Readonly<Record<string, number>>
  readonly close: Readonly<Record<string, number>>
  readonly counters: Readonly<Counters>
}

export interface OracleOptions {
  /**
   * Which SYNs to ordinary ports are remembered: those of a source with a live attempt, as the text has it, or all.
   * What comes out the same both ways does not depend on when exactly a source ceases to be knocking.
   */
  readonly remembers?: 'knocking' | 'all'
}

/** A SYN is remembered this long at least: longer than the longest pause between retransmissions. */
const MEMORY = 40

export class Oracle {
  readonly #spec: ValidSpec
  readonly #doors: readonly Door[]
  readonly #attempts: readonly Attempt[]
  readonly #remembersAll: boolean
  readonly #memory: number
  /** By flow, when its SYN was last seen. */
  readonly #seen = new Map<string, number>()

  constructor(spec: ValidSpec, { remembers = 'knocking' }: OracleOptions = {}) {
    this.#spec = spec
    this.#remembersAll = remembers === 'all'
    this.#doors = spec.doors.map((door) => ({
      spec: door,
      grants: new Map(),
      counters: { knocks: 0, grants: 0, resets: 0, denied: 0 },
    }))
    this.#attempts = this.#doors.flatMap((door) =>
      (['open', 'close'] as const).flatMap((kind): Attempt[] => {
        const knock = kind === 'open' ? door.spec.knock : door.spec.close
        if (!knock) return []
        const { steps, stepTimeout, timeout = Number.POSITIVE_INFINITY, reset } = knock
        return [{ door, kind, steps, stepTimeout, timeout, reset, sources: new Map() }]
      }),
    )
    const longest = this.#attempts.map(({ steps, stepTimeout, timeout }) =>
      Math.min(timeout, (steps.length - 1) * stepTimeout),
    )
    this.#memory = Math.max(MEMORY, ...longest)
  }

  receive(packet: Packet): Verdict {
    if (!isOnInterface(this.#spec.interfaces, packet.interface)) return 'accept'
    const state = packet.state ?? 'new'
    if (packet.protocol === 'icmp') {
      // Whatever conntrack calls it: an accepted ping makes later ones established.
      if (state !== 'invalid' && this.#steps(packet).length > 0) return this.#knock(packet)
    }
    if (state === 'established') return 'accept'
    return this.#isKnockPort(packet) ? this.#knock(packet) : this.#ordinary(packet)
  }

  state(at: number): Record<string, DoorState> {
    const stages = (door: Door, kind: 'open' | 'close') =>
      this.#attempts
        .filter((attempt) => attempt.door === door && attempt.kind === kind)
        .flatMap((attempt) => [...attempt.sources.keys()].map((source) => ({ attempt, source })))
        .map(({ attempt, source }) => [source, stageOf(attempt, source, at)] as const)
        .filter(([, stage]) => stage > 0)
    return Object.fromEntries(
      this.#doors.map((door) => [
        door.spec.name,
        {
          grants: Object.fromEntries(
            [...door.grants]
              .map(([source, { until }]) => [source, until - at] as const)
              .filter(([, left]) => left > 0),
          ),
          open: Object.fromEntries(stages(door, 'open')),
          close: Object.fromEntries(stages(door, 'close')),
          counters: { ...door.counters },
        },
      ]),
    )
  }

  /** The steps that a packet is, each with its attempt. */
  #steps(packet: Packet): { attempt: Attempt; step: Step }[] {
    return this.#attempts.flatMap((attempt) =>
      attempt.steps
        .filter((step) => isStep(step, attempt.door.spec, packet))
        .map((step) => ({ attempt, step })),
    )
  }

  #isKnockPort(packet: Packet): boolean {
    return this.#attempts.some(
      ({ steps, door }) =>
        isAt(door.spec, packet) &&
        steps.some(
          ({ protocol, port }) =>
            port !== undefined && protocol === packet.protocol && port === packet.port,
        ),
    )
  }

  #knock(packet: Packet): Verdict {
    const isInvalid = packet.state === 'invalid'
    if (!isInvalid && isSyn(packet) && this.#isAgain(packet)) return 'drop'
    // What conntrack calls invalid starts nothing, but for a step that asks for such flags.
    const counts = (step: Step) => !isInvalid || isOdd(step)
    const steps = this.#steps(packet).filter(({ step }) => counts(step))
    for (const door of this.#doors) {
      if (steps.some(({ attempt }) => attempt.door === door)) door.counters.knocks += 1
    }
    for (const attempt of this.#attempts) {
      const fits = (number: number) => {
        const step = attempt.steps[number - 1]
        return step !== undefined && counts(step) && isStep(step, attempt.door.spec, packet)
      }
      const moved = move(attempt, packet, fits)
      if (!moved && !isInvalid && attempt.reset !== 'never') end(attempt, packet)
    }
    return 'drop'
  }

  #ordinary(packet: Packet): Verdict {
    const own = this.#doors.find((door) => isService(door.spec, packet, 'ports'))
    if (own) return this.#serve(own, packet)
    // What belongs to connections: ICMP errors, the data of FTP.
    if (packet.state === 'related') return 'accept'
    const whole = this.#doors.find((door) => isService(door.spec, packet, 'whole'))
    if (whole) return this.#serve(whole, packet)
    const isIgnored = this.#spec.guard.ignore.some((service) => covers(service, packet))
    if (isIgnored || (packet.state ?? 'new') !== 'new') return 'accept'
    const ended = this.#attempts.filter(({ reset }) => reset === 'any')
    const isKnocking = ended.some((attempt) => stageOf(attempt, packet.source, packet.at) > 0)
    if (!isKnocking && !this.#remembersAll) return 'accept'
    if (isSyn(packet) && this.#isAgain(packet)) return 'accept'
    for (const attempt of ended) end(attempt, packet)
    return 'accept'
  }

  /** Whether a SYN was seen of late; from now on it was. */
  #isAgain(packet: Packet): boolean {
    const key = flowOf(packet)
    const last = this.#seen.get(key)
    this.#seen.set(key, packet.at)
    return last !== undefined && packet.at - last < this.#memory
  }

  /** Judges a packet to a door's service. */
  #serve(door: Door, packet: Packet): Verdict {
    const { open } = door.spec
    const { source, at } = packet
    if (this.#spec.guard.trusted.some((cidr) => contains(cidr, source))) return 'accept'
    const grant = door.grants.get(source)
    const isGranted = grant !== undefined && at < grant.until
    const isNew = (packet.state ?? 'new') === 'new'
    if (!isGranted || (open.connections !== undefined && !isNew)) {
      // Of a connection that the host has: neither SYN nor RST.
      const isOwn = packet.protocol === 'tcp' && ((packet.flags ?? 0x02) & 0x06) === 0
      if (isOwn && packet.connected) return 'accept'
      door.counters.denied += 1
      return 'drop'
    }
    grant.used += 1
    if (grant.used === open.connections) door.grants.delete(source)
    else if (open.refresh) grant.until = at + open.for
    return 'accept'
  }
}
