// The calls of `Nft` → runs of nft, and their answers or errors. A launcher starts them.
import { ArgumentError, CapabilityError, isNotFound, ListingError, NftError } from '../../errors.js'
import type { NftDocument } from '../../nft/document.js'
import { listedObjects } from '../../nft/parts.js'
import { formatTransaction, hasMapStatement } from '../../nft/text/transaction.js'
import { debugged, outlineOf } from '../debug.js'
import type { CallOptions, ListQuery, Nft } from '../nft.js'
import { knowsTypeof } from './capability.js'
import { type Asked, asksWhatIsThere, describeFailure, makesParts, NOTHING } from './failure.js'
import type { Given } from './hand-over.js'
import type { Launcher } from './launcher.js'
import { exhausted, outcomeOf, type Result } from './run.js'

export class ProcessNft implements Nft {
  readonly netns?: string
  readonly host?: string
  readonly #launcher: Launcher
  readonly #timeout: number
  /** Whether the version is 1.0; undefined until it is known. */
  #isOld: boolean | undefined

  /** @param timeout - milliseconds that one call may take. */
  constructor(launcher: Launcher, timeout = 60_000) {
    const { netns, host } = launcher
    if (netns !== undefined) this.netns = netns
    if (host !== undefined) this.host = host
    this.#launcher = launcher
    this.#timeout = timeout
  }

  close(): void {
    this.#launcher.close?.()
  }

  async apply(document: NftDocument, options: CallOptions = {}): Promise<void> {
    await this.#give(document, [], options)
  }

  async check(document: NftDocument, options: CallOptions = {}): Promise<void> {
    await this.#give(document, ['-c'], options)
  }

  async list(
    { family = 'inet', table, chain, set, map, terse }: ListQuery,
    options: CallOptions = {},
  ): Promise<unknown> {
    const kind = set ? 'set' : map ? 'map' : chain ? 'chain' : 'table'
    const name = set ?? map ?? chain
    for (const word of [table, name ?? table]) requireName(word, options.operation)
    const args = ['-j', 'list', kind, family, table, ...(name === undefined ? [] : [name])]
    const subject =
      name === undefined ? `table ${family} ${table}` : `${kind} ${family} ${table} ${name}`
    if (terse && name === undefined && family === 'inet')
      return this.#listTerse(table, { ...options, subject })
    return this.#listJson(args, { ...options, subject })
  }

  /**
   * Lists a table without elements. nft 1.0.6 reads all elements when it lists a table, also with
   * -t, but none when it lists the whole ruleset.
   */
  async #listTerse(table: string, asked: Asked & CallOptions): Promise<unknown> {
    if (!(await this.#isOfOld(asked)))
      return this.#listJson(['-j', '-t', 'list', 'table', 'inet', table], asked)
    const listing = await this.#listJson(['-j', '-t', 'list', 'ruleset', 'inet'], asked)
    const own = tableIn(listing, table)
    if (own) return own
    throw new NftError('not-found', `${asked.operation ?? 'nft'}: ${asked.subject}: not there`)
  }

  async #isOfOld(options: CallOptions): Promise<boolean> {
    this.#isOld ??= /^1\.0\./.test(await this.version(options))
    return this.#isOld
  }

