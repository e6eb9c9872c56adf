// Peers with traces → the packets that passed each peer, all played at the same time.
import type { Packet } from '../../lib/simulate/packet.js'
import { now } from '../wire/inject.js'
import type { Peer } from './peer.js'
import { PeerSetup } from './peer-setup.js'
import { merge, type Trace } from './traces/traces.js'

/** Seconds by which a packet may be late. Traces keep a larger distance from the limits. */
const MARGIN = 0.2
/** Tries for a part in which the machine was too slow. */
const TRIES = 3

export interface PeerRun {
  readonly peer: Peer
  readonly traces: readonly Trace[]
}

/** Traces that share a server. */
interface Part {
  readonly peer: Peer
  readonly packets: readonly Packet[]
}

/** Plays everything. Returns the first packet of each flow that passed. */
export async function runPeers(
  runs: readonly PeerRun[],
): Promise<ReadonlyMap<PeerRun, readonly Packet[]>> {
  const parts = runs.flatMap((run) => partsOf(run).map((part) => ({ run, part })))
  const through = new Map(runs.map((run) => [run, [] as Packet[]]))
  let left = parts
  for (let attempt = 1; left.length > 0; attempt += 1) {
    const late = new Set<Part>()
    const passages = await playParts(left.map(({ part }) => part))
    for (const [index, { run, part }] of left.entries()) {
      const passage = passages[index]
      if (passage && passage.lateness < MARGIN) through.get(run)?.push(...passage.through)
      else late.add(part)
    }
    if (late.size > 0 && attempt === TRIES)
      throw new Error('the machine is too slow for the traces')
    left = left.filter(({ part }) => late.has(part))
  }
  return through
}

function partsOf({ peer, traces }: PeerRun): Part[] {
  const isAlone = (trace: Trace) => Boolean(peer.mixesSources || trace.isAlone)
  const shared = traces.filter((trace) => !isAlone(trace)).map(({ packets }) => packets)
  const alone = traces.filter(isAlone).map(({ packets }) => [packets])
  return [...(shared.length > 0 ? [shared] : []), ...alone].map((group) => {
    return { peer, packets: merge(...group) }
  })
}

async function playParts(parts: readonly Part[]) {
  const setups: PeerSetup[] = []
  try {
    // One after the other, because setting up delays packets.
    for (const { peer } of parts) setups.push(await PeerSetup.open(peer))
    const start = now() + 0.2
    return await Promise.all(
      parts.map(({ packets }, index) => setups[index]?.playTrace(packets, start)),
    )
  } finally {
    for (const setup of setups) await setup[Symbol.asyncDispose]()
  }
}
