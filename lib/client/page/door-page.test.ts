// A page in a browser that is pretended: what it takes, keeps, sends, and says.
import t, { type Test } from 'tap'
import type { PageElement, Video, Window } from './dom.js'
import { DoorPage } from './door-page.js'

const SECRET = 'sixteen bytes & more'
const SETTINGS = {
  host: 'server.example',
  door: 'ssh',
  addresses: ['203.0.113.9', '2001:db8::9'],
  knockPort: 41234,
  period: 30,
  port: 22,
  lasts: 600,
}
type Listener = (event: { preventDefault(): void }) => unknown

interface Pretended {
  readonly window: Window
  readonly storage: Map<string, string>
  /** The SDP of each check. */
  readonly sent: string[]
  readonly address: { hash: string; href: string }
  at(id: string): PageElement
  /** Lets a listener run to its end. */
  fire(id: string, type: string): Promise<void>
}

interface Options {
  readonly settings?: object
  readonly hash?: string
  readonly kept?: string
  readonly parts?: object
  readonly candidate?: string
}

const KEY = 'knocklib server.example ssh'

function pretend(t: Test, options: Options = {}): Pretended {
  const { settings = {}, hash = '', kept, parts = {}, candidate = 'x' } = options
  const elements = new Map<string, PageElement>()
  const listeners = new Map<string, Listener>()
  const make = (id: string): PageElement & Pick<Video, 'play'> => ({
    textContent: id === 'settings' ? JSON.stringify({ ...SETTINGS, ...settings }) : '',
    ...{ hidden: false, disabled: false, value: '', checked: false, href: '' },
    addEventListener: (type, listen) => listeners.set(`${id} ${type}`, listen),
    focus: () => {},
    play: async () => {},
  })
  const at = (id: string) => {
    const element = elements.get(id) ?? make(id)
    elements.set(id, element)
    return element
  }
  const sent: string[] = []
  class Connection {
    onicecandidate: ((event: object) => void) | null = null
    createDataChannel = () => {}
    createOffer = async () => ({})
    setLocalDescription = async () => this.onicecandidate?.({ candidate: { candidate } })
    setRemoteDescription = async ({ sdp }: { sdp: string }) => sent.push(sdp)
    close = () => {}
  }
  const scope = globalThis as { RTCPeerConnection?: unknown }
  scope.RTCPeerConnection = Connection
  t.teardown(() => {
    delete scope.RTCPeerConnection
  })
  t.intercept(globalThis, 'setInterval', { value: () => 0 })
  const storage = new Map(kept === undefined ? [] : [[KEY, kept]])
  const address = { hash, href: `https://a.example/p${hash}` }
  const window = {
    document: { getElementById: at },
    location: address,
    history: {
      replaceState: (_: null, __: string, url: string) =>
        Object.assign(address, { href: url, hash: '' }),
    },
    crypto: globalThis.crypto,
    RTCPeerConnection: Connection,
    navigator: {},
    localStorage: {
      getItem: (key: string) => storage.get(key) ?? null,
      setItem: (key: string, value: string) => storage.set(key, value),
      removeItem: (key: string) => storage.delete(key),
    },
    addEventListener: (type: string, listen: Listener) => listeners.set(`window ${type}`, listen),
    ...parts,
  } as unknown as Window
  return {
    ...{ window, storage, sent, address, at },
    async fire(id, type) {
      await listeners.get(`${id} ${type}`)?.({ preventDefault: () => {} })
      while (at('knock').disabled) await new Promise((resolve) => setTimeout(resolve, 10))
    },
  }
}

const textOf = ({ at }: Pretended, id = 'status'): string => at(id).textContent ?? ''

t.test('a link with the secret knocks at once, and the address bar hides the secret', async (t) => {
  const browser = pretend(t, { hash: `#secret=${encodeURIComponent(SECRET)}` })
  await new DoorPage(browser.window).start()
  t.equal(browser.address.href, 'https://a.example/p')
  const fragments = browser.sent.map((sdp) => /ice-ufrag:(.*)\r/.exec(sdp)?.[1])
  t.equal(new Set(fragments).size, 2, 'a token is sent for each family')
  for (const fragment of fragments) t.match(fragment, /^[A-Za-z0-9+/]{16}$/)
  t.match(browser.sent.join(), /203\.0\.113\.9 41234 typ host[\s\S]*2001:db8::9 41234 typ host/)
  t.match(textOf(browser), /^Knocked at 203\.0\.113\.9 and 2001:db8::9\. A door gives no answer/)
  t.match(textOf(browser, 'left'), /^Open for (10:00|9:59)$/)
  t.equal(textOf(browser, 'service'), 'Now connect to server.example, port 22.')
  t.ok(browser.at('link').hidden)
  t.equal(browser.storage.size, 0, 'no secret is stored')

  await browser.fire('form', 'submit')
  t.equal(browser.sent.length, 4, 'a second knock works with an empty field')
  t.match(textOf(browser), /same token as before|A door gives no answer/)
})

