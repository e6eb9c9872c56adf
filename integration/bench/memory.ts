// `knocklib run` with one door → the memory of its processes: at rest, after many events, and some
// time after them.
//
//   npm run bench -- memory [EVENTS] [REST]
//
// Rss counts node's own code for each process, though the machine holds it once. Pss divides it by
// all processes that run node, also by those of other programs. "code once" is what the machine
// holds if no other process runs node: the anonymous memory of all processes, and the largest
// share of files of one.
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CABLE, CLIENT, createPair, exec, SERVER, start, sweep } from '../machine/namespaces.js'
import { type Figure, report } from './report.js'

const EVENTS = Number(process.argv[2] ?? 80_000)
/** Seconds of rest before each measurement. */
const REST = Number(process.argv[3] ?? 10)
const RATE = 10_000
const FLOOD = new URL('../../../integration/wire/flood.pl', import.meta.url).pathname
const CLI = new URL('../../../dist/command/start.js', import.meta.url).pathname

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
}

type Amounts = Readonly<Record<'Rss' | 'Pss' | 'Anonymous', number>>

/** Reads the memory of one process in MiB. */
function amountsOf(id: number): Amounts {
  const text = readFileSync(`/proc/${id}/smaps_rollup`, 'utf8')
  const read = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024
  return { Rss: read('Rss'), Pss: read('Pss'), Anonymous: read('Anonymous') }
}

interface Found {
  readonly id: number
  readonly parent: number
  readonly name: string
}

/**
 * Finds a process of node by its number; undefined for any other, and for one that has ended.
 */
function findProcess(id: number): Found | undefined {
  try {
    const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${id}/stat`, 'utf8'))?.[1])
    const name = /([\w-]+)\.js(?:\0|$)/.exec(readFileSync(`/proc/${id}/cmdline`, 'utf8'))?.[1]
    return name === undefined ? undefined : { id, parent, name }
  } catch {
    return undefined
  }
}

/** Measures the keeper and its readers. The nft that it starts each second is left out. */
function look(when: string, keeper: number): Figure[] {
  const found = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => findProcess(Number(entry)))
    .filter((process) => process !== undefined)
    .filter(({ id, parent }) => id === keeper || parent === keeper)
    .map(({ id, name }) => ({ name, amounts: amountsOf(id) }))
  const sum = (kind: keyof Amounts) => found.reduce((all, { amounts }) => all + amounts[kind], 0)
  const files = Math.max(...found.map(({ amounts }) => amounts.Rss - amounts.Anonymous))
  const together = {
    Rss: sum('Rss'),
    Pss: sum('Pss'),
    Anonymous: sum('Anonymous'),
    'code once': sum('Anonymous') + files,
  }
  return [...found, { name: 'together', amounts: together }].flatMap(({ name, amounts }) =>
    Object.entries(amounts).map(([kind, amount]) => ({
      name: `${when}: ${name}, ${kind}`,
      unit: 'MiB',
      runs: [amount],
    })),
  )
}

sweep()
await using pair = await createPair()
const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
const spec = join(folder, 'spec.json')
await writeFile(spec, JSON.stringify(SPEC), { mode: 0o600 })
const keeper = start(pair.server, process.execPath, [CLI, 'run', spec, '--events', 'all'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const ended = once(keeper, 'close')
let heard = 0
let isWatching = false
keeper.stdout?.setEncoding('utf8').on('data', (text: string) => {
  heard += text.split('\n').length - 1
  isWatching ||= text.includes('"watching"')
})

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    if (tries > 300) throw new Error('knocklib run: nothing came of it within 30 s')
    await sleep(100)
  }
}

/** Waits until no more events come. On a loaded machine some are lost. */
async function quiet(): Promise<void> {
  for (let last = -1; last !== heard; await sleep(3000)) last = heard
}

try {
  const id = keeper.pid as number
  await until(() => isWatching)
  await sleep(REST * 1000)
  const figures = look('at rest', id)
  if (EVENTS > 0) {
    const before = heard
    const args = [CABLE, CLIENT.mac, SERVER.mac, EVENTS, 7000, 'udp', EVENTS, RATE].map(String)
    const { code, stderr } = await exec(pair.client, 'perl', [FLOOD, ...args])
    if (code !== 0) throw new Error(`flood.pl: ${stderr.trim()}`)
    await quiet()
    console.log(`${heard - before} lines reported`)
    figures.push(...look(`after ${EVENTS} events`, id))
    await sleep(REST * 1000)
    figures.push(...look(`${REST} s later`, id))
  }
  report('memory', figures)
} finally {
  keeper.kill('SIGTERM')
  await ended
  await rm(folder, { recursive: true })
}
