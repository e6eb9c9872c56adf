// Doors at other hooks than input: before a host behind the gateway, before the host's own
// redirections, before everything.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { createInner, GATEWAY, INNER, INSIDE } from '../machine/inner.js'
import { apply, CABLE, CLIENT, exec, NFT, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { dial, greeting, listen, Talk } from '../machine/sockets.js'
import { Ground, host } from '../scene/ground.js'
import { frameOf } from '../wire/frames.js'
import { inPieces, TRICKS } from '../wire/pieces.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc', 'sysctl', 'hping3')
if (!skip) sweep()

const FAMILIES = [4, 6] as const
const PORT = 2222
const STEPS = ['udp/7000', 'tcp/7001', 'icmp']

const specOf = (
  hook: string,
  interfaces: readonly string[],
  open: object = {},
  parts: object = {},
) => ({
  hook,
  ...(interfaces.length > 0 && { interfaces }),
  doors: [
    {
      name: 'service',
      service: `tcp/${PORT}`,
      knock: { type: 'sequence', steps: STEPS, stepTimeout: '20s' },
      open: { for: '60s', ...open },
      ...parts,
    },
  ],
})

function onEach(name: string, run: (t: Test, binary: string) => Promise<void>): void {
  const chosen = skip ? [{ version: '', path: NFT }] : [versions[0], versions.at(-1)]
  for (const one of chosen) {
    t.test(`${name}, nft ${one?.version}`, { skip, buffered: true }, (t) =>
      run(t, one?.path ?? NFT),
    )
  }
}

t.jobs = 4

onEach('forward: a host behind the gateway', async (t, binary) => {
  for (const parts of [{}, { address: [INNER[4], INNER[6]] }]) {
    const interfaces = 'address' in parts ? [] : [CABLE]
    await using ground = await Ground.open(
      specOf('forward', interfaces, { established: 'cut' }, parts),
      binary,
    )
    const { client, server } = ground.pair
    await using inner = await createInner(ground.pair)
    await using _inner = await listen(inner.namespace, PORT, 'inner')
    await using _own = await listen(server, PORT, 'gateway')
    await using _outside = await listen(client, 3000, 'outside')
    for (const family of FAMILIES) {
      const [there, me] = [INNER[family], CLIENT[family]]
      t.equal(await greeting(client, there, PORT), 'nothing', `IPv${family}: closed before`)
      t.equal(await greeting(client, SERVER[family], PORT), 'gateway', 'its own are not judged')
      t.equal(await greeting(inner.namespace, me, 3000), 'outside', 'the way out is free')
      await ground.send(me, ...STEPS)
      t.same(await ground.granted(), [], 'a knock at the gateway itself is none')
      await ground.sendTo(there, me, ...STEPS)
      t.same(await ground.granted(), [me])
      await using connection = dial(client, there, PORT)
      await using out = dial(inner.namespace, me, 3000)
      t.equal(await connection.hear(), 'inner', 'open after')
      t.equal(await out.hear(), 'outside')
      await ground.knock.door('service').close(me)
      t.equal(await connection.say('a'), 'ECONNRESET', 'cut when it is closed')
      t.equal(await out.say('b'), 'outside b', 'what the host itself began lives on')
    }
  }
})

onEach('prerouting: before the host redirects', async (t, binary) => {
  await using ground = await Ground.open(specOf('prerouting', [CABLE]), binary)
  const { client, server } = ground.pair
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
      `IPv${family}: by the port it was sent to`,
    )
    t.equal(await greeting(client, here, 8022), 'hello', 'the port behind it is no door')
    await ground.send(me, ...STEPS)
    await using connection = dial(client, here, PORT)
    t.equal(await connection.hear(), 'hello')
    await ground.knock.door('service').close(me)
    t.equal(await connection.say('a'), 'hello a', 'established connections live on')
    t.equal(await greeting(server, me, 3000), 'outside', 'answers to the host come in')
    t.equal(await greeting(client, here, PORT), 'nothing')
  }
  // Nothing is known here of connections, so that only what begins one is judged.
  const args = ['-c', '1', '-A', '-p', String(PORT), SERVER[4]]
  const { stdout } = await exec(client, 'hping3', args)
  t.match(stdout, /flags=R/, 'a stray ACK passes, and the host answers it')
  t.match(await ground.counters(), { knocks: 6, grants: 2, resets: 0 })
})

for (const hook of ['prerouting', 'ingress']) {
  onEach(`${hook}: so many connections`, async (t, binary) => {
    await using ground = await Ground.open(specOf(hook, [CABLE], { connections: 2 }), binary)
    const { pair, injector } = ground
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
      await ground.send(source, ...STEPS)
      const syn = (sourcePort: number) =>
        injector.send({ at: 0, source, protocol: 'tcp', port: PORT, sourcePort })
      const before = await arrived()
      for (let i = 0; i < 5; i += 1) syn(500)
      await injector.flush()
      t.equal(
        await arrived(),
        before + 1,
        `IPv${family}: a SYN that is sent again is one connection`,
      )
      t.same(await ground.granted(), [source])
      for (const port of [501, 501, 500, 502, 503]) syn(port)
      await injector.flush()
      t.equal(await arrived(), before + 2, 'two connections, and no third')
      t.same(await ground.granted(), [])
    }
  })
}

