// A valid spec → the automaton of its whole table. Pure: the same spec gives the same automaton.

import { formatCidr } from '../spec/model/address.js'
import { MAX_DURATION } from '../spec/model/duration.js'
import type { ValidDoor, ValidKnock, ValidSpec } from '../spec/model/model.js'
import type { ResetMode } from '../spec/model/packet-model.js'
import { formatService } from '../spec/model/step.js'
import { withBlocks } from './blocks.js'
import { banChains, banCounters, banSets, bansAnybody, forgive, strikeVerdict } from './door/ban.js'
import { buildGate, KNOCK } from './door/gate.js'
import { closeActions, grantActions, grantSets, letThroughActions } from './door/grant.js'
import { kindOf } from './kinds/kinds.js'
import { knocksOf, summariseAttempt } from './knocks.js'
import type { Automaton, Chain } from './language/automaton.js'
import { logAll, logCounters, logSets } from './language/log.js'
import {
  COUNTED,
  COUNTERS,
  type CounterKind,
  counterName,
  isClosing,
  SYNS,
  TRUSTED,
} from './language/names.js'
import { RETRANSMISSION } from './language/once.js'
import type { KnockProgram } from './language/program.js'
import type { AddressSet, TimedSet } from './language/sets.js'
import { chooseShared } from './sharing/choose.js'
import { JUDGE_SHARED, LAPSE_SHARED } from './sharing/knocks.js'
import { type SharedParts, shareDoors } from './sharing/share.js'
import { offerOf, summarise } from './summaries.js'
import { ResetDomain } from './table/reset.js'
import { weave } from './table/weave.js'

/** @param shareFrom - from how many doors on those that can share sets and rules do. */
export function buildAutomaton(spec: ValidSpec, shareFrom?: number): Automaton {
  const { doors: all, guard } = spec
  const placed = all.flatMap((door) => knocksOf(door))
  const sharing = chooseShared(spec, placed.map(offerOf), shareFrom)
  const shares = new Map(sharing.map((shared) => [shared.door, shared]))
  const doors = all.filter((door) => !shares.has(door))
  const knocks = placed.filter(({ door }) => !shares.has(door))
  const domains = (['any', 'knock-ports'] as const).map(
    (mode) => new ResetDomain(mode, knocks.filter(({ knock }) => resetOf(knock) === mode).length),
  )
  const programs = knocks.map(({ door, knock, attempt }) => {
    const domain = domainOf(domains, resetOf(knock))
    const right = forgive(guard.ban)
    const { room, then } = letThroughActions(door)
    const program = kindOf(knock).build(knock, {
      door,
      attempt,
      capacity: guard.capacity,
      complete: [...(isClosing(attempt) ? closeActions(door) : grantActions(door)), ...right],
      letThrough: { room, then: [...then, ...right] },
      strike: strikeVerdict(guard.ban),
      touch: domain?.nextTouch() ?? [],
    })
    if (program.wipe.length > 0) domain?.join(program)
    return program
  })
  const [any] = domains as [ResetDomain, ResetDomain]
  const shared = shareDoors(sharing, {
    hook: spec.hook,
    hasTrusted: guard.trusted.length > 0,
    capacity: guard.capacity,
    ban: guard.ban,
    knocking: any.knocking,
    knock: KNOCK,
  })
  if (shared) any.share({ lapse: LAPSE_SHARED, gap: shared.gap })
  const resetting = domains.filter((domain) => !domain.isEmpty)
  const [first] = sharing
  const woven = weave({ ...spec, doors }, programs, resetting, {
    ...(shared && first && { shared: { ...shared, judge: JUDGE_SHARED, first } }),
  })
  const chains = [
    ...woven.chains,
    ...banChains(guard.ban),
    ...programs.flatMap(({ chains }) => chains ?? []),
    ...resetting.flatMap((domain) => domain.chains()),
    ...gates(doors, spec, programs),
    ...(shared?.chains ?? []),
  ]
  const counters = doors.flatMap(countersOf)
  const sets = [
    ...sharedSets(doors, guard.capacity, programs, shared),
    ...banSets(guard, guard.capacity),
    ...resetting.flatMap((domain) => domain.sets(guard.capacity)),
    ...programs.flatMap(({ sets }) => sets),
    ...doors.flatMap((door) => grantSets(door, guard.capacity)),
    ...(shared?.sets ?? []),
    ...logSets(spec.log, guard.capacity),
  ]
  const automaton: Automaton = {
    table: spec.table,
    sets: withBlocks(sets, spec, [...shares.keys()]),
    periodSets: programs.flatMap(({ periodSets }) => periodSets ?? []),
    addressSets: addressSets(spec),
    portSets: woven.named,
    counters: [
      ...banCounters(guard),
      ...woven.counters,
      ...logCounters(spec.log, counters),
      ...counters,
    ],
    maps: woven.maps,
    moveMaps: shared?.moves ?? [],
    dataMaps: shared?.data ?? [],
    chains: logAll(chains, spec),
    doors: all.map((door) => summarise(door, shares.get(door), spec.hook)),
    attempts: placed.map(summariseAttempt),
    ...(spec.log && { logGroup: spec.log.group }),
    ...(spec.interfaces.length > 0 && {
      place: { hook: spec.hook, interfaces: spec.interfaces },
    }),
    ...(guard.prefix && { guardPrefix: guard.prefix }),
  }
  requireOwnNames(automaton)
  return automaton
}

