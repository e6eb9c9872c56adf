// A keeper's socket → the events of its table, one by one. Touches the socket.
import { createConnection, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import type { KnockEvent } from '../view/event.js'
import { requireSafe } from './place.js'

/** Milliseconds in which a keeper that lives says its first word. */
const PATIENCE = 5000

/**
 * Connects to a keeper, and waits until it sends; undefined if there is none, or this process may
 * not ask it.
 */
export async function connectToKeeper(path: string): Promise<Socket | undefined> {
  try {
    await requireSafe(dirname(path))
  } catch {
    return undefined
  }
  return new Promise((resolve) => {
    const socket = createConnection(path)
    const refuse = () => {
      clearTimeout(limit)
      socket.destroy()
      resolve(undefined)
    }
    const limit = setTimeout(refuse, PATIENCE)
    // The kernel connects for a keeper that is not there yet: only its first line says that nothing
    // is missed.
    socket.once('readable', () => {
      // Its end is readable, too.
      if (socket.readableLength === 0) return refuse()
      clearTimeout(limit)
      socket.off('error', refuse).off('close', refuse)
      resolve(socket)
    })
    socket.once('error', refuse).once('close', refuse)
  })
}

/**
 * The events that a keeper sends, until it ends or the signal is aborted. What is not read waits at
 * the keeper.
 */
export async function* receiveEvents(
  socket: Socket,
  signal: AbortSignal,
): AsyncGenerator<KnockEvent, void, undefined> {
  const lines = createInterface({ input: socket })
  const end = () => {
    // Lines end with their input's end, which a socket that is destroyed never has.
    lines.close()
    socket.destroy()
  }
  socket.on('error', end)
  if (signal.aborted) return end()
  signal.addEventListener('abort', end)
  try {
    for await (const line of lines) {
      const event = read(line)
      if (event) yield event
    }
  } catch {
    // The keeper was killed, or the watch ended.
  } finally {
    signal.removeEventListener('abort', end)
    socket.destroy()
  }
}

/** The first line is no event. The last line of a keeper that was killed may be cut. */
function read(line: string): KnockEvent | undefined {
  try {
    const found = JSON.parse(line) as Partial<KnockEvent>
    return found.event === undefined ? undefined : (found as KnockEvent)
  } catch {
    return undefined
  }
}
