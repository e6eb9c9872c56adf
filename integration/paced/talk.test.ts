// A door that is open as long as its source talks: with connections that conntrack forgets, over
// UDP and TCP, at each hook. The client sends as a VPN does: a packet now and then.
import { text } from 'node:stream/consumers'
import t from 'tap'
import { createNft, installKnock, type KnockSpec } from '../../lib/index.js'
import { CABLE, CLIENT, createPair, exec, SERVER, start, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { type Program, startProgram } from '../machine/programs.js'
import { FAMILIES } from '../setups/service-setup.js'

const { versions, skip } = await versionsOrSkip()
if (!skip) sweep()

/** Seconds: for which doors open, and after which conntrack forgets a connection over UDP. */
const [OPEN, FORGOTTEN] = [12, 3]
const [TALKS, COUNTS] = [5000, 5001]

/** Answers each datagram and each line, at all addresses. */
const SERVER_CODE = `
  process.stdin.on('end', () => process.exit()).resume()
  const { createSocket } = require('node:dgram')
  const { createServer } = require('node:net')
  const ports = [${TALKS}, ${COUNTS}]
  const ready = ports.map((port) => new Promise((resolve) => {
    const socket = createSocket('udp6')
    socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address))
    socket.bind(port, '::', resolve)
  }))
  ready.push(new Promise((resolve) =>
    createServer((socket) => socket.on('error', () => {}).pipe(socket))
      .listen(${TALKS}, '::', resolve)))
  Promise.all(ready).then(() => console.log('ready'))`

/**
 * Talks for longer than the door opens, is silent until conntrack has forgotten, then until the
 * door is shut. Prints what was answered.
 */
const CLIENT_CODE = `
  const [host, open, forgotten] = process.argv.slice(1)
  const { createSocket } = require('node:dgram')
  const { connect } = require('node:net')
  const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const answer = (emitter, event, act) => Promise.race([
    new Promise((resolve) => { emitter.once(event, () => resolve(true)); act() }),
    wait(2).then(() => false)])
  const kind = host.includes(':') ? 'udp6' : 'udp4'
  const sockets = [${TALKS}, ${COUNTS}].map((port) => ({ port, socket: createSocket(kind) }))
  const ask = () => Promise.all(sockets.map(({ port, socket }) =>
    answer(socket, 'message', () => socket.send('x', port, host))))
  const dial = async () => {
    const socket = connect({ host, port: ${TALKS} }).on('error', () => {})
    const isOpen = await answer(socket, 'connect', () => {})
    if (!isOpen) socket.destroy()
    return [socket, isOpen]
  }
  const main = async () => {
    const said = { first: await ask() }
    const [socket, isOpen] = await dial()
    said.connected = isOpen
    for (let second = 0; second < Number(open) + 3; second += 1) {
      await wait(1)
      said.talking = await ask()
      socket.write('x')
    }
    const [again, isStillOpen] = await dial()
    said.another = isStillOpen
    again.destroy()
    socket.destroy()
    await wait(2 * Number(forgotten))
    said.forgotten = await ask()
    await wait(Number(open) + 3)
    said.silent = await ask()
    const [, isOpenForEver] = await dial()
    said.later = isOpenForEver
    console.log(JSON.stringify(said))
    process.exit()
  }
  main()`

const doorOf = (name: string, service: string, refresh: string, parts: object): object => ({
  name,
  service,
  ...parts,
  knock: { type: 'sequence', steps: [`tcp/${service.endsWith('0') ? 7000 : 7001}`] },
  open: { for: OPEN, refresh },
})

const specOf = (place: object, parts: object): KnockSpec =>
  ({
    ...place,
    doors: [
      // Each with a grant of its own: neither renews that of the other.
      doorOf('vpn', `udp/${TALKS}`, 'traffic', parts),
      doorOf('web', `tcp/${TALKS}`, 'traffic', parts),
      doorOf('plain', `udp/${COUNTS}`, 'connections', parts),
    ],
  }) as KnockSpec

const AT_SERVER = { address: [SERVER[4], SERVER[6]] }
const INGRESS = { hook: 'ingress', interfaces: [CABLE] }

/** At each hook by the newest nft, at the usual one by all. */
const PLACES = [
  ...versions.map((nft) => ({ nft, hook: 'input', spec: specOf({}, {}) })),
  ...versions.slice(-1).flatMap((nft) => [
    { nft, hook: 'prerouting', spec: specOf({ hook: 'prerouting' }, AT_SERVER) },
    { nft, hook: 'ingress', spec: specOf(INGRESS, {}) },
  ]),
]

interface Said {
  readonly first: boolean[]
  readonly connected: boolean
  readonly talking: boolean[]
  readonly another: boolean
  readonly forgotten: boolean[]
  readonly silent: boolean[]
  readonly later: boolean
}

t.jobs = PLACES.length

for (const { nft, hook, spec } of PLACES) {
  t.test(`${hook}, nft ${nft.version}`, { skip, buffered: true }, async (t) => {
    await using pair = await createPair()
    const timeouts = ['udp_timeout', 'udp_timeout_stream'].map(
      (name) => `net.netfilter.nf_conntrack_${name}=${FORGOTTEN}`,
    )
    const knock = await installKnock(spec, {
      nft: createNft({ binary: nft.path, netns: pair.server }),
    })
    t.match(await exec(pair.server, 'sysctl', ['-q', '-w', ...timeouts]), { code: 0 })
    await using _service: Program = await startProgram(pair.server, ['-e', SERVER_CODE])
    const talk = async (family: 4 | 6) => {
      for (const door of knock.doors) await door.open(CLIENT[family])
      const args = ['-e', CLIENT_CODE, SERVER[family], String(OPEN), String(FORGOTTEN)]
      const stdio = ['ignore', 'pipe', 'inherit'] as const
      const child = start(pair.client, process.execPath, args, { stdio: [...stdio] })
      const said = JSON.parse(await text(child.stdout as NodeJS.ReadableStream)) as Said
      t.strictSame(said.first, [true, true], `IPv${family}: open`)
      t.ok(said.connected, `IPv${family}: connected`)
      t.ok(said.talking[0], `IPv${family}: it goes on beyond the time of the grant`)
      t.ok(said.another, `IPv${family}: a second connection, since the first one talks`)
      t.ok(said.forgotten[0], `IPv${family}: conntrack has forgotten it, the door has not`)
      // Before conntrack each packet of UDP is a connection of its own.
      const isRenewed = hook !== 'input'
      t.equal(said.forgotten[1], isRenewed, `IPv${family}: the packets of others renew nothing`)
      t.strictSame(said.silent, [false, false], `IPv${family}: shut after the last packet`)
      t.notOk(said.later, `IPv${family}: also for TCP`)
    }
    await Promise.all(FAMILIES.map(talk))
  })
}