  async #listJson(args: readonly string[], asked: Asked & CallOptions): Promise<unknown> {
    const stdout = await this.#run(args, asked)
    try {
      return JSON.parse(stdout)
    } catch {
      const operation = asked.operation ?? 'nft'
      throw new ListingError(`${operation}: ${asked.subject}: nft's listing is not JSON`, stdout)
    }
  }

  async listChains(options: CallOptions = {}): Promise<unknown> {
    return this.#listJson(['-j', 'list', 'chains'], { ...options, subject: 'all chains' })
  }

  async version(options: CallOptions = {}): Promise<string> {
    const stdout = await this.#run(['--version'], { ...options, subject: 'nft' })
    const version = /v(\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1]
    if (version !== undefined) {
      this.#launcher.handOver.expect(knowsTypeof(version) ? 'newer' : 'older')
      return version
    }
    const says = `it calls itself ${JSON.stringify(stdout.trim().split('\n')[0])}`
    const { chosen, advice } = this.#launcher.binary
    const reason = `this is not nft (${chosen}): ${says}; ${advice}`
    throw new NftError('nft-missing', `${options.operation ?? 'nft'}: ${reason}`)
  }

  async #give(document: NftDocument, flags: string[], options: CallOptions): Promise<void> {
    const table = tableOf(document)
    // The JSON of nft 1.0 knows no statement `map`. Its own language does.
    const isScript = hasMapStatement(document) && (await this.#isOfOld(options))
    const asked = { ...options, document, isScript, subject: `table inet ${table}` }
    const text = isScript ? formatTransaction(document) : JSON.stringify(document)
    const args = [...flags, ...(isScript ? [] : ['-j']), '-f']
    const done = await this.#launcher.handOver
      .give(
        text,
        (given) => this.#start([...args, given.file], asked, given),
        isScript ? 'script' : 'json',
      )
      .catch((error: unknown) => {
        throw exhausted(error, asked)
      })
    if ('reasons' in done) throw unreadable(done.reasons, asked)
    if (!done.failed) return
    const absent = asksWhatIsThere(done, asked)
      ? await this.#absentOf(document, options)
      : undefined
    throw this.#describe(done, { ...asked, absent })
  }

  /** Finds out what is missing after nft has said of a document that something is. */
  async #absentOf({ nftables }: NftDocument, options: CallOptions): Promise<Asked['absent']> {
    const table = tableOf({ nftables })
    const asked = { ...options, subject: `table inet ${table}` }
    try {
      await this.list({ table, terse: true }, options)
    } catch (error) {
      return isNotFound(error) ? 'table' : undefined
    }
    if (!nftables.some(makesParts)) return 'part'
    const deletes = nftables.filter((command) => 'delete' in command && 'element' in command.delete)
    if (deletes.length === 0) return 'nothing'
    const done = await this.#launcher.handOver.give(
      JSON.stringify({ nftables: deletes }),
      (given) => this.#start(['-c', '-j', '-f', given.file], asked, given),
    )
    return 'failed' in done && NOTHING.test(done.stderr) ? 'part' : 'nothing'
  }

  async #run(args: readonly string[], asked: Asked & CallOptions): Promise<string> {
    const result = await this.#start(args, asked)
    if (result.failed) throw this.#describe(result, asked)
    return result.stdout
  }

  #describe(result: Result, asked: Asked): NftError | CapabilityError {
    const { netns } = this
    const place = {
      argv: result.argv,
      binary: this.#launcher.binary,
      netns: netns || undefined,
    }
    return describeFailure(result, place, asked)
  }

  #start(args: readonly string[], asked: Asked & CallOptions, given: Partial<Given> = {}) {
    const timeout = asked.timeout ?? this.#timeout
    const { document } = asked
    return debugged(
      () => [this.#launcher.label, ...args, ...(document ? [outlineOf(document)] : [])].join(' '),
      () => this.#launcher.start(args, { ...asked, timeout }, given),
      outcomeOf,
    )
  }
}

function unreadable(reasons: readonly string[], { operation = 'nft', subject }: Asked): Error {
  const missing = `nft cannot read what it is given: ${reasons.join('; ')}`
  const provider = reasons.some((reason) => reason.includes('Permission denied'))
    ? 'SELinux or AppArmor may confine nft (ausearch -m avc -c nft, or dmesg, shows ' +
      'that): use nft 1.1 or newer, which opens nothing, or allow it in the policy ' +
      '(audit2allow)'
    : 'make room in the folder of temporary files (TMPDIR), or mount /proc'
  return new CapabilityError(`${operation}: ${subject}`, missing, provider)
}

/**
 * nft joins its arguments and parses the text, so a name must not have special characters. A hyphen
 * at its beginning would make an option of it.
 */
function requireName(name: string, operation = 'nft'): void {
  if (/^\w[\w-]*$/.test(name)) return
  const expected = 'a name of letters, digits, _ and -'
  throw new ArgumentError(`${operation}: expected ${expected}, got ${JSON.stringify(name)}`)
}

/** Returns the objects of one table in a listing of all tables; undefined if it is not there. */
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
