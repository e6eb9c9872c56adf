// A spec and packets with their times → the verdict on each, the events, and the status at the end.
// Pure: no kernel, no clock.

import { buildAutomaton } from '../automaton/build.js'
import type { Automaton } from '../automaton/language/automaton.js'
import type { Secrets } from '../automaton/language/loads.js'
import type { Attempt } from '../automaton/language/names.js'
import { isPerFamily, type TimedSet } from '../automaton/language/sets.js'
import { loadsOf, secretFilesOf } from '../automaton/loads.js'
import { ArgumentError } from '../errors.js'
import type { ListedElement, ListedSet } from '../nft/listing.js'
import { commonSet, familySet, sourceText } from '../nft/names.js'
import { withOwnSets } from '../nft/own-sets.js'
import type { ValidSpec } from '../spec/model/model.js'
import { requireValid, type SpecInput } from '../spec/validate.js'
import { type Contents, EVERYONE, listedContents, type Member } from '../view/contents.js'
import { type Status, viewStatus } from '../view/status.js'
import { Simulator } from './simulate.js'
import type { SimulatedElement } from './simulated-sets.js'
import { readPacket, type TracePacket } from './simulation-packet.js'

export interface SimulationOptions {
  /**
   * The secrets by the files that the spec names, as `loadSecrets` reads them. The packets' times
   * are then seconds since 1970, and tokens and rotating sequences are loaded at the time of the
   * first. Default: none, and no token or rotation opens.
   */
  readonly secrets?: Secrets
}

export interface SimulatedPacket extends TracePacket {
  /** `accept`: it passes the table, and the host's own rules judge it next. */
  readonly verdict: 'accept' | 'drop'
}

/** An event that the kernel would log. */
export interface SimulatedEvent {
  /** The index of the packet, counted from 0. */
  readonly packet: number
  readonly at: number
  readonly source: string
  readonly event: 'knock' | 'granted' | 'reset' | 'wrong' | 'denied' | 'banned' | 'closed'
  /** Absent for events of the whole table. */
  readonly door?: string
  readonly attempt?: Attempt
  /** How many packets of the knock have come, and how many it takes. */
  readonly stage?: number
  readonly of?: number
  /** The user of the token. */
  readonly user?: string
  /** Of `banned`: a packet to a trap port did it. Absent: strikes did. */
  readonly by?: 'trap'
}

export interface Simulation {
  readonly packets: readonly SimulatedPacket[]
  /** In order. Empty if the spec's `log` is false; events above its rates are missing. */
  readonly events: readonly SimulatedEvent[]
  /** The status at the last packet's time. */
  readonly status: Status
}

/**
 * Plays a trace through a spec without a kernel. The kernel gives the same verdict on each packet.
 *
 * @param packets - in the order of their times. Seconds from any start; since 1970 with secrets.
 * @throws SpecError with every problem of the spec.
 * @throws PacketError if a packet is wrong.
 * @throws ArgumentError if secrets are given, but not one that the spec names.
 */
export function simulateKnock(
  spec: SpecInput,
  packets: readonly TracePacket[],
  { secrets }: SimulationOptions = {},
): Simulation {
  const valid = requireValid(spec, OPERATION)
  const automaton = buildAutomaton(valid)
  const simulator = new Simulator(automaton)
  if (secrets) requireSecrets(valid, secrets)
  let last = Number.NEGATIVE_INFINITY
  const events: SimulatedEvent[] = []
  const judged = packets.map((packet, index): SimulatedPacket => {
    const read = readPacket(packet, index, last)
    if (index === 0 && secrets) simulator.load(loadsOf(valid, secrets, read.at))
    last = read.at
    const verdict = simulator.receive(read)
    const happened = simulator.logged().slice(events.length)
    events.push(...happened.map((event) => ({ packet: index, ...event })))
    return { ...packet, verdict }
  })
  const contents = contentsOf(automaton, simulator, last)
  return { packets: judged, events, status: viewStatus(automaton.table, automaton.doors, contents) }
}

const OPERATION = 'simulateKnock'

function requireSecrets(spec: ValidSpec, secrets: Secrets): void {
  const missing = secretFilesOf(spec).filter((file) => !secrets.has(file))
  if (missing.length === 0) return
  throw new ArgumentError(
    `${OPERATION}: secrets: expected the secret of ${missing.join(', of ')}, got none`,
  )
}

/** The contents of the sets at a time, as nft lists them. */
function contentsOf(automaton: Automaton, simulator: Simulator, at: number): Contents {
  const sets = automaton.sets.flatMap((set) => listed(set, simulator, at))
  const counters = automaton.counters.map((name) => [name, simulator.counter(name)] as const)
  const listing = { sets: new Map(sets), counters: new Map(counters) }
  const contents = listedContents(withOwnSets(listing, automaton.doors))
  const timed = new Map(automaton.sets.map((set) => [set.name, set]))
  return {
    ...contents,
    // A listing has whole seconds, from which an age cannot be told exactly.
    members: (name) => {
      const set = timed.get(name)
      return set ? membersOf(set, simulator, at) : contents.members(name)
    },
  }
}

function membersOf(set: TimedSet, simulator: Simulator, at: number): Member[] {
  return simulator.members(set.name, at).map(({ key, family, expiresIn }) => {
    const [first = ''] = key.split(' ')
    const source = isPerFamily(set) ? sourceText(first, family, set.prefix) : EVERYONE
    if (set.timeout === undefined) return { source, expiresIn: 0 }
    const age = Math.max(Math.floor(set.timeout - expiresIn), 0)
    return { source, expiresIn: Math.floor(expiresIn), age }
  })
}

/** A set by nft's names, one for each family. */
function listed(set: TimedSet, simulator: Simulator, at: number): [string, ListedSet][] {
  const { name, timeout, capacity: size, prefix } = set
  const members = simulator.members(name, at)
  const elements = (own: readonly SimulatedElement[]): ListedElement[] =>
    own.map(({ key, expiresIn, mark, packets }) => ({
      key: key.split(' . '),
      timeout,
      expires: Number.isFinite(expiresIn) ? Math.floor(expiresIn) : undefined,
      mark,
      packets,
    }))
  if (!isPerFamily(set)) {
    return [[commonSet(name), { timeout, size, elements: elements(members) }]]
  }
  return ([4, 6] as const).map((family) => {
    const own = members.filter((member) => member.family === family)
    return [familySet(name, family, prefix), { timeout, size, elements: elements(own) }]
  })
}
