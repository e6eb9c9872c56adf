// The kernel's ruleset behind a tiny interface, and the real one: nft as a child process. The only importer of execa.
import { open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ArgumentError, ListingError, NftError } from '../errors.js'
import type { NftDocument } from '../nft/document.js'
import { listedObjects } from '../nft/parts.js'
import { type Asked, describeFailure } from './failure.js'

export interface CallOptions {
  /** Who asks, for error messages. */
  readonly operation?: string
  readonly signal?: AbortSignal
  /** The most milliseconds that nft may take for this call; then it is ended with `timed-out`. */
  readonly timeout?: number
}

/** What can be listed: a table whole, or one chain, set or map of it. */
export interface ListQuery {
  readonly table: string
  readonly chain?: string
  readonly set?: string
  readonly map?: string
  /**
   * Of a whole table: without the elements of its sets and maps, so that it costs the same however many sources they
   * hold. An `Nft` that cannot do that lists the elements as well.
   */
  readonly terse?: boolean
}

/**
 * What knocklib asks of nftables. `createNft` makes the real one, `FakeNft` keeps a ruleset in memory;
 * both keep the same promises, which one table of cases runs through both.
 */
export interface Nft {
  /**
   * The kernel's network namespace that it works in: a name as `ip netns` knows it, or a path; empty: this process's
   * own. Absent, it is no kernel's, and there is nothing to watch.
   */
  readonly netns?: string
  /**
   * Does all commands of a document, or none of them.
   * @throws NftError
   */
  apply(document: NftDocument, options?: CallOptions): Promise<void>
  /**
   * Asks whether `apply` would succeed; changes nothing.
   * @throws NftError
   */
  check(document: NftDocument, options?: CallOptions): Promise<void>
  /**
   * Lists as nft's JSON does; `parseListing` reads it.
   * @throws ArgumentError where a name has other characters than letters, digits and _.
   * @throws ListingError where nft's answer is no JSON.
   * @throws NftError `not-found` where there is no such table, chain or set.
   */
  list(query: ListQuery, options?: CallOptions): Promise<unknown>
  /**
   * The version as nft prints it, such as `1.0.6`.
   * @throws NftError
   */
  version(options?: CallOptions): Promise<string>
}

export interface NftOptions {
  /** The nft binary. Default: the environment's KNOCKLIB_NFT, then `nft` on PATH. */
  readonly binary?: string
  /** A network namespace to work in: a name as `ip netns` knows it, or a path. Default: this process's own. */
  readonly netns?: string
  /** Milliseconds that one call may take. Default: 60,000. */
  readonly timeout?: number
}

/** Runs nft as a child process, in this process's network namespace or in another. */
export function createNft(options: NftOptions = {}): Nft {
  return new ProcessNft(options)
}

class ProcessNft implements Nft {
  readonly netns: string
  readonly #command: readonly [string, ...string[]]
  readonly #timeout: number
  /** Whether it is nft 1.0, once that is known. */
  #isOld: boolean | undefined

  constructor({ binary, netns, timeout = 60_000 }: NftOptions) {
    const nft = binary ?? process.env['KNOCKLIB_NFT'] ?? 'nft'
    this.netns = netns ?? ''
    const namespace = netns?.includes('/') ? netns : `/run/netns/${netns}`
    this.#command = netns === undefined ? [nft] : ['nsenter', `--net=${namespace}`, '--', nft]
    this.#timeout = timeout
  }

  async apply(document: NftDocument, options: CallOptions = {}): Promise<void> {
    await this.#give(document, [], options)
  }

  async check(document: NftDocument, options: CallOptions = {}): Promise<void> {
    await this.#give(document, ['-c'], options)
  }

  async list(
    { table, chain, set, map, terse }: ListQuery,
    options: CallOptions = {},
  ): Promise<unknown> {
    const kind = set ? 'set' : map ? 'map' : chain ? 'chain' : 'table'
    const name = set ?? map ?? chain
    for (const word of [table, name ?? table]) requireName(word, options.operation)
    const args = ['-j', 'list', kind, 'inet', table, ...(name === undefined ? [] : [name])]
    const subject = name === undefined ? `table inet ${table}` : `${kind} inet ${table} ${name}`
    if (terse && name === undefined) return this.#listTerse(table, { ...options, subject })
    return this.#listJson(args, { ...options, subject })
  }

