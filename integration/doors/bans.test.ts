// Bans in the kernel: what counts as a strike, what a banned source can still do, and how a ban
// ends.
import { chmod } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, NFT, SERVER, sweep } from '../machine/namespaces.js'
import { testOldAndNew, versionsOrSkip } from '../machine/nft-versions.js'
import { greeting, listen } from '../machine/sockets.js'
import { host, PacketSetup } from '../setups/packet-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc', 'ping')
if (!skip) sweep()

const FAMILIES = [4, 6] as const
const PORT = 2222

const specOf = (knock: object, ban: object = {}, guard: object = {}, open: object = {}) => ({
  guard: { ban: { after: 3, within: 20, for: 5, ...ban }, ...guard },
  doors: [{ name: 'service', service: `tcp/${PORT}`, knock, open: { for: '60s', ...open } }],
})
const sequence = (parts: object = {}) => ({
  type: 'sequence',
  steps: ['udp/7000', 'tcp/7001', 'udp/7002'],
  stepTimeout: '20s',
  ...parts,
})
const RIGHT = ['udp/7000', 'tcp/7001', 'udp/7002']
/** A wrong knock. Only a packet to a knock port is a strike. */
const WRONG = ['udp/7000', 'udp/7002']

const times = (count: number, steps: readonly string[]): string[] =>
  Array.from({ length: count }, () => steps).flat()

const onEach = (name: string, run: (t: Test, binary: string) => Promise<void>) =>
  testOldAndNew(t, { versions, skip }, name, run)

t.jobs = 4

onEach('a ban begins after three strikes and ends in time', async (t, binary) => {
  await using setup = await PacketSetup.open(specOf(sequence()), binary)
  const { client, server } = setup.pair
  await using _service = await listen(server, PORT, 'hello')
  for (const family of FAMILIES) {
    const [me, other] = [CLIENT[family], host(1, family)]
    const before = await setup.bans()
    await setup.send(me, ...RIGHT)
    t.equal(await greeting(client, SERVER[family], PORT), 'hello', `IPv${family}`)
    await setup.send(me, ...times(2, WRONG))
    t.same((await setup.bans()).sources, [], 'two strikes do not ban')
    await setup.send(me, ...WRONG)
    t.same(
      await setup.bans(),
      { ...before, sources: [me], bans: before.bans + 1 },
      'the third strike bans',
    )
    t.equal(
      await greeting(client, SERVER[family], PORT),
      'hello',
      'the grant of a banned source stays',
    )
    await setup.knock.door('service').close(me)
    await setup.send(me, ...RIGHT, 'tcp/5000', 'udp/5001', 'tcp/22')
    t.same(await setup.granted(), [], 'the knocks of a banned source are ignored')
    t.equal((await setup.bans()).ignored, before.ignored + 3, 'three knocks were ignored')
    await setup.send(other, ...RIGHT)
    t.same(await setup.granted(), [other], 'the knocks of other sources are not ignored')
    t.equal(await greeting(client, SERVER[family], PORT), 'nothing')
    while ((await setup.bans()).sources.length > 0) await sleep(200)
    await sleep(300)
    await setup.send(me, ...RIGHT)
    t.equal(
      await greeting(client, SERVER[family], PORT),
      'hello',
      'a knock opens again after the ban',
    )
    await setup.send(me, ...times(2, WRONG))
    t.same((await setup.bans()).sources, [], 'earlier strikes are forgotten after the ban')
    await setup.knock.door('service').close(me)
    await setup.knock.door('service').close(other)
  }
})

onEach('strikes are forgotten after a right knock or with time', async (t, binary) => {
  await using setup = await PacketSetup.open(specOf(sequence(), { within: 4, for: 60 }), binary)
  for (const family of FAMILIES) {
    const [me, late] = [host(1, family), host(2, family)]
    await setup.send(me, ...times(2, WRONG), ...RIGHT, ...times(2, WRONG))
    t.same((await setup.bans()).sources, [], `IPv${family}: a right knock clears the strikes`)
    await setup.send(me, ...WRONG)
    t.same((await setup.bans()).sources, [me], 'strikes count again after it')
    await setup.knock.uninstall()
    await setup.install(specOf(sequence(), { within: 4, for: 60 }))
    await setup.send(late, ...WRONG)
    await sleep(2500)
    await setup.send(late, ...WRONG)
    await sleep(2000)
    await setup.send(late, ...WRONG)
    t.same((await setup.bans()).sources, [], 'an old strike does not count')
    await setup.send(late, ...times(2, WRONG))
    t.same((await setup.bans()).sources, [late])
    await setup.knock.uninstall()
    await setup.install(specOf(sequence(), { within: 4, for: 60 }))
  }
})

onEach('packets that others can forge without a knock port are no strikes', async (t, binary) => {
  const once = { after: 1, within: 1, for: 60 }
  const rate = { type: 'rate', port: 'tcp/7000', hits: 2, min: 5, max: 10 }
  await using setup = await PacketSetup.open(specOf([sequence(), rate], once), binary)
  for (const family of FAMILIES) {
    const me = host(1, family)
    const before = await setup.counters()
    await setup.send(me, 'udp/7000', 'tcp/5000', 'udp/7000', 'tcp/7001', 'udp/5000')
    await setup.send(me, ...times(2, ['tcp/7000']), `tcp/${PORT}`)
    const { resets } = await setup.counters()
    t.equal(resets, before.resets + 3, `IPv${family}: wrong packets reset the attempts`)
    t.same((await setup.bans()).sources, [], 'resets are no strikes')
    await setup.send(me, ...RIGHT)
    t.same(await setup.granted(), [me], 'the right knock opens')
    await setup.knock.door('service').close(me)
  }
})

