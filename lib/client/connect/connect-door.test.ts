// A profile whose door is a service on loopback → connections: which knock, which wait, which fail.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type ConnectDoorOptions, type ConnectWait, connectDoor } from './connect-door.js'

const HOST = '127.0.0.1'

/** A service, and a knock port that counts its datagrams. */
async function place(t: Test) {
  const runtime = process.env['XDG_RUNTIME_DIR']
  process.env['XDG_RUNTIME_DIR'] = t.testdir({})
  t.teardown(() => {
    if (runtime === undefined) delete process.env['XDG_RUNTIME_DIR']
    else process.env['XDG_RUNTIME_DIR'] = runtime
  })
  const server = createServer((socket) => socket.on('error', () => {}).end('hello'))
  server.listen(0, HOST)
  await once(server, 'listening')
  const knocks = createSocket('udp4').bind(0, HOST)
  await once(knocks, 'listening')
  let count = 0
  knocks.on('message', () => {
    count += 1
  })
  t.teardown(() => {
    server.close()
    knocks.close()
  })
  /** Counts the knocks, when those on their way have come. */
  const counted = async () => {
    await sleep(50)
    return count
  }
  const { port } = server.address() as AddressInfo
  const steps = [`udp/${knocks.address().port}`]
  const connect = async (part: object, options: ConnectDoorOptions = {}) => {
    const socket = await connectDoor(HOST, { steps, port, ...part }, options)
    socket.end()
    socket.resume()
    await once(socket, 'close')
  }
  return { server, port, udp: knocks.address().port, connect, count: counted }
}

t.test('many connections at once share a knock, and later ones its grant', async (t) => {
  const { connect, count } = await place(t)
  await Promise.all(Array.from({ length: 5 }, () => connect({ for: '1h' })))
  await connect({ for: '1h' })
  t.equal(await count(), 1)
})

t.test('a connection knocks again if the end of the grant is unknown', async (t) => {
  const { connect, count } = await place(t)
  await connect({})
  // One that begins in the same millisecond counts as one that waited for it.
  await sleep(20)
  await connect({})
  t.equal(await count(), 2)
})

t.test('each connection knocks for itself if the door counts connections', async (t) => {
  const { connect, count } = await place(t)
  await Promise.all(Array.from({ length: 3 }, () => connect({ for: '1h', connections: 1 })))
  t.equal(await count(), 3)
})

t.test('a token is sent once a period', async (t) => {
  const { connect, count, udp } = await place(t)
  const token = { door: 'ssh', port: `udp/${udp}`, secret: 'sixteen bytes or more', period: '1d' }
  const waits: ConnectWait[] = []
  await connect({ steps: undefined, token, connections: 1 })
  const signal = AbortSignal.timeout(300)
  const again = connect(
    { steps: undefined, token, connections: 1 },
    { signal, onWait: (wait) => waits.push(wait) },
  )
  await t.rejects(again, { name: 'TimeoutError' })
  t.match(waits, [{ reason: 'period' }])
  t.equal(await count(), 1)
})

t.test('all waiting connections learn that nothing listens', async (t) => {
  const { connect, server, count, port } = await place(t)
  server.close()
  const message = `connectDoor: ${HOST} port ${port}: refused: nothing listens there after 1 knock`
  const results = await Promise.allSettled([connect({}), connect({}), connect({})])
  t.ok(results.every(({ status }) => status === 'rejected'))
  const reasons = results.map((result) => (result as PromiseRejectedResult).reason)
  t.ok(reasons.every(({ code }) => code === 'refused'))
  t.ok(reasons.some((reason) => reason.message === message))
  const knocks = await count()
  t.ok(knocks <= 2, `${knocks} knocks`)
})

t.test('the profile needs a port and a time', async (t) => {
  const { connect, count } = await place(t)
  await t.rejects(connect({ port: undefined }), { code: 'invalid-argument', message: /port/ })
  await t.rejects(connect({}, { within: 'soon' }), { code: 'invalid-argument', message: /within/ })
  t.equal(await count(), 0)
})