/** Fails if two objects share a name: nft would silently merge two chains of one name. */
function requireOwnNames(automaton: Automaton) {
  const { chains, sets, periodSets, addressSets, portSets, maps, moveMaps, dataMaps, counters } =
    automaton
  const named = (objects: readonly { readonly name: string }[]) => objects.map(({ name }) => name)
  for (const names of [
    named(chains),
    named([...sets, ...periodSets, ...addressSets, ...portSets, ...maps, ...moveMaps, ...dataMaps]),
    counters,
  ]) {
    const twice = names.length > new Set(names).size && names.find((n, i) => names.indexOf(n) < i)
    if (twice) throw new Error(`unreachable: two of one name, ${twice}`)
  }
}

/**
 * Only sequences are reset by other packets. The rules of the other kinds end their attempts
 * themselves.
 */
const resetOf = (knock: ValidKnock): ResetMode => ('reset' in knock ? knock.reset : 'never')

const domainOf = (domains: readonly ResetDomain[], reset: ResetMode): ResetDomain | undefined =>
  domains.find(({ mode }) => mode === reset)

function gates(
  doors: readonly ValidDoor[],
  { guard, hook }: ValidSpec,
  programs: readonly KnockProgram[],
): Chain[] {
  const byDoor = new Map<ValidDoor, KnockProgram[]>(doors.map((door) => [door, []]))
  for (const program of programs) byDoor.get(program.door)?.push(program)
  const shared = new Map<string, ValidDoor>()
  for (const door of doors) shared.set(serviceKey(door), door)
  return doors.flatMap((door) =>
    buildGate(door, {
      hook,
      hasTrusted: guard.trusted.length > 0,
      bans: bansAnybody(guard),
      programs: byDoor.get(door) ?? [],
      isFollowed: shared.get(serviceKey(door)) !== door,
    }),
  )
}

/** A key that is the same for doors before the same service at the same place. */
function serviceKey({ services, interfaces, addresses }: ValidDoor): string {
  return JSON.stringify([
    services.map(formatService).sort(),
    interfaces.toSorted(),
    addresses.map(formatCidr).sort(),
  ])
}

function sharedSets(
  doors: readonly ValidDoor[],
  capacity: number,
  programs: readonly KnockProgram[],
  shared: SharedParts | undefined,
): TimedSet[] {
  // Without a TCP knock and without resets no rule looks up a SYN.
  const remembers =
    shared !== undefined ||
    programs.some(
      ({ endpoints, reset, wipe, service }) =>
        service !== undefined ||
        endpoints.some(({ port, range }) => (port ?? range)?.protocol === 'tcp') ||
        (reset === 'any' && wipe.length > 0),
    )
  const counts = doors.some(
    ({ open, services }) =>
      open.connections !== undefined &&
      !open.redirectTo &&
      services.some(({ protocol }) => protocol === 'tcp' || protocol === 'any'),
  )
  const each = [...programs, ...(shared ? [shared] : [])].map(({ lasts }) => lasts)
  const longest = Math.max(RETRANSMISSION, ...each)
  const syn = ['sourcePort', 'port', 'sequence'] as const
  const syns: TimedSet = {
    name: SYNS,
    key: ['source', ...syn],
    timeout: Math.min(longest, MAX_DURATION),
    perElement: true,
    capacity,
  }
  const counted: TimedSet = {
    name: COUNTED,
    key: ['source', 'destination', ...syn],
    timeout: RETRANSMISSION,
    perElement: true,
    capacity,
  }
  return [...(remembers ? [syns] : []), ...(counts ? [counted] : [])]
}

function addressSets({ guard }: ValidSpec): AddressSet[] {
  return guard.trusted.length > 0 ? [{ name: TRUSTED, addresses: guard.trusted }] : []
}

/**
 * The counters of a door: `wrong` only if a packet can be wrong by itself, `closes` only if
 * something closes grants.
 */
function countersOf(door: ValidDoor): string[] {
  const canBeWrong = door.knocks.some((knock) => kindOf(knock).countsWrong)
  const closes = door.open.connections !== undefined || door.closes.length > 0
  const never: readonly CounterKind[] = [
    ...(canBeWrong ? [] : (['wrong'] as const)),
    ...(closes ? [] : (['closes'] as const)),
  ]
  return COUNTERS.filter((kind) => !never.includes(kind)).map((kind) =>
    counterName(kind, door.name),
  )
}
