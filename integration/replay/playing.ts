// Plans → the kernel's results, as many as the machine can play at the same time.

import type { NftVersion } from '../machine/nft-versions.js'
import { kindsOf } from '../random/arbitrary-spec.js'
import { now } from '../wire/inject.js'
import { type Playback, PlaybackSetup } from './playback.js'
import { MARGIN, type Plan } from './settled.js'

/** When the sets of the first plan are listed, in seconds from the start. */
const PROBES = [1.45, 2.6, 4.25, 6.1, 8.1, 10.4]
/** Seconds by which those of the next plan are listed later: a listing takes a process. */
const APART = 0.06
const TURNS = 12

/** Plans that are played at once; fewer each time, if the machine was too slow for some. */
const AT_ONCE = [Number.POSITIVE_INFINITY, 4, 2, 1, 1]

/** Returns all packets of a plan by their times. */
export const inOrder = ({ traces }: Plan) =>
  traces.flatMap(({ packets }) => packets).sort((a, b) => a.at - b.at)

export interface Played<P extends Plan> {
  readonly plan: P
  readonly playback: Playback
  /** When the sets were listed. */
  readonly probes: readonly number[]
}

interface Part<P extends Plan> {
  readonly plan: P
  readonly nft: string
  readonly probes: readonly number[]
}

/** Chooses a version of nft that knows everything in the plan's spec, in turn. */
function nftFor({ spec }: Plan, place: number, versions: readonly NftVersion[]): string {
  const kinds = kindsOf(spec)
  const isNewer = kinds.has('token') || kinds.has('rotation')
  const able = isNewer ? versions.slice(1) : versions
  return able[place % able.length]?.path as string
}

/**
 * Plays all plans, each in a pair of namespaces of its own. What came too late is played again,
 * with fewer others beside it.
 */
export async function playAll<P extends Plan>(
  plans: readonly P[],
  versions: readonly NftVersion[],
  log: (text: string) => void,
): Promise<Played<P>[]> {
  let left: readonly Part<P>[] = plans.map((plan, place) => {
    const probes = PROBES.map((at) => at + APART * (place % TURNS))
    return { plan, nft: nftFor(plan, place, versions), probes }
  })
  const done = new Map<P, Played<P>>()
  for (const most of AT_ONCE) {
    const late: Part<P>[] = []
    for (let first = 0; first < left.length; first += most) {
      const parts = left.slice(first, first + most)
      for (const [index, played] of (await playTogether(parts)).entries()) {
        done.set(played.plan, played)
        if (isLate(played.playback)) late.push(parts[index] as Part<P>)
      }
    }
    log(`played: ${left.length}, too late: ${late.length}`)
    left = late
    if (left.length === 0) break
  }
  return plans.map((plan) => done.get(plan) as Played<P>)
}

/** Whether a packet came so late that it may matter, or more than one listing did. */
const isLate = ({ lateness, states }: Playback): boolean =>
  lateness > MARGIN || states.filter((state) => !state).length > 1

async function playTogether<P extends Plan>(parts: readonly Part<P>[]): Promise<Played<P>[]> {
  const setups: PlaybackSetup[] = []
  try {
    for (const { plan, nft } of parts) {
      const { spec, shareFrom } = plan
      setups.push(await PlaybackSetup.open(spec, { nft, shareFrom }))
    }
    const time = { start: now() + 0.2, margin: MARGIN }
    return await Promise.all(
      parts.map(async ({ plan, probes }, index) => {
        const setup = setups[index] as PlaybackSetup
        return { plan, probes, playback: await setup.play(inOrder(plan), probes, time) }
      }),
    )
  } finally {
    for (const setup of setups) await setup[Symbol.asyncDispose]()
  }
}
