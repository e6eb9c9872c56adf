// A profile → a connection to the service behind the door. Touches the network, and what
// connections share.
import type { Socket } from 'node:net'
import { ConnectError } from '../../errors.js'
import { periodAt } from '../../spec/derive/derivation.js'
import type { KnockProfile } from '../../spec/generated/client-types.js'
import { pause } from '../carry-out.js'
import {
  ATTEMPT,
  DEFAULT_WITHIN,
  MOST_KNOCKS,
  requirePort,
  requireWithin,
  waitOf,
} from '../open-door.js'
import { type PreparedKnock, prepareKnock, type SentKnock, sendPrepared } from '../send.js'
import { chooseOutlet, type Outlet } from '../system/outlet.js'
import type { ConnectDoorOptions } from './connect-door.js'
import { type FirstAnswer, firstAnswer } from './first-answer.js'
import { type Note, standsBy } from './note.js'
import { type Shared, sharedOf } from './sharing.js'

const OPERATION = 'connectDoor'

/** Does what `connectDoor` says. */
export async function connectToDoor(
  host: string | undefined,
  profile: KnockProfile | string,
  options: ConnectDoorOptions = {},
): Promise<Socket> {
  const since = Date.now()
  const prepared = await prepareKnock(host, profile, options)
  const { knock } = prepared
  const port = requirePort(options.port ?? prepared.port, OPERATION)
  const period = knock.kind === 'token' ? knock.period : 0
  const seconds = requireWithin(options.within ?? DEFAULT_WITHIN + period, OPERATION)
  const patience = (seconds + period) * 1000 + ATTEMPT
  const outlet = chooseOutlet(options, OPERATION)
  const onWait = () => options.onWait?.({ reason: 'turn' })
  const shared = await sharedOf(prepared, { ...options, profile, patience, onWait })
  const door: Door = { prepared, port, seconds, outlet, shared, options, since }
  return prepared.connections === undefined ? share(door) : connectAlone(door)
}

interface Door {
  readonly prepared: PreparedKnock
  readonly port: number
  readonly seconds: number
  readonly outlet: Outlet | undefined
  readonly shared: Shared
  readonly options: ConnectDoorOptions
  /** When it began: milliseconds since 1970. */
  readonly since: number
}

/** One knock for all connections: tries what another one knocked for, or knocks for the others. */
async function share(door: Door): Promise<Socket> {
  const { shared, since } = door
  /** The note whose grant turned out not to stand. */
  let wrong: number | undefined
  const isOfUse = (note: Note | undefined): note is Note =>
    note !== undefined && note.written !== wrong && standsBy(note, since, Date.now())
  while (true) {
    const note = await shared.note()
    if (isOfUse(note)) {
      const found = await tryDoor(door, addressesOf(note))
      if (found.verdict === 'open') return found.socket
      // Also a host that refuses may do so because the door is closed.
      wrong = note.written
    }
    const turn = await shared.turn()
    if (!turn) {
      const verdict = failureIn(await shared.note(), since)
      if (verdict !== undefined) throw failure(door, verdict, 0)
      continue
    }
    try {
      if (isOfUse(await shared.note())) continue
      return await knockAndConnect(door)
    } finally {
      turn.end()
    }
  }
}

/** A knock for this connection alone. */
async function connectAlone(door: Door): Promise<Socket> {
  let turn = await door.shared.turn()
  while (!turn) turn = await door.shared.turn()
  try {
    return await knockAndConnect(door)
  } finally {
    turn.end()
  }
}

/** How the connection that this one waited for has failed. */
const failureIn = (note: Note | undefined, since: number): 'refused' | 'filtered' | undefined => {
  const verdict = note?.outcome?.verdict
  return note && note.written >= since && verdict !== 'open' ? verdict : undefined
}

const addressesOf = ({ outcome }: Note): readonly string[] =>
  outcome?.verdict === 'open' ? outcome.addresses : []

async function knockAndConnect(door: Door): Promise<Socket> {
  const { prepared, seconds, shared, options } = door
  await untilFreshToken(door)
  const end = performance.now() + seconds * 1000
  for (let knocks = 1; ; knocks += 1) {
    const at = Date.now()
    const token = tokenNumber(prepared, at)
    await shared.write({ ...(token !== undefined && { token }) })
    const sent = await sendPrepared(prepared, options)
    const time = Math.max(1, Math.min(ATTEMPT, end - performance.now()))
    const found = await tryDoor(door, sent.addresses, time)
    if (found.verdict === 'open') {
      await noteOpen(door, sent, found.socket, at)
      return found.socket
    }
    const wait = waitOf(prepared.knock, Date.now() / 1000)
    const isOver = wait === undefined || performance.now() + wait * 1000 >= end
    if (found.verdict === 'refused' || knocks === MOST_KNOCKS || isOver) {
      await shared.write({ outcome: { verdict: found.verdict } })
      throw failure(door, found.verdict, knocks)
    }
    await waitSeconds(door, wait)
  }
}

/** Says how long the grant stands at least: from the beginning of the knock on. */
async function noteOpen(
  { prepared, shared }: Door,
  { addresses }: SentKnock,
  { localAddress: source }: Socket,
  at: number,
): Promise<void> {
  const { lasts, connections } = prepared
  if (connections !== undefined || source === undefined) return
  const until = lasts === undefined ? {} : { until: at + lasts * 1000 }
  await shared.write({ outcome: { verdict: 'open', addresses, source, ...until } })
}

const tokenNumber = ({ knock }: PreparedKnock, at: number): number | undefined =>
  knock.kind === 'token' ? periodAt(at / 1000, knock.period) : undefined

/** Each token works once: waits for the next one if another connection has sent that of now. */
async function untilFreshToken(door: Door): Promise<void> {
  const { prepared, shared } = door
  const now = Date.now()
  const number = tokenNumber(prepared, now)
  const sent = (await shared.note())?.token
  const wait = waitOf(prepared.knock, now / 1000)
  // A later one was sent by a clock that has been put back since.
  if (number === undefined || sent !== number || wait === undefined) return
  await waitSeconds(door, wait)
}

async function waitSeconds({ options }: Door, seconds: number): Promise<void> {
  if (seconds > 0) options.onWait?.({ reason: 'period', seconds })
  await pause(seconds * 1000, options.signal)
}

/** A connection to one of the addresses that were knocked at. */
function tryDoor(
  { prepared, port, outlet, options }: Door,
  knockedAt: readonly string[],
  time = ATTEMPT,
): Promise<FirstAnswer> {
  const ways = prepared.addresses
    .filter(({ address }) => knockedAt.includes(address))
    .map((address) => ({ ...address, source: outlet?.get(address.family) }))
  // Two connections at once would use up two of a grant that counts them.
  const stagger = prepared.connections === undefined ? undefined : Number.POSITIVE_INFINITY
  return firstAnswer(ways, port, { time, stagger, signal: options.signal })
}

function failure(
  { prepared: { host, addresses }, port }: Door,
  verdict: 'refused' | 'filtered',
  knocks: number,
): ConnectError {
  const reason = verdict === 'refused' ? 'nothing listens there' : 'nothing came back'
  const found = addresses.map(({ address }) => address)
  const where = found.length === 1 && found[0] === host ? host : `${host} (${found.join(', ')})`
  const after = knocks === 0 ? '' : ` after ${knocks} ${knocks === 1 ? 'knock' : 'knocks'}`
  return new ConnectError(
    verdict,
    `${OPERATION}: ${where} port ${port}: ${verdict}: ${reason}${after}`,
  )
}
