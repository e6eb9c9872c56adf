// Fragmented packets before doors at each hook → a fragment that cuts the header opens nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { apply, CABLE, CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { testOldAndNew, versionsOrSkip } from '../machine/nft-versions.js'
import { greeting, listen, Talk } from '../machine/sockets.js'
import { PacketSetup, PORT, STEPS, specAt } from '../setups/packet-setup.js'
import { FAMILIES } from '../setups/service-setup.js'
import { frameOf } from '../wire/frames.js'
import { inPieces, TRICKS } from '../wire/pieces.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc')
if (!skip) sweep()

const onEach = (name: string, run: (t: Test, binary: string) => Promise<void>) =>
  testOldAndNew(t, { versions, skip }, name, run)

t.jobs = 4

/**
 * A program that answers a datagram's length. Datagrams repeat the same two bytes, which look like
 * a port wherever they are cut.
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
    await using setup = await PacketSetup.open(specAt(hook, [CABLE]), binary)
    const { pair, injector } = setup
    const { client, server } = pair
    await using _service = await listen(server, PORT, 'hello')
    await using receiver = new Talk(server, RECEIVER, [])
    t.equal(await receiver.hear(), 'ready')
    await apply(
      server,
      `table inet answered {
        counter answers { }
        chain out {
          type filter hook output priority 0
          tcp sport ${PORT} tcp flags & 18 == 18 counter name answers
        }
      }`,
      binary,
    )
    let sourcePort = 30_000
    /** Sends frames made of a SYN. Returns how often the service answered. */
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
        t.equal(await answers(make, family), 0, `IPv${family}, without a grant: ${name}`)
      }
      t.equal(await answers((syn) => [syn], family), 0, 'a whole SYN gets no answer')
      t.equal(
        await answers(honest, family, 100),
        0,
        'a SYN with its whole header in the first fragment gets no answer',
      )
      t.equal(await greeting(client, here, PORT), 'nothing')
      const knocks = (await setup.counters()).knocks
      await exec(client, process.execPath, ['-e', SENDER, here, '5000', '7000'])
      t.equal(await receiver.hear(), '5000', 'a long datagram to another port arrives')
      t.equal((await setup.counters()).knocks, knocks, 'the contents of the datagram are no knock')
      await setup.send(me, ...STEPS)
      t.equal(await greeting(client, here, PORT), 'hello', 'the service is open')
      t.equal(
        await answers(honest, family, 100),
        1,
        'a SYN with its whole header in the first fragment is answered, too',
      )
    }
    await setup.knock.uninstall()
    for (const family of FAMILIES) {
      for (const { name, make } of TRICKS[family]) {
        t.equal(await answers(make, family), 1, `IPv${family}, without a door: ${name}`)
      }
    }
  })
}
