// The first address that answers: its connection is kept, the others are closed.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { firstAnswer } from './first-answer.js'

/** All of 127.0.0.0/8 is this machine's; nobody can connect to everyone. */
const [FIRST, SECOND, DEAD] = ['127.0.0.1', '127.0.0.2', '255.255.255.255']
const way = (address: string) => ({ family: 4, address }) as const
const SHORT = { time: 300 }

async function listen(t: Test, host: string, port = 0) {
  const connections: Socket[] = []
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.push(socket.on('error', () => {}))
  })
  server.listen(port, host)
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of connections) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, connections }
}

t.test('the first address in order is used, without a connection to the next', async (t) => {
  const { port, connections } = await listen(t, FIRST)
  const second = await listen(t, SECOND, port)
  const found = await firstAnswer([way(FIRST), way(SECOND)], port, SHORT)
  if (found.verdict !== 'open') return t.fail(found.verdict)
  t.equal(found.address, FIRST)
  t.equal(found.socket.remoteAddress, FIRST)
  found.socket.write('x')
  while (connections.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(second.connections.length, 0)
  found.socket.end()
  const [served] = connections
  if (!served) return t.fail('no connection')
  served.resume()
  await once(served, 'end')
  served.write('late')
  const [data] = await once(found.socket, 'data')
  t.equal(String(data), 'late', 'the end of one direction leaves the other open')
  found.socket.destroy()
})

t.test('the next address is used if the first refuses or cannot be reached', async (t) => {
  const { port } = await listen(t, SECOND)
  for (const before of [FIRST, DEAD]) {
    const began = performance.now()
    const found = await firstAnswer([way(before), way(SECOND)], port, { time: 5000, stagger: 50 })
    t.match(found, { verdict: 'open', address: SECOND })
    t.ok(
      performance.now() - began < 4000,
      'the next address is tried before the time of the first is over',
    )
    if (found.verdict === 'open') found.socket.destroy()
  }
  // One after the other: the second is tried when the first has failed.
  const stagger = Number.POSITIVE_INFINITY
  const found = await firstAnswer([way(DEAD), way(SECOND)], port, { ...SHORT, stagger })
  t.match(found, { verdict: 'open', address: SECOND })
  if (found.verdict === 'open') found.socket.destroy()
})

t.test('an error has the result of each address', async (t) => {
  const { port } = await listen(t, SECOND)
  t.same(await firstAnswer([way(FIRST)], port, SHORT), { verdict: 'refused', address: FIRST })
  t.same(await firstAnswer([way(DEAD), way(FIRST)], port, SHORT), {
    ...{ verdict: 'refused', address: FIRST },
  })
  t.same(await firstAnswer([way(DEAD)], port, SHORT), { verdict: 'filtered' })
  t.same(await firstAnswer([], port, SHORT), { verdict: 'filtered' })
})

t.test('the connection comes from the given source', async (t) => {
  const { port } = await listen(t, FIRST)
  const found = await firstAnswer([{ ...way(FIRST), source: '127.0.0.3' }], port, SHORT)
  if (found.verdict !== 'open') return t.fail(found.verdict)
  t.equal(found.socket.localAddress, '127.0.0.3')
  found.socket.destroy()
})

t.test('an abort ends it with the reason of the abort', async (t) => {
  const stop = new AbortController()
  const { signal } = stop
  const waits = firstAnswer([way(DEAD)], 9, { time: 60_000, signal })
  const reason = new Error('enough')
  stop.abort(reason)
  await t.rejects(waits, reason)
  await t.rejects(firstAnswer([way(DEAD)], 9, { time: 60_000, signal }), reason)
})
