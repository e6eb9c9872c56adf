// What the kernel logs to NFLOG, packet by packet → what the simulator says; a rate limits the log
// and nothing else.
import t, { type Test } from 'tap'
import { type Logged, renderPrefix } from '../../lib/automaton/language/log-prefix.js'
import type { Packet } from '../../lib/simulate/packet.js'
import type { Hook, ValidSpec } from '../../lib/spec/model/model.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { CABLE, listTable, NFT, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { type Model, runModel, simulatorOf } from '../replay/models.js'
import { arrivalKey, PlaybackSetup } from '../replay/playback.js'
import { nowSeconds, TOKEN_PORT, TokenSetup, tokenAt } from '../setups/token-setup.js'
import { CORNERS } from '../traces/corners.js'
import { Injector, now } from '../wire/inject.js'
import { NflogReader } from '../wire/nflog.js'

const { versions, skip } = await versionsOrSkip()
if (!skip) sweep()

const GROUP = 4711

type Untimed = Omit<Packet, 'at'> & { readonly at?: number }

/**
 * Plays packets that follow each other at once. Returns what was logged, how much was not, and
 * which packets passed.
 */
async function play(spec: ValidSpec, packets: readonly Untimed[], logged: number, nft = NFT) {
  await using setup = await PlaybackSetup.open(spec, { nft })
  await using reader = await NflogReader.open(setup.pair.server, GROUP)
  const timed = timesOf(packets)
  const { arrivals } = await setup.play(timed, [], { start: now(), margin: 0 })
  const heard = await reader.hear(logged)
  const listing = (await listTable(setup.pair.server, spec.table, nft)) ?? []
  const unlogged = listing.flatMap(({ counter }) => {
    const { name, packets } = (counter ?? {}) as { name?: string; packets?: number }
    return name !== undefined && /^unlogged(_|$)/.test(name) ? [packets ?? 0] : []
  })
  const passed = timed.map((packet) => (arrivals.has(arrivalKey(packet)) ? 'accept' : 'drop'))
  const sum = unlogged.length > 0 ? unlogged.reduce((a, b) => a + b) : undefined
  return { heard, unlogged: sum, passed }
}

const timesOf = (packets: readonly Untimed[]) =>
  packets.map((packet, index) => ({
    destination: SERVER[packet.source.includes(':') ? 6 : 4],
    ...packet,
    at: packet.at ?? index / 500,
  }))

/** Returns the log of the oracle or the simulator in order, each line with its source. */
const linesOf = (spec: ValidSpec, model: Model): string[] =>
  model.logged().map((logged) => `${logged.source} ${renderPrefix(spec.table, logged as Logged)}`)

async function compare(t: Test, spec: ValidSpec, packets: readonly Untimed[], nft?: string) {
  const model = simulatorOf(spec)
  const { verdicts } = runModel(model, timesOf(packets), [])
  const expected = linesOf(spec, model)
  const { heard, unlogged, passed } = await play(spec, packets, expected.length, nft)
  t.same(heard, expected, 'the logged events are the expected ones')
  t.equal(unlogged, 0, 'no event is left out')
  t.same(passed, verdicts, 'the verdicts are the expected ones')
  return expected
}

t.test('the corner cases are logged as documented', { skip }, async (t) => {
  for (const { name, doors, guard, packets } of CORNERS) {
    await t.test(name, async (t) => {
      const log = { group: GROUP, deniedRate: 1000 }
      await compare(t, validateSpec({ doors, log, ...(guard && { guard }) }), packets)
    })
  }
})

const SOURCES = ['10.99.1.1', '10.99.1.2', 'fd00:99::1:3', '10.99.1.4', 'fd00:99::1:5']

const specOf = (log: unknown, hook: Hook = 'input'): ValidSpec =>
  validateSpec({
    table: 'gate',
    hook,
    log,
    ...(hook === 'input' ? {} : { interfaces: [CABLE] }),
    guard: { ban: { after: 2, within: '1m', for: '1m' } },
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: [
          { type: 'sequence', steps: ['tcp/7000', 'udp/8000'], stepTimeout: 30 },
          { type: 'sequence', steps: ['udp/8001', 'udp/8002'], stepTimeout: 30 },
        ],
        close: { type: 'sequence', steps: ['tcp/9000'] },
        open: { for: 60, connections: 1 },
      },
    ],
  })

