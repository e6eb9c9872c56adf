// A spec → a server with doors and a service that greets, and a client, in namespaces.
import { createNft, installKnock, type Knock, type KnockSpec } from '../../lib/index.js'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { createPair, exec, NFT, type Output, type Pair, SERVER } from '../machine/namespaces.js'
import { type Program, startProgram } from '../machine/programs.js'

/** The service's port. */
export const PORT = 2222
const GREETING = 'hello'

export const FAMILIES: readonly Family[] = [4, 6]

/** Returns a spec of one door before the service. */
export const doorOf = (steps: readonly unknown[], parts: object = {}): KnockSpec => ({
  doors: [
    {
      name: 'service',
      service: `tcp/${PORT}`,
      knock: { type: 'sequence', steps: steps as string[], stepTimeout: '20s' },
      open: { for: '60s' },
      ...parts,
    },
  ],
})

/** Starts a TCP service in a namespace. It ends with its stdin, so it cannot outlive us. */
export async function startService(namespace: string, port = PORT): Promise<Program> {
  const code = `
    process.stdin.on('end', () => process.exit()).resume()
    require('node:net')
      .createServer((socket) => socket.on('error', () => {}).end('${GREETING}'))
      .listen(${port}, '::', () => console.log('ready'))`
  return startProgram(namespace, ['-e', code])
}

/** A pair of namespaces. The server has a spec's table and the service. */
export class ServiceSetup implements AsyncDisposable {
  readonly pair: Pair
  readonly knock: Knock
  readonly #parts: AsyncDisposable[]

  private constructor(pair: Pair, knock: Knock, service: AsyncDisposable) {
    this.pair = pair
    this.knock = knock
    this.#parts = [service, pair]
  }

  static async open(spec: KnockSpec, binary: string = NFT): Promise<ServiceSetup> {
    const pair = await createPair()
    try {
      const nft = createNft({ binary, netns: pair.server })
      const knock = await installKnock(spec, { nft })
      return new ServiceSetup(pair, knock, await startService(pair.server))
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Runs a program at the client. */
  run(file: string, ...args: readonly string[]): Promise<Output> {
    return exec(this.pair.client, file, args)
  }

  /** Connects from the client. Resolves with true if the service answers. */
  async answers(family: Family): Promise<boolean> {
    const { stdout } = await this.run('nc', '-n', '-w1', SERVER[family], String(PORT))
    return stdout === GREETING
  }

  /** Returns the counters of the first door. */
  async counters() {
    const [counters] = Object.values(await this.knock.counters())
    if (!counters) throw new Error('no door')
    return counters
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts) await part[Symbol.asyncDispose]()
  }
}
