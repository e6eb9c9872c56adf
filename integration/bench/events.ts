// Knock packets → milliseconds from a packet to its event in the iteration; and 10,000 packets a
// second → how many events come, and how many are reported as lost.
//
//   npm run bench -- events [RUNS] [SECONDS]
//
// Each packet has a source of its own, so that each event can be matched with its packet. The
// sender notes the time just before it sends, by the clock that all processes of a machine share.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNft, installKnock, type Knock, type KnockSpec } from 'knocklib'
import {
  CABLE,
  CLIENT,
  createPair,
  exec,
  type Pair,
  SERVER,
  start,
  sweep,
} from '../machine/namespaces.js'
import { report } from './report.js'

const RUNS = Number(process.argv[2] ?? 5)
const SECONDS = Number(process.argv[3] ?? 10)
const RATE = 10_000
const SAMPLES = 1000
const FLOOD = new URL('../../../integration/wire/flood.pl', import.meta.url).pathname

const SPEC = {
  log: { rate: 1_000_000 },
  guard: { capacity: 400_000 },
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['udp/7000', 'udp/7001'], stepTimeout: '5s' },
      open: { for: '30s' },
    },
  ],
} as KnockSpec

/**
 * A program that sends one packet every few milliseconds, each from another address of
 * 10.99.0.0/16, and prints the times in nanoseconds.
 */
const SENDER = `
  const { createSocket } = require('node:dgram')
  const [count, first] = process.argv.slice(1).map(Number)
  const sent = []
  const next = (n) => {
    if (n === count) return console.log(JSON.stringify(sent))
    const source = '10.99.' + ((first + n) >> 8) + '.' + ((first + n) & 255)
    const socket = createSocket('udp4')
    socket.bind(0, source, () => socket.connect(7000, '${SERVER[4]}', () => {
      sent.push([source, String(process.hrtime.bigint())])
      socket.send(Buffer.from('x'), () => socket.close(() => setTimeout(next, 3, n + 1)))
    }))
  }
  next(0)`

const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN

/** Measures the milliseconds from each packet to its event. Returns them sorted. */
async function measureLatency({ client }: Pair, knock: Knock, first: number): Promise<number[]> {
  await using watcher = knock.watch()
  await watcher.ready
  const seen = new Map<string, bigint>()
  const collecting = (async () => {
    for await (const event of watcher) {
      if (event.event === 'knock') seen.set(event.source, process.hrtime.bigint())
      if (seen.size === SAMPLES) break
    }
  })()
  const args = ['-e', SENDER, String(SAMPLES), String(first)]
  const { stdout, stderr, code } = await exec(client, process.execPath, args)
  if (code !== 0) throw new Error(`the sender: ${stderr}`)
  await Promise.race([collecting, sleep(5000)])
  const sent = JSON.parse(stdout) as [string, string][]
  const missing = sent.filter(([source]) => !seen.has(source))
  if (missing.length > 0) throw new Error(`${missing.length} events of ${SAMPLES} are missing`)
  return sent
    .map(([source, at]) => Number((seen.get(source) as bigint) - BigInt(at)) / 1e6)
    .sort((a, b) => a - b)
}

interface Load {
  readonly sent: number
  readonly events: number
  readonly lost: number
  readonly gaps: number
  /** Packets in a second. */
  readonly rate: number
}

/** Sends many packets a second. Counts the events of an iteration that does nothing else. */
async function measureLoad({ client }: Pair, knock: Knock): Promise<Load> {
  await using watcher = knock.watch()
  await watcher.ready
  const load = { events: 0, lost: 0, gaps: 0 }
  const packets = RATE * SECONDS
  const before = (await knock.counters())['ssh']?.knocks ?? 0
  const collecting = (async () => {
    for await (const event of watcher) {
      if (event.event === 'knock') load.events += 1
      if (event.event !== 'overrun') continue
      load.gaps += 1
      load.lost += event.lost ?? Number.NaN
    }
  })()
  const frames = [CABLE, CLIENT.mac, SERVER.mac, packets, 7000, 'udp', packets, RATE].map(String)
  const child = start(client, 'perl', [FLOOD, ...frames], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  await once(child, 'close')
  const run = JSON.parse(text.trim().split('\n').at(-1) ?? '') as { seconds: number }
  for (let tries = 0; tries < 100 && load.events + load.lost < packets; tries += 1) await sleep(50)
  const counted = ((await knock.counters())['ssh']?.knocks ?? 0) - before
  await watcher.return()
  await collecting
  if (counted !== packets) throw new Error(`the kernel counted ${counted} of ${packets} packets`)
  return { sent: packets, ...load, rate: packets / run.seconds }
}

sweep()
await using pair = await createPair()
await exec(pair.client, 'ip', ['route', 'add', 'local', '10.99.0.0/16', 'dev', 'lo'])
const knock = await installKnock(SPEC, { nft: createNft({ netns: pair.server }) })
const latency: { p50: number[]; p99: number[]; most: number[] } = { p50: [], p99: [], most: [] }
const loads: Load[] = []
// The first run warms up.
for (let run = -1; run < RUNS; run += 1) {
  const times = await measureLatency(pair, knock, (run + 1) * SAMPLES)
  if (run < 0) continue
  latency.p50.push(percentile(times, 0.5))
  latency.p99.push(percentile(times, 0.99))
  latency.most.push(times.at(-1) as number)
}
for (let run = 0; run < Math.max(1, Math.floor(RUNS / 2)); run += 1) {
  loads.push(await measureLoad(pair, knock))
  // The attempts expire before the next run.
  await sleep(6000)
}
for (const { sent, events, lost, gaps } of loads) {
  const account = events + lost === sent ? 'exact' : `NOT exact: ${sent - events - lost} unreported`
  console.log(
    `${sent} packets: ${events} events, ${lost} reported as lost in ${gaps} gaps; ${account}`,
  )
}
report('events', [
  { name: 'latency, p50', unit: 'ms', runs: latency.p50 },
  { name: 'latency, p99', unit: 'ms', runs: latency.p99 },
  { name: 'latency, longest', unit: 'ms', runs: latency.most },
  { name: 'packets sent', unit: '/s', runs: loads.map(({ rate }) => rate) },
  { name: 'events', unit: '', runs: loads.map(({ events }) => events) },
  { name: 'lost, reported', unit: '', runs: loads.map(({ lost }) => lost) },
])