  /** nft 1.0.6 reads all elements when it lists a table, also with -t. It reads none when it lists the ruleset. */
  async #listTerse(table: string, asked: Asked & CallOptions): Promise<unknown> {
    this.#isOld ??= /^1\.0\./.test(await this.version(asked))
    if (!this.#isOld) return this.#listJson(['-j', '-t', 'list', 'table', 'inet', table], asked)
    const listing = await this.#listJson(['-j', '-t', 'list', 'ruleset', 'inet'], asked)
    const own = tableIn(listing, table)
    if (own) return own
    throw new NftError('not-found', `${asked.operation ?? 'nft'}: ${asked.subject}: not there`)
  }

  async #listJson(args: readonly string[], asked: Asked & CallOptions): Promise<unknown> {
    const stdout = await this.#run(args, asked)
    try {
      return JSON.parse(stdout)
    } catch {
      const operation = asked.operation ?? 'nft'
      throw new ListingError(`${operation}: ${asked.subject}: nft's listing is no JSON`, stdout)
    }
  }

  async version(options: CallOptions = {}): Promise<string> {
    const stdout = await this.#run(['--version'], { ...options, subject: 'nft' })
    const version = /v(\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1]
    if (version !== undefined) return version
    const says = `it calls itself ${JSON.stringify(stdout.trim().split('\n')[0])}`
    const reason = `this is no nft: ${says}; install the package nftables, or name the binary in KNOCKLIB_NFT`
    const command = this.#command.at(-1)
    throw new NftError('nft-missing', `${options.operation ?? 'nft'}: ${command}: ${reason}`)
  }

  /**
   * Hands a document over through a file that has no name any more and that nobody else may read: knock sequences
   * must not show in the process list, and nft cannot open the socket that Node gives a child as its stdin.
   */
  async #give(document: NftDocument, flags: string[], options: CallOptions): Promise<void> {
    const { randomUUID } = await import('node:crypto')
    const path = join(tmpdir(), `knocklib-${randomUUID()}`)
    const file = await open(path, 'wx+', 0o600)
    try {
      await unlink(path)
      await file.writeFile(JSON.stringify(document))
      // Not `-f -` and not /dev/stdin: for those nft 1.0.6 answers broken JSON with success.
      const args = [...flags, '-j', '-f', '/dev/fd/0']
      await this.#run(
        args,
        { ...options, document, subject: `table inet ${tableOf(document)}` },
        file.fd,
      )
    } finally {
      await file.close()
    }
  }

  async #run(args: readonly string[], asked: Asked & CallOptions, file?: number): Promise<string> {
    // execa starts the process first, and by the time it is ended the change may have been made.
    if (asked.signal?.aborted) {
      throw new NftError('aborted', `${asked.operation ?? 'nft'}: ${asked.subject}: aborted`)
    }
    // Loading execa takes longer than everything else at start, and reading --help needs no nft.
    const { execa } = await import('execa')
    const [command, ...prefix] = this.#command
    const argv = [...prefix, ...args]
    const result = await execa(command, argv, {
      // Any descriptor will do; execa's types name the small ones alone.
      stdin: (file as 3 | undefined) ?? 'ignore',
      env: { LC_ALL: 'C', TZ: 'UTC' },
      reject: false,
      timeout: asked.timeout ?? this.#timeout,
      maxBuffer: 2 ** 29,
      ...(asked.signal && { cancelSignal: asked.signal }),
    })
    if (result.failed) throw describeFailure(result, [command, ...argv], asked)
    return String(result.stdout)
  }
}

/** nft joins its arguments and reads them as its language: another character would be more than a name. */
function requireName(name: string, operation = 'nft'): void {
  if (/^\w+$/.test(name)) return
  const expected = 'a name of letters, digits and _'
  throw new ArgumentError(`${operation}: expected ${expected}, got ${JSON.stringify(name)}`)
}

/** The objects of one table in a listing of all; undefined if that table is not among them. */
function tableIn(listing: unknown, table: string): { nftables: unknown[] } | undefined {
  const objects = listedObjects(listing).filter((object) => {
    const [content] = Object.values(object ?? {}) as { table?: unknown; name?: unknown }[]
    const isTable = typeof object === 'object' && object !== null && 'table' in object
    return (isTable ? content?.name : content?.table) === table
  })
  return objects.length > 0 ? { nftables: objects } : undefined
}

function tableOf({ nftables: [first] }: NftDocument): string {
  const object = first && Object.values(first)[0]
  const content = object && Object.values(object)[0]
  return content?.table ?? content?.name ?? ''
}
