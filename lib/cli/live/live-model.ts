// Statuses and events in the order in which they arrive → grants, attempts and bans at a time.
// Pure; times are milliseconds since 1970.
import type { Ban, DoorStatus, Grant, KnockEvent, Penalised, Status, UsedUp } from '../../index.js'
import type { Viewed, ViewedBan, ViewedProgress } from '../draw/viewed.js'
import { changeDoors, type DoorEvent, holderOf, withTimes } from './live-doors.js'

type Until<T> = Omit<T, 'door' | 'expiresIn'> & { readonly until: number }

/** An attempt. If it is known only from an event, it has no `until`. */
interface LiveProgress extends Omit<ViewedProgress, 'expiresIn'> {
  readonly until?: number
  /** When its last knock came. */
  readonly since: number
}

interface LiveGrant extends Until<Grant> {
  readonly token?: { readonly user: string; readonly at: number }
}

export interface LiveDoor extends Omit<DoorStatus, 'grants' | 'progress' | 'penalised' | 'usedUp'> {
  readonly grants: readonly LiveGrant[]
  readonly progress: readonly LiveProgress[]
  /** No event reports these two; only a status does. */
  readonly penalised: readonly Until<Penalised>[]
  readonly usedUp: readonly (Omit<UsedUp, 'ago'> & { readonly at: number })[]
}

export interface LiveModel {
  readonly table: string
  readonly doors: readonly LiveDoor[]
  /** If a ban is known only from an event, it has no `until`. */
  readonly bans: readonly (Omit<Until<Ban>, 'until'> & { readonly until?: number })[]
  /** Other parts of the last status. */
  readonly status: Pick<Status, 'counters' | 'fill' | 'warnings'>
  readonly pending?: { readonly until: number } | 'fallen-open'
  /** When the last status was requested; undefined before the first. */
  readonly readAt?: number
  /** Why the last request for a status failed. */
  readonly problem?: string
  readonly isGone: boolean
  /** The last events, the oldest first; repetitions are counted. */
  readonly events: readonly { readonly event: KnockEvent; readonly times: number }[]
  readonly overruns: { readonly times: number; readonly lost: number }
}

const KEPT_EVENTS = 500

export const emptyModel = (table: string): LiveModel => ({
  table,
  doors: [],
  bans: [],
  status: { counters: { bans: 0, ignored: 0, repeated: 0, unlogged: 0 }, fill: [] },
  isGone: false,
  events: [],
  overruns: { times: 0, lost: 0 },
})

export const addEvent = (model: LiveModel, event: KnockEvent): LiveModel =>
  addEvents(model, [event])

/** Adds events in their order. Many at once take hardly longer than one. */
export function addEvents(model: LiveModel, events: readonly KnockEvent[]): LiveModel {
  const gaps = events.filter((event) => event.event === 'overrun')
  const { times, lost } = model.overruns
  return {
    ...changed(model, events),
    events: withRepeated(model.events, events),
    overruns: {
      times: times + gaps.length,
      lost: gaps.reduce((sum, { lost: more = 0 }) => sum + more, lost),
    },
  }
}

function changed(model: LiveModel, events: readonly KnockEvent[]): LiveModel {
  const removed = events.findLastIndex(({ event }) => event === 'removed')
  const before = removed < 0 ? model : { ...model, isGone: true, doors: [], bans: [] }
  const since = events.slice(removed + 1)
  const banned = new Set(
    since.flatMap((event) => (event.event === 'banned' ? [holderOf(event)] : [])),
  )
  return {
    ...before,
    isGone: before.isGone && !since.some(({ event }) => event === 'installed'),
    doors: changeDoors(
      before.doors,
      since.filter((event): event is DoorEvent => 'door' in event),
    ),
    bans: [
      ...before.bans.filter(({ source }) => !banned.has(source)),
      ...[...banned].map((source) => ({ source })),
    ],
  }
}

/** A source that repeats itself fills one line, not the screen. */
function withRepeated(
  heard: LiveModel['events'],
  events: readonly KnockEvent[],
): LiveModel['events'] {
  const all = [...heard]
  for (const event of events) {
    const last = all.at(-1)
    const isSame = last && sameBut(last.event) === sameBut(event)
    if (isSame) all.pop()
    all.push({ event, times: isSame ? last.times + 1 : 1 })
  }
  return all.slice(-KEPT_EVENTS)
}

const sameBut = ({ time: _, ...rest }: KnockEvent): string => JSON.stringify(rest)

/**
 * Applies a status that was requested at `askedAt`. Later events win; everything else comes from
 * the status.
 */
