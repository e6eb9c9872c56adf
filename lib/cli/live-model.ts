// What a watcher knows: statuses and events, in the order in which they come → who is where until when. Pure; times are milliseconds since 1970.
import type { Ban, DoorStatus, Grant, KnockEvent, Status } from '../index.js'
import { changeDoors, withTimes } from './live-doors.js'
import type { Viewed, ViewedBan, ViewedProgress } from './viewed.js'

type Until<T> = Omit<T, 'door' | 'expiresIn'> & { readonly until: number }

/** An attempt; of one that only an event told it is not known how long it lasts. */
export interface LiveProgress extends Omit<ViewedProgress, 'expiresIn'> {
  readonly until?: number
  /** When this was told. */
  readonly since: number
}

export interface LiveDoor extends Omit<DoorStatus, 'grants' | 'progress'> {
  readonly grants: readonly Until<Grant>[]
  readonly progress: readonly LiveProgress[]
}

export interface LiveModel {
  readonly table: string
  readonly doors: readonly LiveDoor[]
  /** Of a ban that only an event told it is not known how long it lasts. */
  readonly bans: readonly (Omit<Until<Ban>, 'until'> & { readonly until?: number })[]
  /** The rest of the last status. */
  readonly status: Pick<Status, 'counters' | 'fill'>
  readonly trial?: { readonly until: number } | 'fallen-open'
  /** When the last status was asked for; undefined before the first. */
  readonly readAt?: number
  /** Why the last attempt to read one failed. */
  readonly problem?: string
  readonly isGone: boolean
  /** The last ones, oldest first; repetitions are counted. */
  readonly events: readonly { readonly event: KnockEvent; readonly times: number }[]
  readonly overruns: { readonly times: number; readonly lost: number }
}

const KEPT_EVENTS = 500

export const emptyModel = (table: string): LiveModel => ({
  table,
  doors: [],
  bans: [],
  status: { counters: { bans: 0, ignored: 0, untold: 0 }, fill: [] },
  isGone: false,
  events: [],
  overruns: { times: 0, lost: 0 },
})

export function addEvent(model: LiveModel, event: KnockEvent): LiveModel {
  const { overruns } = model
  return {
    ...changed(model, event),
    events: [...withRepeated(model.events, event)].slice(-KEPT_EVENTS),
    overruns:
      event.event === 'overrun'
        ? { times: overruns.times + 1, lost: overruns.lost + (event.lost ?? 0) }
        : overruns,
  }
}

function changed(model: LiveModel, event: KnockEvent): LiveModel {
  const at = Date.parse(event.time)
  switch (event.event) {
    case 'removed':
      return { ...model, isGone: true, doors: [], bans: [] }
    case 'installed':
      return { ...model, isGone: false }
    case 'overrun':
      return model
    case 'banned': {
      const others = model.bans.filter(({ source }) => source !== event.source)
      return { ...model, bans: [...others, { source: event.source }] }
    }
    default:
      return { ...model, doors: changeDoors(model.doors, event, at) }
  }
}

/** A source that tries again and again fills one line, not the screen. */
function withRepeated(events: LiveModel['events'], event: KnockEvent): LiveModel['events'] {
  const last = events.at(-1)
  const isSame = last && sameBut(last.event) === sameBut(event)
  return isSame
    ? [...events.slice(0, -1), { event, times: last.times + 1 }]
    : [...events, { event, times: 1 }]
}

const sameBut = ({ time: _, ...rest }: KnockEvent): string => JSON.stringify(rest)

/** A status that was asked for at a time: what events have told since stands, all else is corrected. */
export function correctModel(model: LiveModel, status: Status, askedAt: number): LiveModel {
  const { table, confirm, doors, bans, counters, fill } = status
  const { trial: _trial, problem: _problem, ...before } = model
  const read: LiveModel = {
    ...before,
    table,
    isGone: false,
    readAt: askedAt,
    status: { counters, fill },
    ...(confirm && {
      trial: confirm.fallenOpen ? 'fallen-open' : { until: askedAt + 1000 * confirm.expiresIn },
    }),
    doors: doors.map((door): LiveDoor => {
      const known = model.doors.find(({ name }) => name === door.name)
      return {
        ...door,
        grants: withUntil(door.grants, known?.grants ?? [], askedAt),
        progress: door.progress.map(({ expiresIn, ...rest }) => {
          return { ...rest, since: askedAt, until: askedAt + 1000 * expiresIn }
        }),
      }
    }),
    bans: withUntil(bans, model.bans, askedAt),
  }
  const told = model.events
    .map(({ event }) => event)
    .filter(({ time, event }) => Date.parse(time) >= askedAt && event !== 'installed')
    .reduce(changed, read)
  return { ...told, doors: withTimes(told.doors, read.doors) }
}

/** Seconds are whole: an end that is known more exactly, and is still right, stays. */
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

/** How long an attempt that only an event told is shown without a status that confirms it. */
const UNCONFIRMED = 15_000

/** What is so at a time: what has run out by then is left out. */
export function modelAt(model: LiveModel, now: number): Viewed {
  const { table, doors, bans, status, trial } = model
  return {
    table,
    ...status,
    ...(trial && { confirm: trialAt(trial, now) }),
    doors: doors.map((door) => ({
      ...door,
      grants: remaining(door.grants, now),
      progress: door.progress.flatMap(({ until, since, ...rest }): ViewedProgress[] => {
        if (until === undefined) return now < since + UNCONFIRMED ? [rest] : []
        return remaining([{ ...rest, until }], now)
      }),
    })),
    bans: bans.flatMap(({ source, until }): ViewedBan[] =>
      until === undefined ? [{ source }] : remaining([{ source, until }], now),
    ),
  }
}

function trialAt(
  trial: NonNullable<LiveModel['trial']>,
  now: number,
): NonNullable<Viewed['confirm']> {
  if (trial === 'fallen-open' || trial.until + 1000 <= now) return { fallenOpen: true }
  return { expiresIn: secondsUntil(trial.until, now) }
}

const secondsUntil = (until: number, now: number): number =>
  Math.max(Math.floor((until - now) / 1000), 0)

function remaining<T extends { until: number }>(
  members: readonly T[],
  now: number,
): (Omit<T, 'until'> & { expiresIn: number })[] {
  return (
    members
      // The kernel tells whole seconds: an end is up to a second later.
      .filter(({ until }) => until + 1000 > now)
      .map(({ until, ...rest }) => ({ ...rest, expiresIn: secondsUntil(until, now) }))
  )
}