let port = 20000
const to = (source: string, protocol: 'tcp' | 'udp', to: number): Untimed => {
  port += 1
  return { source, protocol, port: to, sourcePort: port, interface: CABLE }
}

/** Makes packets of a source that cause every event of the door. */
const life = (source: string): Untimed[] => [
  to(source, 'tcp', 22),
  to(source, 'tcp', 7000),
  to(source, 'udp', 8000),
  to(source, 'tcp', 22),
  to(source, 'tcp', 9000),
  to(source, 'tcp', 7000),
  to(source, 'udp', 8001),
  to(source, 'tcp', 7000),
  to(source, 'udp', 8001),
  to(source, 'tcp', 7000),
]

for (const hook of ['input', 'prerouting', 'ingress'] as const) {
  for (const { version, path } of hook === 'input' ? versions : versions.slice(0, 1)) {
    t.test(`each kind of event is logged, hook ${hook}, nft ${version}`, { skip }, async (t) => {
      const spec = specOf({ group: GROUP, deniedRate: 1000 }, hook)
      const logged = await compare(t, spec, SOURCES.flatMap(life), path)
      const kinds = new Set(logged.map((line) => line.split(' ')[3]))
      const all = ['denied', 'knock', 'granted', 'closed', 'reset', 'banned']
      t.same([...kinds].sort(), all.sort())
    })
  }
}

t.test('above the rate only the log differs', { skip }, async (t) => {
  const each = (protocol: 'tcp' | 'udp', number: number) =>
    SOURCES.map((source) => to(source, protocol, number))
  const packets = [
    ...each('tcp', 22),
    ...each('tcp', 7000),
    ...each('udp', 8000),
    ...each('tcp', 22),
  ].map((packet) => ({ ...packet, at: 0 }))
  // The rates allow no second message of a kind during the test.
  const logged = { log: { group: GROUP, rate: 1, deniedRate: 1 } }
  const { heard, unlogged, passed } = await play(specOf(logged.log), packets, 4)
  const kinds = heard.map((line) => line.split(' ')[3])
  t.same(kinds, ['denied', 'knock', 'granted', 'closed'])
  t.equal(unlogged, packets.length - kinds.length)
  const silent = await play(specOf(false), packets, 0)
  t.same(silent, { heard: [], unlogged: undefined, passed }, 'the verdicts are as without a log')
  const [closed, open] = [passed.slice(0, 15), passed.slice(15)]
  t.ok(closed.every((verdict) => verdict === 'drop') && open.every((v) => v === 'accept'))
})

for (const { version, path } of versions.slice(1)) {
  t.test(`more token uses than noted, nft ${version}`, { skip }, async (t) => {
    const token = { period: 60, horizon: '1h' }
    const parts = { log: { group: GROUP } }
    await using setup = await TokenSetup.open({ binary: path, token, parts })
    const { knock, pair } = setup.base
    await using reader = await NflogReader.open(pair.server, GROUP)
    await using injector = new Injector(pair.client)
    // Room is for twice the periods of a grant and 32 more.
    const [at, noted, crowd] = [nowSeconds() + 60, 66, 80]
    const sources = Array.from({ length: crowd }, (_, number) => `10.99.1.${number + 1}`)
    for (const [number, source] of sources.entries()) {
      const family = number % 2 === 0 ? 4 : 6
      const payload = tokenAt(at + 60 * Math.floor(number / 2), 60, undefined, family)
      injector.send({ at: 0, source, protocol: 'udp', port: TOKEN_PORT, payload })
    }
    await injector.flush()
    const expected = sources.map((source) => `${source} kl knock granted service open 1/1 ann`)
    t.same(await reader.hear(crowd), expected, 'each token is logged with its user')
    const [door] = (await knock.status()).doors
    t.equal(door?.grants.length, crowd, 'each source is let in')
    const known = door?.grants.filter((grant) => grant.token?.user === 'ann')
    t.equal(known?.length, noted, 'as many uses are noted as the set holds')
  })
}
