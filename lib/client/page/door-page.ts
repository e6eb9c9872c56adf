// A page that opens a door, its form and its texts: takes the secret, knocks, and shows for how
// long the door is open.
import { Camera } from './camera.js'
import type { PageElement, Video, Window } from './dom.js'
import { KeptSecret } from './kept-secret.js'
import { type Given, readFragment, readGiven } from './read-secret.js'
import { type SentTokens, sendTokens } from './send-tokens.js'
import type { PageSettings } from './settings.js'
import { clockOf, describeSent, lack, TEXTS, timeLeft } from './texts.js'

/** The ids of the elements that the page has. */
const IDS = [
  ...['form', 'secret', 'hint', 'keep', 'keeping', 'knock', 'scan', 'forget'],
  ...['camera', 'status', 'result', 'left', 'service', 'link', 'clock'],
] as const

type Elements = Readonly<Record<(typeof IDS)[number], PageElement>>

export class DoorPage {
  readonly #window: Window
  readonly #settings: PageSettings
  readonly #at: Elements
  readonly #kept: KeptSecret
  readonly #camera: Camera
  #secret: Uint8Array | undefined
  #isKnocking = false
  #last: SentTokens | undefined
  /** Milliseconds since 1970. */
  #openUntil: number | undefined

  constructor(window: Window) {
    this.#window = window
    const find = (id: string) => window.document.getElementById(id) as PageElement
    this.#at = Object.fromEntries(IDS.map((id) => [id, find(id)])) as Elements
    this.#settings = JSON.parse(find('settings').textContent ?? '')
    this.#kept = new KeptSecret(window, this.#settings)
    this.#camera = new Camera(window, this.#at.camera as Video)
  }

  /** Knocks at once if the link has the secret: then the user came to knock. */
  async start(): Promise<void> {
    const { form, scan, forget, keeping } = this.#at
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#submit()
    })
    scan.addEventListener('click', () => this.#scan())
    forget.addEventListener('click', () => this.#forget())
    this.#window.addEventListener('hashchange', () => this.#takeLink())
    scan.hidden = !this.#camera.isPossible
    keeping.hidden = !this.#kept.isPossible
    setInterval(() => this.#tick(), 1000)
    this.#tick()
    const missing = lack(this.#window)
    if (missing !== undefined) return this.#say(missing)
    await this.#takeKept()
    await this.#takeLink()
  }

  async #takeKept(): Promise<void> {
    const kept = this.#kept.read()
    const given = kept === undefined ? undefined : readGiven(kept, this.#settings)
    if (!given || 'problem' in given) return
    this.#secret = given.secret
    this.#at.keep.checked = true
    this.#at.forget.hidden = false
    this.#hint(TEXTS.kept)
  }

  async #takeLink(): Promise<void> {
    const { location, history } = this.#window
    if (location.hash.length < 2) return
    const { href } = location
    // Out of the address bar, the history and what others see on the screen.
    history.replaceState(null, '', href.slice(0, href.indexOf('#')))
    await this.#use(readFragment(href))
  }

  async #submit(): Promise<void> {
    const { secret } = this.#at
    if (secret.value === '' && this.#secret) return this.#knock(this.#secret)
    await this.#use(readGiven(secret.value, this.#settings))
  }

  async #use(given: Given): Promise<void> {
    if ('problem' in given) {
      this.#say(given.problem)
      this.#at.secret.focus()
      return
    }
    const { keep, secret, forget } = this.#at
    this.#secret = given.secret
    secret.value = ''
    if (keep.checked) {
      this.#kept.keep(given.text)
      forget.hidden = false
    }
    this.#hint(keep.checked ? TEXTS.kept : TEXTS.held)
    await this.#knock(given.secret)
  }

  #forget(): void {
    const { forget, keep, secret } = this.#at
    this.#kept.forget()
    this.#secret = undefined
    forget.hidden = true
    keep.checked = false
    this.#hint(TEXTS.none)
    this.#say(TEXTS.forgotten)
    secret.focus()
  }

  async #scan(): Promise<void> {
    if (this.#camera.isOn) return this.#camera.stop()
    const { scan } = this.#at
    scan.textContent = TEXTS.stopCamera
    try {
      const text = await this.#camera.read()
      if (text !== undefined) await this.#use(readGiven(text, this.#settings))
    } catch (error) {
      this.#say(`There is no picture from the camera: ${(error as Error).message}`)
    } finally {
      scan.textContent = TEXTS.scan
    }
  }

  async #knock(secret: Uint8Array): Promise<void> {
    if (this.#isKnocking) return
    this.#isKnocking = true
    const { knock } = this.#at
    knock.disabled = true
    this.#say(TEXTS.knocking)
    try {
      const now = Date.now()
      const sent = await sendTokens(this.#settings, secret, now)
      this.#say(describeSent(sent, this.#last, Date.now()))
      if (sent.reached.length > 0) this.#opened(sent, now)
    } catch (error) {
      this.#say(`The knock failed: ${(error as Error).message}`)
    } finally {
      this.#isKnocking = false
      knock.disabled = false
      knock.textContent = TEXTS.again
    }
  }

  #opened(sent: SentTokens, at: number): void {
    const { lasts, link, port, host } = this.#settings
    const isNew = sent.period !== this.#last?.period
    this.#last = sent
    if (lasts !== undefined && isNew) this.#openUntil = at + lasts * 1000
    this.#at.result.hidden = false
    if (link !== undefined) {
      this.#at.link.href = link
      this.#at.link.textContent = link
    }
    this.#at.link.hidden = link === undefined
    this.#at.service.hidden = link !== undefined || port === undefined
    this.#at.service.textContent = `Now connect to ${host}, port ${port}.`
    this.#tick()
  }

  #tick(): void {
    const { left, clock } = this.#at
    const now = Date.now()
    clock.textContent = clockOf(now)
    if (this.#openUntil !== undefined) left.textContent = timeLeft(this.#openUntil - now)
  }

  #say(text: string): void {
    this.#at.status.textContent = text
  }

  #hint(text: string): void {
    this.#at.hint.textContent = text
  }
}
