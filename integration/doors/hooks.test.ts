// Doors at other hooks than input: before a host behind the gateway, before the host's own
// redirections, at ingress.
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { createInner, GATEWAY, INNER, INSIDE } from '../machine/inner.js'
import { apply, CABLE, CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { testOldAndNew, versionsOrSkip } from '../machine/nft-versions.js'
import { dial, greeting, listen } from '../machine/sockets.js'
import { host, PacketSetup, PORT, STEPS, specAt } from '../setups/packet-setup.js'
import { FAMILIES } from '../setups/service-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc', 'sysctl', 'hping3')
if (!skip) sweep()

const onEach = (name: string, run: (t: Test, binary: string) => Promise<void>) =>
  testOldAndNew(t, { versions, skip }, name, run)

t.jobs = 4

onEach('a door at forward guards a host behind the gateway', async (t, binary) => {
  for (const parts of [{}, { address: [INNER[4], INNER[6]] }]) {
    const interfaces = 'address' in parts ? [] : [CABLE]
    await using setup = await PacketSetup.open(
      specAt('forward', interfaces, { established: 'cut' }, parts),
      binary,
    )
    const { client, server } = setup.pair
    await using inner = await createInner(setup.pair)
    await using _inner = await listen(inner.namespace, PORT, 'inner')
    await using _own = await listen(server, PORT, 'gateway')
    await using _outside = await listen(client, 3000, 'outside')
    for (const family of FAMILIES) {
      const [there, me] = [INNER[family], CLIENT[family]]
      t.equal(await greeting(client, there, PORT), 'nothing', `IPv${family}: closed before`)
      t.equal(
        await greeting(client, SERVER[family], PORT),
        'gateway',
        'packets to the gateway itself are not judged',
      )
      t.equal(
        await greeting(inner.namespace, me, 3000),
        'outside',
        'outgoing connections are not judged',
      )
      await setup.send(me, ...STEPS)
      t.same(await setup.granted(), [], 'packets to the gateway itself are no knock')
      await setup.sendTo(there, me, ...STEPS)
      t.same(await setup.granted(), [me])
      await using connection = dial(client, there, PORT)
      await using out = dial(inner.namespace, me, 3000)
      t.equal(await connection.hear(), 'inner', 'open after')
      t.equal(await out.hear(), 'outside')
      await setup.knock.door('service').close(me)
      t.equal(
        await connection.say('a'),
        'ECONNRESET',
        'the connection ends when its grant is closed',
      )
      t.equal(await out.say('b'), 'outside b', 'an outgoing connection goes on')
    }
  }
})

onEach('a door at prerouting judges packets before they are redirected', async (t, binary) => {
  await using setup = await PacketSetup.open(specAt('prerouting', [CABLE]), binary)
  const { client, server } = setup.pair
  await apply(
    server,
    `table inet own {
      chain nat { type nat hook prerouting priority dstnat; tcp dport ${PORT} redirect to :8022; }
    }`,
    binary,
  )
  await using _service = await listen(server, 8022, 'hello')
  await using _outside = await listen(client, 3000, 'outside')
  for (const family of FAMILIES) {
    const [here, me] = [SERVER[family], CLIENT[family]]
    t.equal(
      await greeting(client, here, PORT),
      'nothing',
      `IPv${family}: the port before the redirect counts`,
    )
    t.equal(await greeting(client, here, 8022), 'hello', 'the port after the redirect has no door')
    await setup.send(me, ...STEPS)
    await using connection = dial(client, here, PORT)
    t.equal(await connection.hear(), 'hello')
    await setup.knock.door('service').close(me)
    t.equal(await connection.say('a'), 'hello a', 'established connections go on')
    t.equal(await greeting(server, me, 3000), 'outside', 'answers to outgoing connections come in')
    t.equal(await greeting(client, here, PORT), 'nothing')
  }
  // Without conntrack only packets that begin a connection are judged.
  const args = ['-c', '1', '-A', '-p', String(PORT), SERVER[4]]
  const { stdout } = await exec(client, 'hping3', args)
  t.match(stdout, /flags=R/, 'an ACK without a connection passes, and the host answers it')
  t.match(await setup.counters(), { knocks: 6, grants: 2, resets: 0 })
})

