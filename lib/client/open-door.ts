// A profile → its knock, and whether the door is open now. Touches the network.
import type { ClientKnock } from '../automaton/kinds/client-kinds.js'
import { ArgumentError } from '../errors.js'
import { periodAt } from '../spec/derive/derivation.js'
import type { KnockProfile } from '../spec/generated/client-types.js'
import { EXPECTED_DURATION, parseDuration } from '../spec/model/duration.js'
import { pause } from './carry-out.js'
import {
  type PreparedKnock,
  prepareKnock,
  type SendOptions,
  type SentKnock,
  sendPrepared,
} from './send.js'
import type { Answer } from './system/system.js'

export interface OpenDoorOptions extends SendOptions {
  /** The TCP port that is tried. Default: the profile's. */
  readonly port?: number | undefined
  /** For how long knocks and attempts go on, as a duration. Default: 15 s. */
  readonly within?: string | number | undefined
}

/**
 * What became of a door: `open`, a connection was accepted; `refused`, the host answered that
 * nothing listens there; `filtered`, nothing came back; `unknown`, it was not tried, since the
 * attempt would have used the grant up.
 */
export type Verdict = 'open' | 'refused' | 'filtered' | 'unknown'

export interface DoorVerdict extends SentKnock {
  readonly verdict: Verdict
  readonly port: number
  /** The address at which it is open, or was refused. */
  readonly address?: string
  /** How often was knocked. */
  readonly knocks: number
}

const OPERATION = 'openDoor'

/** Seconds. */
export const DEFAULT_WITHIN = 15

/** Milliseconds for one attempt: a SYN that is lost is sent again after 1 s. */
export const ATTEMPT = 1500

/** How often a knock is sent at the most: one that is wrong must not be taken for guessing. */
export const MOST_KNOCKS = 3

/**
 * Knocks and tries the service's port at every address that was knocked at, until one is open or
 * refuses. While nothing answers it knocks again, three times at the most: a token when its next
 * period begins, one-time sequences never. A door that opens for a number of connections is not
 * tried: the attempt would be one of them.
 *
 * @throws ArgumentError if no port is known, or the time is no duration.
 * @throws what `sendKnock` throws.
 */
export async function openDoor(
  host: string | undefined,
  profile: KnockProfile | string,
  options: OpenDoorOptions = {},
): Promise<DoorVerdict> {
  const seconds = requireWithin(options.within ?? DEFAULT_WITHIN, OPERATION)
  const prepared = await prepareKnock(host, profile, options)
  const port = requirePort(options.port ?? prepared.port, OPERATION)
  return openPrepared(prepared, port, seconds, options)
}

/** Knocks and tries a port, as `openDoor` does, with a knock that was prepared. */
export async function openPrepared(
  prepared: PreparedKnock,
  port: number,
  seconds: number,
  options: SendOptions,
): Promise<DoorVerdict> {
  const end = performance.now() + seconds * 1000
  for (let knocks = 1; ; knocks += 1) {
    const sent = await sendPrepared(prepared, options)
    if (prepared.connections !== undefined) return { ...sent, verdict: 'unknown', port, knocks }
    const found = await tryAddresses(prepared, sent, port, end)
    if (found.verdict !== 'filtered') return { ...sent, ...found, port, knocks }
    const wait = waitOf(prepared.knock, Date.now() / 1000)
    const isOver = wait === undefined || performance.now() + wait * 1000 >= end
    if (knocks === MOST_KNOCKS || isOver) return { ...sent, ...found, port, knocks }
    await pause(wait * 1000, options.signal)
  }
}

/**
 * Reads for how long is tried: seconds.
 *
 * @throws ArgumentError if it is no duration.
 */
export function requireWithin(within: string | number, operation: string): number {
  const seconds = parseDuration(within)
  if (seconds !== undefined) return seconds
  const got = JSON.stringify(within)
  throw new ArgumentError(`${operation}: within: expected ${EXPECTED_DURATION}, got ${got}`)
}

/** @throws ArgumentError if it is none. */
export function requirePort(port: number | undefined, operation: string): number {
  if (port !== undefined && Number.isInteger(port) && port >= 1 && port <= 65535) return port
  const expected = "the TCP port of the service, the profile's or the caller's"
  throw new ArgumentError(`${operation}: port: expected ${expected}, got ${port ?? 'nothing'}`)
}

async function tryAddresses(
  { addresses, system }: PreparedKnock,
  sent: SentKnock,
  port: number,
  end: number,
): Promise<{ verdict: Answer; address?: string }> {
  const reached = addresses.filter(({ address }) => sent.addresses.includes(address))
  const time = Math.max(1, Math.min(ATTEMPT, end - performance.now()))
  const answers = await Promise.all(reached.map((address) => system.probe(address, port, time)))
  for (const verdict of ['open', 'refused'] as const) {
    const index = answers.indexOf(verdict)
    const found = reached[index]
    if (found) return { verdict, address: found.address }
  }
  return { verdict: 'filtered' }
}

/** Seconds until a knock can be sent again; undefined: it cannot. */
export function waitOf(knock: ClientKnock, now: number): number | undefined {
  if (knock.kind === 'oneTime') return undefined
  if (knock.kind !== 'token') return 0
  return (periodAt(now, knock.period) + 1) * knock.period - now
}
