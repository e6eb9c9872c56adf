// The packet generator → a run of it in a pair's client namespace, for a number of packets or until
// it is stopped.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { CABLE, CLIENT, exec, type Pair, SERVER, start } from '../machine/namespaces.js'

/** The path of flood.pl: beside this file, or beside the source that it was compiled from. */
const FLOOD =
  ['flood.pl', '../../../integration/wire/flood.pl']
    .map((path) => new URL(path, import.meta.url).pathname)
    .find(existsSync) ?? 'flood.pl'

// Runs on the last core, because the first one is often busy with interrupts.
const command = (...args: readonly (number | string)[]): string[] => [
  '-c',
  '1',
  'perl',
  FLOOD,
  CABLE,
  CLIENT.mac,
  SERVER.mac,
  ...args.map(String),
]

/** Sends packets, by default SYNs to random ports. Returns the nanoseconds for each. */
export async function floodOnce(
  { client }: Pair,
  packets: number,
  ...to: [] | [port: number, protocol: 'tcp' | 'udp']
): Promise<number> {
  const { code, stdout, stderr } = await exec(client, 'taskset', command(packets, ...to))
  if (code !== 0) throw new Error(`flood.pl: ${stderr.trim()}`)
  const run = JSON.parse(stdout) as { seconds: number; packets: number }
  return (run.seconds / run.packets) * 1e9
}

export interface FloodOptions {
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  readonly sources: number
  /** The most packets to send. */
  readonly packets: number
}

/** Begins a flood from several sources in turn. Resolves when it has begun. */
export async function beginFlood(
  { client }: Pair,
  { port, protocol, sources, packets }: FloodOptions,
): Promise<AsyncDisposable> {
  const args = command(packets, port, protocol, sources)
  const child: ChildProcess = start(client, 'taskset', args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  await Promise.race([once(child.stdout as NodeJS.EventEmitter, 'data'), ended])
  if (child.exitCode !== null) throw new Error('flood.pl ended before it began')
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
