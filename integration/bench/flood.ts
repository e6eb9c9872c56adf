// What a legitimate client gets while strangers flood the first knock port with spoofed sources: ours, and knockd.
//
//   npm run bench:flood [ATTEMPTS]
//
// One core sends as fast as it can; on a veth pair the receive path runs there, too. During the flood a client knocks
// and connects, one attempt after the other; after each its grant is taken away.
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNft, installKnock, type KnockSpec } from 'knocklib'
import { createPair, exec, NFT, type Pair, SERVER, start, sweep } from '../namespaces.js'
import { nftVersions } from '../nft-versions.js'
import { OPEN_AND_CLOSE } from '../peers/knockd.js'
import { beginFlood, type FloodOptions } from './generator.js'

const ATTEMPTS = Number(process.argv[2] ?? 10)
/** More than any flood here sends until it is stopped. */
const PACKETS = 1_000_000_000

interface Scenario {
  readonly name: string
  readonly flood: Omit<FloodOptions, 'packets'>
  /** Debian's client sends these; without: a token. */
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

const OPENING = 300

/** The kernel's own memory in MiB, without what it can give back. */
async function kernelMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8')
  const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return (kib('SUnreclaim') + kib('Percpu') + kib('VmallocUsed')) / 1024
}

async function connects({ client }: Pair): Promise<boolean> {
  const args = ['-z', '-w', '1', SERVER[4], '22']
  return (await exec(client, 'nc', args)).code === 0
}

interface Door {
  readonly knock: () => Promise<void>
  readonly close: () => Promise<unknown>
  /** How full the fullest set is. */
  readonly fill: () => Promise<string>
}

async function run({ name, flood, knock, spec }: Scenario): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const pair = stack.use(await createPair())
  const listener = start(pair.server, 'nc', ['-k', '-l', SERVER[4], '22'], { stdio: 'ignore' })
  stack.defer(() => void listener.kill('SIGTERM'))
  const door = await openDoor(pair, { knock, spec, isPeer: name === 'knockd' }, stack)
  const before = await kernelMemory()
  let let_in = 0
  let memory = 0
  let fill = ''
  {
    await using _flood = await beginFlood(pair, { ...flood, packets: PACKETS })
    // Until all sources have come once.
    await sleep(Math.max(2000, flood.sources / 100))
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await door.knock()
      await sleep(OPENING)
      if (await connects(pair)) let_in += 1
      await door.close()
    }
    memory = (await kernelMemory()) - before
  }
  fill = await door.fill()
  const sources = flood.sources.toLocaleString('en')
  const more = `${memory.toFixed(0)} MiB of kernel memory${fill}`
  console.log(`${name}, ${sources} sources: ${let_in} of ${ATTEMPTS} let in, ${more}`)
}

interface Guard {
  readonly knock: readonly string[] | undefined
  readonly spec: KnockSpec | undefined
  readonly isPeer: boolean
}

async function openDoor(
  pair: Pair,
  { knock: ports, spec, isPeer }: Guard,
  stack: AsyncDisposableStack,
): Promise<Door> {
  const send = async (steps: readonly string[]) => {
    await exec(pair.client, 'knock', ['-d', '50', SERVER[4], ...steps])
  }
  if (isPeer) {
    const daemon = await OPEN_AND_CLOSE.install(pair.server)
    if (daemon) stack.use(daemon)
    const rule = ['-s', '10.77.0.2', '-p', 'tcp', '--dport', '22', '-j', 'ACCEPT']
    const close = () => exec(pair.server, 'iptables', ['-w', '-D', 'INPUT', ...rule])
    return { knock: () => send(ports ?? []), close, fill: async () => '' }
  }
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const secretFile = join(folder, 'key')
  await writeFile(secretFile, randomBytes(32).toString('base64'), { mode: 0o600 })
  const secret = await readFile(secretFile)
  const binary = spec ? NFT : ((await nftVersions()).at(-1)?.path ?? NFT)
  const nft = createNft({ netns: pair.server, binary })
  const knock = await installKnock(spec ?? tokenSpec(secretFile), { nft })
  let sent = 0
  return {
    async knock() {
      if (ports) return send(ports)
      // Each token works once: one of those that are loaded ahead.
      const period = Math.floor(Date.now() / 30_000) + sent++
      const text = `knocklib/1 ssh ${period}`
      const token = createHmac('sha256', secret).update(text).digest('hex').slice(0, 32)
      const script = `printf ${token.replace(/../g, '\\\\x$&')} | nc -u -w0 ${SERVER[4]} 6000`
      await exec(pair.client, 'bash', ['-c', script])
    },
    close: () => knock.door('ssh').close('10.77.0.2'),
    async fill() {
      const [fullest] = (await knock.status()).fill
      return fullest ? `, ${fullest.set} ${fullest.elements} of ${fullest.capacity}` : ''
    },
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
