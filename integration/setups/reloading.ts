// A server whose table is changed again and again under traffic → refused sources, admitted
// strangers and lost packets.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { installKnock, type KnockSpec } from '../../lib/index.js'
import { parseListing } from '../../lib/nft/listing.js'
import { apply, CLIENT, exec, listTable, SERVER, start } from '../machine/namespaces.js'
import { beginFlood } from '../wire/generator.js'
import { host, PacketSetup } from './packet-setup.js'

const PORT = 2222
const GRANT = '10m'

const doorOf = (name: string, service: string | string[], steps: string[], parts: object = {}) => ({
  name,
  service,
  knock: { type: 'sequence', steps, stepTimeout: '10m' },
  open: { for: '30s' },
  ...parts,
})

const SERVICE = doorOf('service', `tcp/${PORT}`, ['tcp/7000', 'udp/8000'])
/** A door whose attempts and counters must survive all changes. */
const SAME = doorOf('same', 'tcp/443', ['udp/7100', 'udp/7101', 'udp/7102'])
const ONCE = doorOf('once', 'tcp/444', [], {
  knock: { type: 'sequence', oneTime: [['udp/7200'], ['udp/7201']], stepTimeout: '10m' },
})
const guard = { ban: { after: 3, within: '1h', for: '1h' }, trusted: ['192.168.1.0/24'] }

/** The specs to install in a cycle. Each differs from the one before in another respect. */
export const SPECS: readonly object[] = [
  { guard, doors: [SERVICE, SAME, ONCE] },
  // Other durations.
  { guard, doors: [{ ...SERVICE, open: { for: '1h', refresh: true } }, SAME, ONCE] },
  // Another order, one more door, other trusted sources.
  {
    guard: { ...guard, trusted: ['192.168.0.0/16', '172.16.0.1'] },
    doors: [ONCE, doorOf('mail', 'tcp/25', ['tcp/7300']), SAME, SERVICE],
  },
  // Another knock, and another ban.
  {
    guard: { ...guard, ban: { after: 5, within: '2h', for: '2h' } },
    doors: [
      { ...SERVICE, knock: { type: 'rate', port: `tcp/${PORT}`, hits: 3, max: '9s' } },
      SAME,
      ONCE,
    ],
  },
  // More ports: a range and a single one.
  { guard, doors: [{ ...SERVICE, service: ['tcp/2200-2230', 'udp/53'] }, SAME, ONCE] },
  { guard, doors: [{ ...SERVICE, service: 'tcp/2220-2240' }, SAME, ONCE] },
  // So many ranges that they are split into chains.
  {
    guard,
    doors: [
      {
        ...SERVICE,
        service: Array.from(
          { length: 50 },
          (_, index) => `tcp/${1220 + 50 * index}-${1225 + 50 * index}`,
        ),
      },
      SAME,
      ONCE,
    ],
  },
  // Two doors before the same service, and connections that need a live grant.
  {
    guard,
    doors: [
      { ...SERVICE, address: SERVER[4], open: { for: '30s', established: 'cut' } },
      doorOf('both', `tcp/${PORT}`, ['udp/7400'], { address: '10.77.9.9' }),
      SAME,
      ONCE,
    ],
  },
  // More capacity.
  { guard: { ...guard, capacity: 131_072 }, doors: [SERVICE, SAME, ONCE] },
]

/** The results of a client that has a grant and connects without a pause. */
interface Visits {
  readonly connections: number
  readonly refused: number
  /** Milliseconds of the slowest connection. If over 1,000, its first packet was dropped. */
  readonly slowest: number
  /** Lines that came back over a connection from before the first change. */
  readonly echoes: number
}

const ECHO = `
  process.stdin.on('end', () => process.exit()).resume()
  require('node:net')
    .createServer((socket) => socket.on('error', () => {}).pipe(socket))
    .listen(${PORT}, '::', () => console.log('ready'))`

const VISIT = `
  const { connect } = require('node:net')
  const place = { host: '${SERVER[4]}', port: ${PORT} }
  const seen = { connections: 0, refused: 0, slowest: 0, echoes: 0 }
  let ended = false
  const lasting = connect(place, () => lasting.write('x'))
  lasting.on('data', () => { seen.echoes += 1; setTimeout(() => lasting.write('x'), 5) })
  lasting.on('error', () => { seen.refused += 1000 })
  const next = () => {
    if (ended) return
    const begun = performance.now()
    const socket = connect({ ...place, timeout: 5000 })
    const done = (refused) => {
      seen.connections += 1
      seen.refused += refused
      seen.slowest = Math.max(seen.slowest, performance.now() - begun)
      socket.resetAndDestroy()
      setTimeout(next, 2)
    }
    socket.once('connect', () => done(0)).once('timeout', () => done(1)).on('error', () => done(1))
  }
  next()
  process.stdin.on('end', () => {
    ended = true
    console.log(JSON.stringify(seen))
    process.exit()
  }).resume()`

