// Knocks sent over loopback: one packet for each step, the pause between them, and what is refused.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { sendKnock } from './send.js'

const addresses = Object.values(networkInterfaces()).flatMap((all = []) =>
  all.map(({ address }) => address),
)

/** A UDP port on loopback, and the sizes of what comes to it. */
async function listen(t: Test, family: 4 | 6): Promise<{ port: number; sizes: number[] }> {
  const socket: Socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  const sizes: number[] = []
  socket.on('message', (message) => sizes.push(message.length))
  socket.bind(0, family === 6 ? '::1' : '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { port: socket.address().port, sizes }
}

for (const [family, host] of [
  [4, '127.0.0.1'],
  [6, '::1'],
] as const) {
  t.test(
    `a datagram for each step, of its length, over IPv${family}`,
    { skip: !addresses.includes(host) },
    async (t) => {
      const { port, sizes } = await listen(t, family)
      const steps = [`udp/${port}`, `${port}:udp`, { protocol: 'udp', port, length: 33 } as const]
      await sendKnock(host, { steps }, { gap: 20 })
      while (sizes.length < 3) await sleep(5)
      await sleep(50)
      t.same(sizes, [0, 0, 33])
    },
  )
}

t.test('each tcp step opens a connection to an open port', async (t) => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on('error', () => {}).resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  await sendKnock('127.0.0.1', { steps: [port, `tcp/${port}`] }, { gap: '10ms', family: 4 })
  while (connections < 2) await sleep(5)
  await sleep(50)
  t.equal(connections, 2)
})

t.test('the addresses of a profile replace those of its host', async (t) => {
  const { port, sizes } = await listen(t, 4)
  const steps = [`udp/${port}`]
  const profile = { host: 'nowhere.invalid', addresses: ['127.0.0.1'], steps }
  t.match(await sendKnock(undefined, profile), {
    host: 'nowhere.invalid',
    addresses: ['127.0.0.1'],
  })
  while (sizes.length < 1) await sleep(5)
  const message = 'sendKnock: nowhere.invalid: no IPv6 address'
  await t.rejects(sendKnock(undefined, profile, { family: 6 }), { code: 'not-sent', message })
  // A host that the caller names has addresses of its own.
  t.match(await sendKnock('127.0.0.1', { ...profile, addresses: ['::1'] }), {
    addresses: ['127.0.0.1'],
  })
})

t.test('a closed port is no error', async () => {
  await sendKnock('127.0.0.1', { steps: ['tcp/1', 'udp/1'] }, { gap: 0 })
})

t.test('the pause between packets is kept', async (t) => {
  const began = performance.now()
  await sendKnock('127.0.0.1', { steps: ['udp/1', 'udp/1', 'udp/1'] }, { gap: '150ms' })
  t.ok(performance.now() - began >= 290)
})

t.test('an abort stops sending with the reason of the abort', async (t) => {
  const { port, sizes } = await listen(t, 4)
  const steps = [`udp/${port}`, `udp/${port}`]
  const signal = AbortSignal.timeout(200)
  const error = await sendKnock('127.0.0.1', { steps }, { gap: '1s', signal }).catch((e) => e)
  t.equal(error, signal.reason)
  const reason = new Error('enough')
  const aborted = sendKnock('127.0.0.1', { steps }, { signal: AbortSignal.abort(reason) })
  await t.rejects(aborted, reason)
  t.equal(sizes.length, 1)
})

t.test('wrong arguments are refused before a packet is sent', async (t) => {
  const { port, sizes } = await listen(t, 4)
  const first = `udp/${port}`
  const send = (steps: readonly string[], options = {}) =>
    sendKnock('127.0.0.1', { steps }, options)
  await t.rejects(send([first, 'tcp/0']), { code: 'invalid-argument' })
  await t.rejects(send([]), { code: 'invalid-argument' })
  await t.rejects(send([first, 'tcp/0', 'x']), {
    message: /^sendKnock: \/steps\/1: .* got "tcp\/0"\n {2}\/steps\/2: /,
  })
  for (const gap of ['1 s', '1m', '-1s', '1.5s', '', -1, Number.NaN, Infinity, 3_600_001]) {
    await t.rejects(send([first], { gap }), { code: 'invalid-argument' }, String(gap))
  }
  const fin = { protocol: 'tcp', port: 7000, flags: 'fin' } as const
  const flags = sendKnock('127.0.0.1', { steps: [first, fin] })
  await t.rejects(flags, { code: 'missing-capability', message: /hping3 sends such packets/ })
  await t.rejects(send([first, 'icmpv6']), { code: 'not-sent', message: /not an IPv6 address/ })
  await t.rejects(send([first], { family: 6 }), { message: /127\.0\.0\.1: not an IPv6 address/ })
  await t.rejects(sendKnock('::1', { steps: [first] }, { family: 4 }), { code: 'not-sent' })
  const nowhere = sendKnock('no..such', { steps: [first] })
  await t.rejects(nowhere, { code: 'not-sent', message: /no\.\.such: no address found/ })
  await sleep(50)
  t.same(sizes, [])
})

t.test('an icmp step reports a missing ping', async (t) => {
  const path = process.env['PATH']
  t.teardown(() => {
    process.env['PATH'] = path
  })
  process.env['PATH'] = '/nonexistent'
  await t.rejects(sendKnock('127.0.0.1', { steps: ['icmp'] }), {
    code: 'missing-capability',
    message: /install the package iputils-ping/,
  })
})

t.test('a refusal of the network is an error that names the step', async (t) => {
  const steps = [{ protocol: 'udp', port: 9, length: 65507 } as const, 'udp/9']
  await t.rejects(sendKnock('255.255.255.255', { steps }), {
    code: 'not-sent',
    message: /^sendKnock: 255\.255\.255\.255 udp\/9: /,
  })
})
