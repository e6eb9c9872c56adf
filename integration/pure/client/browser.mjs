// `node --experimental-vm-modules browser.mjs FOLDER VECTOR`: loads the client where there are
// browsers' globals and none of Node's, and prints as JSON what it does.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createContext, SourceTextModule } from 'node:vm'

const [, , folder, given] = process.argv
const { secret, door, period, time } = JSON.parse(given)

/** The answer that the page's connection was given. */
let answer
const globals = {
  ...{ AbortController, AbortSignal, TextDecoder, TextEncoder, URL },
  ...{ clearTimeout, setTimeout, crypto, performance },
}
const context = createContext(globals)
const modules = new Map()

async function link(specifier) {
  if (!specifier.startsWith('./')) throw new Error(`a browser has no ${specifier}`)
  const name = basename(specifier)
  const made = modules.get(name) ?? (await load(name))
  return made
}

async function load(name) {
  const text = readFileSync(join(folder, name), 'utf8')
  const importModuleDynamically = link
  const module = new SourceTextModule(text, { context, importModuleDynamically })
  modules.set(name, module)
  await module.link(link)
  await module.evaluate()
  return module
}

const { connectDoor, loadProfile, sendKnock, tokenAt } = (await load('client.js')).namespace

const failures = {}
async function fail(what, call) {
  failures[what] = await call.then(
    () => 'nothing failed',
    ({ name, code, message }) => `${name} ${code} ${message}`,
  )
}

const HOST = '192.0.2.1'
const token = { door, port: 'udp/6000', period, secret: 'a secret of more than sixteen bytes' }
const stun = { token: { ...token, carrier: 'stun' } }
await fail('without WebRTC', sendKnock(HOST, stun))

globals.RTCPeerConnection = class {
  createDataChannel() {}
  async createOffer() {}
  async setLocalDescription() {
    this.onicecandidate?.({ candidate: { candidate: 'candidate:1' } })
  }
  async setRemoteDescription({ sdp }) {
    answer = sdp
  }
  close() {}
}
const { secret: _, ...open } = token
await fail('a file', loadProfile('profile.json'))
await fail('a secret file', sendKnock(HOST, { token: { ...open, secretFile: 'ana.key' } }))
await fail('a name', sendKnock('server.example', stun))
await fail('a connection', connectDoor(HOST, stun, { port: 22 }))
await fail('steps', sendKnock(HOST, { steps: ['tcp/7000'] }))
await fail('the carrier udp', sendKnock(HOST, { token }))
await sendKnock(HOST, stun)

const bytes = Uint8Array.from(Buffer.from(secret, 'hex'))
const at = new Date(time * 1000)
const { text } = await tokenAt({ door, period, carrier: 'stun' }, { secret: bytes, at })
const loaded = [...modules.keys()]
process.stdout.write(JSON.stringify({ loaded, token: text, failures, answer }))
