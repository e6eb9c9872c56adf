// Packets with their times → frames from the client's end of the veth pair, each at its time.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Packet } from '../../lib/simulate/packet.js'
import { CABLE, SERVER, start } from '../machine/namespaces.js'
import { frameOf } from './frames.js'

const SCRIPT = fileURLToPath(new URL('inject.pl', import.meta.url))

/** Returns the seconds of the monotonic clock. */
export const now = (): number => performance.now() / 1000

/** Sends packets from inside a namespace, through one process that keeps running. */
export class Injector implements AsyncDisposable {
  readonly #process
  readonly #closed: Promise<unknown[]>
  #errors = ''
  #written = 0
  #sent = 0

  constructor(client: string) {
    this.#process = start(client, 'perl', [SCRIPT], { stdio: 'pipe' })
    this.#closed = once(this.#process, 'close')
    this.#process.stdin?.on('error', () => {})
    this.#process.stdout?.on('data', (bytes: Buffer) => {
      this.#sent += bytes.filter((byte) => byte === 0x0a).length
    })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
  }

  /** Sends a packet at once, to its destination or else to the server's first address. */
  send(packet: Packet): void {
    const destination = packet.destination ?? SERVER[packet.source.includes(':') ? 6 : 4]
    this.sendFrame(frameOf({ ...packet, destination }), packet.interface)
  }

  /** Sends a frame at once and unchanged, by the client's interface of that name. */
  sendFrame(frame: Buffer, cable: string = CABLE): void {
    this.#process.stdin?.write(`${cable} ${frame.toString('hex')}\n`)
    this.#written += 1
  }

  /** Waits until all packets have been sent. */
  async flush(): Promise<void> {
    while (this.#sent < this.#written) {
      if (this.#process.exitCode !== null) throw new Error(`inject.pl: ${this.#errors}`)
      await sleep(1)
    }
  }

  /**
   * Sends each packet at its time after `start`, which is a time of `now()`.
   * Returns the longest delay of a packet in seconds.
   */
  async play(packets: readonly Packet[], start: number): Promise<number> {
    let latest = 0
    for (const packet of packets) {
      const wait = start + packet.at - now()
      if (wait > 0) await sleep(wait * 1000)
      this.send(packet)
      latest = Math.max(latest, now() - (start + packet.at))
    }
    await this.flush()
    return latest
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end()
    await this.#closed
  }
}
