// Addresses → the connection to the first that answers. Touches the network.
import { connect, type Socket } from 'node:net'
import type { Way } from '../system/packet.js'

export interface Attempts {
  /** Milliseconds for each address. */
  readonly time: number
  /**
   * Milliseconds until the next address is tried beside the one before. Default: 250 (RFC 8305).
   */
  readonly stagger?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A connection and the address at the other end, or what became of all attempts. */
export type FirstAnswer =
  | { readonly verdict: 'open'; readonly socket: Socket; readonly address: string }
  | { readonly verdict: 'refused'; readonly address: string }
  | { readonly verdict: 'filtered' }

const STAGGER = 250

/**
 * Connects to a port at the addresses in their order: the next one is tried when the one before has
 * failed, or when it has not answered soon. The first connection is kept and the others are closed.
 *
 * @throws the signal's reason.
 */
export async function firstAnswer(
  ways: readonly Way[],
  port: number,
  { time, stagger = STAGGER, signal }: Attempts,
): Promise<FirstAnswer> {
  signal?.throwIfAborted()
  const left = [...ways]
  const running = new Set<Socket>()
  return new Promise((resolve, reject) => {
    let refused: string | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const abort = () => settle(() => reject(signal?.reason))
    const settle = (report: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      for (const socket of running) socket.destroy()
      running.clear()
      left.length = 0
      report()
    }
    const next = () => {
      clearTimeout(timer)
      const way = left.shift()
      if (way) {
        attempt(way)
        if (left.length > 0 && Number.isFinite(stagger)) timer = setTimeout(next, stagger)
      } else if (running.size === 0) {
        const none: FirstAnswer = { verdict: 'filtered' }
        settle(() =>
          resolve(refused === undefined ? none : { verdict: 'refused', address: refused }),
        )
      }
    }
    const attempt = (way: Way) => {
      const socket = dial(way, port)
      running.add(socket)
      const limit = setTimeout(() => socket.destroy(), time)
      socket.on('connect', () => {
        clearTimeout(limit)
        for (const event of ['error', 'close']) socket.removeAllListeners(event)
        running.delete(socket)
        settle(() => resolve({ verdict: 'open', socket, address: way.address }))
      })
      socket.on('error', ({ code }: NodeJS.ErrnoException) => {
        if (code === 'ECONNREFUSED') refused ??= way.address
      })
      socket.on('close', () => {
        clearTimeout(limit)
        if (running.delete(socket)) next()
      })
    }
    signal?.addEventListener('abort', abort)
    next()
  })
}

/** Each side ends for itself: what one has still to send is not cut off by the other's end. */
const dial = ({ address: host, source }: Way, port: number): Socket =>
  connect({
    ...{ host, port, autoSelectFamily: false, allowHalfOpen: true, noDelay: true },
    ...(source !== undefined && { localAddress: source }),
  })
