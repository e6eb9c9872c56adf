// The arguments of nft → a run of it on another machine, through ssh.
import { NftError } from '../../errors.js'
import type { Binary } from '../process/binary.js'
import { type Given, HandOver, REMOTE_WAYS } from '../process/hand-over.js'
import type { Launcher } from '../process/launcher.js'
import { type Limits, type Result, run } from '../process/run.js'
import { beforeAborted, SshConnection } from './connection.js'
import { readDestination } from './destination.js'
import { runRemotely, sinceStart } from './remote-command.js'
import { NotConnected } from './ssh-child.js'
import { describeSshFailure, OF_SSH } from './ssh-failure.js'

const UNKNOWN = '; whether the change was made is not known'

interface SshOptions {
  readonly ssh: string
  readonly sshProgram?: string | undefined
  readonly binary?: string | undefined
}

/** Runs nft on another machine. The environment's KNOCKLIB_NFT names one here, and is not used. */
export class SshLauncher implements Launcher {
  readonly host: string
  readonly binary: Binary
  readonly handOver = new HandOver(REMOTE_WAYS)
  readonly #program: string
  readonly #connection: SshConnection

  constructor({ ssh, sshProgram, binary }: SshOptions) {
    const place = readDestination(ssh, 'createNft')
    this.host = ssh
    this.#program = sshProgram ?? (process.env['KNOCKLIB_SSH'] || 'ssh')
    this.binary = {
      path: binary ?? 'nft',
      chosen: `${binary ?? 'nft'} of ${ssh}`,
      advice: 'install the package nftables there',
    }
    this.#connection = new SshConnection(place, this.#program)
  }

  get label(): string {
    return `ssh ${this.host} nft`
  }

  close(): void {
    this.#connection.close()
  }

  async start(
    args: readonly string[],
    asked: Limits,
    { input, isFiled }: Partial<Given>,
  ): Promise<Result> {
    const { signal, timeout } = asked
    if (signal?.aborted) throw this.#ended('aborted', 'aborted', asked)
    const limit = AbortSignal.timeout(timeout)
    const until = signal ? AbortSignal.any([signal, limit]) : limit
    const size = isFiled && input !== undefined ? Buffer.byteLength(input) : undefined
    const command = runRemotely([this.binary.path, ...args], size)
    let isConnected = false
    const call = (words: readonly string[]) => {
      isConnected = true
      const given = input === undefined ? {} : { input }
      // The master holds the streams of an ended call until the command there ends, too.
      return beforeAborted(run([...words, command], { ...asked, signal: until }, given), until)
    }
    try {
      return this.#judge(await this.#connection.use(call, until), asked)
    } catch (error) {
      if (error instanceof NotConnected) throw describeSshFailure(error.ending, this.#place(asked))
      if (error !== until.reason) throw error
      const unknown = isConnected && asked.document ? UNKNOWN : ''
      if (signal?.aborted) throw this.#ended('aborted', `aborted${unknown}`, asked)
      // What hangs may be the connection.
      this.#connection.close()
      const what = isConnected ? `nft did not answer within` : 'ssh did not connect within'
      throw this.#ended('timed-out', `${what} ${timeout / 1000} s${unknown}`, asked)
    }
  }

  /** Takes away what the login shell wrote. Throws if nft was not started. */
  #judge(result: Result, asked: Limits): Result {
    const stdout = sinceStart(result.stdout)
    const stderr = sinceStart(result.stderr) ?? result.stderr
    if (result.isMaxBuffer) return result
    if (stdout === undefined) throw describeSshFailure(result, this.#place(asked))
    if (result.exitCode !== OF_SSH) return { ...result, stdout, stderr }
    throw this.#ended('ended', `the connection was lost${asked.document ? UNKNOWN : ''}`, asked)
  }

  #ended(code: 'aborted' | 'timed-out' | 'ended', reason: string, asked: Limits): NftError {
    return new NftError(code, `${asked.operation ?? 'nft'}: ${this.host}: ${reason}`)
  }

  #place({ operation = 'nft' }: Limits) {
    return { operation, destination: this.host, program: this.#program }
  }
}
