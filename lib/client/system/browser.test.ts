// A browser that has WebRTC, as far as a knock needs it → the connection that it is asked for.
import t, { type Test } from 'tap'
import { browserSystem } from './browser.js'

const scope = globalThis as { RTCPeerConnection?: unknown }

/** Puts a WebRTC in place that notes what it is asked; returns the notes. */
function pretend(t: Test, { refuses = false, candidate = 'x' } = {}): string[] {
  const calls: string[] = []
  scope.RTCPeerConnection = class {
    createDataChannel = () => calls.push('channel')
    createOffer = async () => 'offer'
    onicecandidate: ((event: object) => void) | null = null
    async setLocalDescription(offer: unknown) {
      calls.push(`local ${offer}`)
      this.onicecandidate?.({ candidate: { candidate } })
      this.onicecandidate?.({ candidate: null })
    }
    async setRemoteDescription({ sdp }: { sdp: string }) {
      if (refuses) throw new Error('no such description')
      calls.push(sdp)
    }
    close = () => calls.push('closed')
  }
  t.teardown(() => {
    delete scope.RTCPeerConnection
  })
  return calls
}

const step = { protocol: 'udp', port: 6000 } as const
const shot = { step, label: 'udp/6000', fragment: 'abcdefghijklmnop' }

t.test('the token is the ICE user name fragment of a connectivity check', async (t) => {
  const calls = pretend(t)
  const [address] = await browserSystem('here').resolve('2001:db8::1', [4, 6])
  t.same(address, { family: 6, address: '2001:db8::1' })
  if (address) await browserSystem('here').senderTo(address)(shot).over
  t.same(calls.slice(0, 2), ['channel', 'local offer'])
  const lines = calls[2]?.split('\r\n') ?? []
  t.ok(lines.includes('a=ice-ufrag:abcdefghijklmnop'))
  t.ok(lines.includes('a=candidate:1 1 udp 2130706431 2001:db8::1 6000 typ host'))
  t.equal(calls[3], 'closed')
})

t.test('the connection is closed if the browser refuses', async (t) => {
  const calls = pretend(t, { refuses: true })
  const send = browserSystem('here').senderTo({ family: 4, address: '192.0.2.1' })
  await t.rejects(send(shot).over, { message: 'no such description' })
  t.equal(calls.at(-1), 'closed')
})

t.test('a policy that keeps the browser from sending is reported', async (t) => {
  const calls = pretend(t, { candidate: '' })
  const send = browserSystem('here').senderTo({ family: 4, address: '192.0.2.1' })
  const message = /^here: 192\.0\.2\.1: the browser offers no address to send from/
  await t.rejects(send(shot).over, { code: 'not-sent', message })
  t.equal(calls.at(-1), 'closed')
})

t.test('an error names what a browser cannot do', async (t) => {
  const missing = { code: 'missing-capability' }
  t.throws(() => browserSystem('here'), { ...missing, message: /sockets and WebRTC/ })
  pretend(t)
  const system = browserSystem('here')
  const address = { family: 4, address: '192.0.2.1' } as const
  const plain = { step, label: 'udp/6000' }
  await t.rejects(system.senderTo(address)(plain).over, { ...missing, message: /carrier stun/ })
  await t.rejects(system.resolve('server.example', [4]), { ...missing, message: /names/ })
  t.same(await system.resolve('192.0.2.1', [6]), [])
  await t.rejects(system.readDocument('x'), missing)
  await t.rejects(system.readSecret('x', undefined), missing)
  await t.rejects(system.probe(address, 22, 1), missing)
  const read = async () => []
  await t.rejects(system.takeSequence({ path: 'x', door: undefined, read }), missing)
})
