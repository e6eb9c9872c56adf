// Bans in the kernel: what counts as a strike, what a banned source can still do, and how a ban
// ends.
import { chmod } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, NFT, SERVER, sweep } from '../machine/namespaces.js'
import { testOldAndNew, versionsOrSkip } from '../machine/nft-versions.js'
import { greeting, listen } from '../machine/sockets.js'
import { Ground, host } from '../setups/ground.js'

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

onEach('a ban, from its first strike to its end', async (t, binary) => {
  await using ground = await Ground.open(specOf(sequence()), binary)
  const { client, server } = ground.pair
  await using _service = await listen(server, PORT, 'hello')
  for (const family of FAMILIES) {
    const [me, other] = [CLIENT[family], host(1, family)]
    const before = await ground.bans()
    await ground.send(me, ...RIGHT)
    t.equal(await greeting(client, SERVER[family], PORT), 'hello', `IPv${family}`)
    await ground.send(me, ...times(2, WRONG))
    t.same((await ground.bans()).sources, [], 'two strikes')
    await ground.send(me, ...WRONG)
    t.same(await ground.bans(), { ...before, sources: [me], bans: before.bans + 1 }, 'three')
    t.equal(await greeting(client, SERVER[family], PORT), 'hello', 'the grant stays')
    await ground.knock.door('service').close(me)
    await ground.send(me, ...RIGHT, 'tcp/5000', 'udp/5001', 'tcp/22')
    t.same(await ground.granted(), [], 'its knocks are ignored')
    t.equal((await ground.bans()).ignored, before.ignored + 3, 'these three')
    await ground.send(other, ...RIGHT)
    t.same(await ground.granted(), [other], 'those of others are not')
    t.equal(await greeting(client, SERVER[family], PORT), 'nothing')
    while ((await ground.bans()).sources.length > 0) await sleep(200)
    await sleep(300)
    await ground.send(me, ...RIGHT)
    t.equal(await greeting(client, SERVER[family], PORT), 'hello', 'when the ban is over')
    await ground.send(me, ...times(2, WRONG))
    t.same((await ground.bans()).sources, [], 'its strikes from before are forgotten')
    await ground.knock.door('service').close(me)
    await ground.knock.door('service').close(other)
  }
})

onEach('strikes are forgotten', async (t, binary) => {
  await using ground = await Ground.open(specOf(sequence(), { within: 4, for: 60 }), binary)
  for (const family of FAMILIES) {
    const [me, late] = [host(1, family), host(2, family)]
    await ground.send(me, ...times(2, WRONG), ...RIGHT, ...times(2, WRONG))
    t.same((await ground.bans()).sources, [], `IPv${family}: by a right knock`)
    await ground.send(me, ...WRONG)
    t.same((await ground.bans()).sources, [me], 'and count again from there')
    await ground.knock.uninstall()
    await ground.install(specOf(sequence(), { within: 4, for: 60 }))
    await ground.send(late, ...WRONG)
    await sleep(2500)
    await ground.send(late, ...WRONG)
    await sleep(2000)
    await ground.send(late, ...WRONG)
    t.same((await ground.bans()).sources, [], 'when the first is too long ago')
    await ground.send(late, ...times(2, WRONG))
    t.same((await ground.bans()).sources, [late])
    await ground.knock.uninstall()
    await ground.install(specOf(sequence(), { within: 4, for: 60 }))
  }
})

onEach('nobody is banned by what others can forge without a knock port', async (t, binary) => {
  const once = { after: 1, within: 1, for: 60 }
  const rate = { type: 'rate', port: 'tcp/7000', hits: 2, min: 5, max: 10 }
  await using ground = await Ground.open(specOf([sequence(), rate], once), binary)
  for (const family of FAMILIES) {
    const me = host(1, family)
    const before = await ground.counters()
    await ground.send(me, 'udp/7000', 'tcp/5000', 'udp/7000', 'tcp/7001', 'udp/5000')
    await ground.send(me, ...times(2, ['tcp/7000']), `tcp/${PORT}`)
    const { resets } = await ground.counters()
    t.equal(resets, before.resets + 3, `IPv${family}: attempts end, and too soon is paid for`)
    t.same((await ground.bans()).sources, [], 'and are no strikes')
    await ground.send(me, ...RIGHT)
    t.same(await ground.granted(), [me], 'the right knock opens')
    await ground.knock.door('service').close(me)
  }
})

