// A flood and a client that knocks meanwhile → what a packet of the flood costs, and how often the
// client gets in.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { CLIENT, exec, type Pair, SERVER, start } from '../../machine/namespaces.js'
import { beginFlood, type FloodOptions } from '../../wire/generator.js'
import { kernelMemory } from '../kernel-memory.js'

/** More packets than a flood sends until it is stopped. */
const PACKETS = 1_000_000_000
/** Milliseconds from the last knock to the connection. */
const OPENING = 300

/**
 * Runs the client on another core than the flood, which fills its core's receive queue. A network
 * card would have dropped the rest.
 */
export const OTHER_CORE = ['-c', '0']

export type Flooding = Omit<FloodOptions, 'packets'>

async function connects({ client }: Pair): Promise<boolean> {
  const args = [...OTHER_CORE, 'nc', '-z', '-w', '1', SERVER[4], '22']
  return (await exec(client, 'taskset', args)).code === 0
}

export interface Entrance {
  readonly knock: () => Promise<unknown>
  /** Ends the client's grant. */
  readonly close: () => Promise<unknown>
}

/** Knocks with Debian's client, 50 ms apart. */
export const knockBy =
  ({ client }: Pair, ...steps: string[]) =>
  () =>
    exec(client, 'taskset', [...OTHER_CORE, 'knock', '-d', '50', SERVER[4], ...steps])

/** Forgets the client in whatever way a rule of iptables lets it in. */
export const closeIptables = ({ server }: Pair, program: string) => {
  const rule = ['-s', CLIENT[4], '-p', 'tcp', '--dport', '22', '-j', 'ACCEPT']
  return () => exec(server, program, ['-w', '-D', 'INPUT', ...rule])
}

export interface Outcome {
  /** Nanoseconds for each packet of the flood, the generator included. */
  readonly cost: number
  readonly letIn: number
  /** MiB that the kernel's own memory has grown by. Other work of the machine is included. */
  readonly memory: number
}

/** Knocks and connects once. */
export async function getsIn(pair: Pair, { knock, close }: Entrance): Promise<boolean> {
  await using _listener = listen(pair)
  return await attempt(pair, { knock, close })
}

function listen({ server }: Pair): AsyncDisposable {
  const args = ['--pdeathsig', 'TERM', 'nc', '-k', '-l', SERVER[4], '22']
  const child = start(server, 'setpriv', args, { stdio: 'ignore' })
  const ended = once(child, 'close')
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function attempt(pair: Pair, { knock, close }: Entrance): Promise<boolean> {
  await knock()
  await sleep(OPENING)
  const isIn = await connects(pair)
  await close()
  return isIn
}

/** Floods. When each source has sent a packet, the client knocks and connects, again and again. */
export async function outcomeOf(
  pair: Pair,
  flooding: Flooding,
  entrance: Entrance,
  attempts: number,
): Promise<Outcome> {
  await using _listener = listen(pair)
  const before = await kernelMemory()
  await using flood = await beginFlood(pair, { ...flooding, packets: PACKETS })
  await sleep(Math.max(1000, flooding.sources / 200))
  let letIn = 0
  for (let turn = 0; turn < attempts; turn += 1) {
    if (await attempt(pair, entrance)) letIn += 1
  }
  const memory = (await kernelMemory()) - before
  return { cost: await flood.end(), letIn, memory }
}

/** The same flood where it is dropped at once: what the generator costs. */
export async function generatorOf(pair: Pair, flooding: Flooding): Promise<number> {
  await using flood = await beginFlood(pair, { ...flooding, packets: PACKETS })
  await sleep(1000)
  return await flood.end()
}