onEach('with after: 1 each kind of wrong knock bans at once', async (t, binary) => {
  const once = { after: 1, within: 1, for: 60 }
  const oneTime = [['udp/7000'], ['udp/7001']]
  const kinds: Record<string, [knock: object, strike: (source: string) => readonly string[]]> = {
    'out of order': [sequence({ reset: 'knock-ports' }), () => ['udp/7000', 'udp/7002']],
    'a one-time sequence again': [
      { type: 'sequence', oneTime, reset: 'never' },
      (source) => times(2, [source.includes(':') ? 'udp/7001' : 'udp/7000']),
    ],
    'too fast': [
      { type: 'rate', port: `tcp/${PORT}`, hits: 2, min: 5, max: 10 },
      () => times(3, [`tcp/${PORT}`]),
    ],
    'too often': [
      { type: 'rate', port: 'tcp/7000', hits: 2, min: 5, max: 10 },
      () => times(3, ['tcp/7000']),
    ],
    'out of rhythm': [
      { type: 'rhythm', port: 'udp/7000', counts: [1, 2], window: 4 },
      () => times(2, ['udp/7000']),
    ],
  }
  for (const [what, [knock, strike]] of Object.entries(kinds)) {
    await using setup = await PacketSetup.open(specOf(knock, once), binary)
    for (const family of FAMILIES) {
      const source = host(1, family)
      await setup.send(source, ...strike(source).slice(0, -1))
      t.notOk(
        (await setup.bans()).sources.includes(source),
        `${what}, IPv${family}: the source is not banned yet`,
      )
      await setup.knock.door('service').close(source)
      await setup.send(source, ...strike(source).slice(-1))
      t.ok((await setup.bans()).sources.includes(source), `${what}: the source is banned`)
      const before = await setup.counters()
      await setup.send(source, ...strike(source), `tcp/${PORT}`)
      const { knocks, grants, denied } = await setup.counters()
      const isAtService = strike(source).at(-1) === `tcp/${PORT}`
      t.same(
        { knocks, grants },
        { knocks: before.knocks, grants: before.grants },
        'knocks of the banned source are ignored',
      )
      t.equal(denied - before.denied, isAtService ? 0 : 1, 'the service stays shut')
    }
  }
})

onEach('a banned source gets no answer to the echo request of a step', async (t, binary) => {
  const steps = [{ protocol: 'icmp', length: 40 }, 'udp/7001', 'udp/7002']
  await using setup = await PacketSetup.open(specOf(sequence({ steps }), { after: 1 }), binary)
  const { client } = setup.pair
  for (const family of FAMILIES) {
    const me = CLIENT[family]
    const ping = async (length: number) => {
      const args = [`-${family}`, '-c1', '-W0.3', '-n', '-s', String(length), SERVER[family]]
      return (await exec(client, 'ping', args)).code === 0
    }
    t.equal(await ping(40), false, `IPv${family}: a step is not answered`)
    await setup.send(me, 'udp/7002')
    t.same((await setup.bans()).sources, [me])
    const { ignored } = await setup.bans()
    t.equal(await ping(40), false, 'the same ping of a banned source is not answered')
    t.equal((await setup.bans()).ignored, ignored + 1)
    t.equal(await ping(41), true, 'another ping is answered')
    while ((await setup.bans()).sources.length > 0) await sleep(200)
  }
})

onEach('a full set of bans takes no further source', async (t, binary) => {
  // A knock with a used sequence leaves no attempt, so only the set of bans fills.
  const oneTime = [['udp/7000'], ['udp/7001']]
  const knock = { type: 'sequence', oneTime, reset: 'never' }
  await using setup = await PacketSetup.open(
    specOf(knock, { after: 1, for: 60 }, { capacity: 2 }),
    binary,
  )
  await setup.send(host(8), 'udp/7000')
  const sources = [1, 2, 3, 4].map((number) => host(number))
  for (const source of sources) await setup.send(source, 'udp/7000')
  t.same(
    (await setup.bans()).sources,
    sources.slice(0, 2),
    'there is no room for more banned sources',
  )
  await setup.send(host(9), 'udp/7001')
  t.ok((await setup.granted()).includes(host(9)), 'a right knock still opens')
})

t.test('wrong tokens ban a source', { skip, buffered: true }, async (t) => {
  const secretFile = `${t.testdir({ secret: 'a secret of more than sixteen bytes\n' })}/secret`
  await chmod(secretFile, 0o600)
  const knock = {
    type: 'token',
    port: 'udp/7000',
    period: 60,
    horizon: '1h',
    users: [{ name: 'ann', secretFile }],
  }
  await using setup = await PacketSetup.open(
    specOf(knock, { for: 60 }),
    versions.at(-1)?.path ?? NFT,
  )
  for (const family of FAMILIES) {
    const source = host(1, family)
    const before = (await setup.counters()).wrong
    await setup.send(source, ...times(2, ['udp/7000']))
    t.notOk((await setup.bans()).sources.includes(source))
    await setup.send(source, ...times(100, ['udp/7000']))
    t.ok((await setup.bans()).sources.includes(source), `IPv${family}: the source is banned`)
    t.equal((await setup.counters()).wrong, before + 3, 'tokens of a banned source are not judged')
  }
  t.match(await setup.bans(), { bans: 2, ignored: 198, repeated: 0, unlogged: 0 })
})