onEach('ingress: two devices', async (t, binary) => {
  const spec = specOf('ingress', [CABLE, INSIDE])
  await using ground = await Ground.open(specOf('ingress', [CABLE]), binary)
  const { client, server } = ground.pair
  const list = async () => (await exec(server, binary, ['-s', 'list', 'ruleset'])).stdout
  const before = await list()
  const refused: unknown = await ground.install(spec).catch((error) => error)
  if (refused) {
    t.match(refused, { name: 'NftError', message: new RegExp(INSIDE) }, 'one that is not there')
    t.equal(await list(), before, 'nothing has changed')
  }
  await using inner = await createInner(ground.pair)
  await using _service = await listen(server, PORT, 'hello')
  // Since Linux 6.16 a chain waits for its devices.
  const answer = await greeting(inner.namespace, GATEWAY[4], PORT)
  t.equal(answer, refused ? 'hello' : 'nothing', 'judged there as soon as it was installed')
  if (refused) await ground.install(spec)
  for (const family of FAMILIES) {
    t.equal(await greeting(client, SERVER[family], PORT), 'nothing', `IPv${family}`)
    t.equal(await greeting(inner.namespace, GATEWAY[family], PORT), 'nothing')
    await ground.send(INNER[family], ...STEPS)
    t.equal(await greeting(inner.namespace, GATEWAY[family], PORT), 'hello', 'from either side')
    await ground.send(CLIENT[family], ...STEPS)
    await using connection = dial(client, SERVER[family], PORT)
    t.equal(await connection.hear(), 'hello')
    await ground.knock.door('service').close(CLIENT[family])
    t.equal(await connection.say('a'), 'hello a', 'established connections live on')
  }
  t.match(await ground.counters(), { knocks: 12, grants: 4, resets: 0 })
  await ground.install(spec)
  t.match(await ground.counters(), { knocks: 12 }, 'installed again: nothing changes')
  await exec(server, 'ip', ['link', 'delete', INSIDE])
  t.equal(await greeting(client, SERVER[4], PORT), 'nothing', 'the other device is judged still')
})

/**
 * Answers a datagram's length; each is sent with the same two bytes over and over, which look like
 * a port wherever it is cut.
 */
const RECEIVER = `
  const socket = require('node:dgram').createSocket('udp6')
  socket.on('message', ({ length }) => console.log(length)).bind(4000, () => console.log('ready'))
  process.stdin.on('end', () => process.exit()).resume()`
const SENDER = `
  const [host, length, port] = process.argv.slice(1)
  const bytes = Buffer.alloc(Number(length))
  for (let i = 0; i < bytes.length; i += 2) bytes.writeUInt16BE(Number(port), i)
  const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.send(bytes, 4000, host, () => socket.close())`

for (const hook of ['input', 'prerouting', 'ingress']) {
  onEach(`${hook}: packets in pieces`, async (t, binary) => {
    await using ground = await Ground.open(specOf(hook, [CABLE]), binary)
    const { pair, injector } = ground
    const { client, server } = pair
    await using _service = await listen(server, PORT, 'hello')
    await using receiver = new Talk(server, RECEIVER, [])
    t.equal(await receiver.hear(), 'ready')
    await apply(
      server,
      `table inet answered {
        counter answers { }
        chain out { type filter hook output priority 0; tcp sport ${PORT} tcp flags & 18 == 18 counter name answers; }
      }`,
      binary,
    )
    let sourcePort = 30_000
    /** How many answers the service has for frames made of a SYN's. */
    const answers = async (frames: (syn: Buffer) => Buffer[], family: 4 | 6, length = 0) => {
      sourcePort += 1
      const ends = { source: CLIENT[family], destination: SERVER[family], sourcePort, port: PORT }
      const syn = frameOf({ at: 0, protocol: 'tcp', ...ends, length })
      await exec(server, binary, ['reset', 'counters', 'table', 'inet', 'answered'])
      for (const frame of frames(syn)) injector.sendFrame(frame)
      await injector.flush()
      await sleep(100)
      const list = ['list', 'counters', 'table', 'inet', 'answered']
      const { stdout } = await exec(server, binary, list)
      return Number(/packets (\d+)/.exec(stdout)?.[1])
    }
    const honest = (syn: Buffer) => inPieces(syn, 64)
    for (const family of FAMILIES) {
      const [here, me] = [SERVER[family], CLIENT[family]]
      for (const { name, make } of TRICKS[family]) {
        t.equal(await answers(make, family), 0, `IPv${family}, a stranger: ${name}`)
      }
      t.equal(await answers((syn) => [syn], family), 0, 'whole')
      t.equal(await answers(honest, family, 100), 0, 'with its whole header in the first piece')
      t.equal(await greeting(client, here, PORT), 'nothing')
      const knocks = (await ground.counters()).knocks
      await exec(client, process.execPath, ['-e', SENDER, here, '5000', '7000'])
      t.equal(await receiver.hear(), '5000', 'a long datagram to another port arrives')
      t.equal((await ground.counters()).knocks, knocks, 'and what is in it is no knock')
      await ground.send(me, ...STEPS)
      t.equal(await greeting(client, here, PORT), 'hello', 'open')
      t.equal(
        await answers(honest, family, 100),
        1,
        'also for a SYN in pieces with its whole header',
      )
    }
    await ground.knock.uninstall()
    for (const family of FAMILIES) {
      for (const { name, make } of TRICKS[family]) {
        t.equal(await answers(make, family), 1, `IPv${family}, no door: ${name}`)
      }
    }
  })
}
