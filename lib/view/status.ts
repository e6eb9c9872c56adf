// The elements of a table's sets → its status: grants, attempts under way, bans, counters. Pure;
// the same for a listing and for the simulator.
import {
  type Attempt,
  BANNED,
  BANS_COUNTER,
  COUNTERS,
  counterName,
  grantsSet,
  IGNORED_COUNTER,
  isOfLog,
  parseSetName,
  REPEATED_COUNTER,
  UNLOGGED_COUNTER,
  unloggedCounter,
} from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { ADVANCED, STARTED } from '../automaton/sharing/names.js'
import { parseFamilySet } from '../nft/names.js'
import type { Warning } from '../text/warning.js'
import { type Ahead, type UserStatus, viewAhead } from './ahead.js'
import type { ClockStatus } from './clock-status.js'
import type { Contents, DoorSet, Fill, PendingConfirm } from './contents.js'
import { type Penalised, type UsedUp, viewPenalised, viewUsedUp } from './in-vain.js'
import { type TokenUse, viewTokenUses } from './token-uses.js'

/** A source that a door lets in now. */
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
   * How many packets of the knock have come, and how many it takes. If they are equal, the door
   * waits for the connection.
   */
  readonly stage: number
  readonly of: number
  /** Whole seconds within which the next packet must come; 0: less than one. */
  readonly expiresIn: number
}

/** A door's counters since the table was made. */
export interface Counters {
  /** Packets that were a step of the door's knocks. */
  readonly knocks: number
  readonly grants: number
  /** Closing knocks, and grants that were used up by their last connection. */
  readonly closes: number
  /** Attempts that a wrong packet ended. */
  readonly resets: number
  /** Packets to a token's port without a valid token, or with a used one. */
  readonly wrong: number
  /** Packets to the service from sources without a grant. */
  readonly denied: number
}

export interface DoorStatus {
  readonly name: string
  readonly service: readonly string[]
  /** The interfaces where its packets come in; absent: wherever the table judges. */
  readonly interfaces?: readonly string[]
  /** Seconds that a grant lasts from the last completed knock on. */
  readonly openFor: number
  /**
   * `token` is the last one that was accepted from the source within `openFor`, if the door has
   * tokens.
   */
  readonly grants: readonly (Omit<Grant, 'door'> & { readonly token?: TokenUse })[]
  readonly progress: readonly Omit<Progress, 'door'>[]
  /** Sources whose knocks count for nothing now. Absent if the door has no rate or rhythm. */
  readonly penalised?: readonly Penalised[]
  /**
   * Sources that used up their grant within the last hour and have no other. Absent if the door
   * counts no connections.
   */
  readonly usedUp?: readonly UsedUp[]
  readonly counters: Counters
  /**
   * For a door with tokens, until when each user's are loaded, in the spec's order. Absent if an
   * older knocklib made the table, which does not say it.
   */
  readonly tokens?: readonly UserStatus[]
  /** The same for rotating sequences, those that open the door and the one that closes it. */
  readonly rotations?: readonly (Ahead & { readonly knock: Attempt })[]
}

/** A source whose knocks are ignored now. */
export interface Ban {
  readonly source: string
  /** Whole seconds that remain; 0: less than one. */
  readonly expiresIn: number
}

/** The table's own counters since it was made. */
export interface TableCounters {
  readonly bans: number
  /** Packets of banned sources. */
  readonly ignored: number
  /** SYNs to knock ports that did not count: retransmissions, or the set of SYNs was full. */
  readonly repeated: number
  /** Events that were not logged because their rate was too high. */
  readonly unlogged: number
}

/** The status of a table, as `status --json` prints it. */
export interface Status {
  readonly table: string
  /** Present if the table was installed with `confirmWithin` and is not confirmed. */
  readonly confirm?: PendingConfirm
  readonly doors: readonly DoorStatus[]
  readonly bans: readonly Ban[]
  readonly counters: TableCounters
  /** The sets that are not empty, the fullest first. */
  readonly fill: readonly Fill[]
  /**
   * The sets of which `progress`, `penalised`, `usedUp` and `bans` do not show all sources:
   * strangers fill them, and a status must not take longer because of that. Absent if all are
   * shown.
   */
  readonly cut?: readonly string[]
  /**
   * Warnings about interfaces in the spec that see no packets now, and of a clock that is not
   * synchronised. Absent if there are none.
   */
  readonly warnings?: readonly Warning[]
  /** Absent if no door has tokens or rotating sequences: then the time does not matter. */
  readonly clock?: ClockStatus
}

export const viewGrants = ({ name: door }: DoorSummary, contents: Contents): Grant[] =>
  contents.members(grantsSet(door)).map(({ source, expiresIn }) => ({ door, source, expiresIn }))

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
  // An attempt whose `timeout` has run out is over, even if its stage has not expired yet.
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
  const entries = COUNTERS.map((kind) => {
    const counter = counterName(kind, name)
    return [kind, contents.counter(counter) + contents.counter(unloggedCounter(counter))]
  })
  return Object.fromEntries(entries) as unknown as Counters
}

/** Events above their rate: those of doors, which count refused packets apart, and all others. */
function viewUnlogged(doors: readonly DoorSummary[], contents: Contents): number {
  const counters = doors.flatMap(({ name }) => COUNTERS.map((kind) => counterName(kind, name)))
  const refused = counters.map((counter) => contents.counter(unloggedCounter(counter)))
  return refused.reduce((sum, one) => sum + one, contents.counter(UNLOGGED_COUNTER))
}

/** Whether a status would show the elements of a set that were cut off. */
function isShown(name: string, doors: readonly DoorSummary[]): boolean {
  const { set } = parseFamilySet(name) ?? { set: name }
  const { door, role } = parseSetName(set) ?? {}
  if (role?.kind === 'claimed') {
    return doors.some((one) => one.name === door && one.connections === role.connections)
  }
  return (
    [BANNED, STARTED, ADVANCED].includes(set) ||
    /^(?:stage|attempt|armed|penalised)$/.test(role?.kind ?? '')
  )
}

function viewDoor(door: DoorSummary, contents: Contents): DoorStatus {
  const withoutDoor = <T extends { door: string }>({ door: _, ...rest }: T): Omit<T, 'door'> => rest
  const uses = viewTokenUses(door, contents)
  const penalised = viewPenalised(door, contents)
  const usedUp = viewUsedUp(door, contents)
  return {
    name: door.name,
    service: door.services,
    ...(door.place && { interfaces: door.place.interfaces }),
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
      unlogged: viewUnlogged(doors, contents),
    },
    fill: contents.fill
      .filter(({ set, elements }) => elements > 0 && !isOfLog(parseFamilySet(set)?.set ?? set))
      .toSorted((a, b) => b.elements / b.capacity - a.elements / a.capacity),
    ...(cut.length > 0 && { cut }),
  }
}
