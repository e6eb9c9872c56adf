// Debian's Chromium, driven by its DevTools protocol over a pipe.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { start } from '../machine/namespaces.js'
import { type Browser, type BrowserOptions, makeHome, removeHome } from './browser.js'
import { Calls } from './calls.js'

const ARGS = [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  ...['--remote-debugging-pipe', '--ignore-certificate-errors', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

export async function startChromium(options: BrowserOptions): Promise<Browser> {
  const { namespace, width = 390, height = 844, scheme = 'light' } = options
  const home = await makeHome()
  const args = [...ARGS, `--user-data-dir=${home}`, 'about:blank']
  const child = start(namespace, 'chromium', args, {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: home },
  })
  const chromium = new Chromium(child, home)
  const { targetInfos } = (await chromium.call('Target.getTargets', {})) as {
    targetInfos: { targetId: string; type: string }[]
  }
  const targetId = targetInfos.find(({ type }) => type === 'page')?.targetId
  await chromium.attach(targetId)
  const size = { width, height, deviceScaleFactor: 2, mobile: width < 600 }
  await chromium.call('Emulation.setDeviceMetricsOverride', size)
  const features = [{ name: 'prefers-color-scheme', value: scheme }]
  await chromium.call('Emulation.setEmulatedMedia', { features })
  return chromium
}

class Chromium implements Browser {
  readonly name = 'Chromium'
  readonly #child: ChildProcess
  readonly #home: string
  readonly #calls = new Calls()
  readonly #events = new EventTarget()
  #session: string | undefined
  #rest = ''

  constructor(child: ChildProcess, home: string) {
    this.#child = child
    this.#home = home
    const output = child.stdio[4] as Readable
    output.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    child.on('exit', (code) => this.#calls.fail(new Error(`chromium ended with ${code}`)))
    child.on('error', (error) => this.#calls.fail(error))
  }

  #read(text: string): void {
    const messages = `${this.#rest}${text}`.split('\0')
    this.#rest = messages.pop() ?? ''
    for (const message of messages) {
      const { id, method, error, result } = JSON.parse(message)
      if (id === undefined) this.#events.dispatchEvent(new Event(method))
      else this.#calls.answer(id, error?.message, result)
    }
  }

  call(method: string, params: object): Promise<unknown> {
    const input = this.#child.stdio[3] as Writable
    const sessionId = this.#session
    return this.#calls.make((id) => {
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    })
  }

  async attach(targetId: string | undefined): Promise<void> {
    const given = { targetId, flatten: true }
    const { sessionId } = (await this.call('Target.attachToTarget', given)) as {
      sessionId: string
    }
    this.#session = sessionId
    await this.call('Page.enable', {})
  }

  async open(url: string): Promise<void> {
    // Only another document is loaded when the fragment alone differs.
    await this.#navigate('about:blank')
    await this.#navigate(url)
  }

  async #navigate(url: string): Promise<void> {
    const loaded = once(this.#events, 'Page.loadEventFired')
    const { errorText } = (await this.call('Page.navigate', { url })) as { errorText?: string }
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`)
    await loaded
  }

  async run<Result>(body: string): Promise<Result> {
    const { result, exceptionDetails } = (await this.call('Runtime.evaluate', {
      expression: `(async () => { ${body} })()`,
      awaitPromise: true,
      returnByValue: true,
    })) as Evaluated
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    }
    return result.value as Result
  }

  async picture(): Promise<Buffer> {
    const { data } = (await this.call('Page.captureScreenshot', {})) as { data: string }
    return Buffer.from(data, 'base64')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#session = undefined
    this.call('Browser.close', {}).catch(() => {})
    await ended
    await removeHome(this.#home)
  }
}

interface Evaluated {
  readonly result: { readonly value: unknown }
  readonly exceptionDetails?: {
    readonly text: string
    readonly exception?: { readonly description?: string }
  }
}
