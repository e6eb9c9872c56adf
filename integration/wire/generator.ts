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

// Runs on the last core, because the first one is often busy with interrupts. If this process
// ends, the kernel ends the generator.
const command = (...args: readonly (number | string)[]): string[] => [
  ...['--pdeathsig', 'TERM', 'taskset', '-c', '1', 'perl', FLOOD],
  ...[CABLE, CLIENT.mac, SERVER.mac],
  ...args.map(String),
]

/** The nanoseconds for each packet: the median of bursts, which other work hardly moves. */
const costOf = (output: string): number => {
  const last = output.trim().split('\n').at(-1) ?? ''
  return (JSON.parse(last) as { burst: number }).burst
}

/**
 * Sends packets, by default SYNs to random ports from 10000 on. Returns the nanoseconds for each.
 * `port`: one, or a range such as `50000-59999`.
 */
export async function floodOnce(
  { client }: Pair,
  packets: number,
  ...to: [] | [port: number | string, protocol: 'tcp' | 'udp' | 'tcp6']
): Promise<number> {
  const { code, stdout, stderr } = await exec(client, 'setpriv', command(packets, ...to))
  if (code !== 0) throw new Error(`flood.pl: ${stderr.trim()}`)
  return costOf(stdout)
}

export interface FloodOptions {
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  readonly sources: number
  /** The most packets to send. */
  readonly packets: number
}

export interface Flood extends AsyncDisposable {
  /** Ends it. Returns the nanoseconds for each packet of its last seconds. */
  end(): Promise<number>
}

/** Begins a flood from several sources in turn. Resolves when it has begun. */
export async function beginFlood(
  { client }: Pair,
  { port, protocol, sources, packets }: FloodOptions,
): Promise<Flood> {
  const args = command(packets, port, protocol, sources)
  const child: ChildProcess = start(client, 'setpriv', args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await Promise.race([once(child.stdout as NodeJS.EventEmitter, 'data'), ended])
  if (child.exitCode !== null) throw new Error('flood.pl ended before it began')
  const end = async (): Promise<number> => {
    child.kill('SIGTERM')
    await ended
    return costOf(output)
  }
  return {
    end,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
