// Specs, profiles and services → a server with doors in one namespace, and a user of the built
// command in another one.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNft, installKnock, type Knock, type KnockSpec } from '../../lib/index.js'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { CLI } from '../machine/built.js'
import {
  createPair,
  exec,
  NFT,
  type Output,
  type Pair,
  SERVER,
  start,
} from '../machine/namespaces.js'
import { startProgram } from '../machine/programs.js'
import { FAMILIES } from '../setups/service-setup.js'

/** The name of the server in the client's file of hosts: it has both addresses. */
export const HOST = 'server.example'

interface ClientSetupOptions {
  /** The server's nft. */
  readonly binary?: string | undefined
  /** The addresses of the server's name. Default: both. */
  readonly families?: readonly Family[]
}

/** Runs a program that sees another /etc/hosts. */
const WITH_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'

/** A server with doors, and a client that has a home folder and the built command. */
export class ClientSetup implements AsyncDisposable {
  readonly pair: Pair
  readonly knock: Knock
  /** Its home. */
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  readonly #started = new Set<ChildProcess>()

  private constructor(pair: Pair, knock: Knock, folder: string) {
    this.pair = pair
    this.knock = knock
    this.folder = folder
    const { FORCE_COLOR: _, ...inherited } = process.env
    this.env = {
      ...inherited,
      HOME: folder,
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      XDG_CONFIG_HOME: join(folder, 'config'),
      XDG_RUNTIME_DIR: join(folder, 'run'),
    }
  }

  /** @param specOf - is given the folder, for paths of secrets. */
  static async open(
    specOf: (folder: string) => KnockSpec,
    { binary = NFT, families = FAMILIES }: ClientSetupOptions = {},
  ): Promise<ClientSetup> {
    const folder = await mkdtemp(join(tmpdir(), 'knl-call-'))
    const pair = await createPair()
    try {
      for (const name of ['bin', 'config/knocklib', 'run']) {
        await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
      }
      await writeFile(join(folder, 'hosts'), hostsOf(families))
      await writeFile(join(folder, 'key'), 'a secret of more than sixteen bytes', { mode: 0o600 })
      const nft = createNft({ binary, netns: pair.server })
      const knock = await installKnock(specOf(folder), { nft })
      const setup = new ClientSetup(pair, knock, folder)
      await setup.program('knocklib', `"${process.execPath}" "${CLI}"`)
      return setup
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Writes a program that the client finds before all others of its name. */
  async program(name: string, line: string): Promise<void> {
    const path = join(this.folder, 'bin', name)
    await writeFile(path, `#!/bin/sh\nexec ${line} "$@"\n`)
    await chmod(path, 0o755)
  }

  /** Writes a profile that the command finds by its name. */
  async profile(name: string, profile: object): Promise<void> {
    const path = join(this.folder, 'config/knocklib', `${name}.yaml`)
    await writeFile(path, JSON.stringify(profile), { mode: 0o600 })
  }

  /** Forgets what connections leave for the next. */
  async forget(): Promise<void> {
    await rm(join(this.folder, 'run/knocklib'), { recursive: true, force: true })
  }

  /** What connections have left. */
  left(): string[] {
    mkdirSync(join(this.folder, 'run/knocklib'), { recursive: true, mode: 0o700 })
    return readdirSync(join(this.folder, 'run/knocklib'))
  }

  /** Runs a program at the client, to its end. */
  run(file: string, ...args: readonly string[]): Promise<Output> {
    const { folder: cwd, env } = this
    return exec(this.pair.client, 'unshare', this.#words(file, args), { cwd, env })
  }

  /** Starts a program at the client, with pipes; it ends with this at the latest. */
  start(file: string, ...args: readonly string[]): ChildProcess {
    const { folder: cwd, env } = this
    const words = this.#words(file, args)
    const child = start(this.pair.client, 'unshare', words, { cwd, env, stdio: 'pipe' })
    this.#started.add(child)
    child.on('close', () => this.#started.delete(child))
    child.stdin?.on('error', () => {})
    return child
  }

  #words(file: string, args: readonly string[]): string[] {
    return ['--mount', 'sh', '-c', WITH_HOSTS, join(this.folder, 'hosts'), file, ...args]
  }

  /** What was counted at the first door. */
  async counters() {
    const [counters] = Object.values(await this.knock.counters())
    if (!counters) throw new Error('no door')
    return counters
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#started) child.kill('SIGKILL')
    await Promise.all([...this.#started].map((child) => once(child, 'close')))
    await this.pair[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}

const hostsOf = (families: readonly Family[]): string =>
  ['127.0.0.1 localhost', '::1 localhost', ...families.map((family) => `${SERVER[family]} ${HOST}`)]
    .map((line) => `${line}\n`)
    .join('')

/** The most memory that a process has had, in MiB. */
export function peakMemory({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

/** Ports of the services, one beside the other. */
export const PORTS = { echo: 2222, digest: 2223, source: 2224, reset: 2225 } as const

/**
 * Each service is a program of Node. `digest` answers the digest of what it was sent, when that has
 * ended; `source` ends its own direction first, and then prints the digest of what it is sent.
 */
const SERVICES = `
  const { createServer } = require('node:net')
  const { createHash } = require('node:crypto')
  process.stdin.on('end', () => process.exit()).resume()
  const digest = (socket, done) => {
    const hash = createHash('sha256')
    socket.on('data', (data) => hash.update(data)).on('end', () => done(hash.digest('hex')))
  }
  const services = {
    ${PORTS.echo}: (socket) => socket.pipe(socket),
    ${PORTS.digest}: (socket) => digest(socket, (text) => socket.end(text)),
    ${PORTS.source}: (socket) => { socket.end('bye'); digest(socket, (text) => console.log(text)) },
    ${PORTS.reset}: (socket) => socket.on('data', () => socket.resetAndDestroy()),
  }
  const listening = Object.entries(services).map(([port, serve]) => new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      serve(socket.on('error', () => {}))
    })
    server.listen(Number(port), '::', resolve)
  }))
  Promise.all(listening).then(() => console.log('ready'))`

export interface Services extends AsyncDisposable {
  /** What the services say next. */
  line(): Promise<string>
}

/** Starts the services in a namespace. */
export async function startServices(namespace: string): Promise<Services> {
  const { child, end } = await startProgram(namespace, ['-e', SERVICES])
  const line = async (): Promise<string> => {
    const [said] = await once(child.stdout as NodeJS.ReadableStream, 'data')
    return String(said).trim()
  }
  return { line, [Symbol.asyncDispose]: end }
}

/** All that a process writes, and how it ends. */
export async function outputOf(child: ChildProcess): Promise<Output & { signal: string | null }> {
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (part: string) => {
      text[stream] += part
    })
  }
  const [code, signal] = await once(child, 'close')
  return { code, signal, ...text }
}
