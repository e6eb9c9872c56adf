// A recipe → a server with its doors and a real sshd, and a client that runs the page's command
// lines.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createNft,
  installKnock,
  type Knock,
  type KnockSpec,
  loadDocument,
} from '../../lib/index.js'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { CLI } from '../machine/built.js'
import {
  CLIENT,
  createPair,
  exec,
  NFT,
  type Output,
  type Pair,
  SERVER,
} from '../machine/namespaces.js'
import { type SshServer, startSshd } from '../setups/sshd.js'
import type { Page } from './page.js'

/** A host's addresses. */
export type Addresses = Readonly<Record<Family, string>>

/** The server's name on the pages. */
const HOST = 'server.example'

interface PageSetupOptions {
  /** Other hosts on the page, by their names. */
  readonly hosts?: Readonly<Record<string, Addresses>>
  /** The port of sshd. Default: 22. */
  readonly port?: number
  /** The namespace of sshd. Default: the server's. */
  readonly sshdAt?: string
  /** Default: the nft under test. */
  readonly nft?: string
  readonly addresses?: readonly string[]
  /** A pair that exists already. Default: a new one. */
  readonly pair?: Pair
}

/** A server and a client on which a page of the cookbook is followed. */
export class PageSetup implements AsyncDisposable {
  readonly pair: Pair
  readonly page: Page
  /** The folder in place of /etc/knock, of the client's home and of the working directory. */
  readonly folder: string
  readonly #hosts: Readonly<Record<string, Addresses>>
  readonly #nft: string
  readonly #sshd: SshServer
  #knock: Knock | undefined

  private constructor(
    page: Page,
    pair: Pair,
    folder: string,
    sshd: SshServer,
    { nft = NFT, hosts = {} }: PageSetupOptions,
  ) {
    this.page = page
    this.pair = pair
    this.folder = folder
    this.#sshd = sshd
    this.#nft = nft
    this.#hosts = { [HOST]: SERVER, ...hosts }
  }

  static async open(page: Page, options: PageSetupOptions = {}): Promise<PageSetup> {
    const { port = 22, addresses = [] } = options
    const pair = options.pair ?? (await createPair({ addresses }))
    try {
      const folder = await mkdtemp(join(tmpdir(), 'knocklib-cookbook-'))
      const sshd = await startSshd(options.sshdAt ?? pair.server, port)
      await writePrograms(folder, sshd, options.nft ?? NFT)
      return new PageSetup(page, pair, folder, sshd, options)
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Returns the handle of the last install. */
  get knock(): Knock {
    if (!this.#knock) throw new Error('nothing is installed')
    return this.#knock
  }

  /** Installs the page's spec. `changes`: texts to replace, because some times are too long. */
  async install(mark = 'spec', changes: Readonly<Record<string, string>> = {}): Promise<Knock> {
    let text = this.#localise(this.page.block(mark))
    for (const [from, to] of Object.entries(changes)) {
      if (!text.includes(from)) throw new Error(`${mark}: there is no ${from} to change`)
      text = text.replaceAll(from, to)
    }
    const file = join(this.folder, 'doors.yaml')
    await writeFile(file, text, { mode: 0o600 })
    const nft = createNft({ binary: this.#nft, netns: this.pair.server })
    this.#knock = await installKnock((await loadDocument(file)) as KnockSpec, { nft })
    return this.#knock
  }

  /** Writes the block `file: NAME` as a file that only its owner can read. */
  async write(name: string): Promise<void> {
    const text = this.page.block(`file: ${name}`)
    await writeFile(join(this.folder, name), text, { mode: 0o600 })
  }

  /** Runs a block of the page at the client, against one address of the server. */
  client(mark: string, family: Family = 4): Promise<Output> {
    return this.atClient(this.page.block(mark), family)
  }

  /** Runs command lines at the client that are not on the page. */
  atClient(lines: string, family: Family = 4): Promise<Output> {
    let text = lines
    for (const [name, addresses] of Object.entries(this.#hosts)) {
      text = text.replaceAll(name, addresses[family])
    }
    return this.run(this.pair.client, text)
  }

  /** Runs a block of the page at the server. */
  server(mark: string): Promise<Output> {
    return this.run(this.pair.server, this.page.block(mark))
  }

  /** Runs command lines in a namespace, with the page's names for folders and programs. */
  run(namespace: string, lines: string): Promise<Output> {
    const path = [join(this.folder, 'bin'), process.env['PATH']].join(':')
    const env = { ...process.env, PATH: path, HOME: this.folder, KNOCKLIB_NFT: this.#nft }
    const options = { cwd: this.folder, env }
    return exec(namespace, 'bash', ['-c', this.#localise(lines)], options)
  }

  /** Connects to a port. Resolves with true if nothing answers. */
  async isShut(family: Family = 4, port = 22, ...from: readonly string[]): Promise<boolean> {
    const args = ['-n', '-z', '-w1', ...from, SERVER[family], String(port)]
    return (await exec(this.pair.client, 'nc', args)).code !== 0
  }

  /** Logs in by ssh. Resolves with true if that succeeds. */
  async logsIn(family: Family = 4, port = 22, ...options: readonly string[]): Promise<boolean> {
    const line = `ssh -n -p ${port} ${options.join(' ')} ${HOST} true`
    return (await this.atClient(line, family)).code === 0
  }

  /** Closes all grants of the client. */
  async revoke(family: Family = 4, door?: string): Promise<void> {
    for (const one of this.knock.doors) {
      if (!door || one.name === door) await one.close(CLIENT[family])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sshd[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true })
    await this.pair[Symbol.asyncDispose]()
  }

  #localise(text: string): string {
    return text.replaceAll('/etc/knock', this.folder).replaceAll('/usr/bin/knocklib', 'knocklib')
  }
}

/**
 * Writes programs for the page's names: ssh with the client's keys and settings, the built
 * knocklib, and one nft.
 */
async function writePrograms(folder: string, sshd: SshServer, nft: string): Promise<void> {
  const config = join(folder, 'ssh_config')
  await writeFile(config, sshConfig(sshd))
  await mkdir(join(folder, 'bin'))
  for (const [name, line] of [
    ['ssh', `/usr/bin/ssh -F ${config}`],
    ['knocklib', `${process.execPath} ${CLI}`],
    // A bare name is found on the path already.
    ...(nft.includes('/') ? [['nft', nft] as const] : []),
  ] as const) {
    const file = join(folder, 'bin', name)
    await writeFile(file, `#!/bin/sh\nexec ${line} "$@"\n`)
    await chmod(file, 0o755)
  }
}

/** Returns the client's settings, without the port, which is on the page. */
function sshConfig({ options }: SshServer): string {
  const lines = options.flatMap((option, index) => {
    const value = options[index + 1] ?? ''
    if (option === '-i') return [`IdentityFile ${value}`]
    // Without a timeout, because a login can be slow on a loaded machine.
    if (option !== '-o' || value.startsWith('ConnectTimeout')) return []
    return [value.replace('=', ' ')]
  })
  return ['Host *', ...lines, 'ConnectTimeout 5', 'LogLevel ERROR', ''].join('\n')
}
