// Namespaces and ports → listeners with real sockets that greet and answer; connections to them.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { exec, start } from './namespaces.js'

/**
 * Greets with a word, and answers each line with the same word and the line. Answers `?` with the
 * number of connections.
 */
const LISTENER = `
  const [port, word] = process.argv.slice(1)
  const open = new Set()
  require('node:net').createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => {})
    socket.write(word + '\\n')
    socket.on('data', (data) => socket.write(word + ' ' + String(data).trim() + '\\n'))
  }).listen(Number(port), '::', () => console.log('ready'))
  process.stdin.on('end', () => process.exit()).on('data', () => console.log(open.size))`

/** Connects, sends the lines of its stdin, and prints what it receives. */
const CONNECTION = `
  const [host, port, localAddress] = process.argv.slice(1)
  const place = { host, port: Number(port), ...(localAddress && { localAddress }) }
  const socket = require('node:net').connect(place)
  socket.on('data', (data) => console.log(String(data).trim()))
  socket.on('error', (error) => console.log(error.code)).on('end', () => console.log('end'))
  process.stdin.on('end', () => process.exit()).on('data', (line) => socket.write(line))`

/** A program that takes lines and prints lines. */
export class Talk implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #heard: string[] = []
  readonly #lines

  constructor(namespace: string, code: string, args: readonly string[]) {
    const stdio = ['pipe', 'pipe', 'inherit'] as const
    this.#child = start(namespace, process.execPath, ['-e', code, ...args], { stdio: [...stdio] })
    this.#child.stdin?.on('error', () => {})
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    this.#lines.on('line', (line) => this.#heard.push(line))
  }

  /** Returns the next line; `nothing` if none comes in time. */
  async hear(seconds = 8): Promise<string> {
    if (this.#heard.length === 0) {
      const signal = AbortSignal.timeout(seconds * 1000)
      await once(this.#lines, 'line', { signal }).catch(() => {})
    }
    return this.#heard.shift() ?? 'nothing'
  }

  async say(text: string, seconds?: number): Promise<string> {
    this.#child.stdin?.write(`${text}\n`)
    return this.hear(seconds)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end()
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, 'exit')
    }
    this.#lines.close()
  }
}

/** Starts a listener at all addresses of a namespace. */
export async function listen(namespace: string, port: number, word: string): Promise<Talk> {
  const listener = new Talk(namespace, LISTENER, [String(port), word])
  const ready = await listener.hear(10)
  if (ready !== 'ready') throw new Error(`expected ready, got ${ready}`)
  return listener
}

/**
 * Opens a connection and keeps it. Its first line is the listener's word, or what went wrong.
 */
export const dial = (namespace: string, host: string, port: number, source = ''): Talk =>
  new Talk(namespace, CONNECTION, [host, String(port), source])

/** Connects with nc. Returns the listener's word, or `nothing`. */
export async function greeting(
  namespace: string,
  host: string,
  port: number,
  ...options: readonly string[]
): Promise<string> {
  const args = ['-n', '-d', '-w1', ...options, host, String(port)]
  const { stdout } = await exec(namespace, 'nc', args)
  return stdout.trim() || 'nothing'
}
