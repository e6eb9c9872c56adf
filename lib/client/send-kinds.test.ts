// Knocks that are no list of steps, sent over loopback: what comes, and when.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { deriveToken } from '../spec/derive/derive.js'
import { sendKnock } from './send.js'

const HOST = '127.0.0.1'
const AT = { host: HOST, addresses: [HOST] }

interface Arrival {
  readonly hex: string
  readonly at: number
}

async function listen(t: Test): Promise<{ port: number; arrivals: Arrival[] }> {
  const socket = createSocket('udp4')
  const arrivals: Arrival[] = []
  socket.on('message', (message) => {
    arrivals.push({ hex: message.toString('hex'), at: performance.now() })
  })
  socket.bind(0, HOST)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { port: socket.address().port, arrivals }
}

async function writeSecret(t: Test, content: string, mode = 0o600): Promise<string> {
  const file = join(t.testdir({}), 'key')
  await writeFile(file, content)
  await chmod(file, mode)
  return file
}

t.test('a token is sent', async (t) => {
  const { port, arrivals } = await listen(t)
  const secretFile = await writeSecret(t, 'sixteen bytes or more\n')
  const token = { door: 'ssh', port: `udp/${port}`, secretFile, period: '1d' }
  t.same(await sendKnock(HOST, { token }), { ...AT, kind: 'token', packets: 1 })
  while (arrivals.length < 1) await sleep(5)
  const secret = new TextEncoder().encode('sixteen bytes or more')
  t.equal(arrivals[0]?.hex, deriveToken(secret, 'ssh', Math.floor(Date.now() / 86_400_000)))
})

t.test('a secret that others may read is refused', async (t) => {
  const { port, arrivals } = await listen(t)
  const secretFile = await writeSecret(t, 'sixteen bytes or more', 0o640)
  const token = { door: 'ssh', port: `udp/${port}`, secretFile }
  const message = /^sendKnock: .*key: expected a secret that its owner alone can read/
  await t.rejects(sendKnock(HOST, { token }), { code: 'invalid-argument', message })
  await t.rejects(sendKnock(HOST, { token: { ...token, secretFile: '/no/key' } }), {
    code: 'invalid-argument',
  })
  const folder = t.testdir({})
  await chmod(folder, 0o700)
  await t.rejects(sendKnock(HOST, { token: { ...token, secretFile: folder } }), {
    code: 'invalid-argument',
    message: /expected a secret as a file, got a directory/,
  })
  await sleep(50)
  t.same(arrivals, [])
})

t.test('a rotation is sent, and no error has its ports', async (t) => {
  const secretFile = await writeSecret(t, 'sixteen bytes or more')
  const base = { door: 'ssh', secretFile, every: '1d', steps: 3, ports: '20000-60000' }
  const rotate = { ...base, protocol: 'udp' } as const
  const sent = await sendKnock(HOST, { rotate, gap: '1ms' })
  t.same(sent, { ...AT, kind: 'rotate', packets: 3 })
  const error = await sendKnock('255.255.255.255', { rotate }).catch((error) => error)
  t.equal(error.message, 'sendKnock: 255.255.255.255 packet 1 of 3: EACCES')
  t.equal(error.cause, undefined)
})

t.test('a rate is sent, and a connection after it is in time', async (t) => {
  const { port, arrivals } = await listen(t)
  const began = performance.now()
  const rate = { port: `udp/${port}`, hits: 3 }
  t.same(await sendKnock(HOST, { rate }), { ...AT, kind: 'rate', packets: 3 })
  t.ok(performance.now() - began < 500, 'the hits are close together')
  await sendKnock(HOST, { rate: { ...rate, min: 1, max: 2 } })
  const took = performance.now() - (arrivals[3]?.at ?? 0)
  t.ok(took > 1400 && took < 1900, `the wait ends in the middle of the allowed time: ${took}`)
  t.equal(arrivals.length, 6)
})

t.test('a rhythm is sent', async (t) => {
  const { port, arrivals } = await listen(t)
  const rhythm = { port: `udp/${port}`, counts: [2, 3], window: '2s' }
  t.same(await sendKnock(HOST, { rhythm }), { ...AT, kind: 'rhythm', packets: 5 })
  while (arrivals.length < 5) await sleep(5)
  const times = arrivals.map(({ at }) => at - (arrivals[0]?.at ?? 0))
  for (const [index, expected] of [0, 50, 2000, 2050, 2100].entries()) {
    const late = (times[index] ?? 0) - expected
    t.ok(late > -30 && late < 400, `packet ${index} is ${late} ms late`)
  }
})

t.test('an abort ends the wait', async (t) => {
  const signal = AbortSignal.timeout(100)
  const rate = { port: 'udp/9', hits: 1, min: '1h' }
  const error = await sendKnock(HOST, { rate }, { signal }).catch((error) => error)
  t.equal(error, signal.reason)
})
