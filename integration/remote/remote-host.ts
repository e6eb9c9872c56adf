// An nft → a machine in a namespace that has it, sshd, a shell and no Node; and in another
// namespace the ssh of somebody who administers it.
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNft, type Nft, type NftOptions } from '../../lib/index.js'
import { createPair, type Pair, SERVER } from '../machine/namespaces.js'
import { type SshServer, startSshd } from '../setups/sshd.js'

/** The programs there, all of which busybox has, too. */
const PROGRAMS = ['sh', 'cat', 'mktemp', 'rm', 'wc']

interface RemoteOptions {
  /** The nft there; absent: none that is found. */
  readonly binary?: string | undefined
  /** Of sshd. Default: 22. */
  readonly port?: number
}

export class RemoteHost implements AsyncDisposable {
  readonly pair: Pair
  readonly folder: string
  readonly #sshd: SshServer
  readonly #made: Nft[] = []

  private constructor(pair: Pair, folder: string, sshd: SshServer) {
    this.pair = pair
    this.folder = folder
    this.#sshd = sshd
  }

  static async open({ binary, port = 22 }: RemoteOptions = {}): Promise<RemoteHost> {
    const folder = await mkdtemp(join(tmpdir(), 'knl-ssh-'))
    const pair = await createPair()
    try {
      const path = join(folder, 'bin')
      await mkdir(path)
      await Promise.all(PROGRAMS.map((name) => symlink(`/usr/bin/${name}`, join(path, name))))
      const nft =
        binary === undefined ? 'echo "sh: nft: not found" >&2; exit 127' : `exec ${binary} "$@"`
      await writeProgram(join(path, 'nft'), nft)
      // Its home has no files that the login shell would read.
      const sshd = await startSshd(pair.server, port, { PATH: path, HOME: folder })
      const host = new RemoteHost(pair, folder, sshd)
      await host.writeSsh(sshd.options)
      return host
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The user's program ssh. It is run in the other namespace, and knows the keys. */
  get ssh(): string {
    return join(this.folder, 'ssh')
  }

  get options(): readonly string[] {
    return this.#sshd.options
  }

  /** Writes the user's ssh with such options. It notes each of its arguments in a file. */
  async writeSsh(options: readonly string[]): Promise<void> {
    // The port is that of the destination.
    const own = options.filter((word, at) => word !== '-p' && options[at - 1] !== '-p')
    const words = own.map((word) => `'${word}'`).join(' ')
    const place = `nsenter --net=/run/netns/${this.pair.client}`
    const note = `printf '%s\\n' "$@" >>${join(this.folder, 'asked')}`
    await writeProgram(this.ssh, `${note}\nexec ${place} ssh ${words} "$@"`)
  }

  /** The arguments that ssh was given so far. */
  asked(): Promise<string> {
    return readFile(join(this.folder, 'asked'), 'utf8')
  }

  /** Makes an `Nft` that works there by ssh. */
  nft(ssh: string = `root@${SERVER[4]}`, options: NftOptions = {}): Nft {
    const nft = createNft({ ...options, ssh, sshProgram: this.ssh })
    this.#made.push(nft)
    return nft
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // sshd waits for its sessions.
    for (const nft of this.#made) nft.close?.()
    await this.#sshd[Symbol.asyncDispose]()
    await this.pair[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}

async function writeProgram(path: string, script: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
}