/** Starts a program that prints its results when it is ended. */
function begin(namespace: string, code: string) {
  const child = start(namespace, process.execPath, ['-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return {
    ready: () => once(child.stdout as NodeJS.ReadableStream, 'data'),
    async end(): Promise<string> {
      child.stdin?.end()
      if (child.exitCode === null) await once(child, 'close')
      return text
    },
    async [Symbol.asyncDispose]() {
      child.kill()
    },
  }
}

/** A table that counts the packets of strangers that pass the doors. */
const COUNTING = `table inet counting {
  counter in { }
  chain input {
    type filter hook input priority 0; policy accept;
    ip saddr 16.0.0.0/8 tcp dport ${PORT} counter name "in" drop
  }
}`

interface Reloads {
  readonly reloads: number
  readonly visits: Visits
  /** SYNs of sources without a grant: those that reached the service, and those denied. */
  readonly strangers: { readonly let: number; readonly denied: number }
  /** What the table held before and after: grants, bans, attempts, used items, and counters. */
  readonly before: object
  readonly after: object
  readonly seconds: number
}

/** Installs this many specs in turn under traffic, on a pair of its own. Returns the results. */
export async function reloadUnderTraffic(
  binary: string,
  reloads: number,
  specs: readonly object[] = SPECS,
): Promise<Reloads> {
  await using setup = await PacketSetup.open(specs[0] as object, binary)
  const { server, client } = setup.pair
  await exec(server, 'ip', ['route', 'add', 'default', 'via', CLIENT[4]])
  await apply(server, COUNTING, binary)
  const knock = setup.knock
  await fill(setup)
  await using echo = begin(server, ECHO)
  await echo.ready()
  const before = await contentsOf(setup)
  await using visitor = begin(client, VISIT)
  const begun = performance.now()
  {
    await using _flood = await beginFlood(setup.pair, {
      port: PORT,
      protocol: 'tcp',
      sources: 4096,
      packets: 1e9,
    })
    await sleep(300)
    for (let number = 1; number <= reloads; number += 1) {
      const spec = specs[number % specs.length] as KnockSpec
      await installKnock(spec, { nft: setup.nft })
    }
    await sleep(300)
  }
  const seconds = (performance.now() - begun) / 1000
  const visits = JSON.parse(await visitor.end()) as Visits
  await echo.end()
  await installKnock(specs[0] as KnockSpec, { nft: setup.nft })
  const { denied } = (await knock.counters())['service'] ?? { denied: 0 }
  const strangers = { let: await letIn(server, binary), denied }
  const after = await contentsOf(setup)
  return { reloads, visits, strangers, before, after, seconds }
}

/** Makes grants, bans a source, uses up a sequence, and leaves an attempt under way. */
async function fill(setup: PacketSetup): Promise<void> {
  const { knock } = setup
  await knock.door('service').open(CLIENT[4], { for: GRANT })
  for (let number = 1; number <= 20; number += 1) {
    await knock.door('same').open(host(number), { for: GRANT })
    await knock.door('service').open(host(number, 6), { for: GRANT })
  }
  await setup.send(host(101), 'udp/7100', 'udp/7101')
  await setup.send(host(102), 'udp/7100')
  await setup.send(host(103), 'udp/7200')
  for (let wrong = 0; wrong < 3; wrong += 1) await setup.send(host(104), 'udp/7100', 'udp/7102')
}

async function contentsOf(setup: PacketSetup): Promise<object> {
  const status = await setup.knock.status()
  const { sets } = parseListing(await setup.nft.list({ table: 'knock' }))
  const same = status.doors.find(({ name }) => name === 'same')
  const sources = (list: readonly { readonly source: string }[]) =>
    list.map(({ source }) => source).sort()
  return {
    service: sources(await setup.knock.door('service').grants()),
    same: sources(same?.grants ?? []),
    attempts: same?.progress.map(({ source, stage }) => `${source} ${stage}`).sort(),
    knocks: same?.counters.knocks,
    bans: sources(status.bans),
    used: [...sets].flatMap(([name, { elements }]) =>
      name.startsWith('spent') && elements.length > 0 ? [name] : [],
    ),
  }
}

async function letIn(server: string, binary: string): Promise<number> {
  const objects = (await listTable(server, 'counting', binary)) ?? []
  const counter = objects.find(({ counter }) => counter)?.['counter'] as { packets: number }
  return counter.packets
}
