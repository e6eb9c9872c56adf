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
import type { Family } from '../../lib/spec/model/model.js'
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
import { type SshServer, startSshd } from '../scene/sshd.js'
import type { Page } from './page.js'

/** A host by its addresses. */
export type Addresses = Readonly<Record<Family, string>>

/** The name that pages have for the server. */
const HOST = 'server.example'

interface SceneOptions {
  /** Other names that the page has. */
  readonly hosts?: Readonly<Record<string, Addresses>>
  /** Where sshd listens; default: 22. */
  readonly port?: number
  /** Where it runs; default: at the server. */
  readonly sshdAt?: string
  /** Default: the one that is tested. */
  readonly nft?: string
  readonly addresses?: readonly string[]
  /** A pair that stands already. */
  readonly pair?: Pair
}

export class Scene implements AsyncDisposable {
  readonly pair: Pair
  readonly page: Page
  /** Stands for /etc/knock, for the client's home and for the folder that one is in. */
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
    { nft = NFT, hosts = {} }: SceneOptions,
  ) {
    this.page = page
    this.pair = pair
    this.folder = folder
    this.#sshd = sshd
    this.#nft = nft
    this.#hosts = { [HOST]: SERVER, ...hosts }
  }

  static async open(page: Page, options: SceneOptions = {}): Promise<Scene> {
    const { port = 22, addresses = [] } = options
    const pair = options.pair ?? (await createPair({ addresses }))
    try {
      const folder = await mkdtemp(join(tmpdir(), 'knocklib-cookbook-'))
      const sshd = await startSshd(options.sshdAt ?? pair.server, port)
      await writePrograms(folder, sshd, options.nft ?? NFT)
      return new Scene(page, pair, folder, sshd, options)
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The handle of what was installed last. */
  get knock(): Knock {
    if (!this.#knock) throw new Error('nothing is installed')
    return this.#knock
  }

  /** Installs the page's spec; `changes` are textual, for times that no test can wait for. */
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

  /** Writes a block that is a file, `file: NAME`, for its owner alone. */
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

  /** Runs command lines anywhere, with the page's names for folders and programs. */
  run(namespace: string, lines: string): Promise<Output> {
    const path = [join(this.folder, 'bin'), process.env['PATH']].join(':')
    const env = { ...process.env, PATH: path, HOME: this.folder, KNOCKLIB_NFT: this.#nft }
    const options = { cwd: this.folder, env }
    return exec(namespace, 'bash', ['-c', this.#localise(lines)], options)
  }

  /** Whether nothing answers at a port. */
  async isShut(family: Family = 4, port = 22, ...from: readonly string[]): Promise<boolean> {
    const args = ['-n', '-z', '-w1', ...from, SERVER[family], String(port)]
    return (await exec(this.pair.client, 'nc', args)).code !== 0
  }

  /** Whether one can log in. */
  async logsIn(family: Family = 4, port = 22, ...options: readonly string[]): Promise<boolean> {
    const line = `ssh -n -p ${port} ${options.join(' ')} ${HOST} true`
    return (await this.atClient(line, family)).code === 0
  }

  /** Takes the client's grants away, whichever it has. */
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
 * ssh with keys and settings of the client's own, as its user has them in a file; knocklib as it is
 * built; one nft.
 */
async function writePrograms(folder: string, sshd: SshServer, nft: string): Promise<void> {
  const config = join(folder, 'ssh_config')
  await writeFile(config, sshConfig(sshd))
  await mkdir(join(folder, 'bin'))
  for (const [name, line] of [
    ['ssh', `/usr/bin/ssh -F ${config}`],
    ['knocklib', `${process.execPath} ${CLI}`],
    // By its name alone it is on the path already.
    ...(nft.includes('/') ? [['nft', nft] as const] : []),
  ] as const) {
    const file = join(folder, 'bin', name)
    await writeFile(file, `#!/bin/sh\nexec ${line} "$@"\n`)
    await chmod(file, 0o755)
  }
}

/** The client's settings, without the port: that is on the page. */
function sshConfig({ options }: SshServer): string {
  const lines = options.flatMap((option, index) => {
    const value = options[index + 1] ?? ''
    if (option === '-i') return [`IdentityFile ${value}`]
    // A machine that is busy takes its time to log in.
    if (option !== '-o' || value.startsWith('ConnectTimeout')) return []
    return [value.replace('=', ' ')]
  })
  return ['Host *', ...lines, 'ConnectTimeout 5', 'LogLevel ERROR', ''].join('\n')
}
