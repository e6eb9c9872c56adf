// Bytes both ways: how each end of a connection and of what it is joined to is passed on.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { pipeConnection } from './pipe.js'

/** Both ends of a connection. */
async function pairOf(t: Test): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  const near = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const [far] = (await accepted) as [Socket]
  far.on('error', () => {})
  t.teardown(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return { near, far }
}

/** Reads to the end, and leaves the other direction open. */
async function textOf(stream: Socket): Promise<string> {
  let text = ''
  stream.on('data', (data) => {
    text += data
  })
  await once(stream, 'end')
  return text
}

/** Pipes a connection; `closed` counts how often the output was closed. */
async function begin(t: Test, output: PassThrough | Writable = new PassThrough()) {
  const { near, far } = await pairOf(t)
  const input = new PassThrough()
  const count = { closed: 0 }
  const closeOutput = () => {
    count.closed += 1
  }
  const over = pipeConnection(near, { input, output, closeOutput })
  return { near, far, input, output, count, over }
}

t.test('the answer is complete if our side ends first', async (t) => {
  const { far, input, output, count, over } = await begin(t)
  input.end('question')
  t.equal(await textOf(far), 'question')
  t.equal(count.closed, 0)
  far.end('answer')
  await over
  t.equal(String((output as PassThrough).read()), 'answer')
  t.equal(count.closed, 1)
})

t.test('our data is complete if the other side ends first', async (t) => {
  const { far, input, output, count, over } = await begin(t)
  far.end('bye')
  const [data] = await once(output, 'data')
  t.equal(String(data), 'bye')
  while (count.closed === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  input.write('more, ')
  input.end('and more')
  t.equal(await textOf(far), 'more, and more')
  await over
  t.equal(count.closed, 1, 'the connection is closed once')
})

t.test('a reset is a failure, and ends both directions', async (t) => {
  const { far, input, over } = await begin(t)
  input.write('x')
  await once(far, 'data')
  far.resetAndDestroy()
  await t.rejects(over, { code: 'ECONNRESET' })
  t.ok(input.destroyed)
})

t.test('an output that nobody reads any more ends the pipe without a failure', async (t) => {
  const fail = (code: string) =>
    new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
    })
  for (const code of ['EPIPE', 'ENOSPC']) {
    const { far, near, over, count } = await begin(t, fail(code))
    far.write('x')
    if (code === 'EPIPE') await over
    else await t.rejects(over, { code }, 'another error is a failure')
    t.ok(near.destroyed)
    t.equal(count.closed, 0)
  }
})

t.test('an input that fails counts as ended', async (t) => {
  const { far, input, over } = await begin(t)
  input.destroy(new Error('gone'))
  t.equal(await textOf(far), '')
  far.end()
  await over
})
