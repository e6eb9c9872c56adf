// Debian's Firefox, driven by Marionette, which geckodriver speaks to it as well: over a socket of
// the namespace, which nc reaches.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { start } from '../machine/namespaces.js'
import { type Browser, type BrowserOptions, makeHome, removeHome } from './browser.js'
import { Calls } from './calls.js'

/** Each namespace has its own loopback, so that two of them do not meet. */
const PORT = 2828
/** Milliseconds until it must listen. */
const PATIENCE = 60_000

export async function startFirefox(options: BrowserOptions): Promise<Browser> {
  const { namespace, width = 390, height = 844, scheme = 'light' } = options
  const home = await makeHome()
  const preferences = {
    'marionette.port': PORT,
    'datareporting.policy.dataSubmissionEnabled': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'services.settings.server': 'http://127.0.0.1:9',
    'browser.shell.checkDefaultBrowser': false,
    'ui.systemUsesDarkTheme': scheme === 'dark' ? 1 : 0,
  }
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  )
  await writeFile(join(home, 'user.js'), lines.join(''))
  const size = ['--width', String(width), '--height', String(height)]
  const args = ['--headless', '--marionette', '--no-remote', '--profile', home, ...size]
  const child = start(namespace, 'firefox-esr', args, {
    stdio: 'ignore',
    env: { ...process.env, HOME: home },
  })
  const firefox = new Firefox(child, await connect(namespace, child), home)
  await firefox.call('WebDriver:NewSession', { acceptInsecureCerts: true })
  return firefox
}

/** Tries until Marionette greets. */
async function connect(namespace: string, browser: ChildProcess): Promise<ChildProcess> {
  const end = Date.now() + PATIENCE
  while (Date.now() < end && browser.exitCode === null) {
    const socket = start(namespace, 'nc', ['127.0.0.1', String(PORT)], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const greeted = once(socket.stdout as NodeJS.ReadableStream, 'data').then(() => true)
    const isThere = await Promise.race([greeted, once(socket, 'exit').then(() => false)])
    if (isThere && socket.exitCode === null) return socket
    await sleep(100)
  }
  throw new Error(`firefox does not listen; it ended with ${browser.exitCode}`)
}

class Firefox implements Browser {
  readonly name = 'Firefox'
  readonly #child: ChildProcess
  readonly #socket: ChildProcess
  readonly #home: string
  readonly #calls = new Calls()
  #rest = Buffer.alloc(0)

  constructor(child: ChildProcess, socket: ChildProcess, home: string) {
    this.#child = child
    this.#socket = socket
    this.#home = home
    socket.stdout?.on('data', (bytes: Buffer) => this.#read(bytes))
    child.on('exit', (code) => this.#calls.fail(new Error(`firefox ended with ${code}`)))
  }

  /** Reads messages, each behind its length in bytes. */
  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    for (;;) {
      const colon = this.#rest.indexOf(':')
      const end = colon + 1 + Number(this.#rest.subarray(0, Math.max(0, colon)).toString())
      if (colon === -1 || this.#rest.length < end) return
      const message = JSON.parse(this.#rest.subarray(colon + 1, end).toString())
      this.#rest = this.#rest.subarray(end)
      if (!Array.isArray(message)) continue
      const [, id, error, result] = message
      this.#calls.answer(id, error?.message, result)
    }
  }

  call(command: string, parameters: object): Promise<unknown> {
    return this.#calls.make((id) => {
      const text = JSON.stringify([0, id, command, parameters])
      this.#socket.stdin?.write(`${Buffer.byteLength(text)}:${text}`)
    })
  }

  async open(url: string): Promise<void> {
    // Only another document is loaded when the fragment alone differs.
    await this.call('WebDriver:Navigate', { url: 'about:blank' })
    await this.call('WebDriver:Navigate', { url })
  }

  async run<Result>(body: string): Promise<Result> {
    const script = `return (async () => { ${body} })()`
    const { value } = (await this.call('WebDriver:ExecuteScript', {
      script,
      args: [],
      sandbox: null,
    })) as { value: Result }
    return value
  }

  async picture(): Promise<Buffer> {
    const { value } = (await this.call('WebDriver:TakeScreenshot', { full: false })) as {
      value: string
    }
    return Buffer.from(value, 'base64')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.call('Marionette:Quit', { flags: ['eForceQuit'] }).catch(() => {})
    await ended
    this.#socket.kill()
    await removeHome(this.#home)
  }
}
