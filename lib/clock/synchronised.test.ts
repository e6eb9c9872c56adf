// What daemons say of the clock → whether it is synchronised. The daemons are sockets of this test.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readSynchronised } from './synchronised.js'

/** A port of this machine that answers each datagram; without an answer it is silent. */
async function serve(t: Test, answer?: (request: Buffer) => Buffer): Promise<number> {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.on('message', (request, { port }) => {
    if (answer) socket.send(answer(request), port, '127.0.0.1')
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket.address().port
}

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

const nobody = async () => ({ chronyPort: await freePort(), ntpPort: await freePort() })

/** As chronyd 4.3 answers, with a leap status. */
function tracking(leap: number, change = (_: Buffer) => {}): (request: Buffer) => Buffer {
  return (request) => {
    const answer = Buffer.alloc(104)
    answer.set([request.length === 104 ? 6 : 0, 2])
    answer.writeUInt16BE(request.readUInt16BE(4), 4)
    answer.writeUInt16BE(5, 6)
    answer.writeUInt16BE(leap, 54)
    change(answer)
    return answer
  }
}

/** As an NTP server answers, with a leap indicator and a stratum. */
function ntp(leap: number, stratum: number): (request: Buffer) => Buffer {
  return (request) =>
    Buffer.concat(
      [Buffer.of((leap << 6) | (4 << 3) | (request.length === 48 ? 4 : 0), stratum)],
      48,
    )
}

t.test('systemd-timesyncd has a folder, and a file once the clock is right', async (t) => {
  const folder = join(t.testdir({}), 'timesync')
  const places = { folder, ...(await nobody()) }
  t.strictSame(await readSynchronised(places), { synchronised: 'unknown' })
  mkdirSync(folder)
  t.strictSame(await readSynchronised(places), { synchronised: 'no', by: 'systemd-timesyncd' })
  writeFileSync(join(folder, 'synchronized'), '')
  t.strictSame(await readSynchronised(places), { synchronised: 'yes', by: 'systemd-timesyncd' })
})

t.test('chronyd is asked for its leap status', async (t) => {
  const folder = join(t.testdir({}), 'timesync')
  const said = async (answer?: (request: Buffer) => Buffer) => {
    const places = { folder, ...(await nobody()), chronyPort: await serve(t, answer) }
    return readSynchronised(places)
  }
  t.strictSame(await said(tracking(0)), { synchronised: 'yes', by: 'chronyd' })
  t.strictSame(await said(tracking(3)), { synchronised: 'no', by: 'chronyd' })
  const unknown = { synchronised: 'unknown' }
  t.strictSame(await said(tracking(0, (answer) => answer.writeUInt16BE(2, 8))), unknown, 'refused')
  t.strictSame(await said(tracking(0, (answer) => answer.writeUInt8(1, 1))), unknown, 'no reply')
  const short = (request: Buffer) => tracking(0)(request).subarray(0, 60)
  t.strictSame(await said(short), unknown, 'a part of an answer')
  t.strictSame(await said(() => Buffer.alloc(28)), unknown, 'cut off')
  t.strictSame(await said(), unknown, 'no answer')
})

t.test('an NTP server says it in its answer to a client', async (t) => {
  const folder = join(t.testdir({}), 'timesync')
  const said = async (answer: (request: Buffer) => Buffer) => {
    const places = { folder, ...(await nobody()), ntpPort: await serve(t, answer) }
    return readSynchronised(places)
  }
  t.strictSame(await said(ntp(0, 2)), { synchronised: 'yes', by: 'an NTP server' })
  t.strictSame(await said(ntp(3, 0)), { synchronised: 'no', by: 'an NTP server' })
  t.strictSame(await said(ntp(0, 16)), { synchronised: 'no', by: 'an NTP server' })
  t.match(await said(ntp(3, 2)), { synchronised: 'no' }, 'it says so, whatever its stratum')
  t.match(await said(ntp(0, 0)), { synchronised: 'no' }, 'it does not want to be asked')
  t.strictSame(await said(() => Buffer.alloc(3)), { synchronised: 'unknown' })
  const short = (request: Buffer) => ntp(0, 2)(request).subarray(0, 8)
  t.strictSame(await said(short), { synchronised: 'unknown' }, 'a part of an answer')
  t.strictSame(await said((request) => request), { synchronised: 'unknown' }, 'an echo')
})
