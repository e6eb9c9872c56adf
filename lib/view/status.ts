// The elements of a door's sets → who is let in, and who is how far. Pure; the same for a listing
// and for the simulator.

import {
  type Attempt,
  BANNED,
  BANS_COUNTER,
  COUNTERS,
  counterName,
  grantsSet,
  IGNORED_COUNTER,
  parseSetName,
  REPEATED_COUNTER,
  UNLOGGED_COUNTER,
} from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import type { Warning } from '../errors.js'
import { parseFamilySet } from '../nft/names.js'
import { type Ahead, viewAhead } from './ahead.js'
import type { Contents, DoorSet, Fill, PendingConfirm } from './contents.js'
import { type Penalised, type UsedUp, viewPenalised, viewUsedUp } from './in-vain.js'
import { type TokenUse, viewTokenUses } from './token-uses.js'

/** A source that a door lets in. */
export interface Grant {
  readonly door: string
  /** An address, or `everyone`. */
  readonly source: string
  /** Whole seconds that remain; 0: less than one. */
  readonly expiresIn: number
}

/** A source with an attempt under way. */
export interface Progress {
  readonly door: string
  readonly source: string
  /**
   * How many knocks it has made, and how many open the door; as many: the door awaits its
   * connection.
   */
  readonly stage: number
  readonly of: number
  /** Whole seconds in which the next knock must come; 0: less than one. */
  readonly expiresIn: number
}

/** What happened at a door since the table was made. */
export interface Counters {
  /** Packets that were a step of the door's knocks. */
  readonly knocks: number
  readonly grants: number
  /** Closing knocks, and grants that were used up by their last connection. */
  readonly closes: number
  /** Attempts that a wrong packet ended. */
  readonly resets: number
  /** Tokens that were none, or used already. */
  readonly wrong: number
  /** Packets to the service from sources without a grant. */
  readonly denied: number
}

export interface DoorStatus {
  readonly name: string
  readonly service: readonly string[]
  /** Seconds that a grant lasts from a knock on. */
  readonly openFor: number
  /**
   * With the last token that was accepted from the source within `openFor`, if the door has tokens.
   */
  readonly grants: readonly (Omit<Grant, 'door'> & { readonly token?: TokenUse })[]
  readonly progress: readonly Omit<Progress, 'door'>[]
  /**
   * Sources whose knocks count for nothing now; absent if no knock of the door penalises: it has no
   * rate or rhythm.
   */
  readonly penalised?: readonly Penalised[]
  /**
   * Sources that used their grant up within the last hour and have no other; absent if the door
   * counts no connections.
   */
  readonly usedUp?: readonly UsedUp[]
  readonly counters: Counters
  /**
   * Of a door with tokens, in the spec's order; absent if the table does not say it: an older
   * knocklib made it.
   */
  readonly tokens?: readonly (Ahead & { readonly user: string })[]
  /** The same of a door with rotating sequences, those that open it and the one that closes it. */
  readonly rotations?: readonly (Ahead & { readonly knock: Attempt })[]
}

/** A source whose knocks are ignored. */
export interface Ban {
  readonly source: string
  /** Whole seconds that remain; 0: less than one. */
  readonly expiresIn: number
}

/** What happened at the table as a whole since it was made. */
export interface TableCounters {
  readonly bans: number
  /** Packets of banned sources. */
  readonly ignored: number
  /**
   * SYNs to knock ports that were no knocks: the same had come before, or the set of SYNs was full.
   */
  readonly repeated: number
  /** Events above the rate of the log. */
  readonly unlogged: number
}

/** What `status --json` prints. */
export interface Status {
  readonly table: string
  /** Of a table that was installed with `confirmWithin` and is not confirmed. */
  readonly confirm?: PendingConfirm
  readonly doors: readonly DoorStatus[]
  readonly bans: readonly Ban[]
  readonly counters: TableCounters
  /** The sets that hold something, the fullest first. */
  readonly fill: readonly Fill[]
  /**
   * The sets that hold more sources than `progress`, `penalised`, `usedUp` and `bans` show of them:
   * strangers fill them, and a status must not take longer for that. Absent if all are shown.
   */
  readonly cut?: readonly string[]
  /** Of the interfaces that the spec names and that see nothing now; absent if there are none. */
  readonly warnings?: readonly Warning[]
}

