// The times of a knock where it arrives: gaps and windows are kept to within 10 ms.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { planKnock } from '../../lib/automaton/kinds/client-kinds.js'
import { readProfile } from '../../lib/client/profile.js'
import { sendKnock } from '../../lib/index.js'
import type { KnockProfile } from '../../lib/spec/generated/client-types.js'

const HOST = '127.0.0.1'
/** Milliseconds that a packet may be early or late, more or less: half of them are nearer. */
const NEAR = 10

/** Listens at a port of this machine's; `times` has when each datagram came. */
async function listen(t: Test): Promise<{ port: number; times: number[] }> {
  const socket = createSocket('udp4').bind(0, HOST)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  const times: number[] = []
  socket.on('message', () => times.push(performance.now()))
  return { port: socket.address().port, times }
}

/** When each packet of a profile is to come, in milliseconds after the first. */
async function plannedFor(profile: KnockProfile, gap: number): Promise<number[]> {
  const { knock } = await readProfile(profile, 'here')
  const options = { secret: undefined, now: Date.now() / 1000, gap, family: 4, id: '' } as const
  const { shots } = await planKnock(knock, options)
  return shots.map(({ at }, index) => (at ?? index * gap) - (shots[0]?.at ?? 0))
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** How far each packet was from its time, all of them put where they fit best. */
function missesOf(times: readonly number[], planned: readonly number[]): number[] {
  const late = times.map((time, index) => time - (planned[index] ?? Number.NaN))
  const middle = median(late)
  return late.map((one) => Math.abs(one - middle))
}

/** How often is tried: a machine that is busy with something else delays every timer. */
const TRIES = 3

const KNOCKS: Readonly<Record<string, (step: string) => [KnockProfile, gap: number]>> = {
  'gaps of a sequence': (step) => [{ steps: Array.from({ length: 12 }, () => step) }, 60],
  'hits of a rate': (port) => [
    { rate: { port: port as 'udp/1', hits: 5, min: '2s', max: '4s' } },
    0,
  ],
  'windows of a rhythm': (port) => [
    { rhythm: { port: port as 'udp/1', counts: [1, 2, 3], window: 2 } },
    0,
  ],
}

t.jobs = 3

for (const [name, profileOf] of Object.entries(KNOCKS)) {
  t.test(name, { buffered: true }, async (t) => {
    const { port, times } = await listen(t)
    const [profile, gap] = profileOf(`udp/${port}`)
    const planned = await plannedFor(profile, gap)
    let misses: number[] = []
    for (let tries = 0; tries === 0 || (tries < TRIES && median(misses) > NEAR); tries += 1) {
      times.length = 0
      await sendKnock(HOST, profile, gap > 0 ? { gap } : {})
      while (times.length < planned.length) await new Promise((resolve) => setTimeout(resolve, 5))
      misses = missesOf(times, planned)
    }
    t.ok(median(misses) <= NEAR, misses.map((miss) => miss.toFixed(1)).join(', '))
  })
}
