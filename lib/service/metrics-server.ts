// A function that renders OpenMetrics text → an HTTP server that answers GET /metrics with it.
// Listens on one address.
import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { systemClock } from '../clock/clock.js'
import { ArgumentError } from '../errors.js'
import { freshText } from './fresh-text.js'
import { METRICS_TYPE } from './metrics.js'

/** Milliseconds for a request's head, and for a whole request. */
const PATIENCE = 5000
/** The most connections at a time. Prometheus needs one. */
const MOST = 32

export interface ListenAddress {
  readonly address: string
  readonly port: number
}

/** A running server. `close` also ends the requests that are under way. */
export interface MetricsServer extends ListenAddress, AsyncDisposable {
  close(): Promise<void>
}

/**
 * Reads where to listen: `127.0.0.1:9477`, `[::1]:9477`, or only a port, on loopback. Port 0 means
 * any free port.
 *
 * @throws ArgumentError if it is anything else. Names are refused, since one may mean several
 * addresses.
 */
export function parseListenAddress(text: string, operation = 'parseListenAddress'): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]:|([0-9.]+):|:)?(\d{1,5})$/.exec(text)
  const [, six, four, digits] = match ?? []
  const port = Number(digits)
  const address = six ?? four ?? '127.0.0.1'
  const family = six === undefined ? 4 : 6
  if (match && port <= 65535 && isIP(address) === family) return { address, port }
  const expected = 'an address and a port such as 127.0.0.1:9477 or [::1]:9477'
  throw new ArgumentError(`${operation}: expected ${expected}, got ${JSON.stringify(text)}`)
}

/**
 * Serves metrics: GET and HEAD of /metrics, nothing else. Calls `render` once at a time; the text
 * serves all requests within a second. If `render` rejects, the answer is 503 with the error's
 * message. Each connection ends with its answer. With too many connections, the oldest one of the
 * client that has the most is closed, so that no client can keep others out.
 *
 * @throws ArgumentError if it cannot listen there: the address is taken, is not this host's, or is
 * not permitted.
 */
export async function serveMetrics(
  { address, port }: ListenAddress,
  render: () => Promise<string>,
): Promise<MetricsServer> {
  // Imported here: only servers wait until it has loaded.
  const { createServer } = await import('node:http')
  const text = freshText(render, systemClock)
  const server = createServer(
    { requestTimeout: PATIENCE, headersTimeout: PATIENCE, connectionsCheckingInterval: 1000 },
    (request, response) => void answer(request, response, text),
  )
  server.on('connection', makeRoom())
  server.timeout = 2 * PATIENCE
  await listen(server, { address, port })
  const close = async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  const bound = server.address()
  const actual = typeof bound === 'object' && bound ? bound.port : port
  return { address, port: actual, close, [Symbol.asyncDispose]: close }
}

/** Accepts connections. If there are too many, closes one of the client that has the most. */
function makeRoom(): (socket: Socket) => void {
  /** Connections with their client's address, the oldest first. */
  const held = new Map<Socket, string>()
  return (socket) => {
    held.set(socket, socket.remoteAddress ?? '')
    socket.once('close', () => held.delete(socket))
    if (held.size <= MOST) return
    const counts = new Map<string, number>()
    for (const address of held.values()) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    for (const [oldest, address] of held) {
      if (counts.get(address) !== most) continue
      // Now: the `close` event comes later.
      held.delete(oldest)
      oldest.destroy()
      return
    }
  }
}

async function listen(server: Server, { address, port }: ListenAddress): Promise<void> {
  const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  try {
    // Without ipv6Only, `::` would take the port for IPv4 as well.
    server.listen({ host: address, port, ipv6Only: true })
    await once(server, 'listening')
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    throw new ArgumentError(`serveMetrics: ${where}: ${REASONS[code] ?? message}`, { cause })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already',
  EADDRNOTAVAIL: 'this host has no such address',
  EACCES: 'not permitted to listen there; ports from 1024 on need no privilege',
}

async function answer(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  render: () => Promise<string>,
): Promise<void> {
  const end = (status: number, type: string, text: string, headers: object = {}) => {
    const content = { 'content-type': type, 'content-length': Buffer.byteLength(text) }
    response.writeHead(status, { ...content, connection: 'close', ...headers })
    response.end(method === 'HEAD' ? undefined : text)
  }
  const refuse = (status: number, text: string, headers?: object) =>
    end(status, 'text/plain; charset=utf-8', `${text}\n`, headers)
  if (url.replace(/\?.*$/, '') !== '/metrics')
    return refuse(404, 'not found; only /metrics is served')
  if (method !== 'GET' && method !== 'HEAD') {
    return refuse(405, 'expected GET or HEAD', { allow: 'GET, HEAD' })
  }
  try {
    end(200, METRICS_TYPE, await render())
  } catch (error) {
    refuse(503, error instanceof Error ? error.message : String(error))
  }
}
