// The server of metrics: one path, one listing at a time, errors that say what is wrong.
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import { METRICS_TYPE } from './metrics.js'
import { type ListenAddress, parseListenAddress, serveMetrics } from './metrics-server.js'

const LOOPBACK = { address: '127.0.0.1', port: 0 }

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

async function ask(
  { address: host, port }: ListenAddress,
  path = '/metrics',
  method = 'GET',
): Promise<Answer> {
  const sent = request({ host, port, path, method, agent: false }).end()
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const part of response.setEncoding('utf8')) text += part
  return { status: response.statusCode, headers: response.headers, text }
}

t.test('the address to listen at is read', async (t) => {
  const right: Record<string, [string, number]> = {
    '127.0.0.1:9477': ['127.0.0.1', 9477],
    '0.0.0.0:1': ['0.0.0.0', 1],
    '[::1]:9477': ['::1', 9477],
    '[::]:65535': ['::', 65535],
    ':9477': ['127.0.0.1', 9477],
    '9477': ['127.0.0.1', 9477],
    '127.0.0.1:0': ['127.0.0.1', 0],
  }
  for (const [text, [address, port]] of Object.entries(right)) {
    t.strictSame(parseListenAddress(text), { address, port }, text)
  }
  const wrong = ['', '127.0.0.1', '::1:9477', '[::1]', 'localhost:9477', '127.0.0.1:65536']
  for (const text of [...wrong, '127.1:9477', '[127.0.0.1]:1', '[fe80::1%eth0]:1', '1:-1', ' 1']) {
    const message =
      'serve: expected an address and a port such as 127.0.0.1:9477 or [::1]:9477, ' +
      `got ${JSON.stringify(text)}`
    t.throws(() => parseListenAddress(text, 'serve'), { code: 'invalid-argument', message })
  }
})

t.test('only GET /metrics is served', async (t) => {
  await using server = await serveMetrics(LOOPBACK, async () => '# EOF\n')
  t.ok(server.port > 0)
  const { status, headers, text } = await ask(server)
  t.same({ status, text }, { status: 200, text: '# EOF\n' })
  t.match(headers, { 'content-type': METRICS_TYPE, connection: 'close', 'content-length': '6' })
  t.equal((await ask(server, '/metrics?x=1')).status, 200)
  t.match(await ask(server, '/metrics', 'HEAD'), { status: 200, text: '' })
  for (const path of ['/', '/metrics/', '/metricsx', '//metrics']) {
    t.match(
      await ask(server, path),
      { status: 404, text: 'not found; only /metrics is served\n' },
      path,
    )
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    t.match(await ask(server, '/metrics', method), { status: 405, headers: { allow: 'GET, HEAD' } })
  }
})

t.test('requests at the same time are served by one call', async (t) => {
  let calls = 0
  let goOn = () => {}
  const isLetGo = new Promise<void>((resolve) => {
    goOn = resolve
  })
  await using server = await serveMetrics(LOOPBACK, async () => {
    calls += 1
    await isLetGo
    return `${calls}\n`
  })
  const answers = Promise.all(Array.from({ length: 20 }, () => ask(server)))
  // These come after those: by then all wait for the same text.
  await Promise.all(Array.from({ length: 5 }, () => ask(server, '/')))
  goOn()
  t.strictSame([...new Set((await answers).map(({ text }) => text))], ['1\n'])
  t.equal(calls, 1)
})

t.test('a failure is reported, and the next request tries again', async (t) => {
  let calls = 0
  await using server = await serveMetrics(LOOPBACK, async () => {
    calls += 1
    if (calls === 1) throw new Error('status: table inet knock: not there')
    return 'well\n'
  })
  t.match(await ask(server), { status: 503, text: 'status: table inet knock: not there\n' })
  t.match(await ask(server), { status: 200, text: 'well\n' })
})

t.test('an address that is in use or not local is reported', async (t) => {
  await using server = await serveMetrics(LOOPBACK, async () => '')
  const { address, port } = server
  const render = async () => ''
  await t.rejects(serveMetrics({ address, port }, render), {
    code: 'invalid-argument',
    message: `serveMetrics: 127.0.0.1:${port}: another process listens there already`,
  })
  await t.rejects(serveMetrics({ address: '192.0.2.1', port }, render), {
    message: `serveMetrics: 192.0.2.1:${port}: this host has no such address`,
  })
})

t.test('closing ends open requests', async (t) => {
  const server = await serveMetrics(LOOPBACK, () => new Promise(() => {}))
  const idle = connect(server.port, server.address)
  const waiting = connect(server.port, server.address)
  await Promise.all([once(idle, 'connect'), once(waiting, 'connect')])
  waiting.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n')
  const ends = [idle, waiting].map((socket) => {
    socket.on('error', () => {})
    return once(socket.resume(), 'close')
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.close()
  await Promise.all(ends)
  t.pass('closed')
})

t.test('idle connections keep nobody out', async (t) => {
  await using server = await serveMetrics({ address: '127.0.0.1', port: 0 }, async () => 'x 1\n')
  const hold = (localAddress: string) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, localAddress })
    socket.on('error', () => {})
    return socket
  }
  const scrape = async (localAddress: string) => {
    const socket = hold(localAddress)
    socket.end('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
    let text = ''
    for await (const part of socket) text += part
    return text
  }
  const patient = hold('127.0.0.3')
  await once(patient, 'connect')
  const held = Array.from({ length: 80 }, () => hold('127.0.0.2'))
  t.teardown(() => [patient, ...held].forEach((socket) => void socket.destroy()))
  await Promise.all(held.map((socket) => once(socket, 'connect')))
  t.match(await scrape('127.0.0.1'), /^HTTP\/1\.1 200 .*x 1/s)
  t.match(
    await scrape('127.0.0.2'),
    /^HTTP\/1\.1 200 .*x 1/s,
    'a client of the same address is served',
  )
  t.notOk(
    patient.destroyed || patient.readableEnded,
    'the connection of another address stays open',
  )
})
