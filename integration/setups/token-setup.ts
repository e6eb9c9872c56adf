// A server with a door that tokens open, and clients that make and send tokens without knocklib.

import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNft, type KnockSpec, type Nft } from '../../lib/index.js'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { apply, CABLE, CLIENT, exec, listTable, SERVER, start } from '../machine/namespaces.js'
import { doorOf, ServiceSetup } from './service-setup.js'

const SEND = fileURLToPath(new URL('send-datagrams.pl', import.meta.url))

export const TOKEN_PORT = 6000
export const SECRET = 'a secret of more than sixteen bytes'
/** Second addresses of the client, used only if a test names them as the source. */
export const OTHERS: Readonly<Record<Family, string>> = { 4: '10.77.0.4', 6: 'fd00:77::4' }

/** Returns a half of the door's HMAC at a time, made as the documentation says: the token. */
export const tokenAt = (
  seconds: number,
  period: number,
  secret = SECRET,
  family: Family = 4,
): string =>
  createHmac('sha256', secret)
    .update(`knocklib/1 service ${Math.floor(seconds / period)}`)
    .digest('hex')
    .slice(family === 4 ? 0 : 32, family === 4 ? 32 : 64)

export const nowSeconds = (): number => Date.now() / 1000

/** The shell command by which a user makes and sends the present token of a family. */
const TYPED = `printf 'knocklib/1 service %s' $(( $(date +%s) / $1 )) |
  openssl dgst -sha256 -hmac "$2" -binary | $5 -c 16 | nc -n -u -q0 "$3" "$4"`

interface TokenSetupOptions {
  readonly binary: string
  /** Parts of the token's knock. `port` is a number. */
  readonly token?: Readonly<Record<string, unknown>> & { readonly port?: number }
  /** Parts of the door, and of the spec. */
  readonly door?: object
  readonly parts?: object
}

/** A `ServiceSetup` whose door tokens open, with files of secrets and senders of tokens. */
export class TokenSetup implements AsyncDisposable {
  readonly base: ServiceSetup
  readonly nft: Nft
  readonly binary: string
  readonly #folder: string
  readonly #options: TokenSetupOptions

  private constructor(base: ServiceSetup, folder: string, options: TokenSetupOptions) {
    this.base = base
    this.binary = options.binary
    this.nft = createNft({ binary: options.binary, netns: base.pair.server })
    this.#folder = folder
    this.#options = options
  }

  static async open(options: TokenSetupOptions): Promise<TokenSetup> {
    const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
    try {
      for (const name of ['secret', 'other']) {
        await writeFile(join(folder, name), `${name === 'secret' ? SECRET : `${SECRET} other`}\n`)
        await chmod(join(folder, name), 0o600)
      }
      const base = await ServiceSetup.open(specOf(folder, options), options.binary)
      const own = new TokenSetup(base, folder, options)
      for (const [family, bits] of [
        [4, 24],
        [6, 64],
      ] as const) {
        const add = ['address', 'add', `${OTHERS[family]}/${bits}`, 'dev', CABLE]
        await exec(base.pair.client, 'ip', [
          ...add,
          ...(family === 6 ? ['nodad', 'preferred_lft', '0'] : []),
        ])
        const neighbour = ['lladdr', CLIENT.mac, 'dev', CABLE, 'nud', 'permanent']
        await exec(base.pair.server, 'ip', ['neighbour', 'replace', OTHERS[family], ...neighbour])
      }
      return own
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Returns the installed spec with some parts changed. */
  spec(changes: Partial<TokenSetupOptions> = {}): KnockSpec {
    return specOf(this.#folder, { ...this.#options, ...changes })
  }

  /** Returns the path of a secret's file by its name. */
  file(name: string): string {
    return join(this.#folder, name)
  }

  /** Makes and sends a token with openssl and nc. */
  async type(family: Family, period: number, secret = SECRET): Promise<void> {
    const half = family === 4 ? 'head' : 'tail'
    const args = [String(period), secret, SERVER[family], String(TOKEN_PORT), half]
    await this.base.run('bash', '-c', TYPED, 'bash', ...args)
  }

  /** Sends payloads from a source. `pace`: from a start on, at an interval, by one processor. */
  async send(
    payloads: readonly string[],
    source: string = CLIENT[4],
    pace:
      | { readonly start: number; readonly interval: number; readonly cpu: number }
      | undefined = undefined,
  ): Promise<void> {
    const target = SERVER[source.includes(':') ? 6 : 4]
    const moments = pace ? [String(pace.start), String(pace.interval)] : []
    const port = String(this.#options.token?.port ?? TOKEN_PORT)
    const perl = ['perl', SEND, target, port, source, ...moments]
    const [file = '', ...args] = pace ? ['taskset', '-c', String(pace.cpu), ...perl] : perl
    const child = start(this.base.pair.client, file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdout?.resume()
    child.stdin?.end(payloads.map((payload) => `${payload}\n`).join(''))
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`send-datagrams.pl ended with ${code}`)
  }

  /** Returns the elements of one of the table's sets. */
  async elements(set: string): Promise<unknown[]> {
    const listing = await listTable(this.base.pair.server, 'knock', this.binary)
    const found = listing?.map((object) => object['set'] as { name: string; elem?: unknown[] })
    return found?.find((one) => one?.name.replace(/_0$/, '') === set)?.elem ?? []
  }

  async close(source: string): Promise<void> {
    await this.base.knock.door('service').close(source)
  }

  /** Lets nft execute a script at the server. */
  script(text: string): Promise<void> {
    return apply(this.base.pair.server, text, this.binary)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
    await this.base[Symbol.asyncDispose]()
  }
}

function specOf(
  folder: string,
  { token = {}, door = {}, parts = {} }: TokenSetupOptions,
): KnockSpec {
  const users = [{ name: 'ann', secretFile: join(folder, 'secret') }]
  const knock = {
    type: 'token',
    period: 60,
    horizon: '1h',
    users,
    ...token,
    port: `udp/${token.port ?? TOKEN_PORT}`,
  }
  return { ...doorOf([], { knock, ...door }), ...parts }
}