for (const hook of ['prerouting', 'ingress']) {
  onEach(`${hook}: so many connections`, async (t, binary) => {
    await using setup = await PacketSetup.open(specAt(hook, [CABLE], { connections: 2 }), binary)
    const { pair, injector } = setup
    await apply(
      pair.server,
      `table inet arrived {
        counter syns { }
        chain in { type filter hook input priority 100; tcp dport ${PORT} counter name syns drop; }
      }`,
      binary,
    )
    const arrived = async (): Promise<number> => {
      const { stdout } = await exec(pair.server, binary, [
        'list',
        'counters',
        'table',
        'inet',
        'arrived',
      ])
      return Number(/packets (\d+)/.exec(stdout)?.[1])
    }
    for (const family of FAMILIES) {
      const source = host(1, family)
      await setup.send(source, ...STEPS)
      const syn = (sourcePort: number) =>
        injector.send({ at: 0, source, protocol: 'tcp', port: PORT, sourcePort })
      const before = await arrived()
      for (let i = 0; i < 5; i += 1) syn(500)
      await injector.flush()
      t.equal(await arrived(), before + 1, `IPv${family}: a repeated SYN counts as one connection`)
      t.same(await setup.granted(), [source])
      for (const port of [501, 501, 500, 502, 503]) syn(port)
      await injector.flush()
      t.equal(await arrived(), before + 2, 'two connections pass, and a third does not')
      t.same(await setup.granted(), [])
    }
  })
}

onEach('a door at ingress guards two devices', async (t, binary) => {
  const spec = specAt('ingress', [CABLE, INSIDE])
  await using setup = await PacketSetup.open(specAt('ingress', [CABLE]), binary)
  const { client, server } = setup.pair
  const list = async () => (await exec(server, binary, ['-s', 'list', 'ruleset'])).stdout
  const before = await list()
  const refused: unknown = await setup.install(spec).catch((error) => error)
  if (refused) {
    t.match(
      refused,
      { name: 'NftError', message: new RegExp(INSIDE) },
      'a missing device is refused',
    )
    t.equal(await list(), before, 'nothing has changed')
  }
  await using inner = await createInner(setup.pair)
  await using _service = await listen(server, PORT, 'hello')
  // Since Linux 6.16 a chain may be made before its device exists.
  const answer = await greeting(inner.namespace, GATEWAY[4], PORT)
  t.equal(
    answer,
    refused ? 'hello' : 'nothing',
    'packets of the new device are judged as soon as the door is installed',
  )
  if (refused) await setup.install(spec)
  for (const family of FAMILIES) {
    t.equal(await greeting(client, SERVER[family], PORT), 'nothing', `IPv${family}`)
    t.equal(await greeting(inner.namespace, GATEWAY[family], PORT), 'nothing')
    await setup.send(INNER[family], ...STEPS)
    t.equal(
      await greeting(inner.namespace, GATEWAY[family], PORT),
      'hello',
      'a knock opens from either side',
    )
    await setup.send(CLIENT[family], ...STEPS)
    await using connection = dial(client, SERVER[family], PORT)
    t.equal(await connection.hear(), 'hello')
    await setup.knock.door('service').close(CLIENT[family])
    t.equal(await connection.say('a'), 'hello a', 'established connections go on')
  }
  t.match(await setup.counters(), { knocks: 12, grants: 4, resets: 0 })
  await setup.install(spec)
  t.match(await setup.counters(), { knocks: 12 }, 'a second install changes nothing')
  await exec(server, 'ip', ['link', 'delete', INSIDE])
  t.equal(await greeting(client, SERVER[4], PORT), 'nothing', 'the other device is still judged')
})
