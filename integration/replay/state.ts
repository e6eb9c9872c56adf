// Sets and counters, of the simulator or the kernel → each source's stage at each door. Pure.
import { knocksOf } from '../../lib/automaton/knocks.js'
import type { Automaton } from '../../lib/automaton/language/automaton.js'
import {
  type Attempt,
  armedSet,
  attemptSet,
  BANNED,
  BANS_COUNTER,
  COUNTERS,
  counterName,
  grantsSet,
  IGNORED_COUNTER,
  penaltySet,
  REPEATED_COUNTER,
  STRIKES,
  spentSequenceSet,
  spentTokensSet,
  stageSet,
  strikeSet,
  unloggedCounter,
} from '../../lib/automaton/language/names.js'
import { isPerFamily } from '../../lib/automaton/language/sets.js'
import type { DoorSummary } from '../../lib/automaton/language/summary.js'
import type { ListedSet, Listing } from '../../lib/nft/listing.js'
import { commonSet, familySet, parseFamilySet } from '../../lib/nft/names.js'
import { withOwnSets } from '../../lib/nft/own-sets.js'
import type { Simulator } from '../../lib/simulate/simulate.js'
import type { ValidDoor, ValidSpec } from '../../lib/spec/model/model.js'
import type { DoorState, GuardState } from '../oracle/oracle.js'
import { EVERYONE } from '../oracle/oracle-door.js'

type Numbers = Readonly<Record<string, number>>

/** Reads sets and counters by their names in the automaton. */
export interface Contents {
  /** Returns the keys of a set, each with its seconds left; none if there is no such set. */
  readonly members: (set: string) => ReadonlyMap<string, number>
  readonly hasSet: (set: string) => boolean
  readonly counter: (name: string) => number
}

export const stateOfContents = (spec: ValidSpec, contents: Contents): Record<string, DoorState> =>
  Object.fromEntries(spec.doors.map((door) => [door.name, doorState(door, contents)]))

export const guardOfContents = (spec: ValidSpec, contents: Contents): GuardState => ({
  banned: read(contents, BANNED),
  strikes: strikesOf(spec, contents),
  bans: contents.counter(BANS_COUNTER),
  ignored: contents.counter(IGNORED_COUNTER),
  repeated: contents.counter(REPEATED_COUNTER),
})

function doorState(door: ValidDoor, contents: Contents): DoorState {
  const { name, open } = door
  const grants = [...contents.members(grantsSet(name))]
  const isOpenToAll = open.scope === 'everyone'
  return {
    grants: Object.fromEntries(
      grants.map(([key, left]) => [isOpenToAll ? EVERYONE : key, left] as const),
    ),
    stages: byAttempt(door, (attempt) => stagesOf(name, attempt, contents)),
    armed: byAttempt(door, (attempt) => read(contents, armedSet(name, attempt))),
    penalties: byAttempt(door, (attempt) => read(contents, penaltySet(name, attempt))),
    spent: spentOf(door, contents),
    counters: Object.fromEntries(
      COUNTERS.map((kind) => {
        const counter = counterName(kind, name)
        return [kind, contents.counter(counter) + contents.counter(unloggedCounter(counter))]
      }),
    ) as unknown as DoorState['counters'],
  }
}

const read = (contents: Contents, set: string): Numbers => Object.fromEntries(contents.members(set))

/** Collects what `read` returns for each attempt, without empty results. */
function byAttempt(door: ValidDoor, read: (attempt: Attempt) => Numbers): Record<string, Numbers> {
  const entries = knocksOf(door).map(({ attempt }) => [attempt, read(attempt)])
  return Object.fromEntries(entries.filter(([, numbers]) => Object.keys(numbers as Numbers).length))
}

/** The most steps of a sequence. */
const MOST_STEPS = 32

function stagesOf(door: string, attempt: Attempt, contents: Contents): Numbers {
  const whole = attemptSet(door, attempt)
  const found: Record<string, number> = {}
  for (let stage = 1; stage < MOST_STEPS; stage += 1) {
    for (const source of contents.members(stageSet(door, attempt, stage)).keys()) {
      // A stage's element may outlive its attempt.
      if (contents.hasSet(whole) && !contents.members(whole).has(source)) continue
      // NaN equals no stage. A listing can show a source in two stages while it moves, but that is
      // a fault if the source sends nothing.
      found[source] = source in found ? Number.NaN : stage
    }
  }
  return found
}

