// Grants → the time to open and close them by nft and through netlink, singly and many at once, and
// to list a hundred thousand of them.
//
//   npm run bench -- open [ROUNDS]      as root, in network namespaces of its own
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { attachKnock, type Door, installKnock, type KnockSpec } from 'knocklib'
import { createPair, start, sweep } from '../../machine/namespaces.js'
import { type Figure, pairedRatio, report } from '../report.js'

const ROUNDS = Number(process.argv[2] ?? 5)
/**
 * Sequential calls in each round, through netlink and by nft; then grants that are opened and
 * listed together.
 */
const CALLS = { netlink: 5000, nft: 100 }
const MANY = 100_000

const SPEC: KnockSpec = {
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7000'] },
      open: { for: '1h' },
    },
  ],
}

type Way = keyof typeof CALLS
type Runs = Record<string, number[]>

const sources = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)

const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] as number

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/** Makes calls in sequence. Reports the median, the slowest of a hundred, and calls per second. */
async function inSequence(
  runs: Runs,
  name: string,
  all: string[],
  call: (s: string) => Promise<unknown>,
) {
  const times: number[] = []
  const whole = await time(async () => {
    for (const source of all) times.push(await time(() => call(source)))
  })
  times.sort((a, b) => a - b)
  add(runs, `${name}, p50 (ms)`, percentile(times, 0.5))
  add(runs, `${name}, p99 (ms)`, percentile(times, 0.99))
  add(runs, `${name}, in sequence (per s)`, (1000 * all.length) / whole)
}

function add(runs: Runs, name: string, value: number): void {
  runs[name] = [...(runs[name] ?? []), value]
}

async function measureCalls(runs: Runs, way: Way, door: Door): Promise<void> {
  const all = sources(CALLS[way])
  await inSequence(runs, `${way}: open`, all, (source) => door.open(source))
  await inSequence(runs, `${way}: close`, all, (source) => door.close(source))
}

/** Measures by how many MiB a listing raises the peak memory of a new process. */
async function memoryOf(way: Way): Promise<number> {
  const args = [String(ROUNDS), 'list', way]
  const child = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--expose-gc'] })
  const [grown] = (await once(child, 'message')) as [number]
  await once(child, 'exit')
  return grown
}

/** Lists in the new process. */
async function list(way: Way): Promise<void> {
  const door = (await attachKnock({ elements: way })).door('ssh')
  // The first call loads modules, which must not count.
  await door.grantOf('192.0.2.1')
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  for await (const _ of door.eachGrant());
  process.send?.((process.resourceUsage().maxRSS * 1024 - before) / 2 ** 20)
}

async function measureMany(runs: Runs, way: Way, door: Door): Promise<void> {
  const all = sources(MANY)
  const opened = await time(() => door.openMany(all))
  add(runs, `${way}: openMany (per s)`, (1000 * MANY) / opened)
  // After so many openings the kernel still resizes the set, so that a listing would start over.
  await sleep(2000)
  let count = 0
  const took = await time(async () => {
    for await (const _ of door.eachGrant()) count += 1
  })
  if (count !== MANY) throw new Error(`${way}: ${count} of ${MANY} grants were listed`)
  add(runs, `${way}: list ${MANY} (ms)`, took)
  add(runs, `${way}: list ${MANY}, memory (MiB)`, await memoryOf(way))
  const closed = await time(() => door.closeMany(all))
  add(runs, `${way}: closeMany (per s)`, (1000 * MANY) / closed)
}

/** Runs all rounds inside the namespace. */
async function measure(): Promise<void> {
  const knock = await installKnock(SPEC)
  const doors = {
    netlink: (await attachKnock({ elements: 'netlink' })).door('ssh'),
    nft: (await attachKnock({ elements: 'nft' })).door('ssh'),
  }
  const runs: Runs = {}
  for (let round = -1; round < ROUNDS; round += 1) {
    // The first round warms up.
    const own = round < 0 ? {} : runs
    for (const way of ['netlink', 'nft'] as const) await measureCalls(own, way, doors[way])
    for (const way of ['netlink', 'nft'] as const) await measureMany(own, way, doors[way])
  }
  await knock.uninstall()
  process.send?.(runs)
}

function reportAll(runs: Runs): void {
  const figures = Object.entries(runs).map(([label, values]): Figure => {
    const [, name = label, unit = ''] = /^(.*) \((.*)\)$/.exec(label) ?? []
    return { name, unit, runs: values }
  })
  const ratio = (name: string) =>
    pairedRatio(runs[`nft: ${name}`] as number[], runs[`netlink: ${name}`] as number[])
  report('open', figures, {
    'open p50, nft / netlink': ratio('open, p50 (ms)'),
    'close p50, nft / netlink': ratio('close, p50 (ms)'),
    'list, nft / netlink': ratio(`list ${MANY} (ms)`),
  })
}

if (process.argv[3] === 'inside') await measure()
else if (process.argv[3] === 'list') await list(process.argv[4] as Way)
else {
  sweep()
  await using pair = await createPair()
  const args = ['--expose-gc', fileURLToPath(import.meta.url), String(ROUNDS), 'inside']
  const child = start(pair.server, process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let runs: Runs | undefined
  child.on('message', (message: Runs) => {
    runs = message
  })
  await new Promise((resolve) => child.on('exit', resolve))
  if (!runs) throw new Error('the process in the namespace told nothing')
  reportAll(runs)
}
