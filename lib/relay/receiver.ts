// A keeper's socket → the events of its table, one by one.
import { createConnection, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import type { KnockEvent } from '../view/event.js'
import { requireSafe } from './place.js'

/** Milliseconds in which a keeper must send its first line. */
const PATIENCE = 5000

/**
 * Connects to a keeper and waits for its first line. Undefined if there is no keeper, or this
 * process must not connect to it.
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
    // The kernel accepts a connection before the keeper does. Only the first line proves that no
    // event is missed.
    socket.once('readable', () => {
      // The end of the stream is also `readable`.
      if (socket.readableLength === 0) return refuse()
      clearTimeout(limit)
      socket.off('error', refuse).off('close', refuse)
      resolve(socket)
    })
    socket.once('error', refuse).once('close', refuse)
  })
}

/**
 * Yields the events that a keeper sends, until it ends or the signal is aborted. Unread events wait
 * at the keeper.
 */
export async function* receiveEvents(
  socket: Socket,
  signal: AbortSignal,
): AsyncGenerator<KnockEvent, void, undefined> {
  const lines = createInterface({ input: socket })
  const end = () => {
    // A destroyed socket never ends its lines.
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

/** The first line is no event. The last line of a killed keeper may be incomplete. */
function read(line: string): KnockEvent | undefined {
  try {
    const found = JSON.parse(line) as Partial<KnockEvent>
    return found.event === undefined ? undefined : (found as KnockEvent)
  } catch {
    return undefined
  }
}
