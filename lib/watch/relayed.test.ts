// A table whose log and keeper come and go → the events that who watches it gets. No sockets.
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import t from 'tap'
import {
  allDone,
  type FakeReaders,
  StandingTime,
  taken,
  watchedTable,
} from '../../integration/fixtures/watched.js'
import type { KnockEvent } from '../view/event.js'
import { RelayedEvents } from './relayed.js'

const KEEPER_RETURNS = 2000
const LOOK_EVERY = 250
const PATIENCE = 20_000

const closed = (source: string): KnockEvent => {
  return { time: '', event: 'closed', door: 'ssh', source, by: 'call' }
}

/** A keeper that has the group, and hands its events on. */
class Keeper {
  /** Of those who have connected. */
  readonly sockets: PassThrough[] = []
  readonly #readers: FakeReaders

  constructor(readers: FakeReaders) {
    this.#readers = readers
    readers.refusal = taken()
  }

  connect(): Socket {
    const socket = new PassThrough()
    socket.write('{"ready":true}\n')
    this.sockets.push(socket)
    return socket as unknown as Socket
  }

  send(event: KnockEvent): void {
    for (const socket of this.sockets) socket.write(`${JSON.stringify(event)}\n`)
  }

  /** Its process ends, and the group is free. */
  end(): void {
    this.#readers.refusal = undefined
    for (const socket of this.sockets.splice(0)) socket.end()
  }
}

/** Watches a table; what comes is in `told`. */
async function relayed({
  isKept = false,
  signal,
  doors,
}: {
  isKept?: boolean
  signal?: AbortSignal
  doors?: readonly string[]
} = {}) {
  const { place, readers } = await watchedTable()
  const keepers: { now: Keeper | undefined } = { now: isKept ? new Keeper(readers) : undefined }
  const events = new RelayedEvents(place, {
    ...{ signal, queue: 10, shares: readers, doors },
    connect: async () => keepers.now?.connect(),
  })
  const told: unknown[] = []
  const over = (async () => {
    try {
      for (;;) {
        const { done, value } = await events.next()
        if (done) break
        told.push(value.event === 'closed' ? value.source : value.event)
      }
      told.push('end')
    } catch (error) {
      told.push((error as { code: unknown }).code)
    }
  })()
  const keep = () => {
    keepers.now = new Keeper(readers)
    return keepers.now
  }
  const unkeep = () => {
    keepers.now?.end()
    keepers.now = undefined
  }
  return { events, told, readers, over, keep, unkeep, keepers }
}

t.test('events come from the log if no other process reads it', async (t) => {
  using _ = new StandingTime()
  const { events, told, readers, over } = await relayed()
  await events.ready
  readers.logged({ event: 'banned' })
  await allDone()
  t.same(told, ['banned'])
  t.same(await events.return(), { done: true, value: undefined })
  await over
  t.same(told, ['banned', 'end'])
  t.same(readers.shares, [])
})

t.test(
  'events of doors that are not watched are left out, those of the table are not',
  async (t) => {
    using _ = new StandingTime()
    const { events, told, keepers } = await relayed({ isKept: true, doors: ['ssh', 'none'] })
    await events.ready
    keepers.now?.send({ ...closed('10.0.0.1'), door: 'web' } as KnockEvent)
    keepers.now?.send({ time: '', event: 'installed' } as KnockEvent)
    keepers.now?.send(closed('10.0.0.2'))
    await allDone()
    t.same(told, ['installed', '10.0.0.2'])
    await events.return()
  },
)

t.test('events come from the keeper if it reads the log', async (t) => {
  using _ = new StandingTime()
  const { events, told, readers, over, keepers } = await relayed({ isKept: true })
  await events.ready
  keepers.now?.send(closed('10.0.0.1'))
  await allDone()
  t.same(told, ['10.0.0.1'])
  t.same(readers.shares, [], 'nothing is read beside it')
  await events.return()
  await over
  t.same(told, ['10.0.0.1', 'end'])
  t.ok(keepers.now?.sockets.every(({ destroyed }) => destroyed))
})

t.test('events go on with an overrun when a keeper comes back soon', async (t) => {
  using time = new StandingTime()
  const { events, told, readers, over, keep, unkeep } = await relayed({ isKept: true })
  await events.ready
  unkeep()
  await time.pass(1000)
  const next = keep()
  await time.pass(KEEPER_RETURNS - 1000)
  next.send(closed('10.0.0.2'))
  await allDone()
  t.same(told, ['overrun', '10.0.0.2'])
  t.same(readers.shares, [])
  await events.return()
  await over
})

t.test('events come from the log after a keeper has gone, until there is one again', async (t) => {
  using time = new StandingTime()
  const { events, told, readers, over, keep, unkeep } = await relayed({ isKept: true })
  await events.ready
  unkeep()
  await time.pass(KEEPER_RETURNS - 100)
  t.same(readers.groups, [])
  await time.pass(500)
  t.same(readers.groups, [5])
  readers.logged({ event: 'banned' })
  await time.pass(1000)
  const next = keep()
  await time.pass(LOOK_EVERY + 10)
  t.same(readers.shares, [], 'it gives way')
  await time.pass(LOOK_EVERY + 10)
  next.send(closed('10.0.0.3'))
  await allDone()
  t.same(told, ['overrun', 'banned', 'overrun', '10.0.0.3'])
  await events.return()
  await over
})

t.test('a group that somebody else takes after a keeper is waited for, not for ever', async (t) => {
  using time = new StandingTime()
  const { events, told, readers, over, unkeep } = await relayed({ isKept: true })
  await events.ready
  unkeep()
  readers.refusal = taken()
  await time.pass(KEEPER_RETURNS + PATIENCE - 500)
  t.same(told, ['overrun'])
  await time.pass(1500)
  t.same(told, ['overrun', 'EBUSY'])
  await over
  t.same(await events.next(), { done: true, value: undefined })
  await events.return()
})

t.test('a group that somebody else has is refused at once', async (t) => {
  const { place, readers } = await watchedTable()
  readers.refusal = taken()
  for (const netns of ['', '/no/namespace']) {
    place.nft.netns = netns
    const events = new RelayedEvents(place, { queue: 1, shares: readers })
    await t.rejects(events.ready, { code: 'EBUSY' })
    await t.rejects(events.next(), { code: 'EBUSY' })
    t.same(await events.return(), { done: true, value: undefined })
  }
})

t.test(
  'an abort ends it: before, at a keeper, between two, and at the log after one',
  async (t) => {
    using time = new StandingTime()
    const before = await relayed({ signal: AbortSignal.abort() })
    await before.over
    t.same(before.told, ['end'])
    for (const milliseconds of [undefined, 1000, 3000]) {
      const stop = new AbortController()
      const { events, told, readers, over, unkeep } = await relayed({
        isKept: true,
        signal: stop.signal,
      })
      await events.ready
      if (milliseconds !== undefined) {
        unkeep()
        await time.pass(milliseconds)
      }
      stop.abort()
      await over
      t.equal(told.at(-1), 'end', `after ${milliseconds} ms`)
      await events.return()
      t.same(readers.shares, [])
    }
  },
)