t.test('a secret is stored, used and forgotten on request', async (t) => {
  const browser = pretend(t)
  await new DoorPage(browser.window).start()
  browser.at('secret').value = ` ${SECRET} `
  browser.at('keep').checked = true
  await browser.fire('form', 'submit')
  t.equal(browser.storage.get(KEY), SECRET)
  t.equal(browser.at('secret').value, '')
  t.equal(browser.at('forget').hidden, false)

  const later = pretend(t, { kept: SECRET, settings: { link: 'https://in.example/' } })
  await new DoorPage(later.window).start()
  t.same(
    [later.sent, later.at('keep').checked],
    [[], true],
    'a stored secret is sent only after the button is pressed',
  )
  await later.fire('form', 'submit')
  t.equal(later.sent.length, 2)
  t.same([later.at('link').href, later.at('service').hidden], ['https://in.example/', true])
  await later.fire('forget', 'click')
  t.equal(later.storage.size, 0)
  t.match(textOf(later), /has forgotten/)
  await later.fire('form', 'submit')
  t.equal(textOf(later), 'Enter the secret.')
})

t.test('another link in the same window is accepted', async (t) => {
  const browser = pretend(t)
  await new DoorPage(browser.window).start()
  Object.assign(browser.address, {
    hash: '#secret=short',
    href: 'https://a.example/p#secret=short',
  })
  await browser.fire('window', 'hashchange')
  t.match(textOf(browser), /too short: a secret has at least 16/)
  t.equal(browser.address.hash, '')
})

t.test('the page reports what the browser cannot do', async (t) => {
  const without = async (parts: object) => {
    const browser = pretend(t, { parts, hash: `#secret=${SECRET}` })
    await new DoorPage(browser.window).start()
    t.same(browser.sent, [])
    return textOf(browser)
  }
  t.match(await without({ RTCPeerConnection: undefined }), /WebRTC is missing or switched off/)
  t.match(await without({ crypto: {} }), /Open this page over https/)
  const shut = pretend(t, { candidate: '', hash: '#secret=0123456789abcdef' })
  await new DoorPage(shut.window).start()
  t.match(textOf(shut), /The knock failed\. Not knocked at .*offers no address to send from/)
  t.equal(shut.at('result').hidden, false, 'the message of the page stays visible')
})

t.test('the page works without storage', async (t) => {
  const browser = pretend(t)
  const window = Object.create(browser.window, {
    localStorage: {
      get() {
        throw new Error('denied')
      },
    },
  }) as Window
  await new DoorPage(window).start()
  t.ok(browser.at('keeping').hidden)
})

t.test('the camera reads the secret', async (t) => {
  const codes = [[], [{ rawValue: `https://a.example/p#secret=${encodeURIComponent(SECRET)}` }]]
  const stopped: string[] = []
  const parts = {
    BarcodeDetector: class {
      detect = async () => codes.shift() ?? []
    },
    navigator: {
      mediaDevices: {
        getUserMedia: async () => ({ getTracks: () => [{ stop: () => stopped.push('track') }] }),
      },
    },
  }
  const browser = pretend(t, { parts })
  await new DoorPage(browser.window).start()
  t.equal(browser.at('scan').hidden, false)
  await browser.fire('scan', 'click')
  t.equal(browser.sent.length, 2)
  t.same(stopped, ['track'])
  t.equal(textOf(browser, 'scan'), 'Read a QR code')

  const seeing = browser.fire('scan', 'click')
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(textOf(browser, 'scan'), 'Stop the camera')
  await browser.fire('scan', 'click')
  await seeing
  t.equal(stopped.length, 2, 'the camera is stopped by hand')

  const refuse = async () => Promise.reject(new Error('Permission denied'))
  const denied = pretend(t, {
    parts: { ...parts, navigator: { mediaDevices: { getUserMedia: refuse } } },
  })
  await new DoorPage(denied.window).start()
  await denied.fire('scan', 'click')
  t.equal(textOf(denied), 'There is no picture from the camera: Permission denied')
})