export function correctModel(model: LiveModel, status: Status, askedAt: number): LiveModel {
  const { table, confirm, doors, bans, counters, fill, warnings } = status
  const { pending: _pending, problem: _problem, ...before } = model
  const read: LiveModel = {
    ...before,
    table,
    isGone: false,
    readAt: askedAt,
    status: { counters, fill, ...(warnings && { warnings }) },
    ...(confirm && {
      pending: confirm.fallenOpen ? 'fallen-open' : { until: askedAt + 1000 * confirm.expiresIn },
    }),
    doors: doors.map((door): LiveDoor => {
      const known = model.doors.find(({ name }) => name === door.name)
      return {
        ...door,
        grants: withUntil(door.grants.map(since(askedAt)), known?.grants ?? [], askedAt),
        progress: door.progress.map(({ expiresIn, ...rest }) => {
          return { ...rest, since: askedAt, until: askedAt + 1000 * expiresIn }
        }),
        penalised: (door.penalised ?? []).map(({ expiresIn, ...rest }) => {
          return { ...rest, until: askedAt + 1000 * expiresIn }
        }),
        usedUp: (door.usedUp ?? []).map(({ source, ago }) => {
          return { source, at: askedAt - 1000 * ago }
        }),
      }
    }),
    bans: withUntil(bans, model.bans, askedAt),
  }
  const heard = model.events
    .map(({ event }) => event)
    .filter(({ time, event }) => Date.parse(time) >= askedAt && event !== 'installed')
  const now = changed(read, heard)
  return { ...now, doors: withTimes(now.doors, read.doors) }
}

const since =
  (askedAt: number) =>
  ({ token, ...grant }: DoorStatus['grants'][number]) => {
    return token ? { ...grant, token: { user: token.user, at: askedAt - 1000 * token.ago } } : grant
  }

/** A status has whole seconds. If the known end agrees with it, keeps that, which is more exact. */
function withUntil<T extends { source: string; expiresIn: number }>(
  members: readonly T[],
  known: readonly { source: string; until?: number }[],
  at: number,
): (Omit<T, 'expiresIn'> & { until: number })[] {
  const ends = new Map(known.map(({ source, until = Number.NaN }) => [source, until]))
  return members.map(({ expiresIn, ...rest }) => {
    const until = at + 1000 * expiresIn
    const before = ends.get(rest.source) ?? Number.NaN
    return { ...rest, until: Math.abs(before - until) < SLACK ? before : until }
  })
}

const SLACK = 1500

export const failToRead = (model: LiveModel, problem: string): LiveModel => ({ ...model, problem })

/** Milliseconds for which an attempt is shown that no status has confirmed. */
const UNCONFIRMED = 15_000

/** Returns the model at a time, without what has expired by then. */
export function modelAt(model: LiveModel, now: number): Viewed {
  const { table, doors, bans, status, pending } = model
  return {
    table,
    ...status,
    ...(pending && { confirm: pendingAt(pending, now) }),
    doors: doors.map((door) => ({
      ...door,
      grants: remaining(door.grants, now).map(({ token, ...grant }) =>
        token ? { ...grant, token: { user: token.user, ago: secondsSince(token.at, now) } } : grant,
      ),
      progress: door.progress.flatMap(({ until, since, ...rest }): ViewedProgress[] => {
        if (until === undefined) return now < since + UNCONFIRMED ? [rest] : []
        return remaining([{ ...rest, until }], now)
      }),
      penalised: remaining(door.penalised, now),
      usedUp: usedUpAt(door, now),
    })),
    bans: bans.flatMap(({ source, until }): ViewedBan[] =>
      until === undefined ? [{ source }] : remaining([{ source, until }], now),
    ),
  }
}

/** Leaves out sources that have a new grant. */
function usedUpAt({ usedUp, grants }: LiveDoor, now: number): UsedUp[] {
  const granted = new Set(grants.map(({ source }) => source))
  return usedUp
    .filter(({ source }) => !granted.has(source) && !granted.has('everyone'))
    .map(({ source, at }) => ({ source, ago: secondsSince(at, now) }))
}

const secondsSince = (at: number, now: number): number => Math.max(Math.floor((now - at) / 1000), 0)

function pendingAt(
  pending: NonNullable<LiveModel['pending']>,
  now: number,
): NonNullable<Viewed['confirm']> {
  if (pending === 'fallen-open' || pending.until + 1000 <= now) return { fallenOpen: true }
  return { expiresIn: secondsUntil(pending.until, now) }
}

const secondsUntil = (until: number, now: number): number =>
  Math.max(Math.floor((until - now) / 1000), 0)

function remaining<T extends { until: number }>(
  members: readonly T[],
  now: number,
): (Omit<T, 'until'> & { expiresIn: number })[] {
  return (
    members
      // The kernel gives whole seconds, so the true end is up to a second later.
      .filter(({ until }) => until + 1000 > now)
      .map(({ until, ...rest }) => ({ ...rest, expiresIn: secondsUntil(until, now) }))
  )
}