onEach('the first strike bans', async (t, binary) => {
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
    await using ground = await Ground.open(specOf(knock, once), binary)
    for (const family of FAMILIES) {
      const source = host(1, family)
      await ground.send(source, ...strike(source).slice(0, -1))
      t.notOk((await ground.bans()).sources.includes(source), `${what}, IPv${family}: not yet`)
      await ground.knock.door('service').close(source)
      await ground.send(source, ...strike(source).slice(-1))
      t.ok((await ground.bans()).sources.includes(source), `${what}: banned`)
      const before = await ground.counters()
      await ground.send(source, ...strike(source), `tcp/${PORT}`)
      const { knocks, grants, denied } = await ground.counters()
      const isAtService = strike(source).at(-1) === `tcp/${PORT}`
      t.same({ knocks, grants }, { knocks: before.knocks, grants: before.grants }, 'ignored')
      t.equal(denied - before.denied, isAtService ? 0 : 1, 'the service is as shut as ever')
    }
  }
})

onEach('echo requests', async (t, binary) => {
  const steps = [{ protocol: 'icmp', length: 40 }, 'udp/7001', 'udp/7002']
  await using ground = await Ground.open(specOf(sequence({ steps }), { after: 1 }), binary)
  const { client } = ground.pair
  for (const family of FAMILIES) {
    const me = CLIENT[family]
    const ping = async (length: number) => {
      const args = [`-${family}`, '-c1', '-W0.3', '-n', '-s', String(length), SERVER[family]]
      return (await exec(client, 'ping', args)).code === 0
    }
    t.equal(await ping(40), false, `IPv${family}: a step is not answered`)
    await ground.send(me, 'udp/7002')
    t.same((await ground.bans()).sources, [me])
    const { ignored } = await ground.bans()
    t.equal(await ping(40), false, 'nor is it that of a banned source')
    t.equal((await ground.bans()).ignored, ignored + 1)
    t.equal(await ping(41), true, 'what is no step passes')
    while ((await ground.bans()).sources.length > 0) await sleep(200)
  }
})

onEach('a full set of bans', async (t, binary) => {
  // A knock with a used sequence leaves no attempt, so only the set of bans fills.
  const oneTime = [['udp/7000'], ['udp/7001']]
  const knock = { type: 'sequence', oneTime, reset: 'never' }
  await using ground = await Ground.open(
    specOf(knock, { after: 1, for: 60 }, { capacity: 2 }),
    binary,
  )
  await ground.send(host(8), 'udp/7000')
  const sources = [1, 2, 3, 4].map((number) => host(number))
  for (const source of sources) await ground.send(source, 'udp/7000')
  t.same((await ground.bans()).sources, sources.slice(0, 2), 'for more banned sources')
  await ground.send(host(9), 'udp/7001')
  t.ok((await ground.granted()).includes(host(9)), 'a right knock opens all the same')
})

t.test('wrong tokens', { skip, buffered: true }, async (t) => {
  const secretFile = `${t.testdir({ secret: 'a secret of more than sixteen bytes\n' })}/secret`
  await chmod(secretFile, 0o600)
  const knock = {
    type: 'token',
    port: 'udp/7000',
    period: 60,
    horizon: '1h',
    users: [{ name: 'ann', secretFile }],
  }
  await using ground = await Ground.open(specOf(knock, { for: 60 }), versions.at(-1)?.path ?? NFT)
  for (const family of FAMILIES) {
    const source = host(1, family)
    const before = (await ground.counters()).wrong
    await ground.send(source, ...times(2, ['udp/7000']))
    t.notOk((await ground.bans()).sources.includes(source))
    await ground.send(source, ...times(100, ['udp/7000']))
    t.ok((await ground.bans()).sources.includes(source), `IPv${family}: banned`)
    t.equal((await ground.counters()).wrong, before + 3, 'from then on they are not even judged')
  }
  t.match(await ground.bans(), { bans: 2, ignored: 198, repeated: 0, unlogged: 0 })
})
