// What is drawn of a status: the status itself, or what a watcher knows between two of them. Types
// and rows, pure.

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

/**
 * An attempt that is known from an event alone: until when the next knock must come is not known
 * yet.
 */
export type ViewedProgress = Omit<Progress, 'door' | 'expiresIn'> & { readonly expiresIn?: number }

export interface ViewedDoor extends Omit<DoorStatus, 'progress'> {
  readonly progress: readonly ViewedProgress[]
}

/** The same for a ban. */
export type ViewedBan = Pick<Ban, 'source'> & { readonly expiresIn?: number }

export interface Viewed extends Omit<Status, 'doors' | 'bans'> {
  readonly doors: readonly ViewedDoor[]
  readonly bans: readonly ViewedBan[]
}

/** From here on a set's fill level is worth a line. */
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

/** Of what is loaded ahead at a door, that which ends soon. */
export function aheadRows({ tokens = [], rotations = [] }: ViewedDoor): Row[] {
  const all: readonly (readonly [string, Ahead])[] = [
    ...tokens.map((ahead) => [`tokens of ${ahead.user}`, ahead] as const),
    ...rotations.map((ahead) => [`sequences of ${ahead.knock}`, ahead] as const),
  ]
  return all
    .filter(([, ahead]) => endsSoon(ahead))
    .map(([source, { expiresIn, loadedFor = 1 }]): Row => {
      const left = expiresIn > 0 ? `${formatSeconds(expiresIn)} left` : 'none opens'
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

/** Undefined if nothing is loaded ahead, or something of it ends soon. */
export function aheadLine({ tokens = [], rotations = [] }: ViewedDoor): string | undefined {
  const all = [...tokens, ...rotations]
  if (all.length === 0 || all.some(endsSoon)) return undefined
  const least = Math.min(...all.map(({ expiresIn }) => expiresIn))
  const what = tokens.length > 0 ? 'tokens' : 'sequences'
  return `${what} loaded for ${formatSeconds(least)}`
}

/** The sets that somebody should know of. A set of one is full as soon as it is used. */
export const fillRows = (fill: readonly Fill[]): Row[] =>
  fill
    .filter(
      ({ elements, capacity, atLeast }) =>
        atLeast || (capacity > 1 && elements / capacity >= WORTH_SHOWING),
    )
    .map(fillRow)

/** Those that stay longest first: nft lists them in no order. */
export const sortByTime = <T extends ViewedBan>(members: readonly T[]): T[] =>
  members.toSorted((a, b) => timeOf(b) - timeOf(a) || bySource(a, b))

/** The last ones first: somebody has just found that nothing opens. */
export const sortUsedUp = (usedUp: readonly UsedUp[]): UsedUp[] =>
  usedUp.toSorted((a, b) => a.ago - b.ago || bySource(a, b))

/** What has just begun is not known to end yet. */
const timeOf = ({ expiresIn = Number.MAX_SAFE_INTEGER }: ViewedBan): number => expiresIn

/** Those that are furthest first. */
export const sortProgress = (progress: readonly ViewedProgress[]): ViewedProgress[] =>
  progress.toSorted((a, b) => a.of - a.stage - (b.of - b.stage) || bySource(a, b))
