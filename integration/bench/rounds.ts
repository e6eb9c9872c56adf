// Variants → each in network namespaces of its own, measured in turn: A B C, B C A, … Gives the
// runs of each, and why a variant was left out.

import { isOnPath } from '../machine/capabilities.js'
import { createPair, type Pair } from '../machine/namespaces.js'
import type { Peer } from '../peers/peer.js'

/** Something that judges packets, with a name in the results. */
export interface Rival {
  readonly name: string
  /** How many doors, sources or tokens. */
  readonly x?: number
  /** Programs without which it cannot be set up. */
  readonly needs?: readonly string[]
  /** How many packets a run has, as a part of the usual number; default: 1. */
  readonly share?: number
  readonly install: Peer['install']
}

/** A variant that is set up. */
export interface Ready<T extends Rival = Rival> {
  readonly rival: T
  readonly pair: Pair
  readonly runs: number[]
}

const titleOf = ({ name, x }: Rival): string =>
  x === undefined ? name : `${name}, ${x.toLocaleString('en')}`

/** Returns why a variant cannot be set up here; undefined if it can. */
export function whyNot(rival: Rival): string | undefined {
  const lacks = (rival.needs ?? []).filter((program) => !isOnPath(program))
  return lacks.length > 0 ? `${titleOf(rival)}: no ${lacks.join(', ')}` : undefined
}

const firstLine = (error: unknown): string => (error as Error).message.split('\n')[0] ?? ''

/**
 * Sets variants up side by side, and gives them to `work`. One that cannot be set up is left out,
 * with its reason in `absent`. Everything is removed afterwards.
 */
export async function withReady<T extends Rival, R>(
  rivals: readonly T[],
  work: (ready: readonly Ready<T>[], absent: string[]) => Promise<R>,
): Promise<R> {
  const absent: string[] = []
  const parts: AsyncDisposable[] = []
  const ready: Ready<T>[] = []
  try {
    for (const rival of rivals) {
      const lack = whyNot(rival)
      if (lack !== undefined) {
        absent.push(lack)
        continue
      }
      const pair = await createPair()
      parts.push(pair)
      try {
        const own = await rival.install(pair.server)
        if (own) parts.push(own)
        ready.push({ rival, pair, runs: [] })
      } catch (error) {
        absent.push(`${titleOf(rival)}: ${firstLine(error)}`)
      }
    }
    return await work(ready, absent)
  } finally {
    for (const part of parts.reverse()) await part[Symbol.asyncDispose]()
  }
}

/** Measures in turn. Each round begins with another variant, so that none always comes first. */
export async function inTurn<T extends Rival>(
  ready: readonly Ready<T>[],
  rounds: number,
  measure: (ready: Ready<T>) => Promise<number>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (let place = 0; place < ready.length; place += 1) {
      const one = ready[(round + place) % ready.length] as Ready<T>
      one.runs.push(await measure(one))
    }
  }
}
