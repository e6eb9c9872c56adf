// Plans → the kernel's results, all played at the same time.

import type { NftVersion } from '../machine/nft-versions.js'
import { kindsOf } from '../random/arbitrary-spec.js'
import { now } from '../wire/inject.js'
import { type Playback, PlaybackSetup } from './playback.js'
import { MARGIN, type Plan } from './settled.js'

/** When the sets are listed, in seconds from the start. */
export const PROBES = [1.45, 2.6, 4.25, 6.1, 8.1, 10.4]
/** Tries for a run in which the machine was too slow. */
const TRIES = 3

/** Returns all packets of a plan by their times. */
export const inOrder = ({ traces }: Plan) =>
  traces.flatMap(({ packets }) => packets).sort((a, b) => a.at - b.at)

/** Chooses a version of nft that knows everything in the plan's spec, in turn. */
function nftFor({ spec }: Plan, place: number, versions: readonly NftVersion[]): string {
  const kinds = kindsOf(spec)
  const isNewer = kinds.has('token') || kinds.has('rotation')
  const able = isNewer ? versions.slice(1) : versions
  return able[place % able.length]?.path as string
}

/** Plays all plans at the same time, each in a pair of namespaces of its own. */
export async function playAll<P extends Plan>(
  plans: readonly P[],
  versions: readonly NftVersion[],
  log: (text: string) => void,
  tries = TRIES,
): Promise<{ plan: P; playback: Playback }[]> {
  const setups: PlaybackSetup[] = []
  let played: { plan: P; playback: Playback }[]
  try {
    for (const [index, plan] of plans.entries()) {
      const { spec, shareFrom } = plan
      const nft = nftFor(plan, index, versions)
      setups.push(await PlaybackSetup.open(spec, { nft, shareFrom }))
    }
    const time = { start: now() + 0.2, margin: MARGIN }
    played = await Promise.all(
      plans.map(async (plan, index) => {
        const setup = setups[index] as PlaybackSetup
        return { plan, playback: await setup.play(inOrder(plan), PROBES, time) }
      }),
    )
  } finally {
    for (const setup of setups) await setup[Symbol.asyncDispose]()
  }
  const lateness = Math.max(...played.map(({ playback }) => playback.lateness))
  const missed = played.flatMap(({ playback }) => playback.states).filter((state) => !state).length
  log(`the latest packet was ${lateness.toFixed(3)} s late, ${missed} looks came too late`)
  const isSlow = lateness > MARGIN || missed > plans.length
  return isSlow && tries > 1 ? playAll(plans, versions, log, tries - 1) : played
}
