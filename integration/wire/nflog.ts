// An NFLOG group of a namespace → its messages, read by a program that shares no code with
// knocklib.
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { start } from '../machine/namespaces.js'

const SCRIPT = fileURLToPath(new URL('nflog.pl', import.meta.url))

export class NflogReader implements AsyncDisposable {
  readonly #process
  readonly #lines: Interface
  /** The messages so far, each as its source and prefix. */
  readonly heard: string[] = []

  private constructor(namespace: string, group: number) {
    this.#process = start(namespace, 'perl', [SCRIPT, String(group)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream })
  }

  static async open(namespace: string, group: number): Promise<NflogReader> {
    const reader = new NflogReader(namespace, group)
    await new Promise<void>((resolve, reject) => {
      reader.#process.once('close', (code) => reject(new Error(`nflog.pl ended with ${code}`)))
      reader.#lines.on('line', (line) => {
        if (line === 'ready') resolve()
        else reader.heard.push(textOf(line))
      })
    })
    return reader
  }

  /** Waits until `count` messages have come, at most `seconds`, and then shortly for more. */
  async hear(count: number, seconds = 5): Promise<readonly string[]> {
    const end = performance.now() + seconds * 1000
    while (this.heard.length < count && performance.now() < end) await sleep(20)
    await sleep(200)
    return this.heard
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end()
    if (this.#process.exitCode === null) {
      await new Promise((resolve) => this.#process.once('close', resolve))
    }
  }
}

function textOf(line: string): string {
  const [prefix = '', payload = ''] = line.split('\t')
  return `${sourceOf(Buffer.from(payload, 'hex'))} ${prefix}`
}

/** Reads a packet's source (RFC 791, 8200) as canonical text, which URLs have, too. */
function sourceOf(packet: Buffer): string {
  if (packet.readUInt8(0) >> 4 === 4) return packet.subarray(12, 16).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => packet.readUInt16BE(8 + 2 * i).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