function spentOf({ name, knocks }: ValidDoor, contents: Contents): string[] {
  // The kernel lists tokens as numbers.
  const tokens = [...contents.members(spentTokensSet(name)).keys()].map((key) =>
    key.replace(/^0x/, '').padStart(32, '0'),
  )
  const sequences = knocks.flatMap((knock) => {
    const once = knock.type === 'sequence' ? knock.once : undefined
    return once !== undefined && contents.members(spentSequenceSet(name, once)).size > 0
      ? [once]
      : []
  })
  return [...tokens, ...sequences].sort()
}

function strikesOf({ guard }: ValidSpec, contents: Contents): Numbers {
  const found: Record<string, number> = {}
  const live = contents.members(STRIKES)
  for (let strikes = 1; strikes < (guard.ban?.after ?? 0); strikes += 1) {
    for (const source of contents.members(strikeSet(strikes)).keys()) {
      if (live.has(source)) found[source] = strikes
    }
  }
  return found
}

/** Reads a listing, also the sets that doors share, by the automaton's names. */
export function contentsOfListing(listing: Listing, doors: Iterable<DoorSummary>): Contents {
  const { sets, counters } = withOwnSets(listing, doors)
  const bySet = new Map<string, ListedSet[]>()
  for (const [name, listed] of sets) {
    const { set } = parseFamilySet(name) ?? { set: name }
    bySet.set(set, [...(bySet.get(set) ?? []), listed])
  }
  const find = (set: string) => bySet.get(set) ?? []
  return {
    members: (set) =>
      new Map(
        find(set).flatMap(({ elements }) =>
          elements.map(({ key, expires = 0 }) => [key.join(' '), expires]),
        ),
      ),
    hasSet: (set) => find(set).length > 0,
    counter: (name) => counters.get(name) ?? 0,
  }
}

/** Reads the sets of a simulator at a time. */
export function contentsOfSimulator(
  simulator: Simulator,
  automaton: Automaton,
  at: number,
): Contents {
  const sets = automaton.sets.flatMap((set): [string, ListedSet][] => {
    const { name, timeout, capacity: size } = set
    const members = simulator.members(name, at)
    const families = isPerFamily(set) ? ([4, 6] as const) : ([4] as const)
    return families.map((family) => {
      const elements = members
        .filter((member) => member.family === family)
        .map(({ key, expiresIn, mark, packets }) => {
          return { key: key.split(' . '), timeout, expires: expiresIn, mark, packets }
        })
      const listed = isPerFamily(set) ? familySet(name, family, set.prefix) : commonSet(name)
      return [listed, { timeout, size, elements }]
    })
  })
  const counters = automaton.counters.map((name) => [name, simulator.counter(name)] as const)
  const listing = { sets: new Map(sets), counters: new Map(counters) }
  return contentsOfListing(listing, automaton.doors)
}

/** Returns the parts of the doors' states about some sources, without remaining times. */
export function placesOf(
  state: Readonly<Record<string, DoorState>>,
  sources: readonly string[],
): unknown {
  const own = (values: Numbers) =>
    Object.fromEntries(Object.entries(values).filter(([source]) => sources.includes(source)))
  const each = (attempts: Readonly<Record<string, Numbers>>) =>
    Object.entries(attempts)
      .map(([attempt, values]) => [attempt, own(values)] as const)
      .filter(([, values]) => Object.keys(values).length > 0)
  const names = (attempts: Readonly<Record<string, Numbers>>) =>
    each(attempts).map(([attempt, values]) => [attempt, namesIn(values)])
  return Object.entries(state).map(([name, { grants, stages, armed, penalties }]) => ({
    name,
    grants: namesIn(own(grants)),
    stages: Object.fromEntries(each(stages)),
    armed: Object.fromEntries(names(armed)),
    penalties: Object.fromEntries(names(penalties)),
  }))
}

const namesIn = (values: Numbers): string[] => Object.keys(values).sort()

/** Returns the parts of the guard's state about some sources, without remaining times. */
export function guardPlacesOf(
  { banned, strikes }: GuardState,
  sources: readonly string[],
): unknown {
  const own = (values: Numbers) => Object.entries(values).filter(([key]) => sources.includes(key))
  return {
    banned: namesIn(Object.fromEntries(own(banned))),
    strikes: Object.fromEntries(own(strikes)),
  }
}
