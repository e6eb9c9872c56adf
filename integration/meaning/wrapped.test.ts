// One packet in about 300 wrappings, at each hook → none passes a closed door, and each that passes
// without a table passes an open one.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { missing } from '../machine/capabilities.js'
import { createInner, INNER } from '../machine/inner.js'
import { apply, CABLE, CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { listen, Talk } from '../machine/sockets.js'
import { PacketSetup } from '../setups/packet-setup.js'
import { frameOf } from '../wire/frames.js'
import { WRAPPINGS } from '../wire/wraps.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc', 'sysctl')
if (!skip) sweep()

const FAMILIES = [4, 6] as const
const PROTOCOLS = ['tcp', 'udp'] as const
const PORT = 2222
/** A port without a door. When it answers, all earlier packets have been handled. */
const LAST = 4001

const specOf = (hook: string) => ({
  hook,
  interfaces: [CABLE],
  doors: [
    {
      name: 'service',
      service: [`tcp/${PORT}`, `udp/${PORT}`],
      knock: { type: 'sequence', steps: ['udp/7000', 'tcp/7001'] },
      open: { for: '600s' },
    },
  ],
})

/** A program that answers each datagram. */
const ECHO = `
  const { createSocket } = require('node:dgram')
  for (const port of [${PORT}, ${LAST}]) {
    const socket = createSocket('udp6')
    socket.on('message', (bytes, { port, address }) => socket.send('echo', port, address))
    socket.bind(port, () => console.log('ready'))
  }
  process.stdin.on('end', () => process.exit()).resume()`

const CONNTRACK = `table inet tracking {
  chain in { type filter hook input priority 0; ct state established accept; }
  chain forward { type filter hook forward priority 0; ct state established accept; }
}`
/** A table that keeps packets from conntrack, before that reassembles fragments. */
const NOTRACK = `table inet untracked {
  chain in { type filter hook prerouting priority -450; notrack; }
}`
const SIDES = { 'no conntrack': '', conntrack: CONNTRACK, notrack: NOTRACK } as const

/** A table with the ports to which the services answered, by SYN-ACKs or datagrams. */
const ANSWERED = `table inet answered {
  set ports { type inet_service; size 65535; flags dynamic, timeout; timeout 1h; }
  chain out {
    type filter hook postrouting priority 300
    udp sport { ${PORT}, ${LAST} } update @ports { udp dport }
    tcp sport ${PORT} tcp flags & 18 == 18 update @ports { tcp dport }
  }
}`

t.jobs = 4

/** Which nft installs at each hook: the oldest at some, the newest at others. */
const HOOKS = { input: 0, forward: -1, prerouting: -1, ingress: 0 } as const

for (const [hook, which] of skip ? [] : Object.entries(HOOKS)) {
  const { version, path: binary } = versions.at(which) as (typeof versions)[number]
  t.test(`${hook}, nft ${version}`, { buffered: true }, async (t) => {
    await using setup = await PacketSetup.open(specOf(hook), binary)
    const { injector, pair } = setup
    const { server } = pair
    await using inner = await createInner(pair)
    const host = hook === 'forward' ? inner.namespace : server
    const target = hook === 'forward' ? INNER : SERVER
    await using _service = await listen(host, PORT, 'hello')
    await using echo = new Talk(host, ECHO, [])
    t.equal(await echo.hear(), 'ready')
    t.equal(await echo.hear(), 'ready')
    await apply(server, ANSWERED, binary)
    let sourcePort = 10_000

    const answered = async (): Promise<Set<number>> => {
      const set = ['list', 'set', 'inet', 'answered', 'ports']
      const { stdout } = await exec(server, binary, ['-j', ...set])
      const [
        ,
        {
          set: { elem = [] },
        } = { set: {} },
      ] = JSON.parse(stdout).nftables
      return new Set(elem.map(({ elem }: { elem: { val: number } }) => elem.val))
    }
    /** Sends a datagram to `LAST` and waits for its answer. Returns the ports answered so far. */
    const settle = async () => {
      sourcePort += 1
      const own = sourcePort
      const ends = { source: CLIENT[4], destination: target[4], sourcePort: own, port: LAST }
      injector.sendFrame(frameOf({ at: 0, protocol: 'udp', length: 8, ...ends }))
      await injector.flush()
      for (let tries = 0; tries < 200; tries += 1) {
        const ports = await answered()
        if (ports.has(own)) return ports
        await sleep(20)
      }
      throw new Error('nothing is answered any more')
    }
    /** Sends all wrappings. Returns the names of those that a service answered. */
    const through = async (): Promise<string[]> => {
      const sent = new Map<number, string>()
      for (const family of FAMILIES) {
        for (const protocol of PROTOCOLS) {
          for (const { name, make } of WRAPPINGS[family]) {
            sourcePort += 1
            sent.set(sourcePort, `IPv${family} ${protocol} ${name}`)
            const ends = { source: CLIENT[family], destination: target[family] }
            const length = protocol === 'udp' ? 24 : 0
            const packet = { at: 0, protocol, ...ends, sourcePort, port: PORT, length }
            for (const frame of make(frameOf(packet))) injector.sendFrame(frame)
          }
        }
      }
      // The first datagram follows all frames, the second follows all answers of the process.
      await settle()
      const ports = await settle()
      return [...sent].filter(([port]) => ports.has(port)).map(([, name]) => name)
    }

    const isStateful = hook === 'input' || hook === 'forward'
    for (const [side, table] of Object.entries(SIDES)) {
      if (isStateful && !table) continue
      if (table) await apply(server, table, binary)
      await setup.install(specOf(hook))
      t.same(await through(), [], `${side}: no wrapping passes a closed door`)
      for (const family of FAMILIES) await setup.knock.door('service').open(CLIENT[family])
      const open = await through()
      await setup.knock.uninstall()
      const free = await through()
      t.ok(free.length > 100, `${side}: ${free.length} wrappings work without a table`)
      if (isStateful) t.same(open, free, `${side}: every wrapping that works passes an open door`)
      else {
        const hidden = free.filter((name) => !open.includes(name))
        t.ok(open.length > 60, `${side}: ${open.length} of them pass an open door`)
        t.same(
          open.filter((name) => !free.includes(name)),
          [],
          'no wrapping passes that does not work without a table',
        )
        t.ok(
          hidden.every((name) => /after|\\||options|piece|route/.test(name)),
          `${hidden}`,
        )
      }
      const name = /inet (\w+)/.exec(table)?.[1]
      if (name) await exec(server, binary, ['delete', 'table', 'inet', name])
    }
  })
}
