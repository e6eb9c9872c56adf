// A flood of the first knock port with spoofed sources → how often a legitimate client gets in
// meanwhile, with knocklib and with knockd.
//
//   npm run bench -- flood [ATTEMPTS]
//
// One core sends as fast as it can. On a veth pair the receive path runs there, too. During the
// flood a client knocks and connects, one attempt after the other. After each its grant is closed.
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNft, installKnock, type KnockSpec } from 'knocklib'
import { createPair, exec, NFT, type Pair, SERVER, start, sweep } from '../../machine/namespaces.js'
import { nftVersions } from '../../machine/nft-versions.js'
import { OPEN_AND_CLOSE } from '../../peers/knockd.js'
import { beginFlood, type FloodOptions } from '../../wire/generator.js'

const ATTEMPTS = Number(process.argv[2] ?? 10)
/** More packets than a flood sends until it is stopped. */
const PACKETS = 1_000_000_000

interface Scenario {
  readonly name: string
  readonly flood: Omit<FloodOptions, 'packets'>
  /** The steps that Debian's client sends. Absent: the client sends a token. */
  readonly knock?: readonly string[]
  readonly spec?: KnockSpec
}

const sequence = (steps: string[]): KnockSpec => ({
  doors: [{ name: 'ssh', service: 'tcp/22', knock: { type: 'sequence', steps }, open: { for: 5 } }],
})
const UDP = {
  spec: sequence(['udp/7000', 'tcp/8000', 'tcp/9000']),
  knock: ['7000:udp', '8000', '9000'],
}
const TCP = {
  spec: sequence(['tcp/7000', 'tcp/8000', 'tcp/9000']),
  knock: ['7000', '8000', '9000'],
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'sequence, udp first', flood: { port: 7000, protocol: 'udp', sources: 131_072 }, ...UDP },
  { name: 'sequence, tcp first', flood: { port: 7000, protocol: 'tcp', sources: 131_072 }, ...TCP },
  { name: 'knockd', flood: { port: 7000, protocol: 'tcp', sources: 131_072 }, knock: TCP.knock },
  {
    name: 'sequence, udp first',
    flood: { port: 7000, protocol: 'udp', sources: 1_000_000 },
    ...UDP,
  },
  { name: 'token', flood: { port: 6000, protocol: 'udp', sources: 1_000_000 } },
]

/** Milliseconds from the last knock to the connection. */
const OPENING = 300

/**
 * Runs the client on another core than the flood, which fills its core's receive queue. A network
 * card would have dropped the rest.
 */
const OTHER_CORE = ['-c', '0']

/** Reads the kernel's own memory in MiB, without what it can reclaim. */
async function kernelMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8')
  const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return (kib('SUnreclaim') + kib('Percpu') + kib('VmallocUsed')) / 1024
}

async function connects({ client }: Pair): Promise<boolean> {
  const args = [...OTHER_CORE, 'nc', '-z', '-w', '1', SERVER[4], '22']
  return (await exec(client, 'taskset', args)).code === 0
}

interface Door {
  readonly knock: () => Promise<void>
  readonly close: () => Promise<unknown>
  /** Says how full the fullest set is. */
  readonly fill: () => Promise<string>
  readonly end: () => Promise<unknown>
}

async function run(scenario: Scenario): Promise<void> {
  const { name, flood } = scenario
  await using pair = await createPair()
  const listener = start(pair.server, 'nc', ['-k', '-l', SERVER[4], '22'], { stdio: 'ignore' })
  const door = await openDoor(pair, scenario)
  try {
    const before = await kernelMemory()
    const { letIn, memory } = await attempts(pair, flood, door)
    const more = `${(memory - before).toFixed(0)} MiB of kernel memory${await door.fill()}`
    const sources = flood.sources.toLocaleString('en')
    console.log(`${name}, ${sources} sources: ${letIn} of ${ATTEMPTS} let in, ${more}`)
  } finally {
    listener.kill('SIGTERM')
    await door.end()
  }
}

/** Knocks and connects during the flood. Returns how often the client got in, and the memory. */
async function attempts(pair: Pair, flood: Scenario['flood'], door: Door) {
  await using _flood = await beginFlood(pair, { ...flood, packets: PACKETS })
  // By then each source has sent a packet.
  await sleep(Math.max(2000, flood.sources / 100))
  let letIn = 0
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    await door.knock()
    await sleep(OPENING)
    if (await connects(pair)) letIn += 1
    await door.close()
  }
  return { letIn, memory: await kernelMemory() }
}

async function openDoor(pair: Pair, { name, knock, spec }: Scenario): Promise<Door> {
  return name === 'knockd' ? openPeer(pair, knock ?? []) : openOurs(pair, { knock, spec })
}

const send = async ({ client }: Pair, steps: readonly string[]) => {
  await exec(client, 'taskset', [...OTHER_CORE, 'knock', '-d', '50', SERVER[4], ...steps])
}

async function openPeer(pair: Pair, steps: readonly string[]): Promise<Door> {
  const daemon = await OPEN_AND_CLOSE.install(pair.server)
  const rule = ['-s', '10.77.0.2', '-p', 'tcp', '--dport', '22', '-j', 'ACCEPT']
  return {
    knock: () => send(pair, steps),
    close: () => exec(pair.server, 'iptables', ['-w', '-D', 'INPUT', ...rule]),
    fill: async () => '',
    end: async () => daemon?.[Symbol.asyncDispose](),
  }
}

async function openOurs(
  pair: Pair,
  { knock: ports, spec }: { knock: Scenario['knock']; spec: Scenario['spec'] },
): Promise<Door> {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  const secretFile = join(folder, 'key')
  await writeFile(secretFile, randomBytes(32).toString('base64'), { mode: 0o600 })
  const secret = await readFile(secretFile)
  const binary = spec ? NFT : ((await nftVersions()).at(-1)?.path ?? NFT)
  const nft = createNft({ netns: pair.server, binary })
  const knock = await installKnock(spec ?? tokenSpec(secretFile), { nft })
  let sent = 0
  return {
    async knock() {
      if (ports) return send(pair, ports)
      // Each token works once, so each attempt takes the token of another loaded period.
      const period = Math.floor(Date.now() / 30_000) + sent++
      const text = `knocklib/1 ssh ${period}`
      const token = createHmac('sha256', secret).update(text).digest('hex').slice(0, 32)
      const script = `printf '${token.replace(/../g, '\\x$&')}' | nc -u -w0 ${SERVER[4]} 6000`
      await exec(pair.client, 'taskset', [...OTHER_CORE, 'bash', '-c', script])
    },
    close: () => knock.door('ssh').close('10.77.0.2'),
    async fill() {
      const [fullest] = (await knock.status()).fill
      return fullest ? `, ${fullest.set} ${fullest.elements} of ${fullest.capacity}` : ''
    },
    end: () => rm(folder, { recursive: true }),
  }
}

const tokenSpec = (secretFile: string): KnockSpec => ({
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: {
        type: 'token',
        port: 'udp/6000',
        period: 30,
        horizon: '1d',
        users: [{ name: 'ana', secretFile }],
      },
      open: { for: 5 },
    },
  ],
})

sweep()
for (const scenario of SCENARIOS) await run(scenario)
