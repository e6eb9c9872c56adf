// A status, or what the live view knows between two of them → the rows to draw. Pure.

import {
  type Ahead,
  type Ban,
  type DoorStatus,
  endsSoon,
  type Fill,
  type Penalised,
  type Progress,
  type Status,
  type UsedUp,
} from '../../index.js'
import { bySource } from './by-source.js'
import { formatSeconds } from './gauge.js'
import type { Row } from './rows.js'

/** An attempt. If it is known only from an event, there is no time for its next knock yet. */
export type ViewedProgress = Omit<Progress, 'door' | 'expiresIn'> & { readonly expiresIn?: number }

export interface ViewedDoor extends Omit<DoorStatus, 'progress'> {
  readonly progress: readonly ViewedProgress[]
}

/** A ban. If it is known only from an event, there is no end yet. */
export type ViewedBan = Pick<Ban, 'source'> & { readonly expiresIn?: number }

export interface Viewed extends Omit<Status, 'doors' | 'bans'> {
  readonly doors: readonly ViewedDoor[]
  readonly bans: readonly ViewedBan[]
}

/** Sets below this share of their capacity are not shown. */
const WORTH_SHOWING = 0.5
const NEARLY_FULL = 0.9

export function grantRow(
  { source, expiresIn, token }: DoorStatus['grants'][number],
  openFor: number,
): Row {
  return {
    source,
    role: 'open',
    gauge: { share: expiresIn / openFor },
    word: 'let in',
    time: `${formatSeconds(expiresIn)} left${token ? ` (${token.user})` : ''}`,
  }
}

export function progressRow({ source, stage, of, expiresIn }: ViewedProgress): Row {
  const next = stage === of ? 'connect' : 'next'
  return {
    source,
    role: 'stage',
    gauge: { done: stage, of },
    word: `${stage} of ${of}`,
    time:
      expiresIn === undefined ? `${next} awaited` : `${next} within ${formatSeconds(expiresIn)}`,
  }
}

export const banRow = ({ source, expiresIn }: ViewedBan): Row => ({
  source,
  role: 'shut',
  word: 'banned',
  time: expiresIn === undefined ? '' : `${formatSeconds(expiresIn)} left`,
})

export const penalisedRow = ({ source, knock, expiresIn }: Penalised): Row => ({
  source,
  role: 'shut',
  word: 'penalised',
  time: `${formatSeconds(expiresIn)} left${knock === 'open' ? '' : ` at ${knock}`}`,
})

export const usedUpRow = ({ source, ago }: UsedUp): Row => ({
  source,
  role: 'faint',
  word: 'used up',
  time: `${formatSeconds(ago)} ago`,
})

const fillRow = ({ set, elements, capacity, atLeast }: Fill): Row => ({
  source: set,
  role: atLeast || elements / capacity >= NEARLY_FULL ? 'alarm' : 'stage',
  gauge: { share: elements / capacity },
  word: wordOf(elements, capacity, atLeast),
  time: `${atLeast ? 'at least ' : ''}${elements} of ${capacity}`,
})

function wordOf(elements: number, capacity: number, atLeast = false): string {
  if (elements >= capacity) return 'full'
  return atLeast ? 'many' : `${Math.floor((100 * elements) / capacity)} %`
}

/** Lists the tokens and sequences of a door that end soon. */
export function aheadRows({ tokens = [], rotations = [] }: ViewedDoor): Row[] {
  const all: readonly (readonly [string, Ahead & { until?: string }])[] = [
    ...tokens.map((ahead) => [`tokens of ${ahead.user}`, ahead] as const),
    ...rotations.map((ahead) => [`sequences of ${ahead.knock}`, ahead] as const),
  ]
  return all
    .filter(([, ahead]) => endsSoon(ahead))
    .map(([source, { expiresIn, loadedFor = 1, until }]): Row => {
      const end = until === undefined ? '' : `, until ${until}`
      const left = `${expiresIn > 0 ? `${formatSeconds(expiresIn)} left` : 'none opens'}${end}`
      const gauge = { share: expiresIn / loadedFor }
      return {
        source,
        role: 'alarm',
        gauge,
        word: expiresIn > 0 ? 'loaded' : 'run out',
        time: left,
      }
    })
}

/**
 * Says for how long tokens or sequences are loaded. Undefined if none are loaded ahead, or some end
 * soon.
 */
export function aheadLine({ tokens = [], rotations = [] }: ViewedDoor): string | undefined {
  const all = [...tokens, ...rotations]
  if (all.length === 0 || all.some(endsSoon)) return undefined
  const least = Math.min(...all.map(({ expiresIn }) => expiresIn))
  const what = tokens.length > 0 ? 'tokens' : 'sequences'
  return `${what} loaded for ${formatSeconds(least)}`
}

/**
 * Lists the sets that an administrator should know of. A set with a capacity of 1 is always full
 * once it is used.
 */
export const fillRows = (fill: readonly Fill[]): Row[] =>
  fill
    .filter(
      ({ elements, capacity, atLeast }) =>
        atLeast || (capacity > 1 && elements / capacity >= WORTH_SHOWING),
    )
    .map(fillRow)

/** Sorts by the time left, the longest first: nft lists in no order. */
export const sortByTime = <T extends ViewedBan>(members: readonly T[]): T[] =>
  members.toSorted((a, b) => timeOf(b) - timeOf(a) || bySource(a, b))

/** Sorts the latest first: that source has just found that the door no longer opens. */
export const sortUsedUp = (usedUp: readonly UsedUp[]): UsedUp[] =>
  usedUp.toSorted((a, b) => a.ago - b.ago || bySource(a, b))

/** Without an end it has just begun. */
const timeOf = ({ expiresIn = Number.MAX_SAFE_INTEGER }: ViewedBan): number => expiresIn

/** Sorts by the knocks that are left, the fewest first. */
export const sortProgress = (progress: readonly ViewedProgress[]): ViewedProgress[] =>
  progress.toSorted((a, b) => a.of - a.stage - (b.of - b.stage) || bySource(a, b))
