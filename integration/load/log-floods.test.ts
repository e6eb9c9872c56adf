// A flood of refused packets → what is logged of it, and of other sources meanwhile; and that each
// packet is counted once.
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { CABLE, NFT, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { host, PacketSetup } from '../setups/packet-setup.js'
import { beginFlood, type FloodOptions } from '../wire/generator.js'
import { NflogReader } from '../wire/nflog.js'

const { versions, skip } = await versionsOrSkip()
if (!skip) sweep()

const GROUP = 4712
const RATE = 10
const SECONDS = 3
const TOKEN_PORT = 6000
/** More packets than a flood sends until it is stopped. */
const PACKETS = 1_000_000_000

const OTHERS = [host(1), host(2), host(3), host(4, 6), host(5, 6)]

const folder = t.testdir({ secret: 'a secret of more than sixteen bytes\n' })
const secretFile = join(folder, 'secret')
await chmod(secretFile, 0o600)

interface FloodCase {
  readonly event: 'denied' | 'wrong'
  readonly hook: 'input' | 'prerouting' | 'ingress'
  readonly service: string
  readonly port: number
}

const specOf = ({ event, hook, service }: FloodCase) => ({
  hook,
  log: { group: GROUP, deniedRate: RATE },
  ...(hook === 'ingress' && { interfaces: [CABLE] }),
  doors: [
    {
      name: 'service',
      service,
      ...(hook === 'prerouting' && { address: [SERVER[4], SERVER[6]] }),
      knock:
        event === 'denied'
          ? { type: 'sequence', steps: ['udp/7000', 'tcp/7001'] }
          : {
              type: 'token',
              port: `udp/${TOKEN_PORT}`,
              period: '1h',
              users: [{ name: 'ana', secretFile }],
            },
      open: { for: '60s' },
    },
  ],
})

/** Floods a door for some seconds. After `before` milliseconds each other source sends a packet. */
async function flood(binary: string, flooded: FloodCase, before: number, sources = 1) {
  const { event, port } = flooded
  const protocol: FloodOptions['protocol'] = event === 'denied' ? 'tcp' : 'udp'
  await using setup = await PacketSetup.open(specOf(flooded), binary)
  await using reader = await NflogReader.open(setup.pair.server, GROUP)
  {
    const options = { port, protocol, sources, packets: PACKETS }
    await using _flood = await beginFlood(setup.pair, options)
    await sleep(before)
    for (const source of OTHERS) await setup.send(source, `${protocol}/${port}`)
    await sleep(SECONDS * 1000 - before)
  }
  const heard = await reader.hear(1)
  const { [event]: counted } = await setup.counters()
  return { heard, counted, unlogged: (await setup.bans()).unlogged }
}

async function oneLoudSource(t: Test, binary: string, flooded: FloodCase, before: number) {
  const { heard, counted, unlogged } = await flood(binary, flooded, before)
  const [prefix] = new Set(heard.map((line) => line.replace(/^\S+ /, '')))
  t.match(prefix, `kl knock ${flooded.event} service `)
  const of = (source: string) => heard.filter((line) => line.startsWith(`${source} `)).length
  t.same(OTHERS.map(of), [1, 1, 1, 1, 1], 'each other source is logged')
  const loud = heard.length - OTHERS.length
  t.ok(loud >= 1 && loud <= RATE + 2, `the source that sends many: ${loud}`)
  t.ok(counted > 10_000, `a flood: ${counted}`)
  t.equal(unlogged, counted - heard.length, 'counted once, logged or not')
}

const DENIED: readonly FloodCase[] = [
  { event: 'denied', hook: 'input', service: 'tcp/22', port: 22 },
  { event: 'denied', hook: 'prerouting', service: 'tcp', port: 23 },
  { event: 'denied', hook: 'ingress', service: 'tcp', port: 23 },
]
const WRONG: FloodCase = { event: 'wrong', hook: 'input', service: 'tcp/22', port: TOKEN_PORT }

t.test('other sources late in the flood', { skip }, async (t) => {
  for (const flooded of DENIED) await oneLoudSource(t, NFT, flooded, 1500)
})

if (skip) t.test('floods', { skip }, () => {})

for (const { version, path } of versions) {
  const cases = version.startsWith('1.0.') ? DENIED : [...DENIED, WRONG]
  for (const flooded of cases) {
    const { event, hook, service } = flooded
    t.test(`${event} at ${hook}, ${service}, nft ${version}`, { skip }, async (t) => {
      await oneLoudSource(t, path, flooded, 100)
    })
  }
}

t.test('from more sources than are logged, so many a second are, of any', { skip }, async (t) => {
  const [flooded] = DENIED
  const { heard, counted, unlogged } = await flood(NFT, flooded as FloodCase, 1500, 65_536)
  t.ok(heard.length <= 2 * RATE * (SECONDS + 2), `logged: ${heard.length}`)
  t.ok(heard.length >= RATE * SECONDS, 'and not fewer than of one source')
  t.equal(unlogged, counted - heard.length)
})