export function viewGrants({ name }: DoorSummary, contents: Contents): Grant[] {
  return contents.members(grantsSet(name)).map(({ source, expiresIn }) => {
    return { door: name, source, expiresIn }
  })
}

export function viewProgress(door: DoorSummary, contents: Contents): Progress[] {
  const own = contents.roles.get(door.name) ?? []
  return door.knocks.flatMap(({ attempt, steps }) => {
    const sets = own.filter(({ role }) => 'attempt' in role && role.attempt === attempt)
    return attemptProgress(sets, contents, steps).map((progress) => {
      return { door: door.name, ...progress, of: steps }
    })
  })
}

type Place = Omit<Progress, 'door' | 'of'>

function attemptProgress(sets: readonly DoorSet[], contents: Contents, steps: number): Place[] {
  const limit = sets.find(({ role }) => role.kind === 'attempt')
  // An attempt that has run out of its whole time is over, also where its stage's own time has not.
  const limits = limit && new Map(contents.members(limit.set).map((m) => [m.source, m.expiresIn]))
  const isCut = contents.cut?.some((name) => parseFamilySet(name)?.set === limit?.set)
  return sets.flatMap(({ set, role }) => {
    if (role.kind === 'armed') {
      return contents.members(set).map(({ source, expiresIn }) => {
        return { stage: steps, source, expiresIn }
      })
    }
    if (role.kind !== 'stage') return []
    return contents.members(set).flatMap(({ source, expiresIn }): Place[] => {
      const whole = limits ? (limits.get(source) ?? (isCut ? expiresIn : undefined)) : expiresIn
      if (whole === undefined) return []
      return [{ source, stage: role.stage, expiresIn: Math.min(expiresIn, whole) }]
    })
  })
}

export const viewBans = (contents: Contents): readonly Ban[] =>
  contents.members(BANNED).map(({ source, expiresIn }) => ({ source, expiresIn }))

export function viewCounters({ name }: DoorSummary, contents: Contents): Counters {
  const entries = COUNTERS.map((kind) => [kind, contents.counter(counterName(kind, name))])
  return Object.fromEntries(entries) as unknown as Counters
}

/** Whether what is cut of a set is missing from a status. */
function isShown(name: string, doors: readonly DoorSummary[]): boolean {
  const { set } = parseFamilySet(name) ?? { set: name }
  const { door, role } = parseSetName(set) ?? {}
  if (role?.kind === 'claimed') {
    return doors.some((one) => one.name === door && one.connections === role.connections)
  }
  return set === BANNED || /^(?:stage|attempt|armed|penalised)$/.test(role?.kind ?? '')
}

function viewDoor(door: DoorSummary, contents: Contents): DoorStatus {
  const withoutDoor = <T extends { door: string }>({ door: _, ...rest }: T): Omit<T, 'door'> => rest
  const uses = viewTokenUses(door, contents)
  const penalised = viewPenalised(door, contents)
  const usedUp = viewUsedUp(door, contents)
  return {
    name: door.name,
    service: door.services,
    openFor: door.grantTimeout,
    grants: viewGrants(door, contents).map(({ source, expiresIn }) => {
      const token = uses.get(source)
      return { source, expiresIn, ...(token && { token }) }
    }),
    progress: viewProgress(door, contents).map(withoutDoor),
    ...(penalised && { penalised }),
    ...(usedUp && { usedUp }),
    counters: viewCounters(door, contents),
    ...viewAhead(door, contents),
  }
}

export function viewStatus(
  table: string,
  doors: readonly DoorSummary[],
  contents: Contents,
): Status {
  const cut = contents.cut?.filter((name) => isShown(name, doors)) ?? []
  return {
    table,
    ...(contents.pending && { confirm: contents.pending }),
    doors: doors.map((door) => viewDoor(door, contents)),
    bans: viewBans(contents),
    counters: {
      bans: contents.counter(BANS_COUNTER),
      ignored: contents.counter(IGNORED_COUNTER),
      repeated: contents.counter(REPEATED_COUNTER),
      unlogged: contents.counter(UNLOGGED_COUNTER),
    },
    fill: contents.fill
      .filter(({ elements }) => elements > 0)
      .toSorted((a, b) => b.elements / b.capacity - a.elements / a.capacity),
    ...(cut.length > 0 && { cut }),
  }
}
